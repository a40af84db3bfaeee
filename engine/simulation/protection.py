"""Protective orders: where they lie, when they are put to work, and how they follow the price. Compiled."""

from __future__ import annotations

import math

from quantcrafter.engine.api.ports import FloatColumn
from quantcrafter.engine.simulation.interventions import intervene
from quantcrafter.engine.simulation.jit import inlined, jit
from quantcrafter.engine.simulation.orders import add_order, retire
from quantcrafter.engine.simulation.primitives import (
    TOLERANCE,
    is_price,
    order_price,
    protective_distance,
    protective_level,
    round_to_tick,
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
    TAKE_PROFIT,
    TAKE_PROFIT_HIT,
    TRAILING_STOP,
    TRAILING_STOP_HIT,
    Record,
    Table,
)
from quantcrafter.engine.simulation.risk_records import STOP_MOVED, TARGET_MOVED
from quantcrafter.engine.simulation.units import unit_of
from quantcrafter.engine.simulation.worth import value_of

WHOLE = 100.0
"""The share of a rule that is for the whole position."""


@jit
def column_value(rule: Record, columns: FloatColumn, row: int) -> float:
    """Return the value of a rule's column at `row`; 0 when it has none."""
    return float(columns[rule["column"], row]) if rule["column"] >= 0 else 0.0


@inlined
def is_for(rule: Record, book: Record) -> bool:
    """Return whether a rule is one of those of the book's execution."""
    return bool(rule["executions"] >> book["execution"] & 1 == 1)


@jit
def rule_distance(
    rule: Record, columns: FloatColumn, book: Record, row: int, price: float, side: int, lots: int
) -> float:
    """Return the distance of a protective rule from `price`, with its column's value at `row`.

    A line lies on its own side of the price at a distance above zero. An amount of money is spread over the lots that
    are protected; without any it has no distance yet, which is infinite.
    """
    value = column_value(rule, columns, row)
    if rule["line"] == 1:
        return float((value - price) * side if rule["kind"] == TAKE_PROFIT else (price - value) * side)
    offset = rule["offset"] + rule["ticks"] * book["tick_size"] + rule["pips"] * book["pip_size"]
    if rule["cash"] > 0.0:
        held = value_of(book, to_quantity(lots, book["lot_size"], book["lot_inverse"]), 1.0)
        offset += rule["cash"] / held if held > 0.0 else math.inf
    return float(protective_distance(price, rule["percent"], rule["multiple"], value, offset))


@jit
def stop_distance(rules: Table, columns: FloatColumn, book: Record, row: int, close: float, side: int) -> float:
    """Return the distance of the nearest stop from the close for an entry on `side`: infinite without one.

    NaN when any protective rule, of a stop or a target, has no distance or none above zero.
    """
    nearest = math.inf
    for r in range(len(rules)):
        rule = rules[r]
        if rule["kind"] in (BREAK_EVEN, BY_COMPONENT) or rule["cash"] > 0.0 or not is_for(rule, book):
            continue
        distance = rule_distance(rule, columns, book, row, close, side, 0)
        if not (distance > 0.0 and distance < math.inf):
            return math.nan
        if rule["kind"] != TAKE_PROFIT:
            nearest = min(nearest, distance)
    return nearest


@jit
def held_lots(book: Record, u: int) -> int:
    """Return the lots of the position, unsigned, or of its unit `u`; -1 means the position."""
    return int(book["unit_lots"][u] if u >= 0 else abs(book["lots"]))


@jit
def held_price(book: Record, u: int) -> float:
    """Return the entry price of the position, or of its unit `u`; -1 means the position."""
    return float(book["unit_price"][u] if u >= 0 else book["price"])


@jit
def nearest_rule(
    rules: Table, columns: FloatColumn, book: Record, u: int, kind: int, beyond: float, parts: int
) -> tuple[int, float]:
    """Return the rule that puts its order nearest to the entry's price, and its distance; -1 when there is none.

    Rules of the whole position count, or where `u` is one of its units those of each unit. `kind` is TAKE_PROFIT for
    targets, STOP_LOSS for stops of any kind. Only rules further away than `beyond` count, and either those for a part
    of the lots or those for all of them.
    """
    chosen, nearest = -1, math.inf
    side, row = 1 if book["lots"] > 0 else -1, book["start"] + book["decided_bar"]
    price, lots = held_price(book, u), held_lots(book, u)
    for r in range(len(rules)):
        rule = rules[r]
        distant = rule["kind"] not in (BREAK_EVEN, BY_COMPONENT) and (rule["unit"] == 1) == (u >= 0)
        meant = distant and is_for(rule, book) and (rule["kind"] == TAKE_PROFIT) == (kind == TAKE_PROFIT)
        if meant and (parts == 1) == (rule["share"] < WHOLE):
            distance = rule_distance(rule, columns, book, row, price, side, lots)
            if beyond < distance < nearest:
                chosen, nearest = r, distance
    return chosen, nearest


@jit
def level_at(book: Record, u: int, kind: int, distance: float) -> float:
    """Return the price of a protective order at a distance from the price of the position, or of its unit `u`."""
    side = 1 if book["lots"] > 0 else -1
    tick_size, tick_inverse, contract = book["tick_size"], book["tick_inverse"], book["contract"]
    return float(protective_level(kind, side, held_price(book, u), distance, tick_size, tick_inverse, contract))


@jit
def protect(
    desk: Record,
    book: Record,
    rules: Table,
    columns: FloatColumn,
    bar: int,
    first_bar: int,
    unit_first_bar: int,
    number: int,
) -> None:
    """Put stop-losses and take-profits to work in place of those there are: of the position, and of one unit.

    The entry order of that number, which filled on `bar`, calls this. Orders of the position work from `first_bar` on,
    those of its own unit from `unit_first_bar` on; other units keep theirs. Distances are taken from the position's
    average price, or from the unit's, their columns at the close on which the latest entry was decided. A stop of the
    position that has followed the price stays, if it is nearer to it.
    """
    if len(rules) == 0:
        return
    u = unit_of(book, number)
    if u < 0:
        u = book["units"] - 1
    followed, followed_rule, followed_reason = math.nan, NONE, NONE
    for k in range(book["working"] - 1, -1, -1):
        order = book["slots"][k]
        if order["rule"] < 0:
            continue
        if rules[order["rule"]]["unit"] == 0 or book["unit"][k] == book["unit_order"][u]:
            if order["kind"] == STOP and order["reason"] != STOP_LOSS_HIT:
                followed, followed_rule, followed_reason = order["price"], order["rule"], order["reason"]
            retire(desk, book, k, bar, CANCELLED, REPLACED)
    rule, distance = nearest_rule(rules, columns, book, NONE, STOP_LOSS, -math.inf, 0)
    level = level_at(book, NONE, STOP_LOSS, distance) if rule >= 0 else math.nan
    if not math.isnan(followed) and not (level - followed) * book["lots"] > 0.0:
        k = add_protection(desk, book, rules, bar, first_bar, followed_rule, followed, abs(book["lots"]))
        book["slots"][k]["reason"] = followed_reason
    elif rule >= 0:
        add_protection(desk, book, rules, bar, first_bar, rule, level, abs(book["lots"]))
    add_nearest(desk, book, rules, columns, bar, unit_first_bar, u, STOP_LOSS)
    add_nearest(desk, book, rules, columns, bar, first_bar, NONE, TAKE_PROFIT)
    add_nearest(desk, book, rules, columns, bar, unit_first_bar, u, TAKE_PROFIT)
    take_parts(desk, book, rules, columns, bar, first_bar, NONE)
    take_parts(desk, book, rules, columns, bar, unit_first_bar, u)


@jit
def add_nearest(
    desk: Record, book: Record, rules: Table, columns: FloatColumn, bar: int, first_bar: int, u: int, kind: int
) -> None:
    """Put the nearest stop, or target, of the whole position or of all of its unit `u` to work."""
    rule, distance = nearest_rule(rules, columns, book, u, kind, -math.inf, 0)
    if rule >= 0:
        k = add_protection(
            desk, book, rules, bar, first_bar, rule, level_at(book, u, kind, distance), held_lots(book, u)
        )
        name_unit(book, k, u)


@jit
def name_unit(book: Record, k: int, u: int) -> None:
    """Let the order in slot `k` close the unit `u` alone; -1 means the position."""
    if u >= 0:
        book["unit"][k] = book["unit_order"][u]
        book["slots"][k]["parent"] = book["unit_order"][u]


@jit
def take_parts(
    desk: Record, book: Record, rules: Table, columns: FloatColumn, bar: int, first_bar: int, u: int
) -> None:
    """Put take-profits for parts of the position, or of its unit `u`, to work, the nearest first.

    Shares are added up before they are rounded down to lots, so that those of a hundred percent make up the whole.
    """
    held, share, taken, beyond = held_lots(book, u), 0.0, 0, -math.inf
    for _ in range(len(rules)):
        rule, distance = nearest_rule(rules, columns, book, u, TAKE_PROFIT, beyond, 1)
        if rule < 0:
            return
        beyond = distance
        share = min(share + rules[rule]["share"], WHOLE)
        lots = math.floor(held * share / WHOLE * (1.0 + TOLERANCE)) - taken
        if lots > 0:
            level = level_at(book, u, TAKE_PROFIT, distance)
            k = add_protection(desk, book, rules, bar, first_bar, rule, level, lots)
            name_unit(book, k, u)
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
    desk: Record, book: Record, rules: Table, bar: int, first_bar: int, rule: int, level: float, lots: int
) -> int:
    """Put one protective order to work, and return its slot."""
    side = 1 if book["lots"] > 0 else -1
    kind = rules[rule]["kind"]
    # A trailing stop that has not moved yet is a stop-loss like any other.
    reason = STOP_LOSS_HIT if kind == TRAILING_STOP else reason_of(kind)
    k = add_order(desk, book, bar, LIMIT if kind == TAKE_PROFIT else STOP, -side, lots, reason)
    order = book["slots"][k]
    order["parent"] = book["entry_order"]
    order["rule"] = rule
    order["price"] = level
    book["from_bar"][k] = first_bar
    return k


@jit
def follow_position(desk: Record, book: Record, bar: int, parent: int) -> None:
    """Cut protective orders to a position, and to units, that have become smaller; those of a unit that has gone end.

    `parent` is the entry of the order that made them so: orders of the same entry are its OCO siblings.
    """
    held, of_units = abs(book["lots"]), False
    for k in range(book["working"]):
        order = book["slots"][k]
        of_units = of_units or book["unit"][k] >= 0
        if order["rule"] >= 0 and order["lots"] - order["filled"] > held:
            order["lots"] = order["filled"] + held
    if of_units:
        follow_units(desk, book, bar, parent)


@jit
def follow_units(desk: Record, book: Record, bar: int, parent: int) -> None:
    """Cut orders of units to what is left of them; those of a unit that has gone end."""
    for k in range(book["working"] - 1, -1, -1):
        if book["unit"][k] < 0:
            continue
        order, u = book["slots"][k], unit_of(book, book["unit"][k])
        if u < 0:
            retire(desk, book, k, bar, CANCELLED, OCO if order["parent"] == parent else POSITION_CLOSED)
        elif order["lots"] - order["filled"] > book["unit_lots"][u]:
            order["lots"] = order["filled"] + book["unit_lots"][u]


# ---------------------------------------------------------------------- on the close


@jit
def moved_stop(rule: Record, columns: FloatColumn, book: Record, row: int, side: int) -> float:
    """Return where a rule wants the stop at the close of `row`; NaN when it does not want it anywhere.

    A trailing stop goes to its distance from the best price since the entry, or to its line. Breaking even goes to the
    entry price and what is to be locked in, once the best price is far enough beyond.
    """
    best = book["highest"] if side > 0 else book["lowest"]
    level = math.nan
    if rule["kind"] == TRAILING_STOP:
        if rule["line"] == 1:
            level = column_value(rule, columns, row)
        else:
            distance = rule_distance(rule, columns, book, row, best, side, abs(book["lots"]))
            level = best - side * distance if distance > 0.0 else math.nan
    elif rule["kind"] == BREAK_EVEN:
        entry = book["price"]
        if (best - entry) * side >= rule_distance(rule, columns, book, row, entry, side, abs(book["lots"])):
            away = side if entry > 0.0 else -side
            level = entry * (1.0 + away * rule["lock_percent"] / 100.0)
    if not abs(level) < math.inf:
        return math.nan
    return float(order_price(level, book["tick_size"], book["tick_inverse"], book["contract"]))


@jit
def working_stop(book: Record) -> int:
    """Return the slot of the protective stop at work, or -1."""
    for k in range(book["working"]):
        if book["slots"][k]["rule"] >= 0 and book["slots"][k]["kind"] == STOP:
            return k
    return -1


@jit
def move_stop(desk: Record, book: Record, rules: Table, columns: FloatColumn, bar: int) -> None:
    """Move the stop to the nearest level that any rule asks for, if that is nearer than where it is."""
    side = 1 if book["lots"] > 0 else -1
    row = book["start"] + bar
    k = working_stop(book)
    before = book["slots"][k]["price"] if k >= 0 else math.nan
    level, chosen = before, NONE
    for r in range(len(rules)):
        wanted = moved_stop(rules[r], columns, book, row, side) if is_for(rules[r], book) else math.nan
        if not math.isnan(wanted) and not (wanted - level) * side <= 0.0:
            level, chosen = wanted, r
    if chosen < 0:
        return
    if k < 0:
        k = add_protection(desk, book, rules, bar, bar + 1, chosen, level, abs(book["lots"]))
    order = book["slots"][k]
    order["price"] = level
    order["rule"] = chosen
    order["reason"] = reason_of(rules[chosen]["kind"])
    intervene(desk, book["index"], bar, STOP_MOVED, chosen, before, level)


@jit
def move_targets(desk: Record, book: Record, rules: Table, columns: FloatColumn, bar: int) -> None:
    """Move targets that follow their line to its value at the close, where it has one."""
    for k in range(book["working"]):
        order = book["slots"][k]
        if order["rule"] < 0 or order["kind"] != LIMIT or rules[order["rule"]]["follow"] == 0:
            continue
        value = column_value(rules[order["rule"]], columns, book["start"] + bar)
        level = round_to_tick(value, book["tick_size"], book["tick_inverse"])
        if is_price(level, book["contract"]) and level != order["price"]:
            intervene(desk, book["index"], bar, TARGET_MOVED, order["rule"], order["price"], level)
            order["price"] = level


@jit
def move_orders(desk: Record, book: Record, rules: Table, columns: FloatColumn, bar: int) -> None:
    """Let protective orders follow at the close of a bar, after it was checked; they work there from the next on."""
    if book["lots"] != 0:
        move_stop(desk, book, rules, columns, bar)
        move_targets(desk, book, rules, columns, bar)
