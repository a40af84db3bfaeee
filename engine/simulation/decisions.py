"""Decisions at the close of a bar: signal flags become orders or blocked entries. Compiled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from quantcrafter.engine.simulation.entries import (
    expire_orders,
    follow_line,
    last_bar,
    lots_at,
    place_entry,
    price_to_wait_for,
    waiting_entry,
)
from quantcrafter.engine.simulation.entry_limits import count_others
from quantcrafter.engine.simulation.grid import begin_grid, tend_grid
from quantcrafter.engine.simulation.halts import is_shut_out
from quantcrafter.engine.simulation.jit import inlined, jit, rare
from quantcrafter.engine.simulation.opposing import let_reverse
from quantcrafter.engine.simulation.orders import (
    add_order,
    block,
    block_signal,
    end_entries,
    is_engaged,
    is_leaving,
    retire,
)
from quantcrafter.engine.simulation.records import (
    AT_CLOSE,
    BLOCKED_CONTRADICTION,
    BLOCKED_EXECUTION,
    BLOCKED_FILTER,
    BLOCKED_OPPOSITE,
    BLOCKED_PRICE,
    BLOCKED_WARMUP,
    CANCELLED,
    CLOSE_OPPOSITE,
    ENDED_BY_OPPOSITE,
    ENDED_BY_SIGNAL,
    ENTRY,
    IGNORE_OPPOSITE,
    LONG,
    MARKET,
    OPPOSITE,
    REPLACED,
    REVERSE_AT_PRICE,
    SHORT,
    SIGNAL,
    MarketArrays,
    Record,
    Table,
)
from quantcrafter.engine.simulation.scaling import rest_entries, scale_in

ENTRIES = ENTER_LONG | ENTER_SHORT
STAYING: Any = np.int64(0)
BY_SIGNAL: Any = np.int64(1)
FORCED: Any = np.int64(2)
"""Whether a position is closed at this close: no; by an exit signal; by a rule or an existing order."""


@jit
def contradicts(terms: Record, flags: int) -> bool:
    """Return whether a bar has signals to enter and exit the same side, or for both entries if that isn't allowed."""
    both = (flags & ENTRIES) == ENTRIES and terms["two_sided"] == 0
    long = (flags & ENTER_LONG) != 0 and (flags & EXIT_LONG) != 0
    short = (flags & ENTER_SHORT) != 0 and (flags & EXIT_SHORT) != 0
    return both or long or short


@inlined
def enter(
    portfolio: Record, holding: Record, rules: Table, market: MarketArrays, bar: int, side: int, equity: float
) -> None:
    """Order an entry of the size that the money rule gives, or note why there is none."""
    flag = ENTER_LONG if side > 0 else ENTER_SHORT
    row, terms = holding["start"] + bar, portfolio["executions"][holding["execution"]]
    if not market.allowed[holding["execution"], row]:
        block(portfolio, holding, bar, flag, BLOCKED_FILTER)
        return
    guarded = portfolio["guards"] > 0 or portfolio["halted"] > 0 or portfolio["margin_called"] == 1
    guarded = guarded or portfolio["shut"] == 1
    if guarded and is_shut_out(portfolio, holding, market, bar, flag, side):
        return
    at_market = terms["entry_kind"] in (MARKET, AT_CLOSE)
    price = market.close[row] if at_market else price_to_wait_for(terms, holding, market, row, side)
    if math.isnan(price):
        block(portfolio, holding, bar, flag, BLOCKED_PRICE)
        return
    lots, reason = lots_at(portfolio, holding, rules, market, bar, side, price, equity)
    if lots == 0:
        block(portfolio, holding, bar, flag, reason)
        return
    if terms["grid_levels"] > 0:
        if not begin_grid(portfolio, terms, holding, market, bar, side, lots):
            block(portfolio, holding, bar, flag, BLOCKED_PRICE)
        return
    waiting = waiting_entry(holding, side)
    if waiting >= 0:
        retire(portfolio, holding, waiting, bar, CANCELLED, REPLACED)
    if at_market:
        add_order(portfolio, holding, bar, terms["entry_kind"], side, lots, ENTRY)
        return
    k = place_entry(portfolio, holding, market, bar, side, lots, price, last_bar(terms, bar))
    if holding["lots"] * side < 0 and holding["leaving"] == 0:
        let_reverse(holding, k)


@jit
def leave(portfolio: Record, holding: Record, bar: int, reason: int, kind: int) -> None:
    """Order the whole position to be closed by an order of that kind: at the next open or close."""
    lots = holding["lots"]
    holding["leaving"] = 1
    add_order(portfolio, holding, bar, kind, -1 if lots > 0 else 1, abs(lots), reason)


@inlined
def way_out(portfolio: Record, holding: Record) -> int:
    """Return the kind of the orders by which signals of the current execution close a position."""
    at_close = portfolio["executions"][holding["execution"]]["entry_kind"] == AT_CLOSE
    return int(AT_CLOSE if at_close else MARKET)


@inlined
def exit_by_signal(portfolio: Record, holding: Record, bar: int, flags: int) -> int:
    """Act on the exit flags: cancel waiting entries of the side and close its position; return whether it is closed.

    A position that is already being closed, by a rule or because of a lack of volume, is not closed twice: then return
    FORCED.
    """
    held = holding["lots"]
    if portfolio["checks_closes"] == 1:
        if (flags & EXIT_LONG) != 0:
            end_entries(portfolio, holding, bar, LONG, ENDED_BY_SIGNAL)
        if (flags & EXIT_SHORT) != 0:
            end_entries(portfolio, holding, bar, SHORT, ENDED_BY_SIGNAL)
    forced = held != 0 and holding["leaving"] == 1
    leaving = (held > 0 and (flags & EXIT_LONG) != 0) or (held < 0 and (flags & EXIT_SHORT) != 0)
    if leaving and not forced:
        leave(portfolio, holding, bar, SIGNAL, way_out(portfolio, holding))
    if leaving:
        return int(BY_SIGNAL)
    return int(FORCED if forced else STAYING)


@inlined
def act_on_entry(
    portfolio: Record,
    holding: Record,
    rules: Table,
    market: MarketArrays,
    bar: int,
    entries: int,
    leaving: int,
    equity: float,
) -> None:
    """Act on an entry flag: enter, close a position of the other side, or neither."""
    held, terms = holding["lots"], portfolio["executions"][holding["execution"]]
    side = 1 if entries == ENTER_LONG else -1
    at_price = terms["on_opposite"] == REVERSE_AT_PRICE
    if at_price and terms["two_sided"] == 0 and held * side > 0:
        end_entries(portfolio, holding, bar, -side, ENDED_BY_OPPOSITE)
    if held * side > 0 or holding["grid_side"] == side:
        return
    if held != 0 and leaving != BY_SIGNAL:
        if terms["on_opposite"] == IGNORE_OPPOSITE:
            block(portfolio, holding, bar, entries, BLOCKED_OPPOSITE)
            return
        if leaving == STAYING and not at_price:
            leave(portfolio, holding, bar, OPPOSITE, way_out(portfolio, holding))
    if portfolio["checks_closes"] == 1 and terms["two_sided"] == 0:
        end_entries(portfolio, holding, bar, -side, ENDED_BY_OPPOSITE)
    if held != 0 and leaving != BY_SIGNAL and terms["on_opposite"] == CLOSE_OPPOSITE:
        return
    enter(portfolio, holding, rules, market, bar, side, equity)


@rare
def act_on_both(
    portfolio: Record, holding: Record, rules: Table, market: MarketArrays, bar: int, equity: float
) -> None:
    """Act on entry flags of both sides: both entries wait, or with a position the one that reverses it, or none."""
    held, terms = holding["lots"], portfolio["executions"][holding["execution"]]
    if held != 0 and terms["on_opposite"] != REVERSE_AT_PRICE:
        block(portfolio, holding, bar, ENTER_SHORT if held > 0 else ENTER_LONG, BLOCKED_OPPOSITE)
        return
    for side in (LONG, SHORT):
        if held * side <= 0:
            enter(portfolio, holding, rules, market, bar, side, equity)


@jit
def has_turn(portfolio: Record, holding: Record, market: MarketArrays, bar: int, e: int) -> bool:
    """Return whether execution `e` may act on its signals: on its own position and entries, or where there are none.

    Its entry signal is recorded as blocked while another execution has a position or entries.
    """
    if holding["execution"] == e:
        return True
    entries = market.signals[e, holding["start"] + bar] & ENTRIES
    if entries == 0:
        return False
    if is_engaged(holding):
        block_signal(portfolio, holding, e, bar, entries, BLOCKED_EXECUTION)
        return False
    holding["execution"] = e
    return True


@inlined
def act_on_signals(
    portfolio: Record, holding: Record, rules: Table, market: MarketArrays, bar: int, leaving: int, equity: float
) -> None:
    """Make the decisions of the current execution: at most one entry, then further entries."""
    flags = market.signals[holding["execution"], holding["start"] + bar]
    entries, terms = flags & ENTRIES, portfolio["executions"][holding["execution"]]
    if entries != 0:
        if contradicts(terms, flags):
            block(portfolio, holding, bar, entries, BLOCKED_CONTRADICTION)
        elif entries == ENTRIES:
            act_on_both(portfolio, holding, rules, market, bar, equity)
        else:
            act_on_entry(portfolio, holding, rules, market, bar, entries, leaving, equity)
    if terms["scale_entries"] > 1 and not contradicts(terms, flags):
        if terms["scale_resting"] == 1:
            rest_entries(portfolio, terms, holding, rules, market, bar, equity)
        else:
            scale_in(portfolio, terms, holding, rules, market, bar, flags, equity)
    if holding["grid_side"] != 0 and equity > 0.0 and not is_leaving(holding):
        tend_grid(portfolio, terms, holding, rules, market, bar, equity)


@jit
def decide(  # noqa: C901 - in order
    portfolio: Record, holdings: Table, rules: Table, market: MarketArrays, i: int, bar: int, equity: float
) -> None:
    """Act on a bar that has closed: open orders first, then exits, then entries, execution by execution.

    `equity` is marked at this close. Pairs are decided on by `engine.simulation.pairs`.
    """
    holding = holdings[i]
    row, paired = holding["start"] + bar, portfolio["paired"] == 1
    if portfolio["entry_limits"] == 1:
        count_others(portfolio, holdings, i)
    if portfolio["checks_closes"] == 1 and holding["working"] > 0:
        expire_orders(portfolio, holding, market, bar)
        if portfolio["following"] == 1:
            follow_line(portfolio, holding, rules, market, bar, equity)
    if bar < holding["first_bar"]:
        for e in range(portfolio["execution_count"]):
            entries = market.signals[e, row] & ENTRIES
            if entries != 0 and not (paired and portfolio["executions"][e]["pair"] == 1):
                block_signal(portfolio, holding, e, bar, entries, BLOCKED_WARMUP)
        return
    leaving = STAYING
    if not (paired and portfolio["executions"][holding["execution"]]["pair"] == 1):
        leaving = exit_by_signal(portfolio, holding, bar, market.signals[holding["execution"], row])
    for e in range(portfolio["execution_count"]):
        if paired and portfolio["executions"][e]["pair"] == 1:
            continue
        if has_turn(portfolio, holding, market, bar, e):
            act_on_signals(portfolio, holding, rules, market, bar, leaving, equity)
