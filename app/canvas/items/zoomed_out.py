"""The texts on a node that is shown zoomed out: its name as large as fits, and its key parameters if there is room."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from quantcrafter.app.canvas.items.scene_style import SceneStyle

if TYPE_CHECKING:
    from quantcrafter.app.canvas.items.paint import NodePicture

STRIPE = 11.0
LARGEST, FAIR, LEAST = 13.0, 11.0, 8.5
"""Sizes of a name in pixels of the screen: what it gets at most, what is still easily read, and the end of legible."""
STEP = 0.5
SECOND = 2.0
"""By how many pixels the key parameters are smaller than the name."""
EDGE = 9.0
"""Left free at both sides, in scene units: the ports reach in there."""
_MIDDLE = int(Qt.AlignmentFlag.AlignCenter)
_BREAKS = re.compile(r"(?<=[_\-. /])(?=[^_\-. /])")


@dataclass(frozen=True, slots=True)
class FarTexts:
    """The lines of a node and the size of its name in pixels of the screen; an empty `second` is not shown."""

    lines: tuple[str, ...]
    second: str
    pixels: float


def far_texts(name: str, second: str, width: float, height: float, looks: SceneStyle, scale: float) -> FarTexts:
    """Choose what is written on a box of `width` x `height` scene units at a zoom.

    A name that is easily read with the parameters below it comes first, then a larger name alone, then one on two
    lines; only what fits in no way is shortened.
    """
    for found in _ways(name, second):
        if _fits(found, width, height, looks, scale):
            return found
    metrics = _fonts(FarTexts((name,), "", LEAST), looks, scale)[0][1]
    return FarTexts((metrics.elidedText(name, Qt.TextElideMode.ElideRight, width),), "", LEAST)


def _ways(name: str, second: str) -> Iterator[FarTexts]:
    """Yield the ways of writing, the best first."""
    if second:
        yield from (FarTexts((name,), second, size) for size in _sizes(FAIR))
    yield from (FarTexts((name,), "", size) for size in _sizes(FAIR))
    halves = halved(name)
    if len(halves) > 1:
        yield from (FarTexts(halves, "", size) for size in _sizes(LEAST))
    yield from (FarTexts((name,), "", size) for size in _sizes(LEAST))


def _sizes(least: float) -> Iterator[float]:
    size = LARGEST
    while size >= least:
        yield size
        size -= STEP


def halved(name: str) -> tuple[str, ...]:
    """Return a name as two lines of about the same length, parted where it has a mark; as one where it has none."""
    places = [found.start() for found in _BREAKS.finditer(name)]
    if not places:
        return (name,)
    at = min(places, key=lambda place: max(place, len(name) - place))
    return name[:at].rstrip(), name[at:]


def _fits(texts: FarTexts, width: float, height: float, looks: SceneStyle, scale: float) -> bool:
    (_, name), (_, line) = _fonts(texts, looks, scale)
    high = len(texts.lines) * name.height() + (line.height() if texts.second else 0.0)
    wide = max(name.horizontalAdvance(each) for each in texts.lines)
    return high <= height and wide <= width and line.horizontalAdvance(texts.second) <= width


def _fonts(
    texts: FarTexts, looks: SceneStyle, scale: float
) -> tuple[tuple[QFont, QFontMetricsF], tuple[QFont, QFontMetricsF]]:
    return (
        looks.far_font(texts.pixels, scale, QFont.Weight.DemiBold),
        looks.far_font(texts.pixels - SECOND, scale, QFont.Weight.Normal),
    )


def paint_far_texts(painter: QPainter, picture: NodePicture, looks: SceneStyle, scale: float) -> None:
    """Write the name in the middle of a node, and below it the key parameters where there is room for both."""
    node, layout, theme = picture.node, picture.layout, looks.theme
    room = layout.height - STRIPE - 2
    wide = layout.width - 2 * EDGE
    second = node.subtitle if layout.has_subtitle and node.known else ""
    texts = far_texts(node.id, second, wide, room, looks, scale)
    (name_font, name), (line_font, line) = _fonts(texts, looks, scale)
    lines = [(text, name_font, name, theme.node_text_dim if node.mute else theme.node_text) for text in texts.lines]
    lines += [(texts.second, line_font, line, theme.node_text_dim)] if texts.second else []
    top = STRIPE + (room - sum(metrics.height() for _, _, metrics, _ in lines)) / 2
    for text, font, metrics, color in lines:
        painter.setFont(font)
        painter.setPen(looks.color(color))
        painter.drawText(QRectF(EDGE - 2, top, wide + 4, metrics.height()), _MIDDLE, text)
        top += metrics.height()
