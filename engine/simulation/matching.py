"""The phases of a bar before its close: which orders fill, at what price, and the effects of fills. Compiled."""

from __future__ import annotations

import math
from typing import Any

from quantcrafter.engine.simulation.booking import end_partial_entries
from quantcrafter.engine.simulation.caps import capped_lots
from quantcrafter.engine.simulation.costs import affordable_lots, available_cash, volume_lots
from quantcrafter.engine.simulation.fills import apply_exit, apply_fill
from quantcrafter.engine.simulation.interventions import intervene
from quantcrafter.engine.simulation.jit import inlined, jit, rare
from quantcrafter.engine.simulation.opposing import earlier_reversal, is_put_off, nearer_exit, partner_of, reverses
from quantcrafter.engine.simulation.orders import add_order, next_working, retire, slot_of
from quantcrafter.engine.simulation.primitives import match_limit, match_stop, to_quantity
from quantcrafter.engine.simulation.quotes import quoted, unquoted
from quantcrafter.engine.simulation.records import (
    ANY,
    AT_CLOSE,
    BELOW_MINIMUM,
    BOTH_WAYS,
    CANCELLED,
    CAPPED,
    CLOSE,
    CLOSES,
    CLOSING,
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
    REVERSAL,
    SCALE_IN,
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
    begins = holding["slots"][k]["filled"] == 0 or holding["lots"] == 0
    if lots > 0 and why != NO_REASON and begins and is_too_small(holding, lots):
        return 0, BELOW_MINIMUM
    return lots, why


@jit
def way_to(holding: Record, k: int, bar: int) -> int:
    """Return which way the price went when it reached an entry inside the bar: +1 up, -1 down; 0 for one at the close.

    The price moves in the direction of a stop, and against that of a limit. A stop-limit that was touched inside this
    bar fills at its trigger.
    """
    order = holding["slots"][k]
    if order["kind"] == AT_CLOSE:
        return 0
    touched = order["kind"] == STOP_LIMIT and order["touched_bar"] == bar
    at_trigger = touched and order["price"] == holding["touch_price"][k]
    return int(order["side"] if order["kind"] == STOP or at_trigger else -order["side"])


@inlined
def fill_entry(
    portfolio: Record, holdings: Table, rules: Table, market: MarketArrays, i: int, k: int, bar: int, price: float
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
        both = holding["inside_bar"] == bar and holding["inside_way"] == BOTH_WAYS
        holding["inside_bar"], holding["inside_way"] = bar, BOTH_WAYS if both else way_to(holding, k, bar)
    number = order["id"]
    apply_fill(portfolio, holdings, rules, market, i, k, bar, lots, price, math.nan)
    if why != NO_REASON:
        retire(portfolio, holding, slot_of(holding, number), bar, FILLED, why)


@jit
def fill_exit(
    portfolio: Record, holdings: Table, rules: Table, market: MarketArrays, i: int, k: int, bar: int, price: float
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
        apply_fill(portfolio, holdings, rules, market, i, k, bar, lots, price, math.nan)


@rare
def keep_locked(portfolio: Record, holding: Record, k: int, bar: int) -> None:
    """Deal with an order that would fill at a price locked at its limit: an entry ends, but for limit orders.

    Exits and limit orders wait; a stop that was triggered does so as a market order.
    """
    order = holding["slots"][k]
    note_locked(portfolio, holding, bar, order["lots"] - order["filled"])
    if holding["phase"][k] == LIMITS:
        return
    if holding["opens"][k] == 1 and not reverses(holding, k):
        retire(portfolio, holding, k, bar, REJECTED if order["filled"] == 0 else FILLED, PRICE_LIMIT)
    elif holding["phase"][k] == STOPS and closable_lots(holding) > 0:
        holding["phase"][k] = OPENS
        if holding["unit"][k] < 0 or order["lots"] - order["filled"] >= abs(holding["lots"]):
            holding["leaving"] = 1


@jit
def fill_order(
    portfolio: Record, holdings: Table, rules: Table, market: MarketArrays, i: int, k: int, bar: int, price: float
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
        fill_exit(portfolio, holdings, rules, market, i, k, bar, price)
        if not opens or holding["lots"] != 0:
            return
        k = slot_of(holding, number)
    if k >= 0:
        fill_entry(portfolio, holdings, rules, market, i, k, bar, price)


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
    portfolio: Record, holdings: Table, rules: Table, market: MarketArrays, i: int, bar: int, part: int, price: float
) -> None:
    """Fill market orders of instrument `i` at the open, by id: all, or one part of them."""
    match_market(portfolio, holdings, rules, market, i, bar, OPENS, part, price)


@jit
def match_close(
    portfolio: Record, holdings: Table, rules: Table, market: MarketArrays, i: int, bar: int, part: int, price: float
) -> None:
    """Fill orders at the close of instrument `i`, by id: all, or one part of them.

    Nothing is entered at a last close at which positions are closed.
    """
    holding = holdings[i]
    if closes_at(portfolio, holding, bar) and part != CLOSING:
        part = CLOSING
    holding["inside"] = 1
    match_market(portfolio, holdings, rules, market, i, bar, CLOSES, part, price)
    holding["inside"] = 0


@inlined
def match_market(  # noqa: PLR0913, PLR0917 - arrays and numbers: numba takes nothing else
    portfolio: Record,
    holdings: Table,
    rules: Table,
    market: MarketArrays,
    i: int,
    bar: int,
    phase: int,
    part: int,
    price: float,
) -> None:
    """Fill orders without a price in a phase of the bar, by id."""
    holding = holdings[i]
    k = next_working(holding, bar, phase, part, NONE)
    while k >= 0:
        order = holding["slots"][k]["id"]
        at = quoted(holding, int(holding["slots"][k]["side"]), price)
        fill_order(portfolio, holdings, rules, market, i, k, bar, at)
        k = next_working(holding, bar, phase, part, order)


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
    portfolio: Record, holdings: Table, rules: Table, market: MarketArrays, i: int, bar: int, phase: int, prices: Any
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
            elif portfolio["opposing"] == 0:
                fill_order(portfolio, holdings, rules, market, i, k, bar, price)
            elif not other_is_first(portfolio, holding, k, bar, phase, price, prices):
                fill_opposing(portfolio, holdings, rules, market, i, k, bar, phase, bar, open_, high, low, price)
        k = next_working(holding, bar, phase, ANY, number)


@rare
def other_is_first(portfolio: Record, holding: Record, k: int, bar: int, phase: int, price: float, prices: Any) -> bool:
    """Return whether an entry must wait because the bar also reached the one on the other side, which came first."""
    j = partner_of(holding, k, phase, bar)
    if j < 0:
        return False
    order = holding["slots"][j]
    side = int(order["side"])
    open_, high, low, close = quotes(holding, side, prices)
    if phase == STOPS:
        other = match_stop(side, order["price"], open_, high, low)
    else:
        limit = order["limit"] if order["kind"] == STOP_LIMIT else order["price"]
        first, highest, lowest = rest_of_bar(holding, j, bar, open_, high, low, close)
        other = match_limit(side, limit, first, highest, lowest)
    if math.isnan(other):
        return False
    mine = quoted(holding, -side, prices[3])
    return bool(is_put_off(portfolio, holding, k, j, bar, (price, other), (mine, close)))


@rare
def fill_opposing(  # noqa: PLR0913, PLR0917 - arrays and numbers: numba takes nothing else
    portfolio: Record,
    holdings: Table,
    rules: Table,
    market: MarketArrays,
    i: int,
    k: int,
    bar: int,
    phase: int,
    active: int,
    open_: float,
    high: float,
    low: float,
    price: float,
) -> None:
    """Fill an order at `price` when positions may be reversed, in the order in which the price reaches the others.

    What closes the position nearer to the price comes before an order that reverses it, and that before an exit further
    away. Those are orders that are active from the bar `active` on at the latest.
    """
    holding, stops = holdings[i], phase == STOPS
    j = earlier_reversal(holding, k, phase, active)
    if j >= 0:
        k, side, level = j, int(holding["slots"][j]["side"]), holding["slots"][j]["price"]
        price = match_stop(side, level, open_, high, low) if stops else match_limit(side, level, open_, high, low)
    number = holding["slots"][k]["id"]
    j = nearer_exit(holding, k, phase, active)
    while j >= 0:
        held, side, level = holding["lots"], int(holding["slots"][j]["side"]), holding["slots"][j]["price"]
        at = match_stop(side, level, open_, high, low) if stops else match_limit(side, level, open_, high, low)
        fill_order(portfolio, holdings, rules, market, i, j, bar, at)
        k = slot_of(holding, number)
        j = nearer_exit(holding, k, phase, active) if holding["lots"] != held else -1
    fill_order(portfolio, holdings, rules, market, i, k, bar, price)


@jit
def was_entered_inside(portfolio: Record, holding: Record, bar: int) -> bool:
    """Return whether a position of this bar has orders that may be reached after its entry within the bar."""
    return bool(
        holding["inside_bar"] == bar and holding["lots"] != 0 and holding["working"] > 0 and portfolio["arm_delay"] == 0
    )


@jit
def next_armed(holding: Record, bar: int, phase: int, after: int) -> int:
    """Return the slot of the next protective or reversing order of that phase for an entry of this bar, or -1."""
    for k in range(holding["working"]):
        order = holding["slots"][k]
        made = (order["rule"] >= 0 and order["created_bar"] == bar) or (
            order["reason"] == REVERSAL and order["kind"] != STOP_LIMIT
        )
        if made and holding["from_bar"][k] == bar + 1 and holding["phase"][k] == phase and order["id"] > after:
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
    lowest = low if way in (-1, BOTH_WAYS) else min(price, close)
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
    portfolio: Record, holdings: Table, rules: Table, market: MarketArrays, i: int, bar: int, phase: int, prices: Any
) -> None:
    """Fill protective and reversing stops, or limits, of an entry inside the bar that were reached after it."""
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
            if portfolio["opposing"] == 0:
                fill_order(portfolio, holdings, rules, market, i, k, bar, price)
            else:
                # What a reversing order opens is a new entry inside the bar, and the rest of the bar begins there.
                way = holding["inside_way"]
                holding["inside"], holding["inside_way"] = 1, 0
                fill_opposing(
                    portfolio, holdings, rules, market, i, k, bar, phase, bar + 1, first, highest, lowest, price
                )
                holding["inside"] = 0
                if holding["inside_way"] == 0:
                    holding["inside_way"] = way
            if holding["lots"] == 0:
                return
            first, highest, lowest, _ = after_entry(holding, bar, open_, high, low, close)
        k = next_armed(holding, bar, phase, number)


# ---------------------------------------------------------------------- further entries on the way to a stop


@jit
def next_stop(portfolio: Record, holding: Record, bar: int, prices: Any) -> int:
    """Return the slot of the nearest stop of a position that the bar touches inside, -1 where it touches none.

    Stops that further entries of this bar have brought count; those of units where the terms say so.
    """
    side = 1 if holding["lots"] > 0 else -1
    _, high, low, _ = quotes(holding, -side, prices)
    nearest, found = math.nan, -1
    for k in range(holding["working"]):
        price, since = holding["slots"][k]["price"], holding["from_bar"][k]
        if holding["phase"][k] != STOPS or holding["opens"][k] == 1:
            continue
        made_now = holding["slots"][k]["created_bar"] == bar and since == bar + 1
        made_now = made_now and not (portfolio["arm_delay"] == 1 and holding["unit"][k] >= 0)
        touched = low <= price if side > 0 else high >= price
        if touched and (since <= bar or made_now) and not (price - nearest) * side <= 0.0:
            nearest, found = price, k
    return int(found)


@jit
def stop_in_reach(portfolio: Record, holding: Record, bar: int, prices: Any) -> float:
    """Return the price of the nearest stop of a position that the bar touches inside, NaN where it touches none."""
    k = next_stop(portfolio, holding, bar, prices)
    return float(holding["slots"][k]["price"]) if k >= 0 else math.nan


@jit
def next_unit_stop(portfolio: Record, holding: Record, bar: int, after: int, walks: int, prices: Any) -> int:
    """Return the slot of the unit's stop that the price reaches next on its way to further entries; -1 if none.

    `walks` is 1 if a limit order has filled on that way. Otherwise one with an id above `after` must lie on it. If an
    order that reverses the position comes first, there is none.
    """
    if holding["lots"] == 0 or holding["untraded"] == 1:
        return -1
    k = next_stop(portfolio, holding, bar, prices)
    if (
        k < 0
        or holding["unit"][k] < 0
        or (portfolio["opposing"] == 1 and earlier_reversal(holding, k, STOPS, bar) >= 0)
    ):
        return -1
    side = 1 if holding["lots"] > 0 else -1
    _, high, low, _ = quotes(holding, side, prices)
    for j in range(holding["working"]):
        order = holding["slots"][j]
        waits = order["reason"] == SCALE_IN and order["filled"] == 0 and holding["phase"][j] == LIMITS
        if waits and order["id"] > after and holding["from_bar"][j] <= bar:
            walks = 1 if (low <= order["price"] if side > 0 else high >= order["price"]) else walks
    return int(k) if walks == 1 else -1


@jit
def next_on_way(portfolio: Record, holding: Record, bar: int, after: int, prices: Any) -> int:
    """Return the slot of the next further entry that fills before a stop which the bar touches inside; -1 if none.

    Its id is above `after`. A limit between the open and the stop is certainly met before the stop. Of a stop order on
    the other side of the open it is not known; that it fills first, and the stop afterwards, is the worse.
    """
    if holding["lots"] == 0 or holding["untraded"] == 1:
        return -1
    level = stop_in_reach(portfolio, holding, bar, prices)
    if math.isnan(level):
        return -1
    side = 1 if holding["lots"] > 0 else -1
    level = unquoted(holding, -side, level)
    _, high, low, _ = quotes(holding, side, prices)
    for k in range(holding["working"]):
        order, phase = holding["slots"][k], holding["phase"][k]
        waits = order["reason"] == SCALE_IN and order["filled"] == 0 and phase != OPENS
        if not waits or order["id"] <= after or holding["from_bar"][k] > bar:
            continue
        if phase == STOPS:
            met = high >= order["price"] if side > 0 else low <= order["price"]
        else:
            met = low <= order["price"] if side > 0 else high >= order["price"]
            met = met and (unquoted(holding, side, order["price"]) - level) * side > 0.0
        if met:
            return k
    return -1


@jit
def next_brought(portfolio: Record, holding: Record, bar: int, after: int) -> int:
    """Return the slot of the next stop that a further entry of this bar has brought, or -1.

    What was protected before stays so in this bar; a unit is protected in it where the terms say so.
    """
    k = next_armed(holding, bar, STOPS, after)
    while k >= 0 and portfolio["arm_delay"] == 1 and holding["unit"][k] >= 0:
        k = next_armed(holding, bar, STOPS, holding["slots"][k]["id"])
    return int(k)


@jit
def rest_on_way(holding: Record, k: int, reached: float, prices: Any) -> tuple[float, float, float, float]:
    """Return what came after further entries, for the stop in slot `k`: its price, then first, highest and lowest.

    A stop that was replaced by one further away had been reached already: `reached` is its price, NaN if there is none.
    """
    side = 1 if holding["lots"] > 0 else -1
    level = holding["slots"][k]["price"]
    if holding["unit"][k] < 0 and (reached - level) * side > 0.0:
        level = reached
    _, high, low, _ = quotes(holding, -side, prices)
    first = quoted(holding, -side, unquoted(holding, side, holding["last_price"]))
    return level, first, max(first, high), min(first, low)


@rare
def fill_on_way(
    portfolio: Record, holdings: Table, rules: Table, market: MarketArrays, i: int, bar: int, prices: Any
) -> None:
    """Fill further entries that come before a stop which the bar touches inside, and then the stops they brought.

    On the way down to limit orders, or up to those of a short position, stops of single units fill in their turn.
    """
    holding = holdings[i]
    after, reached, grown, walks, going = NONE, math.nan, False, 0, True
    while going:
        k = next_on_way(portfolio, holding, bar, after, prices)
        if k >= 0:
            after, grown = holding["slots"][k]["id"], True
            if holding["phase"][k] == LIMITS:
                walks = 1
            elif math.isnan(reached):
                reached = stop_in_reach(portfolio, holding, bar, prices)
            fill_order(portfolio, holdings, rules, market, i, k, bar, holding["slots"][k]["price"])
            continue
        k = next_unit_stop(portfolio, holding, bar, after, walks, prices)
        if k < 0:
            break
        number, walks = holding["slots"][k]["id"], 1
        fill_order(portfolio, holdings, rules, market, i, k, bar, holding["slots"][k]["price"])
        k = slot_of(holding, number)
        going = k < 0 or holding["phase"][k] != STOPS
    if not grown:
        return
    k = next_brought(portfolio, holding, bar, NONE)
    while k >= 0:
        number, side = holding["slots"][k]["id"], int(holding["slots"][k]["side"])
        level, first, highest, lowest = rest_on_way(holding, k, reached, prices)
        price = match_stop(side, level, first, highest, lowest)
        if not math.isnan(price):
            fill_order(portfolio, holdings, rules, market, i, k, bar, price)
        k = next_brought(portfolio, holding, bar, number)


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


def on_way_slot(portfolios: Table, holdings: Table, i: int, bar: int, after: int, prices: Any) -> int:
    """Return `next_on_way` of instrument `i`."""
    return int(next_on_way(portfolios[0], holdings[i], bar, after, prices))


def unit_stop_slot(portfolios: Table, holdings: Table, i: int, bar: int, after: int, walks: int, prices: Any) -> int:
    """Return `next_unit_stop` of instrument `i`."""
    return int(next_unit_stop(portfolios[0], holdings[i], bar, after, walks, prices))


def reached_stop(portfolios: Table, holdings: Table, i: int, bar: int, prices: Any) -> float:
    """Return `stop_in_reach` of instrument `i`."""
    return float(stop_in_reach(portfolios[0], holdings[i], bar, prices))


def brought_slot(portfolios: Table, holdings: Table, i: int, bar: int, after: int) -> int:
    """Return `next_brought` of instrument `i`."""
    return int(next_brought(portfolios[0], holdings[i], bar, after))


def rest_on_way_of(holdings: Table, i: int, k: int, reached: float, prices: Any) -> tuple[float, float, float, float]:
    """Return `rest_on_way` of instrument `i`."""
    level, first, highest, lowest = rest_on_way(holdings[i], k, reached, prices)
    return float(level), float(first), float(highest), float(lowest)


def fill_slot(
    portfolios: Table, holdings: Table, rules: Table, market: MarketArrays, i: int, k: int, bar: int, price: float
) -> None:
    """Fill the order in slot `k` of instrument `i` at `price`."""
    fill_order(portfolios[0], holdings, rules, market, i, k, bar, price)


@inlined
def closes_at(portfolio: Record, holding: Record, bar: int) -> bool:
    """Return whether a position is closed at the close of a bar because it is the last one."""
    return bool(bar == holding["last_bar"] and (portfolio["close_last"] == 1 or holding["expires"] == 1))


@inlined
def mark_held(holding: Record, bar: int, high: float, low: float, close: float) -> None:
    """Value an open position at the close.

    For the bar of an entry inside the bar, only what certainly came after it counts for its extremes.
    """
    if holding["inside_bar"] == bar and holding["entry_bar"] == bar:
        high = high if holding["inside_way"] > 0 else close
        low = low if holding["inside_way"] in (-1, BOTH_WAYS) else close
    holding["highest"] = max(holding["highest"], high)
    holding["lowest"] = min(holding["lowest"], low)
    holding["mark"] = close


@inlined
def mark(portfolio: Record, holding: Record, bar: int, high: float, low: float, close: float) -> None:
    """Value an open position at the close; at the end of the instrument's data, close it if the terms require it."""
    mark_held(holding, bar, high, low, close)
    if closes_at(portfolio, holding, bar):
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
    if holding["lots"] != 0 and (portfolio["close_last"] == 1 or holding["expires"] == 1):
        close_last(portfolio, holding, bar, holding["mark"])
    cancel_all(portfolio, holding, bar)


@jit
def cancel_all(portfolio: Record, holding: Record, bar: int) -> None:
    """Cancel every open order, because the data has ended."""
    while holding["working"] > 0:
        retire(portfolio, holding, holding["working"] - 1, bar, CANCELLED, END_OF_DATA)
