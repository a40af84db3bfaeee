"""How the window looks: theme, language, and where things stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app import theme
from app.services.i18n import tr

if TYPE_CHECKING:
    from app.window.main_window import MainWindow


class Looks:
    """Changes the looks of a window, and remembers them."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def set_yaml_place(self, place: str) -> None:
        """Show the YAML text `below` or `beside` the canvas, or not (`hidden`)."""
        self._window.settings.yaml_place = place
        for tab in self._window.tabs.all():
            tab.place_yaml(place)

    def find_text(self) -> None:
        """Search in the YAML text, which is shown for it."""
        if self._window.settings.yaml_place == "hidden":
            self.set_yaml_place("below")
        if self._window.tab is not None:
            self._window.tab.yaml.open_find()

    def search_components(self) -> None:
        """Go to the search box of the components, which are shown for it."""
        self._window.docks.show("palette")
        self._window.docks.palette.focus_search()

    def toggle_minimap(self) -> None:
        """Show or hide the minimap."""
        self._window.settings.minimap = not self._window.settings.minimap
        for tab in self._window.tabs.all():
            tab.show_minimap(shown=self._window.settings.minimap)

    def set_theme(self, name: str) -> None:
        """Use the `light` or the `dark` theme, or the `system`'s."""
        self._window.settings.theme = name
        preview_theme(name)

    def set_language(self, language: str) -> None:
        """Use another language from the next start on."""
        if language != self._window.settings.language:
            self._window.settings.language = language
            self._window.say(tr("The language changes at the next start."))

    def toggle_full_screen(self) -> None:
        """Use the whole screen, or go back."""
        state = self._window.windowState()
        self._window.setWindowState(state ^ Qt.WindowState.WindowFullScreen)

    def reset_layout(self) -> None:
        """Put every pane back where it was at the first start."""
        self.set_yaml_place("below")
        if self._window.has_panes():
            self._window.docks.reset()
            self._window.pane_focus.leave()


def preview_theme(name: str) -> None:
    """Use a theme until another is used; nothing is remembered."""
    app = QApplication.instance()
    if isinstance(app, QApplication):
        theme.apply(app, name)
