"""How a template is drawn in the gallery: a card with its picture, name, description and tags."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPainterPath, QPen, QPixmap, QTextLayout, QTextOption
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from quantcrafter.app.dialogs.templates import Tag, Template
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import Theme, current

CARD = QSize(304, 282)
PICTURE = QSize(302, 142)
TEMPLATE_ROLE = Qt.ItemDataRole.UserRole
PAD = 12
RADIUS = 8
TAG_ROWS = 2
TAG_GAP = 5

Index = QModelIndex | QPersistentModelIndex


class CardDelegate(QStyledItemDelegate):
    """Draws cards; `picture` gives a template's picture, or None while there is none."""

    def __init__(self, picture: Callable[[Template], QPixmap | None]) -> None:
        super().__init__()
        self._picture = picture

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002, N802 - Qt's signature
        """Return the size of every card."""
        return CARD

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one card."""
        template = index.data(TEMPLATE_ROLE)
        theme = current()
        state = option.state  # type: ignore[attr-defined]
        selected = bool(state & QStyle.StateFlag.State_Selected)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        rect = QRectF(option.rect).adjusted(1, 1, -1, -1)  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shape = QPainterPath()
        shape.addRoundedRect(rect, RADIUS, RADIUS)
        painter.fillPath(shape, QColor(theme.accent_soft if selected else theme.hover if hovered else theme.panel))
        painter.setClipPath(shape)
        self._draw_picture(painter, rect, template, theme)
        painter.setClipping(False)
        painter.setPen(QPen(QColor(theme.accent if selected else theme.border), 2 if selected else 1))
        painter.drawPath(shape)
        words = rect.adjusted(PAD, PICTURE.height() + 10, -PAD, -PAD)
        _draw_words(painter, words, template, theme, option.font)  # type: ignore[attr-defined]
        painter.restore()

    def _draw_picture(self, painter: QPainter, rect: QRectF, template: Template, theme: Theme) -> None:
        area = QRectF(rect.left(), rect.top(), rect.width(), PICTURE.height())
        painter.fillRect(area, QColor(theme.canvas))
        picture = self._picture(template)
        if picture is not None:
            painter.drawPixmap(area.topLeft(), picture)
        else:
            _draw_dots(painter, area, theme)
        painter.setPen(QColor(theme.divider))
        painter.drawLine(area.bottomLeft(), area.bottomRight())


def _draw_dots(painter: QPainter, area: QRectF, theme: Theme) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.canvas_dot))
    step = 17
    for column in range(1, int(area.width() // step) + 1):
        for row in range(1, int(area.height() // step) + 1):
            painter.drawEllipse(QPointF(area.left() + column * step, area.top() + row * step), 1, 1)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _draw_words(painter: QPainter, rect: QRectF, template: Template, theme: Theme, base: QFont) -> None:
    bold = QFont(base)
    bold.setWeight(QFont.Weight.DemiBold)
    bold.setPointSizeF(base.pointSizeF() * 1.08)
    painter.setFont(bold)
    painter.setPen(QColor(theme.text))
    metrics = QFontMetrics(bold)
    name = metrics.elidedText(template.name, Qt.TextElideMode.ElideRight, int(rect.width()))
    painter.drawText(QPointF(rect.left(), rect.top() + metrics.ascent()), name)
    top = rect.top() + metrics.height() + 4
    painter.setFont(base)
    painter.setPen(QColor(theme.text_dim))
    for number, line in enumerate(wrapped(template.description, base, int(rect.width()), rows=3)):
        small = QFontMetrics(base)
        painter.drawText(QPointF(rect.left(), top + number * small.lineSpacing() + small.ascent()), line)
    _draw_tags(painter, rect, template.tags, theme, base)


def wrapped(text: str, font: QFont, width: int, rows: int) -> list[str]:
    """Return a text broken into at most `rows` lines of `width` pixels, the last one elided when there is more."""
    layout = QTextLayout(text, font)
    layout.setTextOption(QTextOption())
    lines: list[str] = []
    layout.beginLayout()
    while len(lines) < rows and (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        start, length = line.textStart(), line.textLength()
        last = len(lines) == rows - 1
        rest = text[start:] if last else text[start : start + length]
        lines.append(QFontMetrics(font).elidedText(rest.strip(), Qt.TextElideMode.ElideRight, width))
    layout.endLayout()
    return lines


def _draw_tags(painter: QPainter, rect: QRectF, tags: tuple[Tag, ...], theme: Theme, base: QFont) -> None:
    font = QFont(base)
    font.setPointSizeF(base.pointSizeF() * 0.88)
    painter.setFont(font)
    metrics = QFontMetrics(font)
    height = metrics.height() + 4
    places = placed(tags, metrics, int(rect.width()))
    rows = max((place.top() for _, place in places), default=0) + 1
    for tag, place in places:
        top = rect.bottom() - rows * (height + TAG_GAP) + TAG_GAP + place.top() * (height + TAG_GAP)
        area = QRectF(rect.left() + place.left(), top, place.width(), height)
        color = theme.family(tag.role.value) if tag.role is not None else theme.border
        painter.setPen(QPen(QColor(color), 1))
        painter.setBrush(QColor(theme.field))
        painter.drawRoundedRect(area, height / 2, height / 2)
        painter.setPen(QColor(theme.text_dim))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, tag.text)


def placed(tags: tuple[Tag, ...], metrics: QFontMetrics, width: int) -> list[tuple[Tag, QRect]]:
    """Return tags with their places: x and width in pixels, y as a row number; what does not fit is counted."""
    found: list[tuple[Tag, QRect]] = []
    left, row = 0, 0
    for number, tag in enumerate(tags):
        size = metrics.horizontalAdvance(tag.text) + 14
        more = Tag(tr("+{count}", count=len(tags) - number))
        reserve = metrics.horizontalAdvance(more.text) + 14 + TAG_GAP if number < len(tags) - 1 else 0
        if left + size + (reserve if row == TAG_ROWS - 1 else 0) > width:
            if row == TAG_ROWS - 1:
                found.append((more, QRect(left, row, metrics.horizontalAdvance(more.text) + 14, 0)))
                break
            left, row = 0, row + 1
        found.append((tag, QRect(left, row, size, 0)))
        left += size + TAG_GAP
    return found
