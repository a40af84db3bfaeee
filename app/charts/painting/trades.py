"""Trades: arrows at their fills, joined from entry to exit; counts where they would cover each other."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPainterPath

from quantcrafter.app.charts.model.chart_colors import ChartLook
from quantcrafter.app.charts.model.chart_state import ChartState
from quantcrafter.app.charts.model.detail_levels import bucket_step
from quantcrafter.app.charts.model.layout import PanelPlace
from quantcrafter.app.charts.model.scales import Scale
from quantcrafter.app.charts.model.sheet import Sheet
from quantcrafter.app.charts.model.trades import TradeGroup, TradeView
from quantcrafter.app.charts.painting.batch import FAR, ShapeBatch
from quantcrafter.app.charts.painting.pens import brush, pen, small
from quantcrafter.engine.api import FloatColumn
from quantcrafter.engine.api.ledger import OpenPosition

ROOM = 20.0
"""Trades are drawn one by one while each has so many pixels on average."""
GROUP_WIDTH = 60.0
_ARROW_WIDTH, _ARROW_HEIGHT = 4.5, 8.5
_REACH = 9.0
_MOST_LEVELS = 30
_PILL_HEIGHT = 16.0


@dataclass
class Marks:
    """Where trades were drawn, so that the mouse finds them."""

    rows: FloatColumn = field(default_factory=lambda: np.zeros(0))
    xs: FloatColumn = field(default_factory=lambda: np.zeros(0))
    ys: FloatColumn = field(default_factory=lambda: np.zeros(0))
    trades: TradeView | None = None
    groups: list[tuple[QRectF, TradeGroup]] = field(default_factory=list)
    still_open: list[tuple[float, float, OpenPosition]] = field(default_factory=list)

    def trade_at(self, x: float, y: float) -> int | None:
        """Return the row of the trade that has an end at a place, None if none has."""
        if not len(self.xs):
            return None
        distance = np.hypot(self.xs - x, self.ys - y)
        nearest = int(np.argmin(distance))
        return int(self.rows[nearest]) if distance[nearest] <= _REACH else None

    def open_at(self, x: float, y: float) -> OpenPosition | None:
        """Return the open position whose entry is at a place, None if there is none."""
        near = (each for at_x, at_y, each in self.still_open if abs(at_x - x) <= _REACH and abs(at_y - y) <= _REACH)
        return next(near, None)

    def group_at(self, x: float, y: float) -> TradeGroup | None:
        """Return the group at a place, None if there is none."""
        return next((group for box, group in self.groups if box.contains(x, y)), None)


def draw_trades(
    batch: ShapeBatch,
    painter: QPainter,
    look: ChartLook,
    font: QFont,
    sheet: Sheet,
    place: PanelPlace,
    state: ChartState,
) -> Marks:
    """Draw the visible trades, and return where they are."""
    window, scale = sheet.window, sheet.scales[place.key]
    trades = state.model.trades
    single = trades.single(window.left, window.right, int(sheet.plot_width / ROOM))
    if single is None:
        step = bucket_step(window.width, sheet.plot_width / GROUP_WIDTH)
        groups = trades.groups(window.left, window.right, step)
        return Marks(groups=_draw_groups(painter, look, font, sheet, place, groups))
    if len(single) <= _MOST_LEVELS:
        for row in single.rows.tolist():
            draw_levels(painter, look, sheet, scale, state, row, strong=row == state.trade)
    return _draw_single(batch, painter, look, sheet, scale, single, state.trade)


def draw_open(painter: QPainter, look: ChartLook, sheet: Sheet, scale: Scale, state: ChartState, marks: Marks) -> None:
    """Draw the positions that are still open at the end: their entry, joined to the last close."""
    model = state.model
    last = len(model) - 1
    for position in model.open_positions:
        if position.entry_bar > sheet.window.right:
            continue
        x, y = np.floor(sheet.x(position.entry_bar)) + 0.5, round(scale.pixels(position.entry_price))
        end = QPointF(min(sheet.x(last), FAR), scale.pixels(float(model.job.bars.close[last])))
        color = look.profit if position.unrealised_pnl > 0 else look.loss
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(pen(color, 1.2, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(max(x, -FAR), y), end)
        painter.setPen(pen(look.background))
        painter.setBrush(brush(look.up if position.lots > 0 else look.down))
        painter.drawPath(_arrows(np.array([x]), np.array([float(y)]), up=position.lots > 0))
        marks.still_open.append((float(x), float(y), position))


def draw_levels(
    painter: QPainter, look: ChartLook, sheet: Sheet, scale: Scale, state: ChartState, row: int, *, strong: bool
) -> None:
    """Draw the stops and targets of a trade over the bars in which they worked."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for level in state.model.trades.levels(row):
        color = look.loss if level.kind == "stop" else look.profit
        style = Qt.PenStyle.SolidLine if strong else Qt.PenStyle.DotLine
        painter.setPen(pen(color, 2.0 if strong else 1.0, style))
        y = round(scale.pixels(level.price)) + (0.0 if strong else 0.5)
        if abs(y) < FAR:
            left, right = sheet.x(level.from_bar - 0.5), sheet.x(level.to_bar + 0.5)
            painter.drawLine(QPointF(max(left, -FAR), y), QPointF(min(right, FAR), y))


def _draw_single(
    batch: ShapeBatch,
    painter: QPainter,
    look: ChartLook,
    sheet: Sheet,
    scale: Scale,
    trades: TradeView,
    selected: int | None,
) -> Marks:
    enter_x, leave_x = sheet.xs(trades.entry_bar.astype(np.float64)), sheet.xs(trades.exit_bar.astype(np.float64))
    enter_x, leave_x = np.floor(enter_x) + 0.5, np.floor(leave_x) + 0.5
    enter_y = np.clip(np.round(scale.pixels(trades.entry_price)), -FAR, FAR)
    leave_y = np.clip(np.round(scale.pixels(trades.exit_price)), -FAR, FAR)
    won, is_long = trades.pnl > 0, trades.side > 0
    chosen = trades.rows == selected if selected is not None else np.zeros(len(trades), dtype=bool)
    for color, which in ((look.profit, won), (look.loss, ~won)):
        for width, part, style in (
            (1.2, which & ~chosen, Qt.PenStyle.DashLine),
            (2.2, which & chosen, Qt.PenStyle.SolidLine),
        ):
            batch.lines(painter, color, width, enter_x[part], enter_y[part], leave_x[part], leave_y[part], style)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(pen(look.background))
    for color, up, xs, ys, part in (
        (look.up, True, enter_x, enter_y, is_long),
        (look.down, False, enter_x, enter_y, ~is_long),
        (look.profit, False, leave_x, leave_y, is_long & won),
        (look.loss, False, leave_x, leave_y, is_long & ~won),
        (look.profit, True, leave_x, leave_y, ~is_long & won),
        (look.loss, True, leave_x, leave_y, ~is_long & ~won),
    ):
        if part.any():
            painter.setBrush(brush(color))
            painter.drawPath(_arrows(xs[part], ys[part], up=up))
    return Marks(
        np.concatenate([trades.rows, trades.rows]),
        np.concatenate([enter_x, leave_x]),
        np.concatenate([enter_y, leave_y]),
        trades,
    )


def _arrows(xs: FloatColumn, ys: FloatColumn, *, up: bool) -> QPainterPath:
    """Return triangles whose tips are at these places: from below if they point up."""
    path = QPainterPath()
    base = _ARROW_HEIGHT if up else -_ARROW_HEIGHT
    for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
        path.moveTo(x, y)
        path.lineTo(x - _ARROW_WIDTH, y + base)
        path.lineTo(x + _ARROW_WIDTH, y + base)
        path.closeSubpath()
    return path


def _draw_groups(
    painter: QPainter, look: ChartLook, font: QFont, sheet: Sheet, place: PanelPlace, groups: list[TradeGroup]
) -> list[tuple[QRectF, TradeGroup]]:
    painter.setFont(small(font, bold=True))
    metrics = QFontMetricsF(painter.font())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    found = []
    for group in groups:
        middle = sheet.x((group.first_bar + min(group.last_bar, sheet.window.count - 1)) / 2)
        text = f"{group.count:,}"
        width = max(metrics.horizontalAdvance(text) + 12, _PILL_HEIGHT + 4)
        left = min(max(middle - width / 2, 2.0), sheet.plot_width - width - 2)
        box = QRectF(round(left), place.bottom - _PILL_HEIGHT - 4, round(width), _PILL_HEIGHT)
        color = look.profit if group.pnl > 0 else look.loss
        painter.setPen(pen(color))
        painter.setBrush(brush(look.background))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), _PILL_HEIGHT / 2, _PILL_HEIGHT / 2)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        found.append((box, group))
    return found
