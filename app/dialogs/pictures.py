"""Pictures of graphs for the gallery, drawn by the canvas's own scene."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter

from quantcrafter.app.canvas.scene import GraphScene
from quantcrafter.app.document.document import Document
from quantcrafter.app.document.view import BARS
from quantcrafter.app.theme import current
from quantcrafter.engine.api import Catalog

if TYPE_CHECKING:
    from quantcrafter.app.dialogs.thumbnails import PaintGraph

PAD = 12
MAX_SCALE = 0.8


def paint_graph(catalog: Catalog) -> PaintGraph:
    """Return what paints the graph of a strategy's text to fit into a size, on the colour of the canvas."""

    def paint(text: str, size: QSize, ratio: float) -> QImage | None:
        graph = Document(text, catalog).graph()
        if not set(graph.nodes) - {BARS}:
            return None
        scene = GraphScene()
        scene.set_graph(graph)
        image = _drawn(scene, size, ratio)
        scene.clear()
        return image

    return paint


def _drawn(scene: GraphScene, size: QSize, ratio: float) -> QImage:
    image = QImage(size * ratio, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(QColor(current().canvas))
    source = scene.content_rect()
    room = QRectF(PAD, PAD, size.width() - 2 * PAD, size.height() - 2 * PAD)
    scale = min(room.width() / source.width(), room.height() / source.height(), MAX_SCALE)
    target = QRectF(0, 0, source.width() * scale, source.height() * scale)
    target.moveCenter(room.center())
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    scene.render(painter, target, source)
    painter.end()
    return image
