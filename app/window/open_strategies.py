"""Strategies: opens and closes documents in tabs, and notifies the controllers of open strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QTimer

from quantcrafter.app.window.tabs.tab import StrategyTab

if TYPE_CHECKING:
    from quantcrafter.app.canvas.action_menus import CanvasActions
    from quantcrafter.app.document.document import Document
    from quantcrafter.app.services.settings import Settings
    from quantcrafter.app.window.layout.pane_host import PaneHost
    from quantcrafter.app.window.main_window import MainWindow
    from quantcrafter.app.window.tabs.tabs import Tabs


class StrategyFollower(Protocol):
    """Looks after each open strategy."""

    def follow(self, tab: StrategyTab) -> None:
        """Look after a strategy from now on."""

    def forget(self, tab: StrategyTab) -> None:
        """Release a strategy that is closed."""


class Strategies:
    """The open strategies of a window.

    Args:
        window: shows the tabs, or the welcome page while there are none.
        tabs: get the strategies.
        panes: come with the first strategy and go with the last.
        settings: the user's settings.
        actions: what canvases offer.
    """

    def __init__(
        self, window: MainWindow, tabs: Tabs, panes: PaneHost, settings: Settings, actions: CanvasActions
    ) -> None:
        self._window = window
        self._tabs = tabs
        self._panes = panes
        self._settings = settings
        self._actions = actions
        self._followers: tuple[StrategyFollower, ...] = ()

    def tell(self, *followers: StrategyFollower) -> None:
        """Tell these of every strategy that is opened or closed, in this order."""
        self._followers += followers

    def add(self, document: Document, name: str) -> StrategyTab:
        """Put a document into a separate tab, in front."""
        tab = StrategyTab(document, name, self._settings, self._actions, self._tabs)
        self._panes.show_all(document)
        self._window.show_strategies()
        for follower in self._followers:
            follower.follow(tab)
        self._tabs.add(tab)
        tab.place_yaml(self._settings.yaml_place)
        QTimer.singleShot(0, tab, tab.canvas.fit_all)  # once everything has its size
        return tab

    def remove(self, tab: StrategyTab) -> None:
        """Take a tab out, without asking."""
        for follower in self._followers:
            follower.forget(tab)
        self._settings.yaml_share = tab.yaml_share
        if self._tabs.count() == 1:
            self._panes.hide_all()
        self._tabs.remove(tab)
