"""What all items of a scene share while they are painted: colours, fonts, and how much detail there is time for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

from PySide6.QtGui import QColor, QFont, QFontMetricsF, QGuiApplication, QPixmap

from quantcrafter.app.theme import Theme, current

if TYPE_CHECKING:
    from quantcrafter.app.canvas.items.node import NodeItem

SIMPLE_BELOW = 0.66
"""Under this zoom the texts of a whole node are too small to read."""
NAMED_ABOVE = 0.24
DIRECT_ABOVE = 1.6
PICTURE_BYTES = 96 * 1024 * 1024


def _nobody() -> None:
    """Ignore the move of a node."""


class SceneStyle:
    """Colours, fonts and node pictures of one scene.

    `vector` has every item painted whole and without pictures (export). While `hurried` (the view is being zoomed), a
    node's picture is stretched rather than painted again. `moved` is called when a node changes its place.
    """

    def __init__(self) -> None:
        self.theme: Theme = current()
        self.vector = False
        self.hurried = False
        self.moved: Callable[[], None] = _nobody
        self.late: set[NodeItem] = set()
        self._frame_ends = 0.0
        self.colors: dict[str, QColor] = {}
        self.name_font = self._font(12.5, QFont.Weight.DemiBold)
        self.small_font = self._font(10.5, QFont.Weight.Normal)
        self._far_fonts: dict[tuple[int, QFont.Weight], tuple[QFont, QFontMetricsF]] = {}
        self.name_metrics = QFontMetricsF(self.name_font)
        self.small_metrics = QFontMetricsF(self.small_font)
        self._pictures: OrderedDict[NodeItem, int] = OrderedDict()
        self._bytes = 0

    def far_font(self, pixels: float, scale: float, weight: QFont.Weight) -> tuple[QFont, QFontMetricsF]:
        """Return font and metrics of so many pixels of the screen at a zoom."""
        size = round(pixels / scale)
        found = self._far_fonts.get((size, weight))
        if found is None:
            font = self._font(size, weight)
            found = self._far_fonts[size, weight] = font, QFontMetricsF(font)
        return found

    def color(self, name: str) -> QColor:
        """Return the QColor of `#rrggbb`; do not change it."""
        color = self.colors.get(name)
        if color is None:
            color = self.colors[name] = QColor(name)
        return color

    def begin_frame(self, budget_ms: float) -> None:
        """Allow so many milliseconds for new pictures from now on; nodes that come too late go to `late`."""
        self._frame_ends = monotonic() + budget_ms / 1000

    def has_time(self) -> bool:
        """Return whether another picture can be made in this frame."""
        return monotonic() < self._frame_ends

    def keep(self, item: NodeItem, picture: QPixmap) -> None:
        """Count an item's new picture, and drop the oldest pictures when all take too much memory."""
        self.forget(item)
        size = picture.width() * picture.height() * 4
        self._pictures[item] = size
        self._bytes += size
        while self._bytes > PICTURE_BYTES and len(self._pictures) > 1:
            oldest = next(iter(self._pictures))
            oldest.drop_picture()

    def forget(self, item: NodeItem) -> None:
        """Count an item's picture no more."""
        self.late.discard(item)
        self._bytes -= self._pictures.pop(item, 0)

    @staticmethod
    def _font(pixels: float, weight: QFont.Weight) -> QFont:
        font = QFont(QGuiApplication.font())
        font.setPointSizeF(pixels * 0.75)
        font.setPixelSize(round(pixels))
        font.setWeight(weight)
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
        return font
