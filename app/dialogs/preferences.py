"""What the settings dialog edits, as a plain value. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from quantcrafter.app.services.settings import Settings
from quantcrafter.engine.runtime.run_store.cleanup import DEFAULT_GB, keep_gb, set_keep_gb


@dataclass(frozen=True, slots=True)
class Preferences:
    """The user's choices.

    `language` and `theme` may be "system"; `forget_habits` empties the quick-add counts; `candle_colors` says what
    rises and what falls on the chart; `runs_gb` is how much runs may take on the disk.
    """

    language: str = "system"
    theme: str = "system"
    yaml_place: str = "below"
    minimap: bool = True
    forget_habits: bool = False
    candle_colors: str = "green_red"
    runs_gb: float = DEFAULT_GB

    @classmethod
    def of(cls, settings: Settings) -> Preferences:
        """Return the choices as the settings have them."""
        return cls(
            settings.language or "system",
            settings.theme,
            settings.yaml_place,
            settings.minimap,
            candle_colors=settings.chart_colors,
            runs_gb=keep_gb(),
        )

    def store(self, settings: Settings) -> None:
        """Write the choices into the settings.

        Raises:
            RunError: the limit of runs cannot be kept.
        """
        settings.language = "" if self.language == "system" else self.language
        settings.theme = self.theme
        settings.yaml_place = self.yaml_place
        settings.minimap = self.minimap
        settings.chart_colors = self.candle_colors
        if self.runs_gb != keep_gb():
            set_keep_gb(self.runs_gb)
        if self.forget_habits:
            settings.quick_add_counts = {}
