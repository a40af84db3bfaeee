"""Conditions and signals as thin strips: filled where they hold."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QPainter

from quantcrafter.app.charts.model.chart_colors import ChartLook
from quantcrafter.app.charts.model.detail_levels import FlagLevels, bucket_range, bucket_step
from quantcrafter.app.charts.model.layout import PanelPlace
from quantcrafter.app.charts.model.outputs import ChartOutput
from quantcrafter.app.charts.model.sheet import Sheet
from quantcrafter.app.charts.painting.batch import ShapeBatch
from quantcrafter.engine.api import FloatColumn, PortType
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT

_MARGIN = 3.0


def draw_strip(
    batch: ShapeBatch,
    painter: QPainter,
    look: ChartLook,
    sheet: Sheet,
    place: PanelPlace,
    output: ChartOutput,
    levels: FlagLevels,
) -> None:
    """Draw a strip: a condition in its colour; of a signal entries in full height and exits in half."""
    window = sheet.window
    step = bucket_step(window.width, sheet.plot_width)
    first, end = bucket_range(window.left, window.right, step, len(levels))
    flags = levels.flags(step, first, end)
    edges = np.floor(sheet.xs(np.arange(first, end + 1, dtype=np.float64) * step - 0.5))
    top, height = place.top + _MARGIN, place.height - 2 * _MARGIN
    if output.type is not PortType.SIGNAL:
        _runs(batch, painter, look.slot(output.slot), edges, flags != 0, top, height)
        return
    half = height / 2
    for bit, color, at, tall in (
        (EXIT_LONG, look.up_soft, top + half / 2, half),
        (EXIT_SHORT, look.down_soft, top + half / 2, half),
        (ENTER_LONG, look.up, top, height),
        (ENTER_SHORT, look.down, top, height),
    ):
        _runs(batch, painter, color, edges, (flags & bit) != 0, at, tall)


def _runs(
    batch: ShapeBatch, painter: QPainter, color: str, edges: FloatColumn, on: np.ndarray, top: float, height: float
) -> None:
    """Fill each stretch of buckets that are on, at least two pixels of it."""
    steps = np.diff(np.concatenate([[0], on.view(np.uint8), [0]]).astype(np.int8))
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    left = edges[starts]
    width = np.maximum(edges[ends] - left, 2.0)
    batch.rects(painter, color, left, np.full(len(left), top), width, np.full(len(left), height))
