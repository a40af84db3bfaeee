"""What a decision written in Python does to the books: functions over tables, for the driver in Python."""

from __future__ import annotations

from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT
from quantcrafter.engine.simulation.decisions import leave
from quantcrafter.engine.simulation.entries import expire_orders, size_value
from quantcrafter.engine.simulation.halts import cancel_entries, close_account, force_exit, is_lost, is_shut_out, watch
from quantcrafter.engine.simulation.interventions import intervene
from quantcrafter.engine.simulation.matching import end_data
from quantcrafter.engine.simulation.orders import add_order, block, retire
from quantcrafter.engine.simulation.primitives import order_price
from quantcrafter.engine.simulation.protection import WHOLE, add_protection, move_orders, stop_distance, working_stop
from quantcrafter.engine.simulation.rebalance import rebalance
from quantcrafter.engine.simulation.records import (
    BLOCKED_FILTER,
    BLOCKED_SIZE,
    CANCELLED,
    COMPONENT,
    ENDED_BY_COMPONENT,
    LIMIT,
    NONE,
    Market,
    Table,
    Timeline,
)
from quantcrafter.engine.simulation.risk_records import FOR_GOOD, HALT_BEGAN, STOP_MOVED, TARGET_MOVED
from quantcrafter.engine.simulation.sizing import entry_lots
from quantcrafter.engine.simulation.steps import Steps, run_nodes


def begin_decisions(
    desks: Table, books: Table, rules: Table, market: Market, timeline: Timeline, steps: Steps, step: int, equity: float
) -> None:
    """Do what comes before the instruments' own decisions: nodes that read the position, guards, then weights."""
    desk = desks[0]
    if desk["stepped"] == 1:
        run_nodes(desks, books, steps, timeline, step, equity)
    if desk["watched"] == 1:
        watch(desk, books, market, step, equity)
    if is_lost(desk, equity):
        close_account(desk, books, step, equity)
    if desk["rebalance"] == 1:
        first, last = timeline.first_event[step], timeline.first_event[step + 1]
        instruments, bars = timeline.instrument[first:last], timeline.bar[first:last]
        rebalance(desk, books, rules, market, instruments, bars, timeline.due[step], equity)


def tend_event(desks: Table, books: Table, rules: Table, market: Market, i: int, bar: int) -> None:
    """Do to an instrument's orders and position what needs no decision: stops follow, time runs out."""
    desk, book = desks[0], books[i]
    if desk["moving"] == 1:
        move_orders(desk, book, rules, market.columns, bar)
    if desk["guards"] > 0:
        force_exit(desk, book, market, bar)
    if book["working"] > 0:
        expire_orders(desk, book, market, bar)


def end_event(desks: Table, books: Table, i: int, bar: int) -> None:
    """End an instrument's orders with its data."""
    end_data(desks[0], books[i], bar)


def sized_lots(
    desks: Table, books: Table, rules: Table, market: Market, i: int, bar: int, side: int, equity: float
) -> tuple[int, float]:
    """Return the lots that the money rule gives an entry at this close, and the distance of its nearest stop."""
    desk, book = desks[0], books[i]
    row = book["start"] + bar
    close = market.close[row]
    distance = stop_distance(rules, market.columns, book, row, close, side)
    lots, _ = entry_lots(desk, book, close, equity, distance, size_value(desk, book, market, row))
    return lots, distance


def is_held_back(desks: Table, books: Table, market: Market, i: int, bar: int, side: int) -> bool:
    """Return whether a filter or a guard keeps an entry out at this close; note it if so."""
    desk, book = desks[0], books[i]
    flag = ENTER_LONG if side > 0 else ENTER_SHORT
    if not market.allowed[book["execution"], book["start"] + bar]:
        block(desk, book, bar, flag, BLOCKED_FILTER)
        return True
    return bool(is_shut_out(desk, book, market, bar, flag))


def note_no_size(desks: Table, books: Table, i: int, bar: int, side: int) -> None:
    """Note that an order came to less than one lot."""
    block(desks[0], books[i], bar, ENTER_LONG if side > 0 else ENTER_SHORT, BLOCKED_SIZE)


def make_order(desks: Table, books: Table, i: int, bar: int, kind: int, side: int, lots: int) -> int:
    """Put an order of a component to work from the next bar on, and return its slot."""
    return int(add_order(desks[0], books[i], bar, kind, side, lots, COMPONENT))


def cancel_order(desks: Table, books: Table, i: int, k: int, bar: int) -> None:
    """Take an order off work because a component wants it."""
    retire(desks[0], books[i], k, bar, CANCELLED, ENDED_BY_COMPONENT)


def leave_position(desks: Table, books: Table, i: int, bar: int) -> None:
    """Order the position to be closed at the next open, once."""
    if books[i]["lots"] != 0 and books[i]["leaving"] == 0:
        leave(desks[0], books[i], bar, COMPONENT)


def halt_trading(desks: Table, books: Table, step: int, rule: int, equity: float) -> None:
    """Cancel entries that wait, and let no more be made."""
    desk = desks[0]
    if desk["halted"] >= FOR_GOOD:
        return
    desk["halted"] = FOR_GOOD
    desk["halt_rule"] = rule
    intervene(desk, NONE, step, HALT_BEGAN, rule, equity, equity)
    for i in range(len(books)):
        cancel_entries(desk, books[i])


def set_stop(desks: Table, books: Table, rules: Table, i: int, bar: int, rule: int, price: float) -> None:
    """Move the position's stop to a price, if that is nearer than where it is; without one put it to work there."""
    desk, book = desks[0], books[i]
    side = 1 if book["lots"] > 0 else -1
    level = order_price(price, book["tick_size"], book["tick_inverse"], book["contract"])
    k = working_stop(book)
    if k < 0:
        k = add_protection(desk, book, rules, bar, bar + 1, rule, level, abs(book["lots"]))
        book["slots"][k]["reason"] = COMPONENT
        return
    order = book["slots"][k]
    if (level - order["price"]) * side <= 0.0:
        return
    intervene(desk, book["index"], bar, STOP_MOVED, rule, order["price"], level)
    order["price"] = level
    order["rule"] = rule
    order["reason"] = COMPONENT


def set_target(desks: Table, books: Table, rules: Table, i: int, bar: int, rule: int, price: float) -> None:
    """Move the component's target to a price, or put it to work there unless that of another rule is nearer."""
    desk, book = desks[0], books[i]
    side = 1 if book["lots"] > 0 else -1
    level = order_price(price, book["tick_size"], book["tick_inverse"], book["contract"])
    for k in range(book["working"]):
        order = book["slots"][k]
        if order["rule"] < 0 or order["kind"] != LIMIT or rules[order["rule"]]["share"] < WHOLE:
            continue
        nearer = (level - order["price"]) * side < 0.0
        if nearer or (order["rule"] == rule and level != order["price"]):
            intervene(desk, book["index"], bar, TARGET_MOVED, rule, order["price"], level)
            order["price"] = level
            order["rule"] = rule
            order["reason"] = COMPONENT
        return
    k = add_order(desk, book, bar, LIMIT, -side, abs(book["lots"]), COMPONENT)
    book["slots"][k]["parent"] = book["entry_order"]
    book["slots"][k]["rule"] = rule
    book["slots"][k]["price"] = level
