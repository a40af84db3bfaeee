"""What all dialogs share: margins, a heading, notes in a softer colour, and a row of buttons in the user's language."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QFont, QPalette, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QTreeWidget,
    QVBoxLayout,
    QWidget,
)

from quantcrafter.app.fitting import fit

MARGIN = 20
GAP = 12
SECTION_GAP = 6
HEADING_SCALE = 1.35
_FRAMED_MS = 250
"""After that the window manager has put its frame around."""


class DialogFrame(QDialog):
    """A dialog with a heading, a body and buttons; subclasses fill `body` and add buttons by `add_button`."""

    def __init__(self, parent: QWidget | None, *, title: str, intro: str = "") -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        outer.setSpacing(GAP)
        self.heading = heading(title)
        outer.addWidget(self.heading)
        if intro:
            outer.addWidget(note(intro))
        self.body = QVBoxLayout()
        self.body.setSpacing(GAP)
        outer.addLayout(self.body, 1)
        self.buttons = QDialogButtonBox()
        outer.addWidget(self.buttons)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Keep the dialog within the screen, now and once the width of its frame is known."""
        super().showEvent(event)
        if not event.spontaneous():
            fit(self)
            QTimer.singleShot(_FRAMED_MS, self, lambda: fit(self))

    def retitle(self, title: str) -> None:
        """Call the dialog otherwise, in its frame and in its heading."""
        self.setWindowTitle(title)
        self.heading.setText(title)

    def add_button(
        self,
        text: str,
        role: QDialogButtonBox.ButtonRole,
        clicked: Callable[[], object],
        *,
        default: bool = False,
    ) -> QPushButton:
        """Add a button to the row at the bottom; the default one answers to Enter."""
        button = QPushButton(text)
        button.setAutoDefault(default)
        button.setDefault(default)
        button.clicked.connect(lambda _checked=False: clicked())
        self.buttons.addButton(button, role)
        return button


def heading(text: str) -> QLabel:
    """Return a label in the size of a dialog's title."""
    label = QLabel(text)
    font = QFont(label.font())
    font.setPointSizeF(font.pointSizeF() * HEADING_SCALE)
    font.setWeight(QFont.Weight.DemiBold)
    label.setFont(font)
    label.setWordWrap(True)
    return label


def section(text: str) -> QLabel:
    """Return a label that heads a group of fields."""
    label = QLabel(text)
    font = QFont(label.font())
    font.setWeight(QFont.Weight.DemiBold)
    label.setFont(font)
    label.setContentsMargins(0, SECTION_GAP, 0, 0)
    return label


def note(text: str) -> QLabel:
    """Return a wrapped explanation in a softer colour."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return label


def plain(text: str) -> QLabel:
    """Return a label of one line whose text can be selected; a text too long for its place is in the tooltip."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    label.setToolTip(text)
    return label


def table(columns: Sequence[str], name: str) -> QTreeWidget:
    """Return a flat table whose first column takes the room that the others leave; `name` is for screen readers."""
    made = QTreeWidget()
    made.setAccessibleName(name)
    made.setHeaderLabels(list(columns))
    made.setRootIsDecorated(False)
    made.setUniformRowHeights(True)
    made.setStyleSheet("QTreeView::item { padding: 4px 5px; border: 0px solid transparent; }")
    header = made.header()
    header.setStretchLastSection(False)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    return made


def paint_words(label: QLabel, color: str) -> None:
    """Give a label's words a colour of the theme, such as `current().error`."""
    palette = label.palette()
    palette.setColor(QPalette.ColorRole.WindowText, QColor(color))
    label.setPalette(palette)
