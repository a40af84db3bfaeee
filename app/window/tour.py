"""TourGuide: leads through the window, and shows the parts that the tour speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from quantcrafter.app.actions.qt import ActionSet
    from quantcrafter.app.dialogs.tour import Tour
    from quantcrafter.app.services.settings import Settings
    from quantcrafter.app.window.files.file_controller import FileController
    from quantcrafter.app.window.layout.pane_host import PaneHost
    from quantcrafter.app.window.tabs.tabs import Tabs


class TourGuide:
    """Gives the tour of a window.

    Args:
        window: what it lies over.
        settings: remember that the tour was seen.
        tabs: the open strategies.
        panes: what it speaks of.
        actions: have the toolbar.
        files: open an empty strategy, if none is open.
    """

    def __init__(
        self,
        window: QWidget,
        settings: Settings,
        tabs: Tabs,
        panes: PaneHost,
        actions: ActionSet,
        files: FileController,
    ) -> None:
        self._window = window
        self._settings = settings
        self._tabs = tabs
        self._panes = panes
        self._actions = actions
        self._files = files
        self._tour: Tour | None = None

    def start(self) -> None:
        """Lead through the window, on an empty strategy if none is open; not asked for again once it was seen."""
        from quantcrafter.app.dialogs.tour import Tour

        if self._tour is not None:
            return
        if self._tabs.current() is None:
            self._files.new()
        self._settings.tour_done = True
        self._tour = Tour(self._window, self._part)
        self._tour.showing.connect(self._uncover)
        self._tour.finished.connect(self._end)
        self._tour.start()

    def _end(self) -> None:
        if self._tour is not None:
            self._tour.deleteLater()
            self._tour = None

    def _part(self, name: str) -> QWidget | None:
        """Return the widget that the tour calls by this name."""
        tab = self._tabs.current()
        if tab is None:
            return None
        if name in self._panes.docks.docks:
            return self._panes.docks.docks[name]
        if name == "save":
            return self._actions.toolbar.widgetForAction(self._actions.actions["file.save"])
        return {"canvas": tab.canvas, "yaml": tab.yaml}.get(name)

    def _uncover(self, name: str) -> None:
        """Show the pane that the tour speaks of, if it is hidden."""
        if self._tabs.current() is not None and name in self._panes.docks.docks:
            self._panes.docks.show(name)
