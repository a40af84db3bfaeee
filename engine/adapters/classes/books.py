"""Books from fills that another engine made: cash and equity by step, trades at average cost.

1. Quantities become whole lots: of one unit where all are whole, else of a hundred-millionth.
2. Each fill that reduces a position closes that part of it as a trade; a fill that turns it round does both.
3. Cash moves with every fill; equity is cash plus positions at their instruments' latest closes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.api.bars import Bars
from engine.api.engine import ClassJob, ClassRun
from engine.api.ledger import (
    BLOCKED_DTYPE,
    FILL_DTYPE,
    ORDER_DTYPE,
    TRADE_DTYPE,
    Ledger,
    OpenPosition,
    OrderKind,
    OrderStatus,
    Reason,
    StatusReason,
)
from engine.api.settings import RunSettings

FINEST_LOT = 1e-8


@dataclass(frozen=True, slots=True)
class ClassFill:
    """One execution as the other engine told it; `bar` counts the instrument's own bars, `side` is +1 or -1."""

    order: int
    instrument: int
    bar: int
    side: int
    quantity: float
    price: float
    kind: OrderKind


@dataclass(frozen=True, slots=True)
class ClassOrder:
    """One order as it ended; `closed_bar` is -1 while it works. Orders are listed by id, from 0 on."""

    instrument: int
    created_bar: int
    closed_bar: int
    side: int
    quantity: float
    price: float
    kind: OrderKind
    status: OrderStatus
    status_reason: StatusReason = StatusReason.NONE


def commission_of(settings: RunSettings, quantity: float, price: float) -> float:
    """Return what the broker takes for a fill, as for our own strategies."""
    terms = settings.commission
    charged = terms.percent / 100.0 * (quantity * price) + terms.per_unit * quantity + terms.per_order
    return max(terms.minimum, charged)


def keep_books(job: ClassJob, fills: Sequence[ClassFill], orders: Sequence[ClassOrder]) -> ClassRun:
    """Return the books of a strategy class; fills are in the order in which they happened."""
    orders, fills = list(orders), list(fills)
    if job.settings.end_of_data == "close_last":
        _close_last(job, fills, orders)
    lots = tuple(_lot_size(index, fills, orders) for index in range(len(job.instruments)))
    table = _fill_table(job, fills, lots)
    trades, positions = _trades(job, table, lots)
    ts_ns, equity, cash = _curve(job, table, lots)
    ledger = Ledger(
        _order_table(job, orders, fills, lots),
        table,
        trades,
        np.empty(0, BLOCKED_DTYPE),
        ts_ns,
        equity,
        cash,
        positions,
    )
    return ClassRun(ledger, lots)


def _close_last(job: ClassJob, fills: list[ClassFill], orders: list[ClassOrder]) -> None:
    """Close what is still open at the last close of its instrument."""
    for index, instrument in enumerate(job.instruments):
        held = math.fsum(fill.side * fill.quantity for fill in fills if fill.instrument == index)
        if abs(held) < FINEST_LOT / 2:
            continue
        last, side, price = len(instrument.bars) - 1, -1 if held > 0 else 1, float(instrument.bars.close[-1])
        fills.append(ClassFill(len(orders), index, last, side, abs(held), price, OrderKind.CLOSE))
        orders.append(ClassOrder(index, last, last, side, abs(held), math.nan, OrderKind.CLOSE, OrderStatus.FILLED))


def _lot_size(index: int, fills: Sequence[ClassFill], orders: Sequence[ClassOrder]) -> float:
    traded: list[ClassFill | ClassOrder] = [*fills, *orders]
    quantities = [each.quantity for each in traded if each.instrument == index]
    return 1.0 if all(float(quantity).is_integer() for quantity in quantities) else FINEST_LOT


def _whole(quantity: float, lot_size: float) -> int:
    return round(quantity) if lot_size == 1.0 else round(quantity * round(1.0 / FINEST_LOT))


def _unit(lots: Any, lot_size: float) -> Any:
    return lots if lot_size == 1.0 else lots / round(1.0 / FINEST_LOT)


def _fill_table(job: ClassJob, fills: Sequence[ClassFill], lots: Sequence[float]) -> npt.NDArray[Any]:
    table = np.zeros(len(fills), FILL_DTYPE)
    held = [0] * len(job.instruments)
    slippage = job.settings.slippage
    for row, fill in zip(table, fills, strict=True):
        whole = _whole(fill.quantity, lots[fill.instrument])
        quantity = float(_unit(whole, lots[fill.instrument]))
        row["order_id"], row["bar"], row["lots"], row["price"] = fill.order, fill.bar, whole, fill.price
        row["instrument"], row["side"], row["kind"] = fill.instrument, fill.side, fill.kind
        row["commission"] = commission_of(job.settings, quantity, fill.price)
        if fill.kind is not OrderKind.LIMIT:
            tick = job.instruments[fill.instrument].tick_size
            row["slippage"] = quantity * fill.price * slippage.bps / 10_000.0 + slippage.ticks * tick * quantity
        row["reason"], row["rate"] = _reason(fill, held[fill.instrument]), 1.0
        held[fill.instrument] += fill.side * whole
    return table


def _reason(fill: ClassFill, held: int) -> Reason:
    if fill.kind is OrderKind.CLOSE:
        return Reason.END_OF_DATA
    return Reason.ENTRY if held * fill.side >= 0 else Reason.SIGNAL


def _order_table(
    job: ClassJob, orders: Sequence[ClassOrder], fills: Sequence[ClassFill], lots: Sequence[float]
) -> npt.NDArray[Any]:
    """Return the orders; what still works at the end of the data is cancelled, as in our own runs."""
    table = np.zeros(len(orders), ORDER_DTYPE)
    prices = {fill.order: fill.price for fill in fills}
    reasons = dict(zip((fill.order for fill in fills), _fill_table(job, fills, lots)["reason"], strict=True))
    for index, order in enumerate(orders):
        made = order
        if order.status is OrderStatus.WORKING:
            last = len(job.instruments[order.instrument].bars) - 1
            made = replace(order, status=OrderStatus.CANCELLED, status_reason=StatusReason.END_OF_DATA, closed_bar=last)
        row = table[index]
        row["id"], row["parent"], row["rule"], row["instrument"] = index, -1, -1, made.instrument
        row["created_bar"], row["closed_bar"], row["side"] = made.created_bar, made.closed_bar, made.side
        row["lots"], row["price"] = _whole(made.quantity, lots[made.instrument]), made.price
        row["fill_price"] = prices.get(index, math.nan)
        row["kind"], row["status"], row["status_reason"] = made.kind, made.status, made.status_reason
        row["reason"] = reasons.get(index, Reason.ENTRY)
    return table


@dataclass
class _Position:
    """What is held of an instrument: signed lots at their average price, with the entries' costs."""

    lots: int = 0
    price: float = 0.0
    commission: float = 0.0
    slippage: float = 0.0
    bar: int = -1
    order: int = -1
    kind: int = 0


def _trades(
    job: ClassJob, fills: npt.NDArray[Any], lot_sizes: Sequence[float]
) -> tuple[npt.NDArray[Any], tuple[OpenPosition, ...]]:
    rows: list[tuple[Any, ...]] = []
    held = [_Position() for _ in job.instruments]
    for fill in fills:
        index = int(fill["instrument"])
        position, left = held[index], int(fill["lots"])
        if position.lots * int(fill["side"]) < 0:
            closing = min(left, abs(position.lots))
            rows.append(_closed(position, fill, closing, job.instruments[index].bars, lot_sizes[index]))
            left -= closing
        if left:
            _grow(position, fill, left)
    open_positions = tuple(
        _still_open(index, position, float(job.instruments[index].bars.close[-1]), lot_sizes[index])
        for index, position in enumerate(held)
        if position.lots
    )
    return np.array(rows, TRADE_DTYPE), open_positions


def _grow(position: _Position, fill: Any, lots: int) -> None:
    share = lots / int(fill["lots"])
    before = abs(position.lots)
    if before == 0:
        position.bar, position.order, position.kind = int(fill["bar"]), int(fill["order_id"]), int(fill["kind"])
        position.price = position.commission = position.slippage = 0.0
    position.price = (position.price * before + float(fill["price"]) * lots) / (before + lots)
    position.commission += float(fill["commission"]) * share
    position.slippage += float(fill["slippage"]) * share
    position.lots += int(fill["side"]) * lots


def _closed(position: _Position, fill: Any, lots: int, bars: Bars, lot_size: float) -> tuple[Any, ...]:
    """Take `lots` off the position and return the trade, a row of TRADE_DTYPE."""
    part, share = lots / abs(position.lots), lots / int(fill["lots"])
    commission = position.commission * part + float(fill["commission"]) * share
    slippage = position.slippage * part + float(fill["slippage"]) * share
    price, side = float(fill["price"]), 1 if position.lots > 0 else -1
    against, favour = _moves(position, int(fill["bar"]), price, side, bars)
    pnl = side * (price - position.price) * float(_unit(lots, lot_size)) - commission - slippage
    ends = (position.bar, int(fill["bar"]), position.order, int(fill["order_id"]), lots, position.price, price)
    position.commission -= position.commission * part
    position.slippage -= position.slippage * part
    position.lots -= side * lots
    who = (int(fill["instrument"]), side, int(fill["reason"]))
    return (*ends, pnl, commission, slippage, against, favour, *who, 0.0)


def _moves(position: _Position, exit_bar: int, price: float, side: int, bars: Bars) -> tuple[float, float]:
    """Return the largest moves against and for the position; of the bar of an entry inside it, the close counts."""
    first = position.bar if position.kind == OrderKind.MARKET else position.bar + 1
    seen = [position.price, price]
    if first > position.bar and exit_bar > position.bar:
        seen.append(float(bars.close[position.bar]))
    if exit_bar > first:
        seen += [float(bars.high[first:exit_bar].max()), float(bars.low[first:exit_bar].min())]
    down, up = position.price - min(seen), max(seen) - position.price
    return (down, up) if side > 0 else (up, down)


def _still_open(index: int, position: _Position, close: float, lot_size: float) -> OpenPosition:
    gain = (close - position.price) * float(_unit(position.lots, lot_size))
    return OpenPosition(
        index, position.lots, position.bar, position.price, gain - position.commission - position.slippage
    )


def _curve(job: ClassJob, fills: npt.NDArray[Any], lot_sizes: Sequence[float]) -> tuple[Any, Any, Any]:
    """Return the close time, equity and cash of every step."""
    closes = [instrument.bars.close_ns for instrument in job.instruments]
    ts_ns = np.unique(np.concatenate(closes))
    moves = np.zeros(len(ts_ns))
    value = np.zeros(len(ts_ns))
    for index, instrument in enumerate(job.instruments):
        own = fills[fills["instrument"] == index]
        step = np.searchsorted(ts_ns, closes[index][own["bar"]])
        quantity = _unit(own["lots"], lot_sizes[index])
        np.add.at(moves, step, -(own["side"] * quantity * own["price"]) - own["commission"] - own["slippage"])
        lots = np.zeros(len(ts_ns), np.int64)
        np.add.at(lots, step, own["side"] * own["lots"])
        latest = np.searchsorted(closes[index], ts_ns, side="right") - 1
        mark = np.where(latest >= 0, instrument.bars.close[np.maximum(latest, 0)], 0.0)
        value += _unit(np.cumsum(lots), lot_sizes[index]) * mark
    cash = job.settings.cash + np.cumsum(moves)
    return ts_ns, cash + value, cash
