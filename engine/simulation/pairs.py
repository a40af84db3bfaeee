"""Decisions on pairs: two instruments that are traded as one position. Compiled.

1. At a close, the signals of the first leg are acted on, and the open profit of both legs together. Orders are made for
   both legs at once, in a phase of their own (`PAIRED`): no other part of the loop fills them.
2. At the next step at which both legs have a bar, `engine.simulation.pair_fills` fills both orders, or none.
3. Forced exits can close one leg alone: margin calls, the end of a leg's data, its expiry, a split. The other leg is
   then closed at its next open.
"""

from __future__ import annotations

import math

from quantcrafter.engine.api.ports import ENTER_LONG, EXIT_LONG, EXIT_SHORT
from quantcrafter.engine.simulation.decisions import BY_SIGNAL, ENTRIES, FORCED, STAYING, contradicts, leave
from quantcrafter.engine.simulation.entries import size_value
from quantcrafter.engine.simulation.entry_limits import count_others
from quantcrafter.engine.simulation.halts import is_shut_out
from quantcrafter.engine.simulation.jit import jit, rare
from quantcrafter.engine.simulation.orders import add_order, block, block_signal, is_engaged, retire
from quantcrafter.engine.simulation.pair_fills import bar_of, paired_slot
from quantcrafter.engine.simulation.primitives import MOST_LOTS, TOLERANCE, to_quantity
from quantcrafter.engine.simulation.records import (
    BLOCKED_CONTRADICTION,
    BLOCKED_EXECUTION,
    BLOCKED_FILTER,
    BLOCKED_LEG,
    BLOCKED_MINIMUM,
    BLOCKED_OPPOSITE,
    BLOCKED_PRICE,
    BLOCKED_RATIO,
    BLOCKED_SIZE,
    BLOCKED_WARMUP,
    CANCELLED,
    CLOSE_OPPOSITE,
    ENDED_BY_OPPOSITE,
    ENDED_BY_SIGNAL,
    ENDED_BY_STOP,
    ENTRY,
    IGNORE_OPPOSITE,
    MARKET,
    OPENS,
    OPPOSITE,
    OTHER_LEG,
    OTHER_LEG_ENDED,
    PAIRED,
    REPLACED,
    SIGNAL,
    STOP_LOSS_HIT,
    TAKE_PROFIT_HIT,
    MarketArrays,
    Record,
    Table,
    Timeline,
)
from quantcrafter.engine.simulation.risk_records import FOR_GOOD
from quantcrafter.engine.simulation.sizing import entry_lots, is_too_small, note_result
from quantcrafter.engine.simulation.worth import pair_profit, value_of


@rare
def settle_pairs(portfolio: Record, holdings: Table) -> None:
    """Count each pair that has been closed as one trade: for streaks, sizes by history, and the last result."""
    for e in range(portfolio["execution_count"]):
        terms, value = portfolio["executions"][e], portfolio["pair_value"][e]
        if terms["pair"] == 0 or not value > 0.0:
            continue
        one, two = holdings[terms["first_leg"]], holdings[terms["second_leg"]]
        if is_held(one, e) or is_held(two, e):
            continue
        profit = portfolio["pair_profit"][e]
        kept, kept_value = one["part_profit"], one["part_value"]  # of another execution, if it has entered since
        one["part_profit"], one["part_value"] = profit, value
        note_result(portfolio, one, one["bar"])
        one["part_profit"], one["part_value"] = kept, kept_value
        two["last_result"] = one["last_result"]
        two["wins_in_row"], two["losses_in_row"] = one["wins_in_row"], one["losses_in_row"]
        if profit < 0.0:
            two["lost_bar"] = two["bar"]
        portfolio["pair_profit"][e], portfolio["pair_value"][e] = 0.0, 0.0


# ---------------------------------------------------------------------- decisions


@rare
def decide_pairs(
    portfolio: Record,
    holdings: Table,
    market: MarketArrays,
    timeline: Timeline,
    step: int,
    equity: float,
) -> None:
    """Make the decisions of all pairs of which a leg's bar closed at a step."""
    for e in range(portfolio["execution_count"]):
        terms = portfolio["executions"][e]
        if terms["pair"] == 0:
            continue
        a, b = int(terms["first_leg"]), int(terms["second_leg"])
        bar, other = bar_of(timeline, step, a), bar_of(timeline, step, b)
        if bar >= 0 or other >= 0:
            keep_together(portfolio, holdings[a], holdings[b], e)
            decide_pair(portfolio, holdings, market, e, bar, other, equity)


@jit
def is_held(holding: Record, e: int) -> bool:
    """Return whether an instrument has a position of execution `e`."""
    return bool(holding["lots"] != 0 and holding["execution"] == e)


@jit
def has_ended(holding: Record) -> bool:
    """Return whether an instrument has no further bar."""
    return bool(holding["bar"] >= holding["last_bar"])


@jit
def keep_together(portfolio: Record, one: Record, two: Record, e: int) -> None:
    """Bring orders of both legs in line, after forced exits, halts and the end of a leg's data."""
    over = has_ended(one) or has_ended(two)
    if over or (paired_slot(one, e, 1) < 0) != (paired_slot(two, e, 1) < 0):
        end_pair_entries(portfolio, one, two, e, 0, OTHER_LEG_ENDED)
    if is_held(one, e) and is_held(two, e) and not over:
        if one["leaving"] < two["leaving"]:
            leave(portfolio, one, one["bar"], exit_reason(two), MARKET)
        elif two["leaving"] < one["leaving"]:
            leave(portfolio, two, two["bar"], exit_reason(one), MARKET)
        # A broker that calls margin, or closes the account, sells each leg as soon as it can.
        alone = portfolio["margin_called"] == 1 or (portfolio["halted"] == FOR_GOOD and portfolio["halt_rule"] < 0)
        send_exits(one, e, OPENS if alone else PAIRED)
        send_exits(two, e, OPENS if alone else PAIRED)
        return
    leave_alone(portfolio, one, e)
    leave_alone(portfolio, two, e)


@jit
def leave_alone(portfolio: Record, holding: Record, e: int) -> None:
    """Let a leg whose other one is gone be closed at its next open."""
    if is_held(holding, e) and not has_ended(holding):
        send_exits(holding, e, OPENS)
        if holding["leaving"] == 0:
            leave(portfolio, holding, holding["bar"], OTHER_LEG, MARKET)


@jit
def exit_reason(holding: Record) -> int:
    """Return why the position is being closed."""
    for k in range(holding["working"]):
        if holding["opens"][k] == 0:
            return int(holding["slots"][k]["reason"])
    return int(OTHER_LEG)


@jit
def send_exits(holding: Record, e: int, phase: int) -> None:
    """Let the exits of a leg fill alone at an open (OPENS), or together with those of the other leg (PAIRED)."""
    for k in range(holding["working"]):
        if holding["opens"][k] == 0 and holding["slots"][k]["execution"] == e:
            holding["phase"][k] = phase


@jit
def end_pair_entries(portfolio: Record, one: Record, two: Record, e: int, side: int, reason: int) -> None:
    """Cancel waiting entries of both legs; `side` is that of the first leg, 0 for either."""
    k, m = paired_slot(one, e, 1), paired_slot(two, e, 1)
    if k >= 0 and (side == 0 or one["slots"][k]["side"] == side):
        retire(portfolio, one, k, one["bar"], CANCELLED, reason)
    if m >= 0 and (side == 0 or two["slots"][m]["side"] == -side):
        retire(portfolio, two, m, two["bar"], CANCELLED, reason)


@jit
def leave_pair(portfolio: Record, one: Record, two: Record, e: int, reason: int) -> None:
    """Order both legs to be closed at the next opens that they have together."""
    leave(portfolio, one, one["bar"], reason, MARKET)
    leave(portfolio, two, two["bar"], reason, MARKET)
    send_exits(one, e, PAIRED)
    send_exits(two, e, PAIRED)


@jit
def decide_pair(
    portfolio: Record, holdings: Table, market: MarketArrays, e: int, bar: int, other: int, equity: float
) -> None:
    """Act on the profit of a pair, then on its signals: those of the first leg's bar."""
    terms = portfolio["executions"][e]
    one, two = holdings[terms["first_leg"]], holdings[terms["second_leg"]]
    whole = is_held(one, e) and is_held(two, e) and not has_ended(one) and not has_ended(two)
    if whole and one["leaving"] == 0:
        leave_by_profit(portfolio, one, two, e)
    if bar < 0:
        return
    flags = int(market.signals[e, one["start"] + bar])
    if bar < one["first_bar"] or (other >= 0 and other < two["first_bar"]):
        if flags & ENTRIES != 0:
            block_signal(portfolio, one, e, bar, flags & ENTRIES, BLOCKED_WARMUP)
        return
    leaving = exit_pair_by_signal(portfolio, one, two, e, flags, whole)
    entries = flags & ENTRIES
    if entries == 0:
        return
    if has_ended(one) or (other >= 0 and has_ended(two)):
        block_signal(portfolio, one, e, bar, entries, BLOCKED_LEG)
        return
    if is_taken(one, e) or is_taken(two, e):
        block_signal(portfolio, one, e, bar, entries, BLOCKED_EXECUTION)
        return
    one["execution"], two["execution"] = e, e
    if contradicts(terms, flags):
        block(portfolio, one, bar, entries, BLOCKED_CONTRADICTION)
    else:
        act_on_pair_entry(portfolio, holdings, market, e, bar, other, entries, leaving, equity)


@jit
def leave_by_profit(portfolio: Record, one: Record, two: Record, e: int) -> None:
    """Close a pair whose open profit has reached its stop or target; a stop also ends the rest of its entry."""
    reason = exit_by_profit(portfolio["executions"][e], one, two)
    if reason >= 0:
        leave_pair(portfolio, one, two, e, reason)
    if reason == STOP_LOSS_HIT:
        end_pair_entries(portfolio, one, two, e, 0, ENDED_BY_STOP)


@jit
def exit_by_profit(terms: Record, one: Record, two: Record) -> int:
    """Return why a pair's open profit closes it, or -1: its stop, then its target."""
    profit, value = pair_profit(one, two)
    if is_reached(-profit, value, terms["pair_stop_percent"], terms["pair_stop_cash"]):
        return int(STOP_LOSS_HIT)
    if is_reached(profit, value, terms["pair_target_percent"], terms["pair_target_cash"]):
        return int(TAKE_PROFIT_HIT)
    return -1


@jit
def is_reached(gained: float, value: float, percent: float, cash: float) -> bool:
    """Return whether a gain reaches a share of the value, or an amount; 0 stands for no limit."""
    reached = gained * (1.0 + TOLERANCE)
    return bool((percent > 0.0 and reached * 100.0 >= percent * value) or (cash > 0.0 and reached >= cash))


@jit
def exit_pair_by_signal(portfolio: Record, one: Record, two: Record, e: int, flags: int, whole: bool) -> int:  # noqa: FBT001 - compiled
    """Act on the exit flags, as `decisions.exit_by_signal` does, for both legs."""
    if flags & EXIT_LONG != 0:
        end_pair_entries(portfolio, one, two, e, 1, ENDED_BY_SIGNAL)
    if flags & EXIT_SHORT != 0:
        end_pair_entries(portfolio, one, two, e, -1, ENDED_BY_SIGNAL)
    held = int(one["lots"]) if is_held(one, e) else 0
    forced = held != 0 and one["leaving"] == 1
    leaving = (held > 0 and flags & EXIT_LONG != 0) or (held < 0 and flags & EXIT_SHORT != 0)
    if leaving and not forced and whole:
        leave_pair(portfolio, one, two, e, SIGNAL)
    if leaving:
        return int(BY_SIGNAL)
    return int(FORCED if forced else STAYING)


@jit
def is_taken(holding: Record, e: int) -> bool:
    """Return whether another execution has a position, a grid or an entry in an instrument."""
    return bool(holding["execution"] != e and is_engaged(holding))


@jit
def act_on_pair_entry(  # noqa: PLR0913, PLR0917 - arrays and numbers: numba takes nothing else
    portfolio: Record,
    holdings: Table,
    market: MarketArrays,
    e: int,
    bar: int,
    other: int,
    entries: int,
    leaving: int,
    equity: float,
) -> None:
    """Act on an entry flag: enter both legs, close a pair of the other side, or neither."""
    terms = portfolio["executions"][e]
    one, two = holdings[terms["first_leg"]], holdings[terms["second_leg"]]
    held = int(one["lots"])
    side = 1 if entries == ENTER_LONG else -1
    if held * side > 0:
        return
    if (held == 0) != (two["lots"] == 0):
        block(portfolio, one, bar, entries, BLOCKED_LEG)
        return
    if held != 0 and leaving != BY_SIGNAL:
        if terms["on_opposite"] == IGNORE_OPPOSITE:
            block(portfolio, one, bar, entries, BLOCKED_OPPOSITE)
            return
        if leaving == STAYING:
            leave_pair(portfolio, one, two, e, OPPOSITE)
    end_pair_entries(portfolio, one, two, e, -side, ENDED_BY_OPPOSITE)
    if held != 0 and leaving != BY_SIGNAL and terms["on_opposite"] == CLOSE_OPPOSITE:
        return
    enter_pair(portfolio, holdings, market, e, bar, other, entries, side, equity)


@jit
def enter_pair(  # noqa: PLR0913, PLR0917 - arrays and numbers: numba takes nothing else
    portfolio: Record,
    holdings: Table,
    market: MarketArrays,
    e: int,
    bar: int,
    other: int,
    flag: int,
    side: int,
    equity: float,
) -> None:
    """Order an entry of both legs, or note why there is none."""
    terms = portfolio["executions"][e]
    a, b = int(terms["first_leg"]), int(terms["second_leg"])
    one, two = holdings[a], holdings[b]
    if not market.allowed[e, one["start"] + bar]:
        block(portfolio, one, bar, flag, BLOCKED_FILTER)
        return
    if other < 0:
        block(portfolio, one, bar, flag, BLOCKED_LEG)
        return
    count_others(portfolio, holdings, a)
    if is_shut_out(portfolio, one, market, bar, flag, side):
        return
    count_others(portfolio, holdings, b)
    if is_shut_out(portfolio, two, market, other, flag, -side):
        return
    lots, share, reason = pair_lots(portfolio, one, two, market, e, bar, other, equity)
    if lots == 0 or share == 0:
        block(portfolio, one, bar, flag, reason)
        return
    end_pair_entries(portfolio, one, two, e, side, REPLACED)
    k = add_order(portfolio, one, bar, MARKET, side, lots, ENTRY)
    m = add_order(portfolio, two, other, MARKET, -side, share, ENTRY)
    one["phase"][k], two["phase"][m] = PAIRED, PAIRED
    two["slots"][m]["parent"] = one["slots"][k]["id"]


@jit
def pair_lots(
    portfolio: Record, one: Record, two: Record, market: MarketArrays, e: int, bar: int, other: int, equity: float
) -> tuple[int, int, int]:
    """Return the lots of both legs, and the reason where those of one are 0.

    The money rule sizes the first leg. The second has the hedge ratio times its units, or its value, to the nearest
    lot.
    """
    terms, row = portfolio["executions"][e], one["start"] + bar
    ratio = market.columns[terms["ratio"], row] / market.columns[terms["ratio"], two["start"] + other]
    if not 0.0 < ratio < math.inf:
        return 0, 0, int(BLOCKED_RATIO)
    close, second = market.close[row], market.close[two["start"] + other]
    lots, reason = entry_lots(portfolio, one, close, equity, math.inf, size_value(portfolio, one, market, row))
    if lots == 0:
        return 0, 0, int(reason)
    wanted = ratio * to_quantity(lots, one["lot_size"], one["lot_inverse"])
    if terms["by_value"] == 1:
        unit = value_of(two, 1.0, second)
        value = value_of(one, wanted, close)
        if not (unit > 0.0 and value > 0.0):
            return 0, 0, int(BLOCKED_PRICE)
        wanted = value / unit
    share = nearest_lots(two, wanted)
    if is_too_small(two, share):
        return lots, 0, int(BLOCKED_MINIMUM if share > 0 else BLOCKED_SIZE)
    return lots, share, int(BLOCKED_SIZE)


@jit
def nearest_lots(holding: Record, quantity: float) -> int:
    """Return the number of lots nearest to a quantity, halves upwards."""
    lots = quantity * holding["lot_inverse"] if holding["lot_inverse"] > 0.0 else quantity / holding["lot_size"]
    whole: int = math.floor(min(lots * (1.0 + TOLERANCE) + 0.5, MOST_LOTS))
    return whole
