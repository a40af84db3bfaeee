"""The chart as a file: PNG for a chat, SVG for print."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QRect
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator

from quantcrafter.app.charts.view import ChartView
from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.stats.whole_files import write_whole

SCALE = 2.0
PIXELS_AN_INCH = 96


def picture(view: ChartView) -> QImage:
    """Return what the chart shows, two pixels for each of the screen's."""
    image = QImage(view.size() * SCALE, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(SCALE)
    painter = QPainter(image)
    view.render_to(painter)
    painter.end()
    return image


def export_png(view: ChartView, path: Path) -> Path:
    """Write what the chart shows as PNG, two pixels for each of the screen's.

    Raises:
        RunError: the file cannot be written.
    """
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture(view).save(buffer, "PNG")  # type: ignore[call-overload]
    return write_whole(path, bytes(buffer.data().data()), Message("The drawing"))


def export_svg(view: ChartView, path: Path) -> Path:
    """Write what the chart shows as SVG, text as text.

    Raises:
        RunError: the file cannot be written.
    """
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)  # the older one knows no clipping
    generator.setOutputDevice(buffer)
    generator.setResolution(PIXELS_AN_INCH)
    generator.setSize(view.size())
    generator.setViewBox(QRect(0, 0, view.width(), view.height()))
    generator.setTitle(tr("Chart"))
    painter = QPainter(generator)
    view.render_to(painter)
    painter.end()
    # Elsewhere the font may be missing: say what kind to take then.
    text = re.sub(r'font-family="([^"]*)"', r'font-family="\1, sans-serif"', bytes(buffer.data().data()).decode())
    return write_whole(path, text.encode(), Message("The drawing"))
