"""A picture of the graph as a file: PNG for a chat, SVG for print."""

from __future__ import annotations

import re
from math import sqrt
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgGenerator

from quantcrafter.app.canvas.scene import GraphScene
from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.stats.whole_files import write_whole

MARGIN = 40.0
SCALE = 2.0
PIXELS_AN_INCH = 96
MOST_PIXELS = 120_000_000


def export_png(scene: GraphScene, path: Path) -> None:
    """Write the whole graph as PNG, two pixels a scene unit (fewer when it would be too large for memory).

    Raises:
        RunError: the file cannot be written.
    """
    area = _area(scene)
    scale = min(SCALE, sqrt(MOST_PIXELS / (area.width() * area.height())))
    image = QImage((area.size() * scale).toSize(), QImage.Format.Format_RGB32)
    image.fill(QColor(scene.looks.theme.canvas))
    painter = QPainter(image)
    _render(scene, painter, QRectF(image.rect()), area)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    write_whole(path, bytes(buffer.data().data()), Message("The drawing"))


def export_svg(scene: GraphScene, path: Path) -> None:
    """Write the whole graph as SVG, one pixel a scene unit, text as text.

    Raises:
        RunError: the file cannot be written.
    """
    area = _area(scene)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    size = area.size().toSize()
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(PIXELS_AN_INCH)
    generator.setSize(size)
    generator.setViewBox(QRect(0, 0, size.width(), size.height()))
    generator.setTitle(tr("Strategy graph"))
    painter = QPainter(generator)
    painter.fillRect(QRectF(0, 0, size.width(), size.height()), QColor(scene.looks.theme.canvas))
    _render(scene, painter, QRectF(0, 0, size.width(), size.height()), area)
    painter.end()
    # Elsewhere the font may be missing: say what kind to take then.
    text = bytes(buffer.data().data()).decode()
    drawing = re.sub(r'font-family="([^"]*)"', r'font-family="\1, sans-serif"', text)
    write_whole(path, drawing.encode(), Message("The drawing"))


def picture(scene: GraphScene, size: QSize) -> QImage:
    """Return the whole graph as an image of at most `size` pixels, for galleries and lists."""
    area = _area(scene)
    fitted = area.size().toSize().scaled(size, Qt.AspectRatioMode.KeepAspectRatio)
    image = QImage(fitted, QImage.Format.Format_RGB32)
    image.fill(QColor(scene.looks.theme.canvas))
    painter = QPainter(image)
    _render(scene, painter, QRectF(image.rect()), area)
    painter.end()
    return image


def _area(scene: GraphScene) -> QRectF:
    box = scene.content_rect()
    return (box if not box.isEmpty() else QRectF(0, 0, 200, 120)).adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)


def _render(scene: GraphScene, painter: QPainter, target: QRectF, area: QRectF) -> None:
    """Paint the graph as vectors: without selection, and with wires as they are seen from near."""
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    with scene.drawn_for_export():
        scene.render(painter, target, area)
