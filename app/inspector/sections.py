"""Titled groups of rows; some fold away."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from quantcrafter.app.theme.icons import icon


class Section(QWidget):
    """A heading and the rows below it; a foldable one opens by its heading."""

    def __init__(
        self, title: str, parent: QWidget | None = None, *, foldable: bool = False, is_open: bool = True
    ) -> None:
        super().__init__(parent)
        self.title = title
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 4, 0, 2)
        outer.setSpacing(1)
        self.body = QWidget(self)
        self.rows = QVBoxLayout(self.body)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setSpacing(1)
        self.head = QHBoxLayout()
        self.head.setContentsMargins(8, 0, 4, 0)
        self.toggle: QToolButton | None = None
        if foldable:
            self.toggle = QToolButton(self)
            self.toggle.setText(title)
            self.toggle.setCheckable(True)
            self.toggle.setStyleSheet("QToolButton { border: none; background: transparent; font-weight: bold; }")
            self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            self.toggle.setIconSize(QSize(12, 12))
            self.toggle.setAccessibleName(title)
            self.toggle.toggled.connect(self._fold)
            self.head.addWidget(self.toggle)
            self.head.addStretch(1)
        elif title:
            self.head.addWidget(_heading(title, self), 1)
        if title:
            outer.addLayout(self.head)
        outer.addWidget(self.body)
        if self.toggle is not None:
            self.toggle.setChecked(is_open)
            self._fold(is_open)

    def add(self, row: QWidget) -> None:
        """Put a row at the end."""
        self.rows.addWidget(row)

    @property
    def is_open(self) -> bool:
        """Whether the rows can be seen."""
        return self.toggle is None or self.toggle.isChecked()

    def open(self) -> None:
        """Let the rows be seen."""
        if self.toggle is not None:
            self.toggle.setChecked(True)

    def _fold(self, is_open: bool) -> None:  # noqa: FBT001 - connected to a Qt signal
        self.body.setVisible(is_open)
        if self.toggle is not None:
            self.toggle.setIcon(icon("chevron-down" if is_open else "chevron-right"))


def _heading(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    font = label.font()
    font.setBold(True)
    font.setPointSizeF(font.pointSizeF() * 0.92)
    label.setFont(font)
    label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
    return label
