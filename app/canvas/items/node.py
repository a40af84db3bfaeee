"""NodeItem: a whole node as one graphics item, its ports painted by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QTransform
from PySide6.QtWidgets import QGraphicsItem, QGraphicsRectItem, QStyleOptionGraphicsItem, QWidget

from quantcrafter.app.canvas.items.layout import NodeLayout, Slot, Wired, node_layout
from quantcrafter.app.canvas.items.paint import CORNER, NodePicture, paint_node, paint_port, paint_simple
from quantcrafter.app.canvas.items.ports import PortRef, Side, port_shape
from quantcrafter.app.canvas.items.scene_style import DIRECT_ABOVE, NAMED_ABOVE, SIMPLE_BELOW, SceneStyle
from quantcrafter.app.document.view import NodeView

if TYPE_CHECKING:
    from quantcrafter.app.canvas.items.wire import WireItem

Badge = Literal["error", "warning", "running", "done"]
MARGIN = 13.0
RAISED = 2.0
FADED = 0.3
OUTLINE = 2.5
MOST_WIDENED = 4.0


class NodeItem(QGraphicsRectItem):
    """A node of the graph. Its origin is the body's top left corner; `rect()` has room for ports, badge and outlines.

    The picture of the node is kept as a pixmap for the zoom in use; selection, hover and lit ports are painted over it.
    """

    def __init__(self, node: NodeView, wired: Wired, looks: SceneStyle) -> None:
        super().__init__()
        self.view = node
        self.wires: set[WireItem] = set()
        self.badge_reason = ""
        self.hovered = False
        self.lit: frozenset[PortRef] | None = None
        self.hovered_port: PortRef | None = None
        self._looks = looks
        self._wired = wired
        self.picture = NodePicture(node, node_layout(node, wired))
        self._pixmap: QPixmap | None = None
        self._pixmap_scale = 0.0
        self._is_simple = False
        self.setPen(QPen(Qt.PenStyle.NoPen))
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        flags = QGraphicsItem.GraphicsItemFlag
        self.setFlags(flags.ItemIsSelectable | flags.ItemSendsGeometryChanges)
        self._resize()

    @property
    def layout(self) -> NodeLayout:
        """The node's size and slots."""
        return self.picture.layout

    @property
    def badge(self) -> str | None:
        """The kind of badge shown."""
        return self.picture.badge

    def body(self) -> QRectF:
        """Return the node's box in scene coordinates, without ports and outlines."""
        return QRectF(self.x(), self.y(), self.layout.width, self.layout.height)

    def update_view(self, node: NodeView, wired: Wired) -> bool:
        """Show another state of the node; return whether its ports may have moved."""
        if node is self.view and wired == self._wired:
            return False
        before = self.layout
        self.view, self._wired = node, wired
        self.picture = NodePicture(node, node_layout(node, wired), self.badge)
        self.repaint()
        if self.layout == before:
            return False
        self._resize()
        return True

    def set_badge(self, kind: Badge | None, reason: str = "") -> None:
        """Show a badge with its reason as tooltip; None takes it away."""
        self.badge_reason = reason if kind else ""
        if kind != self.badge:
            self.picture = NodePicture(self.view, self.layout, kind)
            self.repaint()

    def slot(self, side: Side, port: str, index: int | None = None) -> Slot | None:
        """Return a slot; of a list port without `index` the free one."""
        slots = self.layout.inputs if side == "in" else self.layout.outputs
        found = None
        for slot in slots:
            if slot.port == port:
                found = slot
                if slot.index == index or (index is None and slot.free):
                    break
        return found

    def port_scene_pos(self, side: Side, port: str, index: int | None = None) -> QPointF:
        """Return where a wire meets a port, in scene coordinates; the middle of that side for an unknown port."""
        slot = self.slot(side, port, index)
        x = 0.0 if side == "in" else self.layout.width
        return QPointF(self.x() + x, self.y() + (slot.y if slot else self.layout.height / 2))

    def port_near(self, x: float, y: float, reach: float) -> PortRef | None:
        """Return the nearest port within `reach` of a point in scene coordinates."""
        local_x, local_y = x - self.x(), y - self.y()
        best, found = reach, None
        for edge, slots in ((0.0, self.layout.inputs), (self.layout.width, self.layout.outputs)):
            if abs(local_x - edge) > best:
                continue
            for slot in slots:
                distance = max(abs(local_x - edge), abs(local_y - slot.y))
                if distance <= best:
                    best, found = distance, slot
        return None if found is None else PortRef(self.view.id, found.side, found.port, found.index)

    def set_hovered(self, hovered: bool, port: PortRef | None = None) -> None:  # noqa: FBT001 - a state
        """Show the mouse over the node, or over one of its ports."""
        if (hovered, port) != (self.hovered, self.hovered_port):
            self.hovered, self.hovered_port = hovered, port
            self.update()

    def set_lit(self, refs: frozenset[PortRef] | None) -> None:
        """Light these ports up and fade the others; a node without any fades whole. None ends that."""
        if refs != self.lit:
            self.lit = refs
            self.setOpacity(FADED if refs is not None and not refs else 1.0)
            self.update()

    def repaint(self) -> None:
        """Draw the picture again when next seen."""
        self.drop_picture()
        self.update()

    def drop_picture(self) -> None:
        """Give the memory of the picture back."""
        self._pixmap = None
        self._looks.forget(self)

    def is_blurred(self, scale: float) -> bool:
        """Return whether the picture was made for another zoom than `scale` (device pixels a unit)."""
        return self._pixmap is not None and abs(self._pixmap_scale - scale) > 1e-6  # noqa: PLR2004 - equal

    def itemChange(self, change: QGraphicsItem.GraphicsItemChange, value: Any) -> Any:  # noqa: N802 - Qt's
        if change == QGraphicsItem.GraphicsItemChange.ItemPositionHasChanged:
            for wire in self.wires:
                wire.route()
            self._looks.moved()
        elif change == QGraphicsItem.GraphicsItemChange.ItemSelectedHasChanged:
            self.setZValue(RAISED if value else 0.0)
        return super().itemChange(change, value)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:  # noqa: ARG002 - Qt's
        looks = self._looks
        scale = painter.worldTransform().m11()
        if looks.vector:
            paint_node(painter, self.picture, looks)
            return
        if self.isSelected() or self.hovered:
            self._paint_outline(painter, scale)
        if scale < NAMED_ABOVE:
            paint_simple(painter, self.picture, looks)
        elif scale > DIRECT_ABOVE:
            paint_node(painter, self.picture, looks)
        else:
            self._paint_picture(painter, scale)
        if (self.lit or self.hovered_port) and scale >= SIMPLE_BELOW / 2:
            self._paint_lit(painter)

    def _paint_picture(self, painter: QPainter, scale: float) -> None:
        ratio = painter.device().devicePixelRatioF()
        real = scale * ratio
        simple = scale < SIMPLE_BELOW
        if self._pixmap is None or simple != self._is_simple or self.is_blurred(real):
            self._renew_picture(real, ratio, simple=simple)
        rect = self.rect()
        if self._pixmap is None:
            paint_simple(painter, self.picture, self._looks)
            return
        if self.is_blurred(real):
            painter.drawPixmap(rect, self._pixmap, QRectF(self._pixmap.rect()))
            return
        # A whole number of device pixels, or the text would be smeared over two.
        corner = painter.worldTransform().map(rect.topLeft())
        before = painter.worldTransform()
        painter.setWorldTransform(QTransform())
        self._pixmap.setDevicePixelRatio(ratio)
        painter.drawPixmap(QPointF(round(corner.x() * ratio) / ratio, round(corner.y() * ratio) / ratio), self._pixmap)
        painter.setWorldTransform(before)

    def _renew_picture(self, scale: float, ratio: float, *, simple: bool) -> None:
        """Draw the picture for a zoom, if there is time; while the view zooms, an old one of its kind will do."""
        looks = self._looks
        if looks.hurried and self._pixmap is not None and self._is_simple == simple:
            return
        if looks.has_time():
            self._pixmap, self._pixmap_scale = self._draw_picture(scale, far=scale / ratio if simple else 0.0), scale
            self._is_simple = simple
            looks.keep(self, self._pixmap)
        else:
            looks.late.add(self)

    def _draw_picture(self, scale: float, *, far: float) -> QPixmap:
        rect = self.rect()
        pixmap = QPixmap(int(rect.width() * scale) + 1, int(rect.height() * scale) + 1)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.scale(scale, scale)
        painter.translate(-rect.topLeft())
        if far:
            paint_simple(painter, self.picture, self._looks, scale=far)
        else:
            paint_node(painter, self.picture, self._looks)
        painter.end()
        return pixmap

    def _paint_outline(self, painter: QPainter, scale: float) -> None:
        """Paint the outlines of selection, mouse and keyboard, under the node, so that its ports stay free."""
        color = QColor(self._looks.theme.selection)
        pixel = min(MOST_WIDENED, max(1.0, 1.0 / scale))
        edge = 3.5 if self.view.block else 0.0
        box = QRectF(0, 0, self.layout.width, self.layout.height).adjusted(-edge, -edge, edge, edge)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self.isSelected() or self.hovered:
            color.setAlpha(255 if self.isSelected() else 130)
            painter.setPen(QPen(color, 2 * OUTLINE * pixel))
            painter.drawRoundedRect(box, CORNER + edge, CORNER + edge)

    def _paint_lit(self, painter: QPainter) -> None:
        looks = self._looks
        for edge, slots in ((0.0, self.layout.inputs), (self.layout.width, self.layout.outputs)):
            for slot in slots:
                ref = PortRef(self.view.id, slot.side, slot.port, slot.index)
                at = QPointF(edge, slot.y)
                if ref == self.hovered_port or (self.lit and ref in self.lit):
                    halo = QColor(looks.theme.port(slot.type))
                    halo.setAlpha(90)
                    painter.setPen(Qt.PenStyle.NoPen)
                    painter.setBrush(halo)
                    painter.drawEllipse(at, 11, 11)
                    paint_port(painter, slot, at, looks)
                elif self.lit:
                    cover = QColor(looks.theme.node)
                    cover.setAlpha(190)
                    painter.setPen(QPen(cover, 3))
                    painter.setBrush(cover)
                    painter.drawPath(port_shape(slot.type).translated(at))

    def _resize(self) -> None:
        box = QRectF(0, 0, self.layout.width, self.layout.height)
        self.setRect(box.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN))
