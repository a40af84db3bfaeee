"""Protective orders: their prices, when they become active, and how they follow the price. Compiled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from quantcrafter.engine.simulation.interventions import intervene
from quantcrafter.engine.simulation.jit import inlined, jit
from quantcrafter.engine.simulation.orders import add_order, retire
from quantcrafter.engine.simulation.primitives import (
    TOLERANCE,
    is_price,
    protective_distance,
    to_quantity,
)
from quantcrafter.engine.simulation.records import (
    BREAK_EVEN,
    BREAK_EVEN_HIT,
    BY_COMPONENT,
    CANCELLED,
    LIMIT,
    NONE,
    OCO,
    POSITION_CLOSED,
    REPLACED,
    STOP,
    STOP_LOSS,
    STOP_LOSS_HIT,
    STOPS_OF_ALL,
    TAKE_PROFIT,
    TAKE_PROFIT_HIT,
    TARGETS_OF_ALL,
    TARGETS_OF_PARTS,
    TRAILING_STOP,
    TRAILING_STOP_HIT,
    UNIT_PLACES,
    MarketArrays,
    Record,
    Table,
)
from quantcrafter.engine.simulation.risk_records import STOP_MOVED, TARGET_MOVED
from quantcrafter.engine.simulation.ticks import on_tick, order_price, protective_level, tick_at
from quantcrafter.engine.simulation.units import unit_of
from quantcrafter.engine.simulation.worth import value_of

WHOLE = 100.0
"""The share of a rule that is for the whole position."""

LAST_ENTRY: Any = np.int64(2)
"""`unit` of a rule whose distance is that from the latest entry."""


@jit
def column_value(rule: Record, market: MarketArrays, row: int) -> float:
    """Return the value of a rule's column at `row`; 0 when it has none."""
    return float(market.columns[rule["column"], row]) if rule["column"] >= 0 else 0.0


@jit
def rolled_since(holding: Record, market: MarketArrays, row: int) -> float:
    """Return how far rolls have moved prices from the bar of a row to the one that is run."""
    k, now = holding["roll_row"], holding["start"] + holding["bar"]
    return float(market.columns[k, now] - market.columns[k, row])


@inlined
def is_for(rule: Record, holding: Record) -> bool:
    """Return whether a rule is one of those of the holding's execution."""
    return bool(rule["executions"] >> holding["execution"] & 1 == 1)


@inlined
def is_on(rule: Record, holding: Record, side: int) -> bool:
    """Return whether a rule is one of those for positions on a side that the holding's execution makes."""
    return bool(rule["side"] * side >= 0 and is_for(rule, holding))


@inlined
def fixed_offset(rule: Record, holding: Record, price: float) -> float:
    """Return the part of a rule's distance from a price that is a difference of prices."""
    return float(rule["offset"] + rule["ticks"] * tick_at(holding, price, 0) + rule["pips"] * holding["pip_size"])


@jit
def rule_distance(
    rule: Record, market: MarketArrays, holding: Record, row: int, price: float, side: int, lots: int
) -> float:
    """Return the distance of a protective rule from `price`, with its column's value at `row`.

    A line is on its own side of the price at a distance above zero. An amount of money is divided by the protected
    lots; without lots, the distance is infinite.
    """
    value = column_value(rule, market, row)
    if rule["line"] == 1:
        if holding["roll_row"] >= 0:
            value += rolled_since(holding, market, row)
        return float((value - price) * side if rule["kind"] == TAKE_PROFIT else (price - value) * side)
    offset = fixed_offset(rule, holding, price)
    if rule["cash"] > 0.0:
        held = value_of(holding, to_quantity(lots, holding["lot_size"], holding["lot_inverse"]), 1.0)
        offset += rule["cash"] / held if held > 0.0 else math.inf
    return float(protective_distance(price, rule["percent"], rule["multiple"], value, offset))


@jit
def stop_distance(rules: Table, market: MarketArrays, holding: Record, row: int, close: float, side: int) -> float:
    """Return the distance of the nearest stop from the close for an entry on `side`: infinite without one.

    NaN when any protective rule, of a stop or a target, has no distance or none above zero.
    """
    nearest = math.inf
    for r in range(len(rules)):
        rule = rules[r]
        if rule["kind"] in (BREAK_EVEN, BY_COMPONENT) or rule["cash"] > 0.0 or not is_on(rule, holding, side):
            continue
        distance = rule_distance(rule, market, holding, row, close, side, 0)
        if not (distance > 0.0 and distance < math.inf):
            return math.nan
        if rule["kind"] != TAKE_PROFIT:
            nearest = min(nearest, distance)
    return nearest


@jit
def held_lots(holding: Record, u: int) -> int:
    """Return the lots of the position, unsigned, or of its unit `u`; -1 means the position."""
    return int(holding["unit_lots"][u] if u >= 0 else abs(holding["lots"]))


@jit
def base_price(rule: Record, holding: Record, u: int) -> float:
    """Return the price that a rule's distance is counted from: of the unit `u`, of the latest one, or the average."""
    if u < 0 and rule["unit"] == LAST_ENTRY and holding["units"] > 0:
        u = holding["units"] - 1
    return float(holding["unit_price"][u] if u >= 0 else holding["price"])


@jit
def nearest_rule(
    rules: Table, market: MarketArrays, holding: Record, u: int, place: int, beyond: float
) -> tuple[int, float]:
    """Return the rule with the order nearest to the entry's price, and how far it is from there; -1 if there is none.

    Rules of one `place` count: those of the whole position, or where `u` is one of its units those of each unit. They
    must be further away than `beyond`.
    """
    chosen, nearest, wanted = -1, math.inf, place << UNIT_PLACES if u >= 0 else place
    side, row = 1 if holding["lots"] > 0 else -1, holding["start"] + holding["decided_bar"]
    entered, lots = holding["unit_price"][u] if u >= 0 else holding["price"], held_lots(holding, u)
    towards = -side if place == STOPS_OF_ALL else side
    for r in range(len(rules)):
        rule = rules[r]
        if rule["place"] == wanted and is_on(rule, holding, side):
            price = base_price(rule, holding, u)
            distance = rule_distance(rule, market, holding, row, price, side, lots)
            if rule["unit"] == LAST_ENTRY:
                distance += (price - entered) * towards
            if beyond < distance < nearest:
                chosen, nearest = r, distance
    return chosen, nearest


@jit
def level_at(rule: Record, market: MarketArrays, holding: Record, u: int, kind: int, distance: float) -> float:
    """Return the price of a rule's order, which lies `distance` from the price of the position, or of its unit `u`."""
    side = 1 if holding["lots"] > 0 else -1
    price = base_price(rule, holding, u)
    if rule["unit"] == LAST_ENTRY:
        row = holding["start"] + holding["decided_bar"]
        distance = rule_distance(rule, market, holding, row, price, side, held_lots(holding, u))
    return float(protective_level(holding, kind, side, price, distance))


@jit
def protect(
    portfolio: Record,
    holding: Record,
    rules: Table,
    market: MarketArrays,
    bar: int,
    first_bar: int,
    unit_first_bar: int,
    number: int,
) -> None:
    """Replace the stop-losses and take-profits of the position and of one unit.

    The entry order of that number, which filled on `bar`, calls this. Orders of the position are active from
    `first_bar` on, those of its own unit from `unit_first_bar` on; other units keep theirs. Distances are taken from
    the position's average price, from that of its latest entry or from the unit's, their columns at the close on which
    the latest entry was decided.
    A stop of the position that has followed the price is kept if it is nearer to the price.
    """
    if len(rules) == 0:
        return
    u = unit_of(holding, number)
    if u < 0:
        u = holding["units"] - 1
    followed, followed_rule, followed_reason = math.nan, NONE, NONE
    for k in range(holding["working"] - 1, -1, -1):
        order = holding["slots"][k]
        if order["rule"] < 0:
            continue
        if rules[order["rule"]]["unit"] != 1 or holding["unit"][k] == holding["unit_order"][u]:
            if order["kind"] == STOP and order["reason"] != STOP_LOSS_HIT:
                followed, followed_rule, followed_reason = order["price"], order["rule"], order["reason"]
            retire(portfolio, holding, k, bar, CANCELLED, REPLACED)
    rule, distance = nearest_rule(rules, market, holding, NONE, STOPS_OF_ALL, -math.inf)
    level = level_at(rules[rule], market, holding, NONE, STOP_LOSS, distance) if rule >= 0 else math.nan
    if not math.isnan(followed) and not (level - followed) * holding["lots"] > 0.0:
        k = add_protection(portfolio, holding, rules, bar, first_bar, followed_rule, followed, abs(holding["lots"]))
        holding["slots"][k]["reason"] = followed_reason
    elif rule >= 0:
        add_protection(portfolio, holding, rules, bar, first_bar, rule, level, abs(holding["lots"]))
    if not has_more_places(rules, holding):
        return
    add_nearest(portfolio, holding, rules, market, bar, unit_first_bar, u, STOPS_OF_ALL)
    add_nearest(portfolio, holding, rules, market, bar, first_bar, NONE, TARGETS_OF_ALL)
    add_nearest(portfolio, holding, rules, market, bar, unit_first_bar, u, TARGETS_OF_ALL)
    take_parts(portfolio, holding, rules, market, bar, first_bar, NONE)
    take_parts(portfolio, holding, rules, market, bar, unit_first_bar, u)


@inlined
def has_more_places(rules: Table, holding: Record) -> bool:
    """Return whether an entry creates more than the stop of the position."""
    places = 0
    for r in range(len(rules)):
        if is_for(rules[r], holding):
            places |= rules[r]["place"]
    return bool(places > STOPS_OF_ALL)


@jit
def add_nearest(
    portfolio: Record, holding: Record, rules: Table, market: MarketArrays, bar: int, first_bar: int, u: int, place: int
) -> None:
    """Put the nearest stop, or target, of the whole position or of all of its unit `u` to work."""
    rule, distance = nearest_rule(rules, market, holding, u, place, -math.inf)
    if rule >= 0:
        kind = STOP_LOSS if place == STOPS_OF_ALL else TAKE_PROFIT
        level = level_at(rules[rule], market, holding, u, kind, distance)
        k = add_protection(portfolio, holding, rules, bar, first_bar, rule, level, held_lots(holding, u))
        name_unit(holding, k, u)


@jit
def name_unit(holding: Record, k: int, u: int) -> None:
    """Restrict the order in slot `k` to the unit `u`; -1 means the position."""
    if u >= 0:
        holding["unit"][k] = holding["unit_order"][u]
        holding["slots"][k]["parent"] = holding["unit_order"][u]


@jit
def take_parts(
    portfolio: Record, holding: Record, rules: Table, market: MarketArrays, bar: int, first_bar: int, u: int
) -> None:
    """Create take-profits for parts of the position, or of its unit `u`, the nearest first.

    Shares are added up before they are rounded down to lots, so that those of a hundred percent make up the whole.
    """
    held, share, taken, beyond = held_lots(holding, u), 0.0, 0, -math.inf
    for _ in range(len(rules)):
        rule, distance = nearest_rule(rules, market, holding, u, TARGETS_OF_PARTS, beyond)
        if rule < 0:
            return
        beyond = distance
        share = min(share + rules[rule]["share"], WHOLE)
        lots = math.floor(held * share / WHOLE * (1.0 + TOLERANCE)) - taken
        if lots > 0:
            level = level_at(rules[rule], market, holding, u, TAKE_PROFIT, distance)
            k = add_protection(portfolio, holding, rules, bar, first_bar, rule, level, lots)
            name_unit(holding, k, u)
            taken += lots


@jit
def reason_of(kind: int) -> int:
    """Return why a position is closed by an order of that kind of rule."""
    if kind == TAKE_PROFIT:
        return int(TAKE_PROFIT_HIT)
    if kind == TRAILING_STOP:
        return int(TRAILING_STOP_HIT)
    return int(BREAK_EVEN_HIT if kind == BREAK_EVEN else STOP_LOSS_HIT)


@jit
def add_protection(
    portfolio: Record, holding: Record, rules: Table, bar: int, first_bar: int, rule: int, level: float, lots: int
) -> int:
    """Create one protective order, and return its slot."""
    side = 1 if holding["lots"] > 0 else -1
    kind = rules[rule]["kind"]
    # A trailing stop that has not moved yet is a stop-loss like any other.
    reason = STOP_LOSS_HIT if kind == TRAILING_STOP else reason_of(kind)
    k = add_order(portfolio, holding, bar, LIMIT if kind == TAKE_PROFIT else STOP, -side, lots, reason)
    order = holding["slots"][k]
    order["parent"] = holding["entry_order"]
    order["rule"] = rule
    order["price"] = level
    holding["from_bar"][k] = first_bar
    return k


@jit
def follow_position(portfolio: Record, holding: Record, bar: int, parent: int) -> None:
    """Reduce protective orders to the size of the position and its units; those of closed units end.

    `parent` is the entry of the order that made them so: orders of the same entry are its OCO siblings.
    """
    held, of_units = abs(holding["lots"]), False
    for k in range(holding["working"]):
        order = holding["slots"][k]
        of_units = of_units or holding["unit"][k] >= 0
        if order["rule"] >= 0 and order["lots"] - order["filled"] > held:
            order["lots"] = order["filled"] + held
    if of_units:
        follow_units(portfolio, holding, bar, parent)


@jit
def follow_units(portfolio: Record, holding: Record, bar: int, parent: int) -> None:
    """Reduce orders of units to their remaining lots; those of closed units end.

    An order that may open a position stays: one that a broker filled late is put back to work for its fill alone.
    """
    for k in range(holding["working"] - 1, -1, -1):
        if holding["unit"][k] < 0 or holding["opens"][k] == 1:
            continue
        order, u = holding["slots"][k], unit_of(holding, holding["unit"][k])
        if u < 0:
            retire(portfolio, holding, k, bar, CANCELLED, OCO if order["parent"] == parent else POSITION_CLOSED)
        elif order["lots"] - order["filled"] > holding["unit_lots"][u]:
            order["lots"] = order["filled"] + holding["unit_lots"][u]


# ---------------------------------------------------------------------- on the close


@inlined
def followed_price(holding: Record, best: float, side: int, distance: float) -> float:
    """Return the price of a stop at a distance behind the best price; NaN where there is none."""
    level = best - side * distance
    if not distance > 0.0 or not abs(level) < math.inf:
        return math.nan
    return float(order_price(holding, level))


@jit
def moved_stop(rule: Record, market: MarketArrays, holding: Record, row: int, side: int) -> float:
    """Return the stop price of a rule at the close of `row`; NaN without one.

    A trailing stop goes to its distance from the best price since the entry, or to its line. Breaking even goes to the
    entry price and what is to be locked in, once the best price is far enough beyond.
    """
    best = holding["highest"] if side > 0 else holding["lowest"]
    level = math.nan
    if rule["kind"] == TRAILING_STOP:
        if rule["line"] == 1:
            level = column_value(rule, market, row)
        else:
            distance = rule_distance(rule, market, holding, row, best, side, abs(holding["lots"]))
            return float(followed_price(holding, best, side, distance))
    elif rule["kind"] == BREAK_EVEN:
        entry = holding["price"]
        if (best - entry) * side >= rule_distance(rule, market, holding, row, entry, side, abs(holding["lots"])):
            away = side if entry > 0.0 else -side
            level = entry * (1.0 + away * rule["lock_percent"] / 100.0)
    if not abs(level) < math.inf:
        return math.nan
    return float(order_price(holding, level))


@jit
def working_stop(holding: Record) -> int:
    """Return the slot of the active protective stop, or -1."""
    for k in range(holding["working"]):
        if holding["slots"][k]["rule"] >= 0 and holding["slots"][k]["kind"] == STOP:
            return k
    return -1


@jit
def move_stop(portfolio: Record, holding: Record, rules: Table, market: MarketArrays, bar: int) -> None:
    """Move the stop to the nearest price of any rule, if that is nearer than its current price."""
    side = 1 if holding["lots"] > 0 else -1
    row = holding["start"] + bar
    k = working_stop(holding)
    before = holding["slots"][k]["price"] if k >= 0 else math.nan
    level, chosen = before, NONE
    for r in range(len(rules)):
        wanted = moved_stop(rules[r], market, holding, row, side) if is_on(rules[r], holding, side) else math.nan
        if not math.isnan(wanted) and not (wanted - level) * side <= 0.0:
            level, chosen = wanted, r
    if chosen < 0:
        return
    if k < 0:
        k = add_protection(portfolio, holding, rules, bar, bar + 1, chosen, level, abs(holding["lots"]))
    order = holding["slots"][k]
    order["price"] = level
    order["rule"] = chosen
    order["reason"] = reason_of(rules[chosen]["kind"])
    intervene(portfolio, holding["index"], bar, STOP_MOVED, chosen, before, level)


@jit
def move_targets(portfolio: Record, holding: Record, rules: Table, market: MarketArrays, bar: int) -> None:
    """Move targets that follow their line to its value at the close, where it has one."""
    for k in range(holding["working"]):
        order = holding["slots"][k]
        if order["rule"] < 0 or order["kind"] != LIMIT or rules[order["rule"]]["follow"] == 0:
            continue
        value = column_value(rules[order["rule"]], market, holding["start"] + bar)
        level = on_tick(holding, value, 1.0)
        if is_price(level, holding["contract"]) and level != order["price"]:
            intervene(portfolio, holding["index"], bar, TARGET_MOVED, order["rule"], order["price"], level)
            order["price"] = level


@jit
def move_orders(portfolio: Record, holding: Record, rules: Table, market: MarketArrays, bar: int) -> None:
    """Move protective orders at the close of a bar, after it was checked; active there from the next bar on."""
    if holding["lots"] != 0:
        move_stop(portfolio, holding, rules, market, bar)
        move_targets(portfolio, holding, rules, market, bar)
