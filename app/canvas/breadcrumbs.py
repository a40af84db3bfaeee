"""Breadcrumbs: the path from the strategy to the displayed block."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from quantcrafter.app.document.view import Scope
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme.icons import icon


class Breadcrumbs(QWidget):
    """Strategy > trend; hidden while the strategy itself is shown."""

    back = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("breadcrumbs")
        self.setAccessibleName(tr("Current location"))
        self.setAutoFillBackground(True)
        self.button = QToolButton()
        self.button.setText(tr("Strategy"))
        self.button.setIcon(icon("chevron-left"))
        self.button.setToolTip(tr("Back to the strategy (Alt+Up)"))
        self.button.setAccessibleName(self.button.toolTip())
        self.button.setAutoRaise(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.clicked.connect(self.back)
        self.place = QLabel()
        self.note = QLabel()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 3, 10, 3)
        arrow = QLabel()
        arrow.setPixmap(icon("chevron-right").pixmap(12, 12))
        for widget in (self.button, arrow, self.place):
            layout.addWidget(widget)
        layout.addStretch(1)
        layout.addWidget(self.note)
        self.hide()

    def show_scope(self, scope: Scope, note: str = "") -> None:
        """Show where a scope is, and what is to be said of it."""
        self.place.setText(scope[-1] if scope else "")
        self.note.setText(note)
        self.setVisible(bool(scope))
