"""The picture of a node that is being dragged from the palette."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen, QPixmap

from quantcrafter.app.canvas.candidates import Offer
from quantcrafter.app.services.type_names import family_member
from quantcrafter.app.theme import current
from quantcrafter.app.theme.icons import icon

_HEIGHT = 28
_ICON = 16


def drag_pixmap(entry: Offer, ratio: float) -> QPixmap:
    """Return a small node with the entry's icon and name; `ratio` is the screen's device pixels a pixel."""
    theme = current()
    family = entry.role.value if entry.role is not None else ""
    font = QFont()
    font.setBold(True)
    text = entry.title or family_member(entry.role)
    size = QSize(QFontMetrics(font).horizontalAdvance(text) + _ICON + 26, _HEIGHT)
    pixmap = QPixmap(size * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(theme.family(family)), 1.5))
    painter.setBrush(QColor(theme.header(family)))
    painter.drawRoundedRect(QRectF(1, 1, size.width() - 2, _HEIGHT - 2), 6, 6)
    sign = icon(family, theme.family(family)) if family else icon("unknown")
    painter.drawPixmap(8, (_HEIGHT - _ICON) // 2, sign.pixmap(QSize(_ICON, _ICON), ratio))
    painter.setFont(font)
    painter.setPen(QColor(theme.node_text))
    place = QRectF(8 + _ICON + 6, 0, size.width(), _HEIGHT)
    painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
    painter.end()
    return pixmap
