"""Fills of pairs: the market orders of both legs fill at the opens of a step at which both have a bar, or neither does.

Each part of an order that fills in parts has the same share of both legs. Compiled.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from quantcrafter.engine.simulation.caps import exposures, group_exposures, has_place, is_within, open_others
from quantcrafter.engine.simulation.costs import available_cash, fill_costs, volume_lots
from quantcrafter.engine.simulation.entry_limits import allows_entry, is_limit, limits
from quantcrafter.engine.simulation.fills import apply_fill
from quantcrafter.engine.simulation.interventions import intervene
from quantcrafter.engine.simulation.jit import jit, rare
from quantcrafter.engine.simulation.orders import retire, slot_of
from quantcrafter.engine.simulation.primitives import TOLERANCE, to_quantity
from quantcrafter.engine.simulation.quotes import quoted, unquoted
from quantcrafter.engine.simulation.records import (
    BELOW_MINIMUM,
    CAPPED,
    FILLED,
    NO_CASH,
    NO_REASON,
    NONE,
    PAIRED,
    PRICE_LIMIT,
    REDUCED,
    REJECTED,
    MarketArrays,
    Record,
    Table,
    Timeline,
)
from quantcrafter.engine.simulation.risk_records import (
    ENTRY_BLOCKED,
    ENTRY_CUT,
    GROSS_EXPOSURE,
    MAX_POSITION,
    NET_EXPOSURE,
    OPEN_TRADES,
)
from quantcrafter.engine.simulation.sizing import is_too_small
from quantcrafter.engine.simulation.units import has_entered
from quantcrafter.engine.simulation.venue_rules import closable_lots, hold_back, is_locked, note_locked
from quantcrafter.engine.simulation.worth import margin_of, value_of

NEAR_WHOLE = 1e-9
"""How far a share of the second leg's lots may be below a whole number to count as that."""


class Legs(NamedTuple):
    """The orders of both legs that are due: instruments, their bars, slots of the orders, and fill prices.

    The slots are -1 where nothing is due.
    """

    first: int
    second: int
    bar: int
    second_bar: int
    slot: int
    second_slot: int
    price: float
    second_price: float


@jit
def bar_of(timeline: Timeline, step: int, i: int) -> int:
    """Return the bar of an instrument that closes at a step, or -1."""
    for event in range(timeline.first_event[step], timeline.first_event[step + 1]):
        if timeline.instrument[event] == i:
            return int(timeline.bar[event])
    return -1


@jit
def paired_slot(holding: Record, e: int, opens: int) -> int:
    """Return the slot of an order of execution `e` that fills together with the other leg's, or -1."""
    for k in range(holding["working"]):
        meant = holding["phase"][k] == PAIRED and holding["opens"][k] == opens
        if meant and holding["slots"][k]["execution"] == e:
            return k
    return -1


@rare
def match_pairs(
    portfolios: Table, holdings: Table, rules: Table, market: MarketArrays, timeline: Timeline, step: int
) -> None:
    """Fill the orders of pairs whose legs both have a bar at a step, at its opens: exits, then entries."""
    portfolio = portfolios[0]
    for e in range(portfolio["execution_count"]):
        if portfolio["executions"][e]["pair"] == 0:
            continue
        for opens in range(2):
            legs = due_legs(portfolio, holdings, market, timeline, step, e, opens)
            if legs.slot >= 0:
                fill_pair(portfolio, holdings, rules, market, legs)


@jit
def due_legs(
    portfolio: Record, holdings: Table, market: MarketArrays, timeline: Timeline, step: int, e: int, opens: int
) -> Legs:
    """Return the orders of a pair that may fill at the opens of a step: its exits or, with `opens` 1, its entries.

    An entry waits until what was held on the other side is closed.
    """
    terms = portfolio["executions"][e]
    a, b = int(terms["first_leg"]), int(terms["second_leg"])
    bar, other = bar_of(timeline, step, a), bar_of(timeline, step, b)
    nothing = Legs(a, b, bar, other, -1, -1, math.nan, math.nan)
    one, two = holdings[a], holdings[b]
    k, m = paired_slot(one, e, opens), paired_slot(two, e, opens)
    if bar < 0 or other < 0 or k < 0 or m < 0 or one["untraded"] == 1 or two["untraded"] == 1:
        return nothing
    side, second_side = int(one["slots"][k]["side"]), int(two["slots"][m]["side"])
    if one["from_bar"][k] > bar or two["from_bar"][m] > other:
        return nothing
    if opens == 1 and (one["lots"] * side < 0 or two["lots"] * second_side < 0):
        return nothing
    price = quoted(one, side, market.open[one["start"] + bar])
    return Legs(a, b, bar, other, k, m, price, quoted(two, second_side, market.open[two["start"] + other]))


@jit
def fill_pair(portfolio: Record, holdings: Table, rules: Table, market: MarketArrays, legs: Legs) -> None:
    """Fill the orders of both legs at their prices, as far as both can fill.

    If one of them can't fill at all, the other doesn't. Exits then wait, and so do entries that lack only volume.
    Entries that the account, a cap or a locked price prevents end.
    """
    one, two = holdings[legs.first], holdings[legs.second]
    first, second = one["slots"][legs.slot], two["slots"][legs.second_slot]
    opens = one["opens"][legs.slot] == 1
    locked = is_leg_locked(portfolio, one, legs.slot, legs.bar, legs.price)
    if is_leg_locked(portfolio, two, legs.second_slot, legs.second_bar, legs.second_price) or locked:
        if opens:
            end_unfilled(portfolio, holdings, legs, PRICE_LIMIT)
        return
    most = fillable(portfolio, one, legs.slot, legs.bar)
    most_second = fillable(portfolio, two, legs.second_slot, legs.second_bar)
    lots = shared_lots(first, two, legs.second_slot, most, most_second)
    if lots == 0:
        return
    why = NO_REASON
    if opens:
        lots, why = entry_share(portfolio, holdings, legs, lots)
        if lots == 0:
            end_unfilled(portfolio, holdings, legs, why)
            return
    number, second_number, share = int(first["id"]), int(second["id"]), second_lots(first, second, lots)
    if not opens:  # a split may have left less than the order's lots
        lots, share = min(lots, abs(int(one["lots"]))), min(share, abs(int(two["lots"])))
    apply_fill(portfolio, holdings, rules, market, legs.first, legs.slot, legs.bar, lots, legs.price, math.nan)
    if share > 0:
        price = legs.second_price
        apply_fill(
            portfolio, holdings, rules, market, legs.second, legs.second_slot, legs.second_bar, share, price, math.nan
        )
    if why != NO_REASON:
        end_rest(portfolio, one, number, legs.bar, why)
        end_rest(portfolio, two, second_number, legs.second_bar, why)


@jit
def end_rest(portfolio: Record, holding: Record, number: int, bar: int, why: int) -> None:
    """End what is left of an order of which a part has filled."""
    k = slot_of(holding, number)
    if k >= 0:
        retire(portfolio, holding, k, bar, FILLED, why)


@jit
def end_unfilled(portfolio: Record, holdings: Table, legs: Legs, why: int) -> None:
    """End the entry orders of both legs, because the account or a price doesn't allow them."""
    one, two = holdings[legs.first], holdings[legs.second]
    status = REJECTED if one["slots"][legs.slot]["filled"] == 0 else FILLED
    retire(portfolio, one, legs.slot, legs.bar, status, why)
    retire(portfolio, two, legs.second_slot, legs.second_bar, status, why)


@jit
def is_leg_locked(portfolio: Record, holding: Record, k: int, bar: int, price: float) -> bool:
    """Return whether the price of a leg is locked at its limit, and note it."""
    order = holding["slots"][k]
    side = int(order["side"])
    if holding["limited"] == 0 or not is_locked(holding, side, unquoted(holding, side, price)):
        return False
    note_locked(portfolio, holding, bar, order["lots"] - order["filled"])
    return True


# ---------------------------------------------------------------------- how much of both fills


@jit
def fillable(portfolio: Record, holding: Record, k: int, bar: int) -> int:
    """Return how many lots of a leg's order volume and settlement allow at a bar."""
    wanted = int(holding["slots"][k]["lots"] - holding["slots"][k]["filled"])
    if holding["opens"][k] == 0:
        closable = closable_lots(holding)
        if closable < min(wanted, abs(holding["lots"])):
            hold_back(portfolio, holding, bar, wanted)
        wanted = min(wanted, closable)
    return int(volume_lots(portfolio, holding, k, wanted))


@jit
def second_lots(first: Record, second: Record, lots: int) -> int:
    """Return the lots of the second leg that fill with so many of the first: the same share of both orders."""
    done = int(first["filled"]) + lots
    if done >= first["lots"]:
        return int(second["lots"] - second["filled"])
    share = math.floor(second["lots"] * (done / first["lots"]) + NEAR_WHOLE)
    return int(max(min(share, second["lots"] - 1) - second["filled"], 0))


@jit
def with_both(first: Record, two: Record, m: int, lots: int) -> int:
    """Return the lots of the first leg, or 0 where a first part would have none of the second leg.

    `two` is the second leg's holding, `m` the slot of its order. The part of an entry that fills after what filled
    before has been closed again is a first part, too.
    """
    second = two["slots"][m]
    begins = second["filled"] == 0 or (two["opens"][m] == 1 and two["lots"] == 0)
    return 0 if begins and second_lots(first, second, lots) == 0 else lots


@jit
def shared_lots(first: Record, two: Record, m: int, most: int, most_second: int) -> int:
    """Return the largest number of lots of the first leg, at most `most`, with whose share the second one can fill.

    That is the order in slot `m` of the holding `two`.
    """
    second = two["slots"][m]
    fits, breaks, middle = 0, most + 1, most
    while breaks - fits > 1:
        if second_lots(first, second, middle) <= most_second:
            fits = middle
        else:
            breaks = middle
        middle = fits + (breaks - fits) // 2
    return int(with_both(first, two, m, fits))


@jit
def entry_share(portfolio: Record, holdings: Table, legs: Legs, offered: int) -> tuple[int, int]:
    """Return how many of the lots offered of the first leg both entries may fill, and why not all of them."""
    one, two = holdings[legs.first], holdings[legs.second]
    first, second = one["slots"][legs.slot], two["slots"][legs.second_slot]
    lots, why = largest(portfolio, holdings, legs, offered, NONE), NO_REASON
    if lots < offered:
        if lots == 0 or portfolio["reject"] == 1:
            return 0, NO_CASH
        why = REDUCED
    for g in range(portfolio["guards"]):
        allowed = largest(portfolio, holdings, legs, lots, g)
        if allowed < lots:
            rule = int(portfolio["guard_rows"][g]["number"])
            note_cut(portfolio, one, legs.bar, rule, lots, allowed)
            given = second_lots(first, second, allowed) if allowed > 0 else 0
            note_cut(portfolio, two, legs.second_bar, rule, second_lots(first, second, lots), given)
            lots, why = allowed, CAPPED
        if lots == 0:
            return 0, CAPPED
    is_cut = why != NO_REASON and first["filled"] == 0
    if is_cut and (is_too_small(one, lots) or is_too_small(two, second_lots(first, second, lots))):
        return 0, BELOW_MINIMUM
    return lots, why


@jit
def note_cut(portfolio: Record, holding: Record, bar: int, rule: int, lots: int, allowed: int) -> None:
    """Record that a cap cuts the entry of a leg."""
    before = to_quantity(lots, holding["lot_size"], holding["lot_inverse"])
    after = to_quantity(allowed, holding["lot_size"], holding["lot_inverse"])
    intervene(portfolio, holding["index"], bar, ENTRY_CUT if allowed > 0 else ENTRY_BLOCKED, rule, before, after)


@jit
def largest(portfolio: Record, holdings: Table, legs: Legs, lots: int, guard: int) -> int:
    """Return the largest number of lots of the first leg that the account can pay for, or that a cap allows.

    `guard` is the number of the cap, -1 for the account. The second leg has its share.
    """
    two = holdings[legs.second]
    first, second = holdings[legs.first]["slots"][legs.slot], two["slots"][legs.second_slot]
    fits, breaks, middle = 0, lots + 1, lots
    while breaks - fits > 1:
        share = second_lots(first, second, middle)
        if guard < 0:
            good = can_pay_both(portfolio, holdings, legs, middle, share)
        else:
            good = allows_both(portfolio, holdings, legs, middle, share, guard)
        if good:
            fits = middle
        else:
            breaks = middle
        middle = fits + (breaks - fits) // 2
    return int(with_both(first, two, legs.second_slot, fits))


@jit
def leg_costs(portfolio: Record, holding: Record, k: int, lots: int, price: float) -> tuple[float, float]:
    """Return quantity and costs of a fill of one leg; nothing for no lots."""
    if lots == 0:
        return 0.0, 0.0
    quantity, commission, slippage = fill_costs(portfolio, holding, k, lots, price)
    return quantity, commission + slippage


@jit
def can_pay_both(portfolio: Record, holdings: Table, legs: Legs, lots: int, share: int) -> bool:
    """Return whether margins and costs of both entries can be paid."""
    one, two = holdings[legs.first], holdings[legs.second]
    quantity, costs = leg_costs(portfolio, one, legs.slot, lots, legs.price)
    amount, more = leg_costs(portfolio, two, legs.second_slot, share, legs.second_price)
    taken = margin_of(one, quantity, legs.price, one["initial_margin"], one["unit_margin"])
    taken += margin_of(two, amount, legs.second_price, two["initial_margin"], two["unit_margin"])
    available = available_cash(portfolio, holdings, legs.first, legs.price)
    return bool((taken + costs + more) * (1.0 - TOLERANCE) <= available)


@jit
def allows_both(portfolio: Record, holdings: Table, legs: Legs, lots: int, share: int, guard: int) -> bool:
    """Return whether a cap is still met after both entries; each leg counts as an open position, and as an entry."""
    one, two, cap = holdings[legs.first], holdings[legs.second], portfolio["guard_rows"][guard]
    kind, limit = cap["kind"], cap["value"] * (1.0 + TOLERANCE)
    gross, net, gained = exposures(holdings, legs.first, legs.price)
    if kind == OPEN_TRADES:
        return bool(have_places(holdings, legs, cap, guard))
    if is_limit(cap):
        return bool(may_both_enter(portfolio, holdings, legs, cap, guard))
    if kind not in (MAX_POSITION, GROSS_EXPOSURE, NET_EXPOSURE):
        return True
    quantity, costs = leg_costs(portfolio, one, legs.slot, lots, legs.price)
    amount, more = leg_costs(portfolio, two, legs.second_slot, share, legs.second_price)
    value, added = value_of(one, quantity, legs.price), value_of(two, amount, legs.second_price)
    equity = portfolio["cash"] + gained - costs - more
    if kind != MAX_POSITION:
        value, added = one["slots"][legs.slot]["side"] * value, two["slots"][legs.second_slot]["side"] * added
        limit = limit if cap["in_cash"] == 1 else limit / 100.0 * equity
        if cap["grouped"] == 1:
            return bool(fits_groups(holdings, legs, cap, guard, value, added, limit))
        return bool(is_within(cap, (gross, net), abs(value) + abs(added), value + added, limit))
    return bool(
        fits_cap(one, cap, quantity, legs.price, limit, equity)
        and fits_cap(two, cap, amount, legs.second_price, limit, equity)
    )


@jit
def fits_groups(holdings: Table, legs: Legs, cap: Record, g: int, value: float, added: float, limit: float) -> bool:
    """Return whether the exposure of the group of each leg is within a cap after entries of these signed values."""
    first, second = holdings[legs.first]["guard_group"][g], holdings[legs.second]["guard_group"][g]
    gross, net = abs(value), value
    if first == second:
        gross, net = gross + abs(added), net + added
    before = group_exposures(holdings, legs.first, legs.price, g)
    if first >= 0 and not is_within(cap, before, gross, net, limit):
        return False
    before = group_exposures(holdings, legs.second, legs.second_price, g)
    return bool(first == second or second < 0 or is_within(cap, before, abs(added), added, limit))


@jit
def have_places(holdings: Table, legs: Legs, cap: Record, g: int) -> bool:
    """Return whether the number of positions allows both entries; with a cap for both sides, of one group together."""
    one, two = holdings[legs.first], holdings[legs.second]
    side, second_side = int(one["slots"][legs.slot]["side"]), int(two["slots"][legs.second_slot]["side"])
    if not (has_place(holdings, legs.first, cap, g, side) and has_place(holdings, legs.second, cap, g, second_side)):
        return False
    if one["lots"] != 0 or cap["side"] != 0:
        return True
    if cap["grouped"] == 1 and (one["guard_group"][g] != two["guard_group"][g] or one["guard_group"][g] < 0):
        return True
    return bool(open_others(holdings, legs.first, cap, g) + 2 <= cap["value"])


@jit
def may_both_enter(portfolio: Record, holdings: Table, legs: Legs, cap: Record, g: int) -> bool:
    """Return whether the number of entries allows one of each leg; a limit for all instruments counts both together.

    What has filled a part is the same entry.
    """
    one, two = holdings[legs.first], holdings[legs.second]
    if has_entered(one, legs.slot):
        return True
    side, second_side = int(one["slots"][legs.slot]["side"]), int(two["slots"][legs.second_slot]["side"])
    both = cap["shared"] == 1 and limits(cap, g, one, side) and limits(cap, g, two, second_side)
    more = 1 if both else 0
    return bool(
        allows_entry(portfolio, holdings, legs.first, g, side, more)
        and allows_entry(portfolio, holdings, legs.second, g, second_side, more)
    )


@jit
def fits_cap(holding: Record, cap: Record, added: float, price: float, limit: float, equity: float) -> bool:
    """Return whether the position of a leg is within a cap after a quantity has been added."""
    if cap["instrument"] >= 0 and cap["instrument"] != holding["index"]:
        return True
    held = abs(holding["quantity"]) + added
    if cap["in_units"] == 1:
        return bool(held <= limit)
    return bool(abs(value_of(holding, held, price)) <= (limit if cap["in_cash"] == 1 else limit / 100.0 * equity))
