"""RunLayer: one graphics item over the nodes that paints all their marks; there is none while nothing is shown.

A mark is within the margin that its node's item has around its body, so that whatever repaints a node repaints its
mark as well: a node that moves takes it along without being told. Only marks that are enlarged, on a graph seen from
afar, reach further: the scene says when nodes move.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from quantcrafter.app.canvas.items.node import NodeItem
from quantcrafter.app.canvas.items.paint import CORNER
from quantcrafter.app.canvas.items.scene_style import SceneStyle
from quantcrafter.app.canvas.run.marks import NO_MARKS, NodeMark, RunMarks, Tone
from quantcrafter.app.theme.colors import mix

LEVEL = 4.0
CHIP = 18.0
HANG = 10.0
SIDE = 8.0
PAD = 7.0
DOT = 3.2
LOW_HANG = 13.0
"""Of enlarged chips, so that they leave the node's text free."""
OVERHANG = 36.0
"""By how much an enlarged chip may be wider than its node, where it says what a decision lacked."""
VEIL = 150
FAINT = 0.55
READABLE = 0.42
SHARP = 0.85
"""Below this zoom chips stay as large on the screen as they are at it."""
CROWDED = 1.3


@dataclass(frozen=True, slots=True)
class _Chip:
    text: str
    rect: QRectF
    tone: Tone
    dotted: bool = False


class RunLayer(QGraphicsItem):
    """Paints the marks of a run over the nodes of a scene.

    Args:
        nodes: the scene's own table of node items.
        looks: the scene's.
    """

    def __init__(self, nodes: Mapping[str, NodeItem], looks: SceneStyle, extent: QRectF) -> None:
        super().__init__()
        self._nodes = nodes
        self._looks = looks
        self._extent = extent
        self.marks: RunMarks = NO_MARKS
        self._chips: dict[tuple[str, float, float], tuple[_Chip, ...]] = {}
        self._enlarged = 1.0
        self.setZValue(LEVEL)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)  # tells what is to be painted

    def set_marks(self, marks: RunMarks) -> None:
        """Show other marks."""
        self.marks = marks
        self._chips.clear()
        self.update()

    def nodes_moved(self) -> None:
        """Repaint what reaches beyond the nodes' own items."""
        if self._enlarged > 1.0:
            self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's
        return self._extent

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:  # noqa: ARG002 - Qt's
        scale = painter.worldTransform().m11()
        seen = option.exposedRect  # type: ignore[attr-defined]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._enlarged = enlarged(scale)
        origin = painter.worldTransform()
        beyond = 0.0 if self._enlarged == 1.0 else LOW_HANG * self._enlarged
        for node, item in self._nodes.items():
            rect = item.rect().translated(item.pos()).adjusted(-2 * beyond, 0, 0, beyond)
            if not rect.intersects(seen):
                continue
            mark = self.marks.nodes.get(node)
            painter.translate(item.pos())
            self._paint_node(painter, item, mark, scale)
            painter.setWorldTransform(origin)

    def tip_at(self, pos: QPointF) -> str:
        """Return what a chip at a point of the scene has to say, '' for none."""
        for node, item in self._nodes.items():
            mark = self.marks.nodes.get(node)
            if mark is not None:
                local = pos - item.pos()
                for chip in self._chips_of(node, item, mark):
                    if chip.rect.contains(QPointF(local.x() / self._enlarged, local.y() / self._enlarged)):
                        return mark.idle if chip.dotted else mark.tip
        return ""

    # ------------------------------------------------------------------ painting

    def _paint_node(self, painter: QPainter, item: NodeItem, mark: NodeMark | None, scale: float) -> None:
        theme = self._looks.theme
        body = QRectF(0, 0, item.layout.width, item.layout.height)
        part = mark.part if mark is not None else ""
        if self.marks.has_path and not part:
            veil = QColor(theme.canvas)
            veil.setAlpha(VEIL)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(veil)
            painter.drawRoundedRect(body.adjusted(-7, -1, 7, 1), CORNER, CORNER)
        if part:
            self._paint_frame(painter, body, part, scale)
        if mark is None:
            return
        if scale < READABLE:
            self._paint_lamp(painter, body, mark, scale)
            return
        painter.setOpacity(FAINT if self.marks.has_path and not part else 1.0)
        painter.scale(self._enlarged, self._enlarged)
        for chip in self._chips_of(item.view.id, item, mark):
            self._paint_chip(painter, chip)
        painter.setOpacity(1.0)

    def _paint_frame(self, painter: QPainter, body: QRectF, part: str, scale: float) -> None:
        """Paint the outline that says what a node is to the decision: whole, double or dashed, besides its colour."""
        theme = self._looks.theme
        width = max(2.4, 2.0 / max(scale, 0.05))
        color = {"path": theme.done, "blocking": theme.error}.get(part, theme.warning)
        pen = QPen(QColor(color), width)
        if part == "wanted":
            pen.setDashPattern([3, 2])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(body.adjusted(-1, -1, 1, 1), CORNER + 1, CORNER + 1)
        if part == "blocking":
            painter.drawRoundedRect(body.adjusted(-5, -5, 5, 5), CORNER + 4, CORNER + 4)

    def _paint_lamp(self, painter: QPainter, body: QRectF, mark: NodeMark, scale: float) -> None:
        """Paint a node shown zoomed out: a lamp that is on or off."""
        if mark.tone not in ("on", "off", "path", "blocking"):
            return
        radius = min(7.0, 3.0 / max(scale, 0.05))
        at = QPointF(body.right() - radius - 4, body.bottom() - radius - 4)
        color = QColor(self._dot_color(mark.tone))
        painter.setPen(QPen(color, radius / 2.5))
        painter.setBrush(color if mark.tone in ("on", "path") else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(at, radius, radius)

    def _paint_chip(self, painter: QPainter, chip: _Chip) -> None:
        looks, theme = self._looks, self._looks.theme
        back, line, ink = self._chip_colors(chip.tone)
        pen = QPen(looks.color(line), 1.2)
        if chip.dotted:
            pen.setDashPattern([2, 2])
        painter.setPen(pen)
        painter.setBrush(looks.color(back))
        painter.drawRoundedRect(chip.rect, CHIP / 2, CHIP / 2)
        room = chip.rect.adjusted(PAD, 0, -PAD, 0)
        if chip.tone in ("on", "off", "path", "blocking") and not chip.dotted:
            at = QPointF(room.left() + DOT, room.center().y())
            color = looks.color(self._dot_color(chip.tone))
            painter.setPen(QPen(color, 1.4))
            painter.setBrush(color if chip.tone in ("on", "path") else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(at, DOT, DOT)
            if chip.tone == "blocking":
                painter.drawLine(at - QPointF(DOT, 0), at + QPointF(DOT, 0))
            room.setLeft(room.left() + 2 * DOT + 4)
        painter.setFont(looks.small_font)
        painter.setPen(looks.color(ink if not chip.dotted else theme.node_text_dim))
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), chip.text)

    def _chip_colors(self, tone: Tone) -> tuple[str, str, str]:
        """Return fill, line and text of a chip."""
        theme = self._looks.theme
        text = theme.node_text
        if tone in ("path", "on"):
            return mix(theme.done, theme.node, 0.2 if tone == "path" else 0.1), theme.done, text
        if tone == "blocking":
            return theme.error_soft, theme.error, text
        if tone == "wanted":
            return theme.warning_soft, theme.warning, text
        return theme.raised, theme.node_border, text

    def _dot_color(self, tone: Tone) -> str:
        theme = self._looks.theme
        return {"on": theme.done, "path": theme.done, "blocking": theme.error}.get(tone, theme.node_text_dim)

    # ------------------------------------------------------------------ where the chips lie

    def _chips_of(self, node: str, item: NodeItem, mark: NodeMark) -> tuple[_Chip, ...]:
        key = (node, item.layout.height, self._enlarged)
        if key not in self._chips:
            self._chips[key] = tuple(self._lay_out(item, mark))
        return self._chips[key]

    def _lay_out(self, item: NodeItem, mark: NodeMark) -> list[_Chip]:
        """Place a node's chips at its lower edge, in units of which one is `_enlarged` of the scene's."""
        metrics = self._looks.small_metrics
        top = item.layout.height / self._enlarged - CHIP + (HANG if self._enlarged == 1.0 else LOW_HANG)
        left, right = SIDE, item.layout.width / self._enlarged - SIDE
        found = []
        lead = 2 * DOT + 4 if mark.tone in ("on", "off", "path", "blocking") else 0.0
        if mark.fired and not self._needs_all(mark, right - left - 2 * PAD - lead):
            width = metrics.horizontalAdvance(mark.fired) + 2 * PAD
            found.append(_Chip(mark.fired, QRectF(left, top, width, CHIP), "plain", dotted=bool(mark.idle)))
            left += width + 4
        if mark.value:
            wide = OVERHANG if self._enlarged > 1.0 and mark.part in ("wanted", "blocking") else 0.0
            room = right - left - 2 * PAD - lead + wide
            fits = not mark.brief or metrics.horizontalAdvance(mark.value) <= room
            text = metrics.elidedText(mark.value if fits else mark.brief, Qt.TextElideMode.ElideRight, room)
            width = metrics.horizontalAdvance(text) + 2 * PAD + lead + 1
            found.append(_Chip(text, QRectF(right - width, top, width, CHIP), mark.tone))
        return found

    def _needs_all(self, mark: NodeMark, room: float) -> bool:
        """Return whether the value leaves no room for the count, and matters more: it is what a decision lacked."""
        metrics = self._looks.small_metrics
        beside = metrics.horizontalAdvance(mark.fired) + 2 * PAD + 4
        crowded = self._enlarged > CROWDED and bool(mark.value)
        return crowded or (
            mark.part in ("wanted", "blocking") and metrics.horizontalAdvance(mark.value) + beside > room
        )


def enlarged(scale: float) -> float:
    """Return by how much chips are larger than their nodes, so that they can be read; in steps of a tenth."""
    return max(1.0, round(SHARP / max(scale, READABLE), 1))
