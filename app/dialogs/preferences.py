"""What the settings dialog edits, as a plain value. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from app.services.settings import Settings


@dataclass(frozen=True, slots=True)
class Preferences:
    """The user's choices.

    `language` and `theme` may be "system"; `forget_habits` empties the quick-add counts; `candle_colors` says what
    rises and what falls on the chart.
    """

    language: str = "system"
    theme: str = "system"
    yaml_place: str = "below"
    minimap: bool = True
    forget_habits: bool = False
    candle_colors: str = "green_red"

    @classmethod
    def of(cls, settings: Settings) -> Preferences:
        """Return the choices as the settings have them."""
        return cls(
            settings.language or "system",
            settings.theme,
            settings.yaml_place,
            settings.minimap,
            candle_colors=settings.chart_colors,
        )

    def store(self, settings: Settings) -> None:
        """Write the choices into the settings."""
        settings.language = "" if self.language == "system" else self.language
        settings.theme = self.theme
        settings.yaml_place = self.yaml_place
        settings.minimap = self.minimap
        settings.chart_colors = self.candle_colors
        if self.forget_habits:
            settings.quick_add_counts = {}
