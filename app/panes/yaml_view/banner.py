"""The bar over the text while it cannot be read as YAML."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from app.services.i18n import tr
from app.theme import current
from app.theme.icons import icon_pixmap

_ICON = 16


class Banner(QFrame):
    """Says that the canvas shows an older state. The Qt signal `clicked` asks to be led to the mistake."""

    clicked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self._icon = QLabel()
        self.text = QLabel(tr("The text is not valid YAML; the canvas shows the last valid state"))
        self.text.setWordWrap(True)
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.button = QPushButton(tr("Go to the mistake"))
        self.button.clicked.connect(self.clicked)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 6, 8, 6)
        row.setSpacing(8)
        row.addWidget(self._icon)
        row.addWidget(self.text, 1)
        row.addWidget(self.button)
        self.setAccessibleName(self.text.text())
        self.hide()

    def dress(self) -> None:
        """Take the theme's colours."""
        theme = current()
        palette = QPalette(self.palette())
        palette.setColor(QPalette.ColorRole.Window, QColor(theme.error_soft))
        palette.setColor(QPalette.ColorRole.WindowText, QColor(theme.text))
        self.setPalette(palette)
        ratio = self.devicePixelRatioF()
        pixmap = icon_pixmap("warning", theme.error, round(_ICON * ratio))
        pixmap.setDevicePixelRatio(ratio)
        self._icon.setPixmap(pixmap)
