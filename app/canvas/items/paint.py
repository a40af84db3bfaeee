"""How a node is drawn: whole, and as a simple shape when it is shown zoomed out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from quantcrafter.app.canvas.items.layout import HEADER, ROW, SUBTITLE, NodeLayout, Slot
from quantcrafter.app.canvas.items.ports import RADIUS, port_shape
from quantcrafter.app.canvas.items.scene_style import SceneStyle
from quantcrafter.app.canvas.items.zoomed_out import STRIPE as FAR_STRIPE
from quantcrafter.app.canvas.items.zoomed_out import paint_far_texts
from quantcrafter.app.document.view import NodeView
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme.colors import family_of, mix
from quantcrafter.app.theme.icons import renderer

CORNER = 7.0
STRIPE = 3.0
INSET = 13.0
ICON = 16.0
BADGE = 18.0
QUIET, QUIET_FAR, LOUD_FAR = 7.5, 17.0, 26.0
"""Diameters of badges that are dots: on a whole node, and on one shown zoomed out that is well, or is not."""
MUTED = 0.45
BADGE_ICONS = {"error": "error", "warning": "warning", "running": "running", "done": "done"}


@dataclass(frozen=True, slots=True)
class NodePicture:
    """All that decides how a node looks, but for selection and the mouse."""

    node: NodeView
    layout: NodeLayout
    badge: str | None = None


def paint_node(painter: QPainter, picture: NodePicture, looks: SceneStyle) -> None:
    """Paint a node whole, its top left at the origin."""
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    node, layout = picture.node, picture.layout
    body = QRectF(0, 0, layout.width, layout.height)
    if node.mute:
        painter.setOpacity(MUTED)
    _paint_body(painter, picture, body, looks)
    _paint_header(painter, picture, looks)
    if layout.has_subtitle:
        _paint_subtitle(painter, picture, looks)
    if node.bypass:
        _paint_through_line(painter, layout, looks)
    for slot in (*layout.inputs, *layout.outputs):
        _paint_slot(painter, slot, picture, looks)
    painter.setOpacity(1.0)
    if node.mute:
        _paint_cross(painter, body, looks)
    if picture.badge:
        _paint_badge(painter, picture.badge, layout, looks)


def accent_of(node: NodeView, looks: SceneStyle) -> str:
    """Return the colour by which a node is known when zoomed out."""
    return looks.theme.family(family_of(node.role, node.id)) if node.known else looks.theme.warning


def header_of(node: NodeView, looks: SceneStyle) -> str:
    """Return the fill of a node's header."""
    theme = looks.theme
    return theme.header(family_of(node.role, node.id)) if node.known else theme.warning_soft


def paint_simple(painter: QPainter, picture: NodePicture, looks: SceneStyle, *, scale: float = 0.0) -> None:
    """Paint a node shown zoomed out: a box in its family's colour with its badge.

    With the zoom in `scale` it has its ports, and name and key parameters large enough to be read.
    """
    node, layout, theme = picture.node, picture.layout, looks.theme
    fade = MUTED if node.mute else 1.0
    accent = mix(accent_of(node, looks), theme.canvas, fade)
    body = looks.color(mix(theme.node, theme.canvas, fade))
    whole = QRectF(0, 0, layout.width, layout.height)
    painter.fillRect(whole, looks.color(theme.error if picture.badge == "error" else accent))
    edge = 5.0 if picture.badge == "error" else 3.0
    painter.fillRect(whole.adjusted(edge, edge, -edge, -edge), body)
    stripe = FAR_STRIPE if scale else HEADER
    painter.fillRect(QRectF(edge, edge, layout.width - 2 * edge, stripe - edge), looks.color(accent))
    if node.bypass:
        painter.fillRect(QRectF(3, 3, layout.width - 6, stripe - 8), body)
    if scale:
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
        paint_far_texts(painter, picture, looks, scale)
        for slot in (*layout.inputs, *layout.outputs):
            paint_port(painter, slot, QPointF(0.0 if slot.side == "in" else layout.width, slot.y), looks)
    if picture.badge and (scale or not is_quiet(picture.badge)):  # zoomed out very far: only warnings and errors
        _paint_dot(painter, picture.badge, layout, looks, QUIET_FAR if is_quiet(picture.badge) else LOUD_FAR)


def is_quiet(badge: str | None) -> bool:
    """Return whether a badge says that all is well: every node has it, so it must not shout or take room."""
    return badge in {"done", "running"}


def badge_color(kind: str, looks: SceneStyle) -> str:
    """Return the colour of a badge."""
    theme = looks.theme
    return {"error": theme.error, "warning": theme.warning, "running": theme.running}.get(kind, theme.done)


def _paint_body(painter: QPainter, picture: NodePicture, body: QRectF, looks: SceneStyle) -> None:
    node, theme = picture.node, looks.theme
    shadow = QColor(theme.node_shadow)
    painter.setPen(Qt.PenStyle.NoPen)
    for spread, alpha in ((3.0, 14), (2.0, 22), (1.0, 34)):
        shadow.setAlpha(alpha)
        painter.setBrush(shadow)
        painter.drawRoundedRect(body.adjusted(-spread + 1, 1, spread - 1, spread + 0.5), CORNER + 1, CORNER + 1)
    painter.setBrush(looks.color(theme.node))
    painter.drawRoundedRect(body, CORNER, CORNER)
    painter.fillPath(_top(body.width(), body.height(), HEADER), looks.color(header_of(node, looks)))
    painter.fillPath(_top(body.width(), body.height(), STRIPE), looks.color(accent_of(node, looks)))
    color, width = (theme.node_border, 1.2) if node.known else (theme.warning, 1.8)
    if picture.badge == "error":
        color, width = theme.error, 2.2
    pen = QPen(looks.color(color), width)
    if node.bypass or not node.known:
        pen.setDashPattern([4, 3])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen)
    painter.drawRoundedRect(body, CORNER, CORNER)
    if node.block:
        painter.setPen(QPen(looks.color(accent_of(node, looks)), 1.2))
        painter.drawRoundedRect(body.adjusted(-3.5, -3.5, 3.5, 3.5), CORNER + 3, CORNER + 3)


@lru_cache(maxsize=256)
def _top(width: float, height: float, depth: float) -> QPainterPath:
    """Return the upper part of a node's rounded body; a path and no clip, which an SVG file would not keep."""
    body, part = QPainterPath(), QPainterPath()
    body.addRoundedRect(QRectF(0, 0, width, height), CORNER, CORNER)
    part.addRect(QRectF(0, 0, width, depth))
    return body.intersected(part)


def _paint_header(painter: QPainter, picture: NodePicture, looks: SceneStyle) -> None:
    node, layout, theme = picture.node, picture.layout, looks.theme
    name = icon_of(node)
    renderer(name, accent_of(node, looks)).render(painter, QRectF(9, (HEADER - ICON) / 2 + 1.5, ICON, ICON))
    painter.setPen(looks.color(theme.node_text))
    painter.setFont(looks.name_font)
    room = name_room(picture)
    text = looks.name_metrics.elidedText(node.id, Qt.TextElideMode.ElideRight, room)
    painter.drawText(QRectF(31, 2, room + 2, HEADER - 2), Qt.AlignmentFlag.AlignVCenter, text)
    for mark, place in zip(marks_of(node), mark_rects(layout), strict=False):
        renderer(mark, theme.node_text).render(painter, place)


def icon_of(node: NodeView) -> str:
    """Return the name of a node's icon."""
    if not node.known:
        return "unknown"
    return "block" if node.block else family_of(node.role, node.id)


def name_room(picture: NodePicture) -> float:
    """Return the width there is for a node's name."""
    badge = BADGE - 6 if picture.badge and picture.badge != "done" else 0.0
    return picture.layout.width - 31 - 10 - badge - len(marks_of(picture.node)) * (ICON + 2)


def marks_of(node: NodeView) -> tuple[str, ...]:
    """Return the icons at the right of a node's header: it can be opened, is bypassed, is muted."""
    marks = (("open-block", node.block), ("bypass", node.bypass), ("mute", node.mute))
    return tuple(name for name, shown in marks if shown)


def mark_rects(layout: NodeLayout) -> tuple[QRectF, ...]:
    """Return the places of the marks in a header, from the right."""
    y = (HEADER - ICON) / 2 + 1.5
    return tuple(QRectF(layout.width - 10 - ICON - number * (ICON + 2), y, ICON, ICON) for number in range(3))


def badge_rect(layout: NodeLayout) -> QRectF:
    """Return where a node's badge sits: over its top right corner."""
    return QRectF(layout.width - BADGE + 5, -7, BADGE, BADGE)


def _paint_subtitle(painter: QPainter, picture: NodePicture, looks: SceneStyle) -> None:
    node, theme = picture.node, looks.theme
    painter.setFont(looks.small_font)
    painter.setPen(looks.color(theme.node_text_dim if node.known else theme.warning))
    text = node.subtitle if node.known else tr("{use}: not installed", use=node.use)
    room = picture.layout.width - 20
    shown = looks.small_metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
    painter.drawText(QRectF(10, HEADER, room + 2, SUBTITLE), Qt.AlignmentFlag.AlignVCenter, shown)


def _paint_slot(painter: QPainter, slot: Slot, picture: NodePicture, looks: SceneStyle) -> None:
    theme = looks.theme
    incoming = slot.side == "in"
    x = 0.0 if incoming else picture.layout.width
    paint_port(painter, slot, QPointF(x, slot.y), looks)
    painter.setFont(looks.small_font)
    label, literal, room = slot_texts(slot, picture.layout, looks)
    color = theme.error if slot.missing else theme.node_text_dim if slot.free and slot.index else theme.node_text
    painter.setPen(looks.color(color))
    row = QRectF(INSET, slot.y - ROW / 2, room + 2, ROW)
    if incoming:
        painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, label)
        if literal:
            _paint_literal(painter, slot, literal, INSET + looks.small_metrics.horizontalAdvance(label) + 6, looks)
    else:
        row.moveRight(picture.layout.width - INSET)
        painter.drawText(row, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, label)


def _paint_literal(painter: QPainter, slot: Slot, literal: str, x: float, looks: SceneStyle) -> None:
    width = looks.small_metrics.horizontalAdvance(literal)
    painter.setPen(QPen(looks.color(looks.theme.node_border), 1))
    painter.setBrush(looks.color(looks.theme.canvas))
    painter.drawRoundedRect(QRectF(x, slot.y - 7.5, width + 10, 15), 4, 4)
    painter.setPen(looks.color(looks.theme.node_text))
    painter.drawText(QRectF(x + 5, slot.y - 7.5, width + 2, 15), Qt.AlignmentFlag.AlignVCenter, literal)


def slot_texts(slot: Slot, layout: NodeLayout, looks: SceneStyle) -> tuple[str, str, float]:
    """Return a slot's label as there is room for it, its number, and the room in scene units."""
    metrics = looks.small_metrics
    inner = layout.width - 2 * INSET
    facing = layout.outputs if slot.side == "in" else layout.inputs
    other = next((one for one in facing if abs(one.y - slot.y) < ROW / 2), None)
    room = inner
    if other is not None:
        taken = metrics.horizontalAdvance(other.label) + _literal_width(other, looks)
        own = metrics.horizontalAdvance(slot.label) + _literal_width(slot, looks)
        if taken + own + 8 > inner:
            room = max(inner - taken - 8, (inner - 8) / 2)
    label_room = room - _literal_width(slot, looks)
    return metrics.elidedText(slot.label, Qt.TextElideMode.ElideRight, label_room), slot.literal, label_room


def _literal_width(slot: Slot, looks: SceneStyle) -> float:
    return looks.small_metrics.horizontalAdvance(slot.literal) + 16 if slot.literal else 0.0


def paint_port(painter: QPainter, slot: Slot, at: QPointF, looks: SceneStyle) -> None:
    """Paint one port: filled when wired, hollow when not, red when it must be wired, a plus where one more fits."""
    theme = looks.theme
    color = looks.color(theme.port(slot.type))
    painter.setBrush(color if slot.wired else looks.color(theme.node))
    if slot.free and slot.index:
        painter.setPen(QPen(looks.color(theme.node_border), 1))
        painter.drawEllipse(at, RADIUS, RADIUS)
        painter.setPen(QPen(color, 1.6))
        arm = RADIUS * 0.6
        painter.drawLine(at - QPointF(arm, 0), at + QPointF(arm, 0))
        painter.drawLine(at - QPointF(0, arm), at + QPointF(0, arm))
        return
    pen = QPen(looks.color(theme.error) if slot.missing else color, 1.8)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    painter.setPen(pen)
    painter.drawPath(port_shape(slot.type).translated(at))


def _paint_through_line(painter: QPainter, layout: NodeLayout, looks: SceneStyle) -> None:
    pen = QPen(looks.color(mix(looks.theme.accent, looks.theme.node, 0.7)), 2.4)
    pen.setDashPattern([3, 2])
    painter.setPen(pen)
    first_in = layout.inputs[0].y if layout.inputs else layout.height / 2
    first_out = layout.outputs[0].y if layout.outputs else layout.height / 2
    path = QPainterPath(QPointF(0, first_in))
    path.cubicTo(layout.width / 2, first_in, layout.width / 2, first_out, layout.width, first_out)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(path)


def _paint_cross(painter: QPainter, body: QRectF, looks: SceneStyle) -> None:
    painter.setPen(QPen(looks.color(looks.theme.node_text_dim), 1.5))
    inner = body.adjusted(6, 6, -6, -6)
    painter.drawLine(inner.topLeft(), inner.bottomRight())
    painter.drawLine(inner.bottomLeft(), inner.topRight())


def _paint_badge(painter: QPainter, kind: str, layout: NodeLayout, looks: SceneStyle) -> None:
    if kind == "done":
        _paint_dot(painter, kind, layout, looks, QUIET)
        return
    rect = badge_rect(layout)
    painter.setPen(QPen(looks.color(badge_color(kind, looks)), 1.4))
    painter.setBrush(looks.color(looks.theme.node))
    painter.drawEllipse(rect)
    renderer(BADGE_ICONS[kind], badge_color(kind, looks)).render(painter, rect.adjusted(2, 2, -2, -2))


def _paint_dot(painter: QPainter, kind: str, layout: NodeLayout, looks: SceneStyle, size: float) -> None:
    """Paint a badge as a dot over the top right corner, with a rim that sets it off from what lies under it."""
    painter.setPen(QPen(looks.color(looks.theme.canvas), size / 6))
    painter.setBrush(looks.color(badge_color(kind, looks)))
    middle = badge_rect(layout).center()
    painter.drawEllipse(middle, size / 2, size / 2)
