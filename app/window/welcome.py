"""What the window shows while no strategy is open: how to begin, and what was open lately."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QFont, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.recent_files import RecentFile
from quantcrafter.app.theme.icons import icon

WIDTH = 620
BUTTON_HEIGHT = 40
LOGO = 44


class Welcome(QWidget):
    """The page of a window without strategies. `chosen(Path)` says that a recent file was picked.

    Args:
        actions: what to offer as buttons, the first one as the main thing.
        parent: the window.
    """

    chosen = Signal(object)

    def __init__(self, actions: Sequence[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self.recent = QListWidget()
        self.recent.setAccessibleName(tr("Recent strategies"))
        self.recent.setStyleSheet("QListView::item { padding: 6px 8px; border: 0px solid transparent; }")
        self.recent.itemActivated.connect(self._choose)
        self.recent.itemClicked.connect(self._choose)
        self.nothing = _dim(tr("Strategies that you open or save are listed here. You can also drop a file here."))
        column = QVBoxLayout()
        column.setSpacing(14)
        self._logo = QLabel()
        column.addLayout(self._head())
        row = QHBoxLayout()
        row.setSpacing(10)
        for action in actions:
            row.addWidget(_button(action.text(), action, action.trigger))
        column.addLayout(row)
        column.addSpacing(10)
        column.addWidget(_section(tr("Recent strategies")))
        column.addWidget(self.nothing)
        column.addWidget(self.recent, 10)
        column.addStretch(1)
        body = QWidget()
        body.setLayout(column)
        body.setFixedWidth(WIDTH)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 48, 24, 24)
        outer.addWidget(body, 1, Qt.AlignmentFlag.AlignHCenter)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for no room: it shares its place with the canvas, whose panes would be squeezed for it."""
        return QSize(0, 0)

    def show_recent(self, files: Sequence[RecentFile]) -> None:
        """List the recent files, the latest first; those that are gone are greyed."""
        self.recent.clear()
        for file in files:
            item = QListWidgetItem(f"{file.path.stem}\n{_shown(file.path.parent)}")
            item.setData(Qt.ItemDataRole.UserRole, str(file.path))
            item.setToolTip(str(file.path))
            if file.missing:
                item.setForeground(self.palette().color(QPalette.ColorRole.PlaceholderText))
                item.setToolTip(tr("{path} no longer exists", path=file.path))
            self.recent.addItem(item)
        self.recent.setVisible(bool(files))
        self.nothing.setVisible(not files)

    def retheme(self) -> None:
        """Draw the logo in the colours of the theme in use."""
        self._logo.setPixmap(icon("logo").pixmap(LOGO, LOGO))

    def _head(self) -> QHBoxLayout:
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addStretch(1)
        words.addWidget(_name())
        words.addWidget(_dim(tr("Design a trading strategy by wiring nodes, and test it.")))
        words.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(14)
        row.addWidget(self._logo)
        row.addLayout(words, 1)
        self.retheme()
        return row

    def _choose(self, item: QListWidgetItem) -> None:
        self.chosen.emit(Path(str(item.data(Qt.ItemDataRole.UserRole))))


def _name() -> QLabel:
    title = QLabel("QuantCrafter")
    font = QFont(title.font())
    font.setPointSizeF(font.pointSizeF() * 2)
    font.setWeight(QFont.Weight.DemiBold)
    title.setFont(font)
    return title


def _button(text: str, action: QAction, clicked: Callable[[], object]) -> QPushButton:
    button = QPushButton(action.icon(), text)
    button.setMinimumHeight(BUTTON_HEIGHT)
    button.setObjectName(f"welcome.{action.objectName()}")
    button.clicked.connect(lambda _checked=False: clicked())
    return button


def _section(text: str) -> QLabel:
    label = QLabel(text)
    font = QFont(label.font())
    font.setWeight(QFont.Weight.DemiBold)
    label.setFont(font)
    return label


def _dim(text: str) -> QLabel:
    label = QLabel(text)
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return label


def _shown(folder: Path) -> str:
    try:
        return f"~/{folder.relative_to(Path.home())}"
    except ValueError:
        return str(folder)
