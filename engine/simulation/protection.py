"""Protective orders: how far from the entry they lie, and when they are put to work. Compiled."""

from __future__ import annotations

import math

from engine.api.ports import FloatColumn
from engine.simulation.jit import jit
from engine.simulation.orders import add_order, retire
from engine.simulation.primitives import TOLERANCE, protective_distance, protective_level
from engine.simulation.records import (
    CANCELLED,
    LIMIT,
    REPLACED,
    STOP,
    STOP_LOSS,
    STOP_LOSS_HIT,
    TAKE_PROFIT,
    TAKE_PROFIT_HIT,
    Record,
    Table,
)

WHOLE = 100.0
"""The share of a rule that is for the whole position."""


@jit
def rule_distance(rule: Record, columns: FloatColumn, row: int, price: float) -> float:
    """Return the distance of a protective rule from `price`, with its column's value at `row`."""
    value = columns[rule["column"], row] if rule["column"] >= 0 else 0.0
    return float(protective_distance(price, rule["percent"], rule["multiple"], value, rule["offset"]))


@jit
def stop_distance(rules: Table, columns: FloatColumn, row: int, close: float) -> float:
    """Return the distance of the nearest stop-loss from the close: infinite without one.

    NaN when any protective rule, of a stop or a target, has no distance or none above zero.
    """
    nearest = math.inf
    for r in range(len(rules)):
        distance = rule_distance(rules[r], columns, row, close)
        if not (distance > 0.0 and distance < math.inf):
            return math.nan
        if rules[r]["kind"] == STOP_LOSS:
            nearest = min(nearest, distance)
    return nearest


@jit
def nearest_rule(
    rules: Table, columns: FloatColumn, kind: int, row: int, price: float, beyond: float, parts: int
) -> tuple[int, float]:
    """Return the protective rule of that kind nearest to `price`, and its distance; -1 when there is none.

    Only rules further away than `beyond` count, and either those for a part of the position or those for all of it.
    """
    chosen, nearest = -1, math.inf
    for r in range(len(rules)):
        if rules[r]["kind"] == kind and (parts == 1) == (rules[r]["share"] < WHOLE):
            distance = rule_distance(rules[r], columns, row, price)
            if beyond < distance < nearest:
                chosen, nearest = r, distance
    return chosen, nearest


@jit
def protect(desk: Record, book: Record, rules: Table, columns: FloatColumn, bar: int, first_bar: int) -> None:
    """Put stop-loss and take-profit of the whole position to work from `first_bar` on, in place of those there are.

    An entry that filled on `bar` calls this. Distances are taken from the position's average price, their columns at
    the close on which the latest entry was decided.
    """
    if len(rules) == 0:
        return
    for k in range(book["working"] - 1, -1, -1):
        if book["slots"][k]["rule"] >= 0:
            retire(desk, book, k, bar, CANCELLED, REPLACED)
    row = book["start"] + book["decided_bar"]
    held = abs(book["lots"])
    for kind in (STOP_LOSS, TAKE_PROFIT):
        rule, distance = nearest_rule(rules, columns, kind, row, book["price"], -math.inf, 0)
        if rule >= 0:
            add_protection(desk, book, bar, first_bar, kind, rule, distance, held)
    take_parts(desk, book, rules, columns, bar, first_bar)


@jit
def take_parts(desk: Record, book: Record, rules: Table, columns: FloatColumn, bar: int, first_bar: int) -> None:
    """Put take-profits for parts of the position to work, the nearest first.

    Shares are added up before they are rounded down to lots, so that those of a hundred percent make up the whole.
    """
    row, held = book["start"] + book["decided_bar"], abs(book["lots"])
    share, taken, beyond = 0.0, 0, -math.inf
    for _ in range(len(rules)):
        rule, distance = nearest_rule(rules, columns, TAKE_PROFIT, row, book["price"], beyond, 1)
        if rule < 0:
            return
        beyond = distance
        share = min(share + rules[rule]["share"], WHOLE)
        lots = math.floor(held * share / WHOLE * (1.0 + TOLERANCE)) - taken
        if lots > 0:
            add_protection(desk, book, bar, first_bar, TAKE_PROFIT, rule, distance, lots)
            taken += lots


@jit
def add_protection(
    desk: Record, book: Record, bar: int, first_bar: int, kind: int, rule: int, distance: float, lots: int
) -> None:
    """Put one protective order to work."""
    side = 1 if book["lots"] > 0 else -1
    if kind == STOP_LOSS:
        k = add_order(desk, book, bar, STOP, -side, lots, STOP_LOSS_HIT)
    else:
        k = add_order(desk, book, bar, LIMIT, -side, lots, TAKE_PROFIT_HIT)
    order = book["slots"][k]
    order["parent"] = book["entry_order"]
    order["rule"] = rule
    order["price"] = protective_level(kind, side, book["price"], distance, book["tick_size"], book["tick_inverse"])
    book["from_bar"][k] = first_bar


@jit
def follow_position(book: Record) -> None:
    """Cut protective orders to a position that has become smaller."""
    held = abs(book["lots"])
    for k in range(book["working"]):
        order = book["slots"][k]
        if order["rule"] >= 0 and order["lots"] > held:
            order["lots"] = held
