"""Title bars of docks that share a place: their tabs name them already, so the bars give their height to the panes.

The tabs show their names whole, however little room there is: arrows lead to those that find none.
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, QSize, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QWidget


class _NoTitle(QWidget):
    """A title bar that takes no room; a plain widget asks for a height of -1."""

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(0, 0)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(0, 0)


class SlimTitles(QObject):
    """Takes the title bars of docks away while they are tabs; one that stands alone or floats has its bar.

    A tab can be dragged out as a title bar can.

    Args:
        window: has the docks.
        docks: those to look after.
    """

    def __init__(self, window: QMainWindow, docks: Iterable[QDockWidget]) -> None:
        super().__init__(window)
        self._window = window
        self._docks: list[QDockWidget] = []
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self.refresh)
        for dock in docks:
            self.add(dock)

    def add(self, dock: QDockWidget) -> None:
        """Look after another dock."""
        self._docks.append(dock)
        for happening in (dock.visibilityChanged, dock.topLevelChanged, dock.dockLocationChanged):
            happening.connect(self._soon.start)

    def remove(self, dock: QDockWidget) -> None:
        """Look after a dock no longer: it goes."""
        self._docks.remove(dock)
        self._soon.start()

    def refresh(self) -> None:
        """Bring every dock's title bar up to date."""
        for dock in self._docks:
            others = [other for other in self._window.tabifiedDockWidgets(dock) if not other.isHidden()]
            slim = bool(others) and not dock.isFloating()
            if slim != (dock.titleBarWidget() is not None):
                bar_before = dock.titleBarWidget()
                dock.setTitleBarWidget(_NoTitle() if slim else None)  # type: ignore[arg-type] # None is Qt's own bar
                if bar_before is not None:
                    bar_before.deleteLater()
        bar: QTabBar
        for bar in self._window.findChildren(QTabBar, "", Qt.FindChildOption.FindDirectChildrenOnly):
            bar.setElideMode(Qt.TextElideMode.ElideNone)
            bar.setUsesScrollButtons(True)
