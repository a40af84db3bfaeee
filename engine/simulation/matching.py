"""The phases of a bar before its close: which orders fill, at what price, and the effects of fills. Compiled."""

from __future__ import annotations

import math
from typing import Any

from quantcrafter.engine.api.ports import FloatColumn
from quantcrafter.engine.simulation.booking import end_partial_entries
from quantcrafter.engine.simulation.caps import capped_lots
from quantcrafter.engine.simulation.costs import affordable_lots, available_cash, volume_lots
from quantcrafter.engine.simulation.fills import apply_exit, apply_fill
from quantcrafter.engine.simulation.interventions import intervene
from quantcrafter.engine.simulation.jit import inlined, jit
from quantcrafter.engine.simulation.orders import add_order, next_working, retire, slot_of
from quantcrafter.engine.simulation.primitives import match_limit, match_stop, to_quantity
from quantcrafter.engine.simulation.quotes import quoted, unquoted
from quantcrafter.engine.simulation.records import (
    ANY,
    BELOW_MINIMUM,
    CANCELLED,
    CAPPED,
    CLOSE,
    CONTRACT_EXPIRED,
    DATA_ENDED,
    END_OF_DATA,
    FILLED,
    LIMITS,
    NO_CASH,
    NO_REASON,
    NONE,
    OPENS,
    PRICE_LIMIT,
    REDUCED,
    REJECTED,
    STOP,
    STOP_LIMIT,
    STOPS,
    MarketArrays,
    Record,
    Table,
)
from quantcrafter.engine.simulation.risk_records import ENTRY_BLOCKED, ENTRY_CUT
from quantcrafter.engine.simulation.sizing import is_too_small
from quantcrafter.engine.simulation.venue_rules import closable_lots, hold_back, is_locked, note_locked


@jit
def entry_limit(
    portfolio: Record, holdings: Table, i: int, k: int, bar: int, offered: int, price: float
) -> tuple[int, int]:
    """Return how many of the available lots an entry may fill, and why not all of them: cash, caps, the minimum."""
    holding = holdings[i]
    lots = affordable_lots(portfolio, holding, k, offered, price, available_cash(portfolio, holdings, i, price))
    why = NO_REASON
    if lots < offered:
        if lots == 0 or portfolio["reject"] == 1:
            return 0, NO_CASH
        why = REDUCED
    if portfolio["guards"] > 0:
        allowed, rule = capped_lots(portfolio, holdings, i, k, lots, price)
        if allowed < lots:
            wanted = to_quantity(lots, holding["lot_size"], holding["lot_inverse"])
            given = to_quantity(allowed, holding["lot_size"], holding["lot_inverse"])
            intervene(
                portfolio, holding["index"], bar, ENTRY_CUT if allowed > 0 else ENTRY_BLOCKED, rule, wanted, given
            )
            lots, why = allowed, CAPPED
    if lots > 0 and why != NO_REASON and holding["slots"][k]["filled"] == 0 and is_too_small(holding, lots):
        return 0, BELOW_MINIMUM
    return lots, why


@jit
def way_to(holding: Record, k: int, bar: int) -> int:
    """Return which way the price went when it reached an entry inside the bar: +1 up, -1 down.

    The price moves in the direction of a stop, and against that of a limit. A stop-limit that was touched inside this
    bar fills at its trigger.
    """
    order = holding["slots"][k]
    touched = order["kind"] == STOP_LIMIT and order["touched_bar"] == bar
    at_trigger = touched and order["price"] == holding["touch_price"][k]
    return int(order["side"] if order["kind"] == STOP or at_trigger else -order["side"])


@inlined
def fill_entry(
    portfolio: Record, holdings: Table, rules: Table, columns: FloatColumn, i: int, k: int, bar: int, price: float
) -> None:
    """Fill an entry order as far as volume, cash and caps allow.

    What the bar's volume does not take stays open; for a triggered stop, as a market order.
    """
    holding = holdings[i]
    order = holding["slots"][k]
    wanted = order["lots"] - order["filled"]
    offered = volume_lots(portfolio, holding, k, wanted)
    if offered < wanted and holding["phase"][k] == STOPS:
        holding["phase"][k] = OPENS
    if offered == 0:
        return
    lots, why = entry_limit(portfolio, holdings, i, k, bar, offered, price)
    if lots == 0:
        retire(portfolio, holding, k, bar, REJECTED if order["filled"] == 0 else FILLED, why)
        return
    if holding["inside"] == 1:
        holding["inside_bar"], holding["inside_way"] = bar, way_to(holding, k, bar)
    number = order["id"]
    apply_fill(portfolio, holdings, rules, columns, i, k, bar, lots, price, math.nan)
    if why != NO_REASON:
        retire(portfolio, holding, slot_of(holding, number), bar, FILLED, why)


@jit
def fill_exit(
    portfolio: Record, holdings: Table, rules: Table, columns: FloatColumn, i: int, k: int, bar: int, price: float
) -> None:
    """Close with an order as much of the position as the bar's volume and the settlement allow.

    The rest stays open; for a triggered stop, as a market order. If nothing can be closed in this session, nothing is
    triggered.
    """
    holding = holdings[i]
    closable = closable_lots(holding)
    if closable == 0 and holding["lots"] != 0:
        hold_back(portfolio, holding, bar, holding["slots"][k]["lots"] - holding["slots"][k]["filled"])
        return
    if holding["slots"][k]["kind"] == STOP and holding["opens"][k] == 0:
        k = end_partial_entries(portfolio, holding, k, bar)
    wanted = min(holding["slots"][k]["lots"] - holding["slots"][k]["filled"], abs(holding["lots"]))
    if closable < wanted:
        hold_back(portfolio, holding, bar, wanted)
    lots = volume_lots(portfolio, holding, k, min(wanted, closable))
    if lots < wanted and holding["phase"][k] == STOPS:
        holding["phase"][k] = OPENS
        if holding["unit"][k] < 0 or wanted == abs(holding["lots"]):
            holding["leaving"] = 1
    if lots > 0:
        apply_fill(portfolio, holdings, rules, columns, i, k, bar, lots, price, math.nan)


@jit
def keep_locked(portfolio: Record, holding: Record, k: int, bar: int) -> None:
    """Deal with an order that would fill at a price locked at its limit: an entry ends, but for limit orders.

    Exits and limit orders wait; a stop that was triggered does so as a market order.
    """
    order = holding["slots"][k]
    note_locked(portfolio, holding, bar, order["lots"] - order["filled"])
    if holding["phase"][k] == LIMITS:
        return
    if holding["opens"][k] == 1:
        retire(portfolio, holding, k, bar, REJECTED if order["filled"] == 0 else FILLED, PRICE_LIMIT)
    elif holding["phase"][k] == STOPS and closable_lots(holding) > 0:
        holding["phase"][k] = OPENS
        if holding["unit"][k] < 0:
            holding["leaving"] = 1


@jit
def fill_order(
    portfolio: Record, holdings: Table, rules: Table, columns: FloatColumn, i: int, k: int, bar: int, price: float
) -> None:
    """Fill the order in slot `k` of instrument `i` at `price`.

    An order that may open a position first closes a position on the other side, then opens with the rest. At a price
    that is locked at its limit it does neither.
    """
    holding = holdings[i]
    order = holding["slots"][k]
    number, opens = order["id"], holding["opens"][k] == 1
    side = int(order["side"])
    if holding["limited"] == 1 and is_locked(holding, side, unquoted(holding, side, price)):
        keep_locked(portfolio, holding, k, bar)
        return
    if not opens or holding["lots"] * order["side"] < 0:
        fill_exit(portfolio, holdings, rules, columns, i, k, bar, price)
        if not opens or holding["lots"] != 0:
            return
        k = slot_of(holding, number)
    if k >= 0:
        fill_entry(portfolio, holdings, rules, columns, i, k, bar, price)


@jit
def touch(holding: Record, k: int, bar: int, price: float) -> None:
    """Convert a stop-limit whose trigger was touched at `price` to a limit."""
    holding["slots"][k]["touched_bar"] = bar
    holding["touch_price"][k] = price
    holding["phase"][k] = LIMITS


@jit
def rest_of_bar(
    holding: Record, k: int, bar: int, open_: float, high: float, low: float, close: float
) -> tuple[float, float, float]:
    """Return open, high and low of the part of the bar in which the order in slot `k` is certainly a limit.

    That is the whole bar, unless it is a stop-limit that was touched inside this bar: then it is the range from its
    trigger to the close.
    """
    if holding["slots"][k]["touched_bar"] == bar and holding["touch_price"][k] != open_:
        price = holding["touch_price"][k]
        return price, max(price, close), min(price, close)
    return open_, high, low


@jit
def match_open(
    portfolio: Record, holdings: Table, rules: Table, columns: FloatColumn, i: int, bar: int, part: int, price: float
) -> None:
    """Fill market orders of instrument `i` at the open, by id: all, or one part of them."""
    holding = holdings[i]
    k = next_working(holding, bar, OPENS, part, NONE)
    while k >= 0:
        order = holding["slots"][k]["id"]
        at = quoted(holding, int(holding["slots"][k]["side"]), price)
        fill_order(portfolio, holdings, rules, columns, i, k, bar, at)
        k = next_working(holding, bar, OPENS, part, order)


@inlined
def quotes(holding: Record, side: int, prices: Any) -> Any:
    """Return open, high, low and close as a side has them."""
    open_, high, low, close = prices
    return (
        quoted(holding, side, open_),
        quoted(holding, side, high),
        quoted(holding, side, low),
        quoted(holding, side, close),
    )


@jit
def match_phase(
    portfolio: Record, holdings: Table, rules: Table, columns: FloatColumn, i: int, bar: int, phase: int, prices: Any
) -> None:
    """Fill the stops, or the limits, that `prices` touch, by id: open, high, low and close, or the open four times."""
    holding = holdings[i]
    k = next_working(holding, bar, phase, ANY, NONE)
    while k >= 0:
        order = holding["slots"][k]
        number = order["id"]
        open_, high, low, close = quotes(holding, int(order["side"]), prices)
        if phase == STOPS:
            price = match_stop(int(order["side"]), order["price"], open_, high, low)
        else:
            limit = order["limit"] if order["kind"] == STOP_LIMIT else order["price"]
            first, highest, lowest = rest_of_bar(holding, k, bar, open_, high, low, close)
            price = match_limit(int(order["side"]), limit, first, highest, lowest)
        if not math.isnan(price):
            if phase == STOPS and order["kind"] == STOP_LIMIT:
                touch(holding, k, bar, price)
            else:
                fill_order(portfolio, holdings, rules, columns, i, k, bar, price)
        k = next_working(holding, bar, phase, ANY, number)


@jit
def was_entered_inside(portfolio: Record, holding: Record, bar: int) -> bool:
    """Return whether a position of this bar has orders that may be reached after its entry within the bar."""
    return bool(
        holding["inside_bar"] == bar and holding["lots"] != 0 and holding["working"] > 0 and portfolio["arm_delay"] == 0
    )


@jit
def next_armed(holding: Record, bar: int, phase: int, after: int) -> int:
    """Return the slot of the next protective order of that phase for an entry of this bar, or -1."""
    for k in range(holding["working"]):
        order = holding["slots"][k]
        made = order["rule"] >= 0 and order["created_bar"] == bar and holding["from_bar"][k] == bar + 1
        if made and holding["phase"][k] == phase and order["id"] > after:
            return k
    return -1


@jit
def after_entry(holding: Record, bar: int, open_: float, high: float, low: float, close: float) -> Any:
    """Return the prices of a bar that certainly came after the entry inside it: first, highest, lowest, close.

    They are those of the side that closes the position.

    That is the range from the entry to the close, and the extreme towards which the price was moving when it reached
    the entry. A stop that the bar reaches, and beyond which it did not open, may also have been reached after the
    entry: if a target is certain, the stop fills instead.
    """
    side = 1 if holding["lots"] > 0 else -1
    open_, high, low, close = quotes(holding, -side, (open_, high, low, close))
    price = quoted(holding, -side, unquoted(holding, side, holding["last_price"]))
    way = holding["inside_way"]
    highest = high if way > 0 else max(price, close)
    lowest = low if way < 0 else min(price, close)
    stop, certain = next_armed(holding, bar, STOPS, NONE), False
    k = next_armed(holding, bar, LIMITS, NONE)
    while k >= 0:
        order = holding["slots"][k]
        certain = certain or not math.isnan(match_limit(int(order["side"]), order["price"], price, highest, lowest))
        k = next_armed(holding, bar, LIMITS, order["id"])
    if certain and stop >= 0:
        level = holding["slots"][stop]["price"]
        if holding["lots"] > 0 and open_ > level:
            lowest = low
        if holding["lots"] < 0 and open_ < level:
            highest = high
    return price, highest, lowest, close


@jit
def match_after(
    portfolio: Record, holdings: Table, rules: Table, columns: FloatColumn, i: int, bar: int, phase: int, prices: Any
) -> None:
    """Fill protective stops, or targets, of an entry inside the bar that were reached after it."""
    holding = holdings[i]
    if not was_entered_inside(portfolio, holding, bar):
        return
    open_, high, low, close = prices
    first, highest, lowest, _ = after_entry(holding, bar, open_, high, low, close)
    k = next_armed(holding, bar, phase, NONE)
    while k >= 0:
        order = holding["slots"][k]
        number = order["id"]
        side, level = int(order["side"]), order["price"]
        if phase == STOPS:
            price = match_stop(side, level, first, highest, lowest)
        else:
            price = match_limit(side, level, first, highest, lowest)
        if not math.isnan(price):
            fill_order(portfolio, holdings, rules, columns, i, k, bar, price)
        k = next_armed(holding, bar, phase, number)


def next_slot(holdings: Table, i: int, bar: int, phase: int, part: int, after: int) -> int:
    """Return `next_working` of instrument `i`; the driver in Python passes tables, which are faster than records."""
    return int(next_working(holdings[i], bar, phase, part, after))


def touch_slot(holdings: Table, i: int, k: int, bar: int, price: float) -> None:
    """Let the stop-limit in slot `k` of instrument `i` be a limit from now on."""
    touch(holdings[i], k, bar, price)


def entered_inside(portfolios: Table, holdings: Table, i: int, bar: int) -> bool:
    """Return `was_entered_inside` of instrument `i`."""
    return bool(was_entered_inside(portfolios[0], holdings[i], bar))


def armed_slot(holdings: Table, i: int, bar: int, phase: int, after: int) -> int:
    """Return `next_armed` of instrument `i`."""
    return int(next_armed(holdings[i], bar, phase, after))


def after_entry_of(holdings: Table, i: int, bar: int, open_: float, high: float, low: float, close: float) -> Any:
    """Return `after_entry` of instrument `i`."""
    first, highest, lowest, last = after_entry(holdings[i], bar, open_, high, low, close)
    return float(first), float(highest), float(lowest), float(last)


def fill_slot(
    portfolios: Table, holdings: Table, rules: Table, market: MarketArrays, i: int, k: int, bar: int, price: float
) -> None:
    """Fill the order in slot `k` of instrument `i` at `price`."""
    fill_order(portfolios[0], holdings, rules, market.columns, i, k, bar, price)


@inlined
def mark(portfolio: Record, holding: Record, bar: int, high: float, low: float, close: float) -> None:
    """Value an open position at the close; at the end of the instrument's data, close it if the terms require it.

    For the bar of an entry inside the bar, only what certainly came after it counts for its extremes.
    """
    if holding["inside_bar"] == bar and holding["entry_bar"] == bar:
        high = high if holding["inside_way"] > 0 else close
        low = low if holding["inside_way"] < 0 else close
    holding["highest"] = max(holding["highest"], high)
    holding["lowest"] = min(holding["lowest"], low)
    holding["mark"] = close
    if bar == holding["last_bar"] and (portfolio["close_last"] == 1 or holding["expires"] == 1):
        close_last(portfolio, holding, bar, close)


@jit
def close_last(portfolio: Record, holding: Record, bar: int, close: float) -> None:
    """Close the position at the last close of its instrument's data: what of it can be closed."""
    side, lots = -1 if holding["lots"] > 0 else 1, closable_lots(holding)
    if lots < abs(holding["lots"]):
        hold_back(portfolio, holding, bar, abs(holding["lots"]))
    if lots == 0:
        return
    if holding["limited"] == 1 and is_locked(holding, side, close):
        note_locked(portfolio, holding, bar, lots)
        return
    reason = CONTRACT_EXPIRED if holding["expires"] == 1 else DATA_ENDED
    k = add_order(portfolio, holding, bar, CLOSE, side, lots, reason)
    apply_exit(portfolio, holding, k, bar, lots, quoted(holding, side, close), math.nan)
    holding["mark"] = close


@inlined
def end_data(portfolio: Record, holding: Record, bar: int) -> None:
    """Cancel orders that are still open when the instrument has no further bar."""
    if bar == holding["last_bar"] and holding["working"] > 0:
        cancel_all(portfolio, holding, bar)


def finish(portfolios: Table, holdings: Table, i: int) -> None:
    """End an instrument's data after its last close: close the position there, if the terms say so, and all orders."""
    portfolio, holding = portfolios[0], holdings[i]
    bar = int(holding["bars"]) - 1
    if holding["lots"] != 0 and portfolio["close_last"] == 1:
        close_last(portfolio, holding, bar, holding["mark"])
    cancel_all(portfolio, holding, bar)


@jit
def cancel_all(portfolio: Record, holding: Record, bar: int) -> None:
    """Cancel every open order, because the data has ended."""
    while holding["working"] > 0:
        retire(portfolio, holding, holding["working"] - 1, bar, CANCELLED, END_OF_DATA)
