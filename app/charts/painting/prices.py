"""Candles, the line of closes, and the volume at their foot."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QPainter

from quantcrafter.app.charts.model.candles import Candles
from quantcrafter.app.charts.model.chart_colors import ChartLook
from quantcrafter.app.charts.model.detail_levels import BucketSpan, RangeLevels
from quantcrafter.app.charts.model.layout import PanelPlace
from quantcrafter.app.charts.model.scales import Scale
from quantcrafter.app.charts.model.sheet import Sheet
from quantcrafter.app.charts.painting.batch import FAR, ShapeBatch
from quantcrafter.engine.api import FloatColumn

LEAST_CANDLE = 3.0
"""Bars are put together until a candle has so many pixels with the room next to it."""
LEAST_POINT = 1.0
_DENSE = 3.0
_BODY = 0.8
_VOLUME_SHARE = 0.15


def body_width(pixels: float) -> int:
    """Return how wide the body of a candle is that has so many pixels: an odd number, the wick in its middle."""
    width = max(int(pixels * _BODY), 1)
    return width - 1 if width % 2 == 0 else width


def draw_candles(
    batch: ShapeBatch, painter: QPainter, look: ChartLook, sheet: Sheet, scale: Scale, candles: Candles
) -> None:
    """Draw candles on whole pixels: wicks one pixel wide, bodies at least one high."""
    middle = np.floor(sheet.xs(candles.centres))
    top, bottom = _rounded(scale, candles.high), _rounded(scale, candles.low)
    opened, closed = _rounded(scale, candles.open), _rounded(scale, candles.close)
    width = body_width(candles.step * sheet.pixels_a_bar)
    body_top, body_bottom = np.minimum(opened, closed), np.maximum(opened, closed)
    rising = candles.rising
    for color, which in ((look.up, rising), (look.down, ~rising)):
        batch.rects(painter, color, middle[which], top[which], 1.0, (bottom - top)[which] + 1)
        if width > 1:
            left = middle[which] - (width - 1) / 2
            batch.rects(painter, color, left, body_top[which], width, (body_bottom - body_top)[which] + 1)


def draw_volume(
    batch: ShapeBatch, painter: QPainter, look: ChartLook, sheet: Sheet, place: PanelPlace, candles: Candles
) -> None:
    """Draw the volume of the candles as columns at the foot of their panel, the largest in view being the tallest."""
    largest = float(candles.volume.max(initial=0.0))
    if not largest > 0:
        return
    height = np.ceil(candles.volume / largest * place.height * _VOLUME_SHARE)
    width = body_width(candles.step * sheet.pixels_a_bar)
    left = np.floor(sheet.xs(candles.centres)) - (width - 1) / 2
    rising = candles.rising
    for color, which in ((look.up_soft, rising), (look.down_soft, ~rising)):
        batch.rects(painter, color, left[which], place.bottom - height[which], width, height[which])


def draw_series(
    batch: ShapeBatch, painter: QPainter, color: str, width: float, sheet: Sheet, scale: Scale, levels: RangeLevels
) -> None:
    """Draw a column as a line; where there are more bars than pixels, each pixel shows all values in it."""
    span = levels.span(sheet.window.left, sheet.window.right, int(sheet.plot_width / LEAST_POINT))
    if span.step > 1 and _is_dense(span, scale):
        _draw_dense(batch, painter, color, sheet, scale, span)
        return
    xs, values = line_points(span)
    batch.polyline(painter, color, width, sheet.xs(xs), scale.pixels(values))


def _is_dense(span: BucketSpan, scale: Scale) -> bool:
    """Return whether a line goes up and down within most pixels, so that it reads as an area."""
    heights = scale.pixels(span.low) - scale.pixels(span.high)
    known = heights[np.isfinite(heights)]
    return bool(len(known) and known.mean() > _DENSE)


def _draw_dense(batch: ShapeBatch, painter: QPainter, color: str, sheet: Sheet, scale: Scale, span: BucketSpan) -> None:
    """Draw each bucket from its least to its greatest value, reaching to the one before it."""
    known = np.isfinite(span.low)
    edges = np.round(sheet.xs(span.centres - span.step / 2))
    width = np.append(np.diff(edges), max(round(span.step * sheet.pixels_a_bar), 1))[known]
    top, bottom = _rounded(scale, span.high[known]), _rounded(scale, span.low[known])
    if len(top) > 1:
        joined = np.diff(np.flatnonzero(known)) == 1
        before_top, before_bottom = top[:-1].copy(), bottom[:-1].copy()
        top[1:] = np.where(joined, np.minimum(top[1:], before_bottom), top[1:])
        bottom[1:] = np.where(joined, np.maximum(bottom[1:], before_top), bottom[1:])
    batch.rects(painter, color, edges[known], top, width, bottom - top + 1)


def line_points(span: BucketSpan) -> tuple[FloatColumn, FloatColumn]:
    """Return the points of a line through a span: of a bucket of several bars both extremes, the nearer one first."""
    if span.step == 1:
        return span.centres, np.asarray(span.low, dtype=np.float64)
    middle = (span.low + span.high) / 2
    falls = np.concatenate([[False], middle[1:] < middle[:-1]]) if len(middle) else np.zeros(0, dtype=bool)
    values = np.empty(2 * len(middle))
    values[0::2] = np.where(falls, span.high, span.low)
    values[1::2] = np.where(falls, span.low, span.high)
    return np.repeat(span.centres, 2), values


def draw_columns(
    batch: ShapeBatch, painter: QPainter, color: str, sheet: Sheet, scale: Scale, levels: RangeLevels
) -> None:
    """Draw a column as an area between its values and zero."""
    span = levels.span(sheet.window.left, sheet.window.right, int(sheet.plot_width / LEAST_POINT))
    zero = round(scale.pixels(0.0))
    if span.step == 1:
        batch.area(painter, color, sheet.xs(span.centres), scale.pixels(np.asarray(span.low, dtype=float)), zero)
        return
    edges = np.round(sheet.xs(span.centres - span.step / 2))
    low, high = np.minimum(span.low, 0.0), np.maximum(span.high, 0.0)
    known = np.isfinite(low) & np.isfinite(high)
    top, bottom = _rounded(scale, high[known]), _rounded(scale, low[known])
    width = np.append(np.diff(edges), max(round(span.step * sheet.pixels_a_bar), 1))[known] if len(edges) else edges
    top, bottom = np.minimum(top, zero), np.maximum(bottom, zero)
    batch.rects(painter, color, edges[known], top, width, bottom - top)


def _rounded(scale: Scale, values: FloatColumn) -> FloatColumn:
    return np.asarray(np.clip(np.round(scale.pixels(values)), -FAR, FAR))
