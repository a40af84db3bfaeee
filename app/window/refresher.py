"""Refresher: updates menus, toolbar and window title."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QMainWindow

if TYPE_CHECKING:
    from quantcrafter.app.actions.qt import ActionSet
    from quantcrafter.app.window.tabs.tabs import Tabs


class Refresher(QObject):
    """Follows the current strategy.

    Args:
        window: has the title.
        tabs: the open strategies.
        actions: its menus and toolbar.
    """

    refreshed = Signal()
    """Something changed: the current strategy, its text, selection or run; everything is up to date."""

    def __init__(self, window: QMainWindow, tabs: Tabs, actions: ActionSet) -> None:
        super().__init__(window)
        self._window = window
        self._tabs = tabs
        self._actions = actions
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self.now)

    def soon(self) -> None:
        """Update everything once the current event has been processed."""
        self._timer.start()

    def now(self) -> None:
        """Update everything."""
        self._actions.refresh()
        tab = self._tabs.current()
        self._window.setWindowTitle(f"{tab.title}[*] \N{EN DASH} QuantCrafter" if tab else "QuantCrafter")
        self._window.setWindowFilePath(str(tab.path) if tab and tab.path else "")
        self._window.setWindowModified(tab is not None and tab.needs_saving)
        self.refreshed.emit()
