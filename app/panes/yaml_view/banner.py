"""The bar under the text while it cannot be read as YAML."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import current
from quantcrafter.app.theme.icons import icon_pixmap

_ICON = 16
_PATIENCE_MS = 500


class Banner(QFrame):
    """Shows that the canvas has an older state, or none. The Qt signal `clicked` requests to go to the error."""

    clicked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self._icon = QLabel()
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.button = QPushButton(tr("Go to the error"))
        self.button.clicked.connect(self.clicked)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 6, 8, 6)
        row.setSpacing(8)
        row.addWidget(self._icon)
        row.addWidget(self.text, 1)
        row.addWidget(self.button)
        self._late = QTimer(self, singleShot=True, interval=_PATIENCE_MS)
        self._late.timeout.connect(self.show)
        self.hide()

    def say(self, *, broken: bool, drawn: bool = True, at_once: bool = False) -> None:
        """Show the bar when the text stays broken for a moment, so that it does not flicker while one types.

        Args:
            broken: the text cannot be read.
            drawn: an earlier one could be, and is on the canvas.
            at_once: show the bar without waiting.
        """
        words = (
            tr("The text is not valid YAML. The canvas shows the last valid state")
            if drawn
            else tr("The text is not valid YAML. The canvas is empty until the text is valid")
        )
        self.text.setText(words)
        self.setAccessibleName(words)
        if not broken:
            self._late.stop()
            self.hide()
        elif at_once:
            self.show()
        elif not self.isVisible() and not self._late.isActive():
            self._late.start()

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
