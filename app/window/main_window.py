"""MainWindow: the frame around the strategies or the welcome page, and what happens to the window itself."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QPushButton, QStackedWidget, QStatusBar, QToolButton, QWidget

from quantcrafter.app.window.drops import dropped_bars, dropped_files
from quantcrafter.app.window.tabs.tabs import Tabs

MIN_SIZE = (860, 520)
"""In pixels."""


class MainWindow(QMainWindow):
    """A window with tabs of strategies; `Shell` puts menus and all else into it.

    Args:
        tabs: the strategies.
        status: the status bar.
        may_close: asks what to do with unsaved changes; returns whether the window may go.
        closed: called before it goes.
    """

    files_dropped = Signal(object)
    """Carries the paths of strategies."""
    bars_dropped = Signal(object)
    """Carries the paths of files with bars."""
    escaped = Signal()
    """Escape was pressed where nobody else wanted it, with a strategy open."""

    def __init__(
        self, tabs: Tabs, status: QStatusBar, may_close: Callable[[], bool], closed: Callable[[], None]
    ) -> None:
        super().__init__()
        self._tabs = tabs
        self._may_close = may_close
        self._closed = closed
        self._welcome: QWidget | None = None
        self.setObjectName("main")
        self.setAcceptDrops(True)
        self.setMinimumSize(*MIN_SIZE)
        self.setStatusBar(status)
        self.pages = QStackedWidget()
        self.setCentralWidget(self.pages)

    def set_welcome(self, welcome: QWidget) -> None:
        """Set the page that is shown while no strategy is open."""
        self._welcome = welcome
        self.pages.addWidget(welcome)
        self.pages.addWidget(self._tabs)

    def show_strategies(self) -> None:
        """Show the strategies."""
        self.pages.setCurrentWidget(self._tabs)

    def show_welcome(self) -> None:
        """Show the welcome page."""
        if self._welcome is not None:
            self.pages.setCurrentWidget(self._welcome)

    # ------------------------------------------------------------------ events

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Press the button that has the focus on Enter, and go back to the canvas on Escape, where nobody else does."""
        focused = QApplication.focusWidget()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focused, (QPushButton, QToolButton)):
            focused.click()
        elif event.key() == Qt.Key.Key_Escape and not event.modifiers() and self._tabs.count():
            self.escaped.emit()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Take files that could be strategies or bars."""
        if dropped_files(event) or dropped_bars(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Open the dropped files."""
        paths = dropped_files(event)
        if paths:
            event.acceptProposedAction()
            QTimer.singleShot(0, self, lambda: self.files_dropped.emit(paths))
            return
        bars = dropped_bars(event)
        if bars:
            event.acceptProposedAction()
            QTimer.singleShot(0, self, lambda: self.bars_dropped.emit(bars))

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Ask about unsaved changes; then remember the layout and go. Should asking fail, the window stays."""
        event.ignore()
        if not self._may_close():
            return
        event.accept()
        self._closed()
