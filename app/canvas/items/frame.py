"""FrameItem: a titled box with a comment, behind the nodes."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QGraphicsRectItem, QStyleOptionGraphicsItem, QWidget

from quantcrafter.app.canvas.items.scene_style import SceneStyle
from quantcrafter.app.document.view import FrameView

UNDER = -20.0
TITLE = 26.0
GRIP = 16.0
TITLE_FROM_AFAR = 0.25


class FrameItem(QGraphicsRectItem):
    """A frame: its first line of text is the title, the rest stands wrapped below. The corner at the right resizes."""

    def __init__(self, frame: FrameView, looks: SceneStyle) -> None:
        super().__init__()
        self.view = frame
        self._looks = looks
        self.hovered = False
        self.setZValue(UNDER)
        self.setPen(QPen(Qt.PenStyle.NoPen))
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIsSelectable)
        self.update_view(frame)

    def update_view(self, frame: FrameView) -> None:
        """Show another state of the frame."""
        self.view = frame
        self.setPos(frame.x, frame.y)
        self.set_size(frame.width, frame.height)
        self.update()

    def set_size(self, width: float, height: float) -> None:
        """Show the frame with another size while it is dragged by its corner."""
        self.setRect(QRectF(0, 0, width, height))

    def body(self) -> QRectF:
        """Return the frame's box in scene coordinates."""
        return self.rect().translated(self.pos())

    def title_rect(self) -> QRectF:
        """Return the strip by which a frame is held, in scene coordinates."""
        return QRectF(self.x(), self.y(), self.rect().width(), TITLE)

    def grip_rect(self) -> QRectF:
        """Return the corner by which a frame is resized, in scene coordinates."""
        box = self.body()
        return QRectF(box.right() - GRIP, box.bottom() - GRIP, GRIP, GRIP)

    def set_hovered(self, hovered: bool) -> None:  # noqa: FBT001 - a state
        """Show the mouse over the frame's title or corner."""
        if hovered != self.hovered:
            self.hovered = hovered
            self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:  # noqa: ARG002 - Qt's
        theme = self._looks.theme
        color = QColor(theme.frame(self.view.color))
        box = self.rect().adjusted(0.5, 0.5, -0.5, -0.5)
        fill = QColor(color)
        fill.setAlpha(26 if theme.dark else 32)
        painter.setBrush(fill)
        chosen = self.isSelected() and not self._looks.vector
        strong = chosen or self.hovered
        painter.setPen(QPen(QColor(theme.selection) if chosen else color, 2.0 if strong else 1.0))
        painter.drawRoundedRect(box, 6, 6)
        fill.setAlpha(60)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(QRectF(box.x(), box.y(), box.width(), TITLE), 6, 6)
        if painter.worldTransform().m11() >= TITLE_FROM_AFAR:
            self._paint_text(painter, box)
            self._paint_grip(painter, color)

    def _paint_text(self, painter: QPainter, box: QRectF) -> None:
        theme, looks = self._looks.theme, self._looks
        title, _, comment = self.view.text.strip().partition("\n")
        painter.setFont(looks.name_font)
        painter.setPen(QColor(theme.text))
        room = box.width() - 20
        shown = looks.name_metrics.elidedText(title, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(10, 0, room, TITLE), Qt.AlignmentFlag.AlignVCenter, shown)
        if comment.strip():
            painter.setFont(QFont(looks.small_font))
            painter.setPen(QColor(theme.text_dim))
            area = QRectF(10, TITLE + 6, room, box.height() - TITLE - 12)
            painter.drawText(area, int(Qt.TextFlag.TextWordWrap), comment.strip())

    def _paint_grip(self, painter: QPainter, color: QColor) -> None:
        corner = self.rect().bottomRight()
        painter.setPen(QPen(color, 1.4))
        for offset in (5.0, 9.0, 13.0):
            painter.drawLine(corner - QPointF(offset, 4), corner - QPointF(4, offset))
