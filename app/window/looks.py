"""The appearance of the window: theme, language, and layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QMainWindow

from quantcrafter.app import theme
from quantcrafter.app.services.i18n import tr

if TYPE_CHECKING:
    from quantcrafter.app.services.settings import Settings
    from quantcrafter.app.window.layout.pane_host import PaneHost
    from quantcrafter.app.window.messages import Messages
    from quantcrafter.app.window.pane_focus import PaneFocus
    from quantcrafter.app.window.tabs.tabs import Tabs


class WindowLooks:
    """Changes the looks of a window, and remembers them.

    Args:
        window: the window.
        settings: the user's settings.
        tabs: the open strategies.
        panes: the panes.
        focus: takes the keyboard back to the canvas.
        messages: shows messages to the user.
    """

    def __init__(
        self,
        window: QMainWindow,
        settings: Settings,
        tabs: Tabs,
        panes: PaneHost,
        focus: PaneFocus,
        messages: Messages,
    ) -> None:
        self._window = window
        self._settings = settings
        self._tabs = tabs
        self._panes = panes
        self._focus = focus
        self._messages = messages

    def set_yaml_place(self, place: str) -> None:
        """Show the YAML text `below` or `beside` the canvas, or not (`hidden`)."""
        self._settings.yaml_place = place
        for tab in self._tabs.all():
            tab.place_yaml(place)

    def find_text(self) -> None:
        """Search in the YAML text, which is shown for it."""
        if self._settings.yaml_place == "hidden":
            self.set_yaml_place("below")
        tab = self._tabs.current()
        if tab is not None:
            tab.yaml.open_find()

    def search_components(self) -> None:
        """Go to the search box of the components, which are shown for it."""
        self._panes.docks.show("palette")
        self._panes.docks.palette.focus_search()

    def toggle_minimap(self) -> None:
        """Show or hide the minimap."""
        self._settings.minimap = not self._settings.minimap
        self.show_minimap(shown=self._settings.minimap)

    def show_minimap(self, *, shown: bool) -> None:
        """Show or hide the minimap of every strategy."""
        for tab in self._tabs.all():
            tab.show_minimap(shown=shown)

    def recolor_chart(self) -> None:
        """Draw the chart in the colours that are chosen for candles."""
        if self._panes.is_there and self._panes.docks.frames["chart"].has_pane:
            self._panes.docks.chart.recolor()

    def set_theme(self, name: str) -> None:
        """Use the `light` or the `dark` theme, or the `system`'s."""
        self._settings.theme = name
        preview_theme(name)

    def set_language(self, language: str) -> None:
        """Use another language from the next start on."""
        if language != self._settings.language:
            self._settings.language = language
            self._messages.say(tr("The language changes when you restart QuantCrafter."))

    def toggle_full_screen(self) -> None:
        """Use the whole screen, or go back."""
        state = self._window.windowState()
        self._window.setWindowState(state ^ Qt.WindowState.WindowFullScreen)

    def reset_layout(self) -> None:
        """Put every pane back in its original place."""
        self.set_yaml_place("below")
        if self._panes.is_there:
            self._panes.docks.reset()
            self._focus.leave()


def preview_theme(name: str) -> None:
    """Use a theme until another is used; nothing is remembered."""
    app = QApplication.instance()
    if isinstance(app, QApplication):
        theme.apply(app, name)
