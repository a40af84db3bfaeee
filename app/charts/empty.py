"""The message of the chart while there is nothing to draw."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme.icons import icon


class EmptyChart(QWidget):
    """A sentence, and a button that runs the strategy if that helps."""

    run_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = QLabel()
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.text.setWordWrap(True)
        self.button = QPushButton(tr("Run the strategy"))
        self.button.setIcon(icon("run"))
        self.button.clicked.connect(self.run_asked)
        column = QVBoxLayout(self)
        column.addStretch(1)
        column.addWidget(self.text)
        column.addSpacing(8)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)

    def say(self, text: str, *, may_run: bool) -> None:
        """Show a sentence, with the button or without."""
        self.text.setText(text)
        self.button.setVisible(may_run)
