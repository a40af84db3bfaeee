"""WindowFront: what stands in front of the user in a window, as its actions ask for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMainWindow

if TYPE_CHECKING:
    from quantcrafter.app.canvas.canvas import Canvas
    from quantcrafter.app.charts.model.choice import ChartChoice
    from quantcrafter.app.document.document import Document
    from quantcrafter.app.services.settings import Settings
    from quantcrafter.app.window.layout.pane_host import PaneHost
    from quantcrafter.app.window.tabs.tab import StrategyTab
    from quantcrafter.app.window.tabs.tabs import Tabs
    from quantcrafter.engine.runtime.run_store.run_folder import RunFolder


class WindowFront:
    """The current strategy and the state of the window; it is a `Front`.

    Args:
        window: the window.
        settings: the user's settings.
        tabs: the open strategies.
        panes: the panes.
        is_busy: returns whether a strategy is being run.
        is_checking: returns whether a check for look-ahead is in progress.
    """

    def __init__(
        self,
        window: QMainWindow,
        settings: Settings,
        tabs: Tabs,
        panes: PaneHost,
        is_busy: Callable[[StrategyTab], bool],
        is_checking: Callable[[], bool],
    ) -> None:
        self._window = window
        self._settings = settings
        self._tabs = tabs
        self._panes = panes
        self._is_busy = is_busy
        self._is_checking = is_checking

    @property
    def settings(self) -> Settings:
        """What is remembered between starts."""
        return self._settings

    @property
    def document(self) -> Document | None:
        """The current strategy."""
        tab = self._tabs.current()
        return None if tab is None else tab.document

    @property
    def canvas(self) -> Canvas | None:
        """Its graph."""
        tab = self._tabs.current()
        return None if tab is None else tab.canvas

    @property
    def selection(self) -> tuple[str, ...]:
        """The ids of the selected nodes."""
        tab = self._tabs.current()
        return () if tab is None else tab.selection

    @property
    def run(self) -> RunFolder | None:
        """Its displayed run."""
        tab = self._tabs.current()
        return None if tab is None else tab.session.run

    @property
    def chart_choice(self) -> ChartChoice | None:
        """The state of its chart, None before there is a chart."""
        return self._panes.docks.chart_choice if self._panes.is_made else None

    @property
    def is_busy(self) -> bool:
        """Whether it is being run, or waits for it."""
        tab = self._tabs.current()
        return tab is not None and self._is_busy(tab)

    @property
    def is_checking(self) -> bool:
        """Whether a check for look-ahead is in progress."""
        return self._is_checking()

    @property
    def is_full_screen(self) -> bool:
        """Whether the window uses the whole screen."""
        return self._window.isFullScreen()

    def is_shown(self, pane: str) -> bool:
        """Return whether a pane can be seen."""
        return self._panes.is_there and self._panes.docks.is_shown(pane)
