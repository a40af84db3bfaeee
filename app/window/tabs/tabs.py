"""The open strategies as tabs: named by their files, marked while unsaved, movable, closed by a middle click too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QTabBar, QTabWidget, QToolButton, QWidget

from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme.icons import icon

if TYPE_CHECKING:
    from quantcrafter.app.window.tabs.tab import StrategyTab

MODIFIED = "\N{BULLET} "
CLOSE_ICON = 12


class Tabs(QTabWidget):
    """The tab area. `close_asked(StrategyTab)` comes before anything is closed; `current_changed` after a switch."""

    close_asked = Signal(object)
    current_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDocumentMode(True)
        self.setMovable(True)
        self.setElideMode(Qt.TextElideMode.ElideMiddle)
        self.setUsesScrollButtons(True)
        self.tabBar().setExpanding(False)
        self.tabBar().installEventFilter(self)
        self.currentChanged.connect(lambda _index: self.current_changed.emit(self.current()))

    def all(self) -> tuple[StrategyTab, ...]:
        """Return the open strategies from left to right."""
        return tuple(cast("StrategyTab", self.widget(index)) for index in range(self.count()))

    def current(self) -> StrategyTab | None:
        """Return the current strategy."""
        return cast("StrategyTab | None", self.currentWidget())

    def of_file(self, path: Path) -> StrategyTab | None:
        """Return the tab that has a file open, if one has."""
        wanted = _identity(path)
        return next((tab for tab in self.all() if tab.path is not None and _identity(tab.path) == wanted), None)

    def add(self, tab: StrategyTab) -> None:
        """Put a strategy behind the others and in front of the user."""
        index = self.addTab(tab, "")
        self.tabBar().setTabButton(index, QTabBar.ButtonPosition.RightSide, self._close_button(tab))
        self.refresh(tab)
        self.setCurrentWidget(tab)

    def remove(self, tab: StrategyTab) -> None:
        """Take a strategy out, without asking."""
        self.removeTab(self.indexOf(tab))
        tab.dispose()
        tab.deleteLater()

    def refresh(self, tab: StrategyTab) -> None:
        """Bring a tab's text and tooltip up to date; files of one name are told apart by their folder."""
        same = [other for other in self.all() if other is not tab and other.title == tab.title and other.path]
        title = f"{tab.title} ({tab.path.parent.name})" if same and tab.path else tab.title
        index = self.indexOf(tab)
        self.setTabText(index, (MODIFIED if tab.needs_saving else "") + title.replace("&", "&&"))
        self.setTabToolTip(index, tab.place)

    def step(self, by: int) -> None:
        """Go to the next (1) or the previous (-1) strategy, around the ends."""
        if self.count():
            self.setCurrentIndex((self.currentIndex() + by) % self.count())

    def _close_button(self, tab: StrategyTab) -> QToolButton:
        button = QToolButton(self.tabBar())  # Python would delete one without a parent
        button.setObjectName("tabClose")
        button.setAutoRaise(True)
        button.setIcon(icon("close"))
        button.setIconSize(QSize(CLOSE_ICON, CLOSE_ICON))
        button.setToolTip(tr("Close"))
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda: self.close_asked.emit(tab))
        return button

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if (
            watched is self.tabBar()
            and isinstance(event, QMouseEvent)
            and event.type() == QEvent.Type.MouseButtonRelease
            and event.button() == Qt.MouseButton.MiddleButton
        ):
            index = self.tabBar().tabAt(event.position().toPoint())
            if index >= 0:
                self.close_asked.emit(self.widget(index))
                return True
        return super().eventFilter(watched, event)


def _identity(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path.absolute()
