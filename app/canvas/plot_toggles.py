"""EyeLayer: a small eye icon on every node whose values the chart can show, in the colour of the chart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from quantcrafter.app.canvas.gesture import Hit
from quantcrafter.app.canvas.items.node import NodeItem
from quantcrafter.app.canvas.items.scene_style import SceneStyle
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme.icons import renderer

if TYPE_CHECKING:
    from quantcrafter.app.canvas.scene import GraphScene

LEVEL = 5.0
EYE = QRectF(-8.0, -10.0, 22.0, 16.0)
"""Over the node's top left corner, within the margin that its item has around the body."""
READABLE = 0.35
_WHOLE, _WIDEST = 0.8, 1.8
"""Under the zoom of `_WHOLE` an eye grows in the scene, so that it can still be seen and met, up to `_WIDEST` times."""


class EyeLayer(QGraphicsItem):
    """Paints the eyes over the nodes of a scene.

    An eye in colour says that the chart shows the node; a grey one, which is seen while the mouse is on the node or the
    node is selected, that a click will show it.
    """

    def __init__(self, nodes: Mapping[str, NodeItem], looks: SceneStyle, extent: QRectF) -> None:
        super().__init__()
        self._nodes = nodes
        self._looks = looks
        self._extent = extent
        self.eyes: Mapping[str, str] = {}
        self._size = 1.0
        self.setZValue(LEVEL)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)  # tells what is to be painted

    def set_eyes(self, eyes: Mapping[str, str]) -> None:
        """Show other eyes: by node, the colour on the chart, or '' for a node that it does not show."""
        self.eyes = eyes
        self.update()

    def eye_at(self, pos: QPointF) -> str | None:
        """Return the node whose eye is at a point of the scene, None if there is none."""
        for node in self.eyes:
            item = self._nodes.get(node)
            if item is not None and self._box(item).contains(pos):
                return node
        return None

    def tip_at(self, pos: QPointF) -> str:
        """Return what an eye at a point has to say, '' for none."""
        node = self.eye_at(pos)
        if node is None:
            return ""
        return tr("Shown on the chart. Click to hide") if self.eyes[node] else tr("Click to show it on the chart")

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's
        return self._extent

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:  # noqa: ARG002 - Qt's
        scale = painter.worldTransform().m11()
        if scale < READABLE or self._looks.vector:
            return
        self._size = min(max(_WHOLE / scale, 1.0), _WIDEST)
        seen = option.exposedRect  # type: ignore[attr-defined]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for node, color in self.eyes.items():
            item = self._nodes.get(node)
            if item is not None and (color or item.hovered or item.isSelected()):
                box = self._box(item)
                if box.intersects(seen):
                    self._eye(painter, box, color)

    def _box(self, item: NodeItem) -> QRectF:
        grown = QRectF(EYE.topLeft(), EYE.size() * self._size)
        return grown.translated(item.pos())

    def _eye(self, painter: QPainter, box: QRectF, color: str) -> None:
        theme = self._looks.theme
        ink = color or theme.node_text_dim
        painter.setPen(QPen(self._looks.color(ink), 1.2))
        painter.setBrush(self._looks.color(theme.node))
        painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        side = box.height() * 0.88
        corner = box.center() - QPointF(side / 2, side / 2)
        renderer("eye", ink).render(painter, QRectF(corner.x(), corner.y(), side, side))


class EyeClick:
    """A click on an eye: the node is shown on the chart, or no longer."""

    def __init__(self, scene: GraphScene, clicked: Callable[[str], None]) -> None:
        self._scene = scene
        self._clicked = clicked
        self._node: str | None = None

    def press(self, event: QMouseEvent, hit: Hit) -> bool:
        self._node = self._scene.eye_at(hit.pos) if event.button() == Qt.MouseButton.LeftButton else None
        return self._node is not None

    def move(self, event: QMouseEvent) -> None:
        """Nothing moves with the mouse."""

    def release(self, event: QMouseEvent) -> None:  # noqa: ARG002 - the press said where
        node, self._node = self._node, None
        if node is not None:
            self._clicked(node)

    def cancel(self) -> None:
        self._node = None
