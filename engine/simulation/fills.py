"""Applies a fill to position, cash, trades and the other orders of its instrument. Compiled.

Nothing is checked here, because the fill has happened: cash, caps and volume are checked by the simulated venue before
a fill (`quantcrafter.engine.simulation.matching`), and by the check before an order is sent to a broker.

`k` is a slot of the holding's open orders, `bar` an index into the instrument's own bars.
"""

from __future__ import annotations

import math

from quantcrafter.engine.simulation.booking import close_part, end_partial_entries, open_position
from quantcrafter.engine.simulation.jit import jit
from quantcrafter.engine.simulation.opposing import follow_exit, oppose
from quantcrafter.engine.simulation.orders import cancel_exits, end_entries, retire, slot_of
from quantcrafter.engine.simulation.primitives import to_quantity
from quantcrafter.engine.simulation.protection import follow_position, protect
from quantcrafter.engine.simulation.records import (
    ENTRY,
    FILLED,
    NO_REASON,
    POSITION_CLOSED,
    SCALE_IN,
    STOP,
    MarketArrays,
    Record,
    Table,
)
from quantcrafter.engine.simulation.units import unit_of
from quantcrafter.engine.simulation.worth import value_of


@jit
def apply_fill(  # noqa: PLR0913, PLR0917 - arrays and numbers: numba takes nothing else
    portfolio: Record,
    holdings: Table,
    rules: Table,
    market: MarketArrays,
    i: int,
    k: int,
    bar: int,
    lots: int,
    price: float,
    fee: float,
) -> None:
    """Book that `lots` of the order in slot `k` of instrument `i` traded at `price`.

    A position on the other side is closed first, and the rest opens a position, regardless of the order's purpose. The
    order ends when all of it has filled, or if it only closes and nothing is left to close. If more has filled than its
    lots, it counts as an order of that many lots. It is always one row of the fills.

    `fee` is in the account's currency; the price is then what was paid, without slippage. NaN means that commission and
    slippage are those of the run's own terms.
    """
    holding = holdings[i]
    order = holding["slots"][k]
    closing = 0
    if holding["lots"] * order["side"] < 0:
        closing = min(lots, abs(holding["lots"]))
    if closing == lots:
        apply_exit(portfolio, holding, k, bar, lots, price, fee)
        return
    holding["opens"][k] = 1
    order["lots"] = max(order["lots"], order["filled"] + lots)
    if closing == 0:
        apply_entry(portfolio, holding, rules, market, k, bar, lots, price, fee)
        return
    if order["reason"] == SCALE_IN:
        order["reason"] = ENTRY
    number, part = order["id"], fee * closing / lots
    apply_exit(portfolio, holding, k, bar, closing, price, part)
    apply_entry(portfolio, holding, rules, market, slot_of(holding, number), bar, lots - closing, price, fee - part)
    join_fills(portfolio)


@jit
def join_fills(portfolio: Record) -> None:
    """Merge the last two rows: the part that closed a position and the part that opened the next are one execution."""
    portfolio["fills"] -= 1
    part, rest = portfolio["fill_rows"][portfolio["fills"] - 1], portfolio["fill_rows"][portfolio["fills"]]
    part["lots"] += rest["lots"]
    part["commission"] += rest["commission"]
    part["slippage"] += rest["slippage"]


@jit
def apply_exit(portfolio: Record, holding: Record, k: int, bar: int, lots: int, price: float, fee: float) -> None:
    """Book lots that close a position or a part of it; if it is closed, cancel the orders that were to close it.

    `lots` are no more than the position.
    """
    order = holding["slots"][k]
    parent, level, number, side = order["parent"], order["level"], order["id"], order["side"]
    if order["kind"] == STOP and holding["opens"][k] == 0:
        k = end_partial_entries(portfolio, holding, k, bar)
    close_part(portfolio, holding, k, bar, lots, price, fee)
    if portfolio["opposing"] == 1:
        follow_exit(portfolio, holding, number, side, lots)
    order = holding["slots"][k]
    is_flat = holding["lots"] == 0
    is_done = order["filled"] >= order["lots"] or (is_flat and holding["opens"][k] == 0)
    if level >= 0:
        holding["grid_held"][level] = 0 if is_done else holding["grid_held"][level] - lots
    if is_done:
        retire(portfolio, holding, k, bar, FILLED, NO_REASON)
    if is_flat:
        cancel_exits(portfolio, holding, bar, parent)
        if is_done and holding["grid_side"] != 0 and level < 0:
            end_entries(portfolio, holding, bar, holding["grid_side"], POSITION_CLOSED)
    elif holding["working"] > 0:
        follow_position(portfolio, holding, bar, parent)


@jit
def note_risk(holding: Record, number: int, lots: int, price: float) -> None:
    """Add what the lots of an entry, the order of that number, would lose at the stop that now protects them."""
    stop, side = math.nan, 1 if holding["lots"] > 0 else -1
    for k in range(holding["working"]):
        order = holding["slots"][k]
        if order["rule"] >= 0 and order["kind"] == STOP and holding["unit"][k] in (-1, number):
            stop = order["price"]
    quantity = to_quantity(lots, holding["lot_size"], holding["lot_inverse"])
    risk = value_of(holding, quantity, (price - stop) * side)
    if abs(holding["lots"]) == lots:
        holding["risk"], holding["risk_taken"] = 0.0, 0.0
    holding["risk"] += risk
    holding["risk_taken"] += risk


@jit
def apply_entry(  # noqa: PLR0913, PLR0917 - arrays and numbers: numba takes nothing else
    portfolio: Record,
    holding: Record,
    rules: Table,
    market: MarketArrays,
    k: int,
    bar: int,
    lots: int,
    price: float,
    fee: float,
) -> None:
    """Book lots that open or increase a position, and protect it.

    A fill at the open is protected from the same bar or the next one on, according to the terms; a fill inside the bar
    from the next bar on, except for the part that certainly came after it (see
    `engine.simulation.matching.match_after`).
    """
    delay, unit_delay = 1, 1
    if holding["inside"] == 0:
        # What was protected before this bar stays so when the position grows.
        delay = 0 if holding["lots"] != 0 and holding["entry_bar"] < bar else portfolio["arm_delay"]
        unit = unit_of(holding, holding["slots"][k]["id"]) if holding["lots"] != 0 else -1
        unit_delay = 0 if unit >= 0 and holding["unit_bar"][unit] < bar else portfolio["arm_delay"]
    open_position(portfolio, holding, k, bar, lots, price, fee)
    order = holding["slots"][k]
    number = order["id"]
    if order["level"] >= 0:
        holding["grid_held"][order["level"]] += lots
    if order["filled"] >= order["lots"]:
        retire(portfolio, holding, k, bar, FILLED, NO_REASON)
    if portfolio["opposing"] == 1:
        oppose(portfolio, holding, bar, lots)
    protect(portfolio, holding, rules, market, bar, bar + delay, bar + unit_delay, number)
    if portfolio["stepped"] == 1:
        note_risk(holding, number, lots, price)
