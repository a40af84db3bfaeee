"""Findings about protective levels: ticks that are coarse beside their distance, and levels beyond the entry."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantcrafter.engine.api import FloatColumn, InstrumentJob, Ledger
from quantcrafter.engine.api.ledger import OrderStatus, Reason
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.labels import bar_label
from quantcrafter.engine.graph import BoundGraph, Plan
from quantcrafter.engine.graph.evaluate import Evaluated
from quantcrafter.engine.graph.plan import PlannedProtection
from quantcrafter.engine.graph.terms import plain
from quantcrafter.engine.graph.tick_checks import coarse_problem
from quantcrafter.engine.runtime.running.prepare import LoadedMarket, traded_bars

_PLACED = (int(Reason.STOP_LOSS), int(Reason.TAKE_PROFIT))
"""Reasons of orders at their first level: a stop that has moved has another one."""


def has_column_distances(plan: Plan) -> bool:
    """Return whether the distance of a protective rule depends on a column."""
    return any(each.column is not None for each in plan.protection)


def coarse_ticks(
    graph: BoundGraph, plan: Plan, market: LoadedMarket, evaluations: Sequence[Evaluated]
) -> tuple[str, ...]:
    """Return a warning for each rule whose distance is taken from a column, such as the ATR, and few ticks wide."""
    if not has_column_distances(plan):
        return ()
    found = []
    for instrument, terms, evaluation in zip(graph.instruments, market.terms, evaluations, strict=True):
        for each in plan.protection:
            distance = _usual_distance(each, evaluation)
            problem = None if distance is None else coarse_problem(instrument, terms, each.node, distance)
            if problem is not None:
                found.append(Message("{message} {remedy}", message=problem.message, remedy=problem.remedy))
    return tuple(found)


def _usual_distance(planned: PlannedProtection, evaluation: Evaluated) -> float | None:
    """Return the median distance of a rule that reads a column, at the prices as traded; None without any."""
    rule = planned.rule
    if planned.column is None:
        return None
    bars, column = evaluation.bars, evaluation.column(planned.column)
    scale = traded_bars(bars).close / bars.close
    distance: FloatColumn
    if rule.line:
        distance = np.abs(bars.close - column) * scale
    else:
        distance = rule.multiple * column * scale + traded_bars(bars).close * rule.percent / 100.0 + rule.offset
    distance = distance[np.isfinite(distance) & (distance > 0.0)]
    return float(np.median(distance)) if len(distance) else None


def levels_beyond_entries(
    ledger: Ledger, instruments: Sequence[InstrumentJob], protection: Sequence[PlannedProtection]
) -> tuple[str, ...]:
    """Return a warning for each rule that placed a stop or target on the wrong side of its entry, or at its price.

    Such an order closes the position at once. The entry is the fill of the order's own unit, or the latest one, as
    the rule's scope says; of a position with several entries, their average price.
    """
    orders = ledger.orders
    own = (orders["rule"] >= 0) & (orders["parent"] >= 0) & np.isin(orders["reason"], _PLACED)
    if not own.any():
        return ()
    place = np.searchsorted(orders["id"], orders["parent"][own])
    parents, placed = orders[place], orders[own]
    entered = (parents["id"] == placed["parent"]) & (parents["status"] == OrderStatus.FILLED)
    lost = np.where(placed["reason"] == Reason.TAKE_PROFIT, -1.0, 1.0) * placed["side"]
    wrong = entered & (lost * (placed["price"] - parents["fill_price"]) <= 0.0)
    found: dict[int, list[tuple[int, float]]] = {}
    for row in np.flatnonzero(wrong):
        number, rule = int(placed["instrument"][row]), int(placed["rule"][row])
        price = float(parents["fill_price"][row])
        scope = protection[rule].rule.scope if rule < len(protection) else "unit"
        if scope == "position":
            price = _average_price(ledger, number, int(placed["parent"][row]), price)
        elif scope == "last_entry":
            price = _last_price(ledger, placed[row], price)
        if lost[row] * (placed["price"][row] - price) <= 0.0:
            found.setdefault(rule, []).append((int(row), price))
    return tuple(
        _beyond(protection, rule, placed[rows[0][0]], rows[0][1], len(rows), instruments)
        for rule, rows in found.items()
    )


def _average_price(ledger: Ledger, instrument: int, order: int, price: float) -> float:
    """Return the average price of a position after the fill of an entry order."""
    lots, cost = 0, 0.0
    for fill in ledger.fills[ledger.fills["instrument"] == instrument]:
        change = int(fill["lots"]) * int(fill["side"])
        if lots * change < 0:
            cost *= max(0.0, 1.0 - abs(change) / abs(lots))
            lots += change
            if lots * change > 0:
                cost = abs(lots) * float(fill["price"])
        else:
            lots, cost = lots + change, cost + abs(change) * float(fill["price"])
        if int(fill["order_id"]) == order:
            return cost / abs(lots) if lots else price
    return price


def _last_price(ledger: Ledger, placed: np.void, price: float) -> float:
    """Return the price of the entry that brought a protective order: of several in its bar, the one best for it."""
    fills = ledger.fills
    entries = fills[
        (fills["instrument"] == placed["instrument"])
        & (fills["bar"] == placed["created_bar"])
        & (fills["side"] == -placed["side"])
        & (fills["order_id"] < placed["id"])
    ]
    if not len(entries):
        return price
    above = (placed["side"] < 0) == (placed["reason"] != Reason.TAKE_PROFIT)
    return float(entries["price"].max() if above else entries["price"].min())


def _beyond(
    protection: Sequence[PlannedProtection],
    rule: int,
    order: np.void,
    price: float,
    count: int,
    instruments: Sequence[InstrumentJob],
) -> Message:
    job = instruments[int(order["instrument"])]
    node = protection[rule].node if rule < len(protection) else ""
    opened = int(job.bars.open_ns[int(order["created_bar"])])
    entry = Message("long") if order["side"] < 0 else Message("short")
    return Message(
        "'{node}' placed {count:,} orders on the wrong side of the entry. They close the position at once. The first: "
        "{symbol} on {time}, {entry} at {price:.10g}, level {level}, tick {tick}. Check the rule's distance or line, "
        "and 'tick_size'.",
        node=node,
        count=count,
        time=bar_label(opened, job.bars.timeframe, job.bars.session, named=True),
        symbol=job.symbol,
        entry=entry,
        price=price,
        level=plain(float(order["price"])),
        tick=plain(job.tick_size),
    )
