"""The bar loop of QC-BAR-1, compiled, and its single steps for the driver in Python.

At every step, for the instruments whose bars close then, each phase in file order:
1. orders that the open satisfies fill at the open: market orders, then stops, then limits;
2. stop orders that the bar touches fill, then limit orders, each by id; a filled one cancels its OCO sibling
   immediately;
3. for entries inside the bar, stops, and then targets, fill if they were certainly reached after the entry;
4. orders at the close fill; positions are valued at the close, and equity is recorded;
5. decisions are made; orders created here are active from the instrument's next bar on. A phase runs for all of these
   instruments before the next begins, so that no entry at an open uses the proceeds of a later stop, and all decisions
   of a step use the same equity.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from quantcrafter.engine.api.ports import FloatColumn
from quantcrafter.engine.simulation.decisions import decide
from quantcrafter.engine.simulation.entries import begin_day_bar
from quantcrafter.engine.simulation.financing import begin_bar, end_bar
from quantcrafter.engine.simulation.halts import close_account, force_exit, is_lost, note_late_exit, watch
from quantcrafter.engine.simulation.jit import entry, fetch, inlined, jit, lend, rare
from quantcrafter.engine.simulation.matching import (
    end_data,
    fill_on_way,
    mark,
    mark_held,
    match_after,
    match_close,
    match_open,
    match_phase,
)
from quantcrafter.engine.simulation.pair_fills import match_pairs
from quantcrafter.engine.simulation.pairs import decide_pairs, settle_pairs
from quantcrafter.engine.simulation.protection import move_orders
from quantcrafter.engine.simulation.quiet import (
    catch_up,
    catch_up_all,
    has_room,
    is_asleep,
    is_quiet,
    is_untouched,
    mark_only,
    mark_quiet,
    note_cash,
    pass_quiet,
    pass_quiet_together,
    quiet_end,
    set_alarm,
)
from quantcrafter.engine.simulation.quiet_alone import pass_quiet_alone
from quantcrafter.engine.simulation.quotes import set_spread
from quantcrafter.engine.simulation.ranking import next_ranked
from quantcrafter.engine.simulation.rebalance import rebalance
from quantcrafter.engine.simulation.records import (
    ANY,
    CLOSES,
    CLOSING,
    DECISIONS,
    LIMITS,
    NONE,
    OPENS,
    STOPS,
    UP_TO_CLOSE,
    WHOLE,
    MarketArrays,
    Record,
    Table,
    Timeline,
)
from quantcrafter.engine.simulation.steps import Steps, run_nodes
from quantcrafter.engine.simulation.venue_rules import read_rules
from quantcrafter.engine.simulation.withdrawal import begin_period
from quantcrafter.engine.simulation.worth import worth

AT_OPEN: Any = np.int64(0)
INSIDE: Any = np.int64(1)
AFTER: Any = np.int64(2)
AFTER_REVERSAL: Any = np.int64(3)
"""The phases of a bar: at the open, inside the bar, after entries inside it, and after reversals of such entries."""


@inlined
def equity_of(portfolio: Record, holdings: Table) -> float:
    """Return cash plus all positions at their marks."""
    equity = portfolio["cash"]
    for i in range(len(holdings)):
        if holdings[i]["lots"] != 0:
            equity += worth(holdings[i], holdings[i]["mark"])
    return float(equity)


@inlined
def events_of(holdings: Table, timeline: Timeline, step: int) -> tuple[int, int]:
    """Return the first event of a step and the one after its last; side by side each instrument has one."""
    if len(timeline.first_event) == 0:
        return 0, len(holdings)
    return timeline.first_event[step], timeline.first_event[step + 1]


def begin_days_of(portfolios: Table, holdings: Table, market: MarketArrays, timeline: Timeline, step: int) -> None:
    """End orders that were good for a day which is over at the bars of a step."""
    first, last = events_of(holdings, timeline, step)
    begin_days(portfolios[0], holdings, market, timeline, step, first, last)


def has_room_for(portfolios: Table, holdings: Table, timeline: Timeline, step: int) -> bool:
    """Return whether every table has room for a step."""
    first, last = events_of(holdings, timeline, step)
    return bool(has_room(portfolios[0], last - first))


@inlined
def event_at(timeline: Timeline, step: int, event: int) -> tuple[int, int]:
    """Return instrument and bar of an event of a step."""
    if len(timeline.first_event) == 0:
        return event, step
    return timeline.instrument[event], timeline.bar[event]


@inlined
def prices_at(market: MarketArrays, row: int) -> tuple[float, float, float, float]:
    """Return open, high, low and close of a row."""
    return market.open[row], market.high[row], market.low[row], market.close[row]


@inlined
def settle(
    portfolios: Table, holdings: Table, market: MarketArrays, timeline: Timeline, curve: FloatColumn, step: int
) -> float:
    """Value the positions of a step at its close; record equity and cash, and return the equity."""
    portfolio = portfolios[0]
    first, last = events_of(holdings, timeline, step)
    for event in range(first, last):
        i, bar = event_at(timeline, step, event)
        holding = holdings[i]
        row = holding["start"] + bar
        if is_asleep(holding):
            mark_quiet(portfolio, holding, market, bar, row)
            continue
        if portfolio["financed"] == 1 and portfolio["at_close"] == 0:
            end_bar(portfolio, holding, market, bar)
        if holding["lots"] != 0:
            mark(portfolio, holding, bar, market.high[row], market.low[row], market.close[row])
    equity = equity_of(portfolio, holdings)
    curve[0, step] = equity
    note_cash(portfolio, curve, step)
    return equity


@inlined
def settle_together(
    portfolio: Record, holdings: Table, market: MarketArrays, curve: FloatColumn, step: int, awake: int
) -> float:
    """Settle a step of many instruments side by side; those asleep are brought up to date when they wake."""
    for turn in range(awake):
        holding = holdings[holdings[turn]["turn"]]
        row = holding["start"] + step
        if holding["lots"] != 0:
            mark(portfolio, holding, step, market.high[row], market.low[row], market.close[row])
    equity = portfolio["cash"]
    for i in range(len(holdings)):
        holding = holdings[i]
        if holding["lots"] != 0:
            if holding["awake"] == 0:
                mark_only(holding, market, step)
            equity += worth(holding, holding["mark"])
    curve[0, step] = equity
    note_cash(portfolio, curve, step)
    return float(equity)


@jit
def open_step(  # noqa: C901 - in order
    portfolios: Table, holdings: Table, market: MarketArrays, timeline: Timeline, step: int
) -> None:
    """Begin the bars of a step: what happened since the last close is booked before any order fills."""
    portfolio = portfolios[0]
    if portfolio["withdraw_percent"] != 0.0:
        begin_period(portfolio, holdings, market, step)
    first, last = events_of(holdings, timeline, step)
    for event in range(first, last):
        i, bar = event_at(timeline, step, event)
        holding = holdings[i]
        row = holding["start"] + bar
        if is_asleep(holding):
            if len(market.account.rate_open) > 0:
                holding["rate"] = market.account.rate_open[row]
            continue
        holding["bar"] = bar
        holding["bar_range"] = market.high[row] - market.low[row]
        if portfolio["skip_empty"] == 1:
            holding["untraded"] = 0 if market.account.volume[row] > 0.0 else 1
        if portfolio["venue_rules"] == 1:
            read_rules(portfolio, holding, market, row)
        if portfolio["spread_row"] >= 0:
            set_spread(holding, market.columns[portfolio["spread_row"], row])
        if portfolio["volume_percent"] > 0.0:
            holding["volume_left"] = market.account.volume[row] * portfolio["volume_percent"] / 100.0
        if len(market.account.closing) > 0:
            note_late_exit(portfolio, holding, market, bar)
        if portfolio["financed"] == 1:
            begin_bar(portfolio, holding, market, bar)


@jit
def begin_days(
    portfolio: Record, holdings: Table, market: MarketArrays, timeline: Timeline, step: int, first: int, last: int
) -> None:
    """End day orders whose day is over at the bars of a step."""
    if len(market.day_edge) == 0:
        return
    for event in range(first, last):
        i, bar = event_at(timeline, step, event)
        begin_day_bar(portfolio, holdings[i], market, bar)


@jit
def open_ranked(
    portfolios: Table, holdings: Table, rules: Table, market: MarketArrays, timeline: Timeline, step: int
) -> None:
    """Fill entries at the open of a step, the instrument of the highest rank first."""
    first, last = events_of(holdings, timeline, step)
    event = next_ranked(portfolios, holdings, market, timeline, first, last, step, OPENS)
    while event >= 0:
        i, bar = event_at(timeline, step, event)
        price = market.open[holdings[i]["start"] + bar]
        match_open(portfolios[0], holdings, rules, market, i, bar, ANY, price)
        event = next_ranked(portfolios, holdings, market, timeline, first, last, step, OPENS)


@rare
def reach_close(portfolios: Table, holdings: Table, market: MarketArrays, timeline: Timeline, step: int) -> None:
    """Book what is due inside the bars of a step, and value positions at their closes, before orders fill there."""
    portfolio = portfolios[0]
    first, last = events_of(holdings, timeline, step)
    for event in range(first, last):
        i, bar = event_at(timeline, step, event)
        holding = holdings[i]
        row = holding["start"] + bar
        if is_asleep(holding):
            mark_quiet(portfolio, holding, market, bar, row)
            continue
        if portfolio["financed"] == 1:
            end_bar(portfolio, holding, market, bar)
        if holding["lots"] != 0:
            mark_held(holding, bar, market.high[row], market.low[row], market.close[row])


@rare
def match_closes(
    portfolios: Table, holdings: Table, rules: Table, market: MarketArrays, timeline: Timeline, step: int
) -> None:
    """Fill orders at the closes of a step: by instrument, or with ranks exits first and then entries by rank."""
    portfolio = portfolios[0]
    first, last = events_of(holdings, timeline, step)
    if portfolio["ranked"] == 1:
        for event in range(first, last):
            i, bar = event_at(timeline, step, event)
            price = market.close[holdings[i]["start"] + bar]
            match_close(portfolio, holdings, rules, market, i, bar, CLOSING, price)
        event = next_ranked(portfolios, holdings, market, timeline, first, last, step, CLOSES)
        while event >= 0:
            i, bar = event_at(timeline, step, event)
            price = market.close[holdings[i]["start"] + bar]
            match_close(portfolio, holdings, rules, market, i, bar, ANY, price)
            event = next_ranked(portfolios, holdings, market, timeline, first, last, step, CLOSES)
        return
    for event in range(first, last):
        i, bar = event_at(timeline, step, event)
        if holdings[i]["working"] > 0:
            price = market.close[holdings[i]["start"] + bar]
            match_close(portfolio, holdings, rules, market, i, bar, ANY, price)


@inlined
def close_step(
    portfolios: Table, holdings: Table, rules: Table, market: MarketArrays, timeline: Timeline, step: int
) -> None:
    """Fill orders at the closes of a step, if there can be any."""
    if portfolios[0]["at_close"] == 1:
        reach_close(portfolios, holdings, market, timeline, step)
        match_closes(portfolios, holdings, rules, market, timeline, step)


@inlined
def hold_auction(
    portfolios: Table, holdings: Table, rules: Table, market: MarketArrays, timeline: Timeline, step: int
) -> None:
    """Fill orders at the very close on which they were decided, if the terms say so, then end those of ended data."""
    if portfolios[0]["auction"] == 0:
        return
    match_closes(portfolios, holdings, rules, market, timeline, step)
    first, last = events_of(holdings, timeline, step)
    for event in range(first, last):
        i, bar = event_at(timeline, step, event)
        if holdings[i]["lots"] != 0:
            # A fill leaves its own price, which is that of a side where there is a spread.
            holdings[i]["mark"] = market.close[holdings[i]["start"] + bar]
        end_data(portfolios[0], holdings[i], bar)


@inlined
def note_auction(portfolios: Table, holdings: Table, curve: FloatColumn, step: int) -> None:
    """Record equity and cash again after orders have filled at the very close of their decision."""
    if portfolios[0]["auction"] == 1:
        curve[0, step] = equity_of(portfolios[0], holdings)
        note_cash(portfolios[0], curve, step)


@rare
def open_in_order(
    portfolios: Table, holdings: Table, rules: Table, market: MarketArrays, timeline: Timeline, step: int
) -> None:
    """Fill the market orders that come first at an open: of pairs; for weights and ranks, exits; by rank, entries."""
    portfolio = portfolios[0]
    if portfolio["paired"] == 1:
        match_pairs(portfolios, holdings, rules, market, timeline, step)
    if portfolio["rebalance"] == 1 or portfolio["ranked"] == 1:
        first, last = events_of(holdings, timeline, step)
        for event in range(first, last):
            i, bar = event_at(timeline, step, event)
            price = market.open[holdings[i]["start"] + bar]
            match_open(portfolio, holdings, rules, market, i, bar, CLOSING, price)
    if portfolio["ranked"] == 1:
        open_ranked(portfolios, holdings, rules, market, timeline, step)


@inlined
def wake(portfolio: Record, holdings: Table, market: MarketArrays, timeline: Timeline, step: int, known: int) -> int:
    """Note which instruments of a step are more than quiet at its bar, in `turn`, and return how many they are.

    The others need only be valued. The list ends with -1. If instruments are side by side, it looks ahead up to the
    step `known` and remembers how far each is quiet; a single one is known not to be.
    """
    if known > step and len(holdings) == 1:
        holdings[0]["awake"], holdings[0]["turn"], holdings[0]["bar"] = 1, 0, step
        return 1
    first, last = events_of(holdings, timeline, step)
    awake, next_wake = 0, known
    for event in range(first, last):
        i, bar = event_at(timeline, step, event)
        holding = holdings[i]
        if known > step:
            end = quiet_end(portfolio, holding, market, step, known)
            quiet = end > step
            next_wake = min(next_wake, end) if quiet else next_wake
        else:
            quiet = is_quiet(portfolio, holding, market, bar, holding["start"] + bar)
        if quiet:
            holding["awake"] = 0
        else:
            if known > step:
                catch_up(holding, market, bar)
            holding["awake"] = 1
            holdings[awake]["turn"] = event
            awake += 1
        if not quiet or known <= step:
            holding["bar"] = bar
    if awake < len(holdings):
        holdings[awake]["turn"] = NONE
    portfolio["next_wake"] = next_wake
    return awake


@jit
def match_step(
    portfolio: Record, holdings: Table, rules: Table, market: MarketArrays, timeline: Timeline, step: int, awake: int
) -> None:
    """Fill stops and limits of a step: at the open, inside the bar, then after entries inside it."""
    entered = False
    for course in (AT_OPEN, INSIDE, AFTER, AFTER_REVERSAL):
        if (course == AFTER and not entered) or (course == AFTER_REVERSAL and portfolio["opposing"] == 0):
            return
        for phase in (STOPS, LIMITS):
            for turn in range(awake):
                i, bar = event_at(timeline, step, holdings[turn]["turn"])
                holding = holdings[i]
                if holding["working"] == 0 or is_untouched(holding, market, bar):
                    continue
                prices = prices_at(market, holding["start"] + bar)
                if course >= AFTER:
                    match_after(portfolio, holdings, rules, market, i, bar, phase, prices)
                    continue
                holding["inside"] = course
                if course == AT_OPEN:
                    prices = prices[0], prices[0], prices[0], prices[0]
                elif phase == STOPS and holding["placed"] > 0:
                    fill_on_way(portfolio, holdings, rules, market, i, bar, prices)
                match_phase(portfolio, holdings, rules, market, i, bar, phase, prices)
                holding["inside"] = 0
                entered = entered or holding["inside_bar"] == bar


@inlined
def fill_at_open(
    portfolio: Record,
    holdings: Table,
    rules: Table,
    market: MarketArrays,
    timeline: Timeline,
    step: int,
    awake: int,
    known: int,
) -> bool:
    """Fill market orders at the open; return whether any other order may fill at this step."""
    working = False
    for turn in range(awake):
        i, bar = event_at(timeline, step, holdings[turn]["turn"])
        holding = holdings[i]
        if holding["working"] > 0 and not is_untouched(holding, market, bar):
            match_open(portfolio, holdings, rules, market, i, bar, ANY, market.open[holding["start"] + bar])
            if known > step and portfolio["opposing"] == 0:
                # Orders made at the open are usually not reached in the rest of the bar.
                set_alarm(portfolio, holding)
            working = working or (holding["working"] > 0 and not is_untouched(holding, market, bar))
    return working


@jit
def fill_step(
    portfolios: Table,
    holdings: Table,
    rules: Table,
    market: MarketArrays,
    timeline: Timeline,
    curve: FloatColumn,
    step: int,
    known: int,
) -> float:
    """Run a step up to its close: fill orders and value positions. Return the equity.

    `known` is the step up to which it may look ahead, if later: all bars before it exist.

    NaN means that nothing was done because a table may be full: empty the tables and call again.
    """
    portfolio = portfolios[0]
    first, last = events_of(holdings, timeline, step)
    if not has_room(portfolio, last - first):
        return math.nan
    awake = wake(portfolio, holdings, market, timeline, step, known)
    begin_days(portfolio, holdings, market, timeline, step, first, last)
    if portfolio["opening"] == 1:
        open_step(portfolios, holdings, market, timeline, step)
    if portfolio["staged"] == 1:
        open_in_order(portfolios, holdings, rules, market, timeline, step)
    working = fill_at_open(portfolio, holdings, rules, market, timeline, step, awake, known)
    if working:
        match_step(portfolio, holdings, rules, market, timeline, step, awake)
    close_step(portfolios, holdings, rules, market, timeline, step)
    if known > step and len(holdings) > 1:
        return float(settle_together(portfolio, holdings, market, curve, step, awake))
    return float(settle(portfolios, holdings, market, timeline, curve, step))


@inlined
def decide_event(
    portfolios: Table, holdings: Table, rules: Table, market: MarketArrays, i: int, bar: int, equity: float
) -> None:
    """Take the decisions of one instrument on the close of its bar, and end its orders with its data."""
    portfolio, holding = portfolios[0], holdings[i]
    if portfolio["moving"] == 1:
        move_orders(portfolio, holding, rules, market, bar)
    if portfolio["guards"] > 0:
        force_exit(portfolio, holding, market, bar)
    checked = portfolio["checks_closes"] == 1 and (
        holding["working"] > 0 or holding["lots"] != 0 or holding["grid_side"] != 0
    )
    if checked or market.flags[holding["start"] + bar] != 0:
        following = holding["start"] + bar + 1
        fetch(market.open, following)
        fetch(market.high, following)
        fetch(market.low, following)
        fetch(market.close, following)
        decide(portfolio, holdings, rules, market, i, bar, equity)
    if portfolio["auction"] == 0:
        end_data(portfolio, holding, bar)


@inlined
def decide_events(
    portfolios: Table, holdings: Table, rules: Table, market: MarketArrays, timeline: Timeline, step: int, equity: float
) -> None:
    """Take the decisions of all instruments of a step, in file order, then those of pairs."""
    first, last = events_of(holdings, timeline, step)
    for event in range(first, last):
        i, bar = event_at(timeline, step, event)
        if not is_asleep(holdings[i]):
            decide_event(portfolios, holdings, rules, market, i, bar, equity)
    if portfolios[0]["paired"] == 1:
        decide_pairs(portfolios[0], holdings, market, timeline, step, equity)


@jit
def decide_step(  # noqa: PLR0913, PLR0917 - arrays and numbers: numba takes nothing else
    portfolios: Table,
    holdings: Table,
    rules: Table,
    market: MarketArrays,
    timeline: Timeline,
    steps: Steps,
    step: int,
    equity: float,
    part: int,
) -> bool:
    """Run the nodes that read the position, then make all decisions: of guards, then of instruments in file order.

    Return whether only instruments that were awake can have changed.
    """
    portfolio = portfolios[0]
    if portfolio["paired"] == 1:
        settle_pairs(portfolio, holdings)
    if portfolio["stepped"] == 1:
        run_nodes(portfolios, holdings, steps, timeline, step, equity)
    if portfolio["watched"] == 1:
        watch(portfolio, holdings, market, step, equity)
    lost = is_lost(portfolio, equity)
    if lost:
        if len(timeline.first_event) == 0:
            catch_up_all(holdings, market, step + 1)
        close_account(portfolio, holdings, step, equity)
    if portfolio["rebalance"] == 1:
        first, last = events_of(holdings, timeline, step)
        instruments, bars = timeline.instrument[first:last], timeline.bar[first:last]
        rebalance(portfolio, holdings, rules, market, instruments, bars, timeline.due[step], equity)
    if part == WHOLE and portfolio["simple"] == 1 and portfolio["rebalance"] == 0 and not lost:
        turn = 0
        while turn < len(holdings) and holdings[turn]["turn"] >= 0:
            i, bar = event_at(timeline, step, holdings[turn]["turn"])
            decide_event(portfolios, holdings, rules, market, i, bar, equity)
            turn += 1
        return True
    decide_events(portfolios, holdings, rules, market, timeline, step, equity)
    hold_auction(portfolios, holdings, rules, market, timeline, step)
    return False


@entry
def run_steps(  # noqa: PLR0913, PLR0917 - arrays and numbers: numba takes nothing else
    portfolios: Table,
    holdings: Table,
    rules: Table,
    market: MarketArrays,
    timeline: Timeline,
    curve: FloatColumn,
    steps: Steps,
    start: int,
    stop: int,
    part: int,
) -> int:
    """Run steps `start` to `stop`, recording equity and cash of each in `curve`; return the first step not run.

    That is `stop`, or an earlier step for which a table may be full: empty the tables and call again from there. `part`
    is WHOLE, or the part of each step to run: UP_TO_CLOSE, or the DECISIONS at a close that was reached in this way.
    """
    return int(
        run_lent(portfolios, holdings, rules, lend(market), lend(timeline), curve, lend(steps), start, stop, part)
    )


@jit
def run_lent(  # noqa: PLR0913, PLR0917 - arrays and numbers: numba takes nothing else
    portfolios: Table,
    holdings: Table,
    rules: Table,
    market: MarketArrays,
    timeline: Timeline,
    curve: FloatColumn,
    steps: Steps,
    start: int,
    stop: int,
    part: int,
) -> int:
    """Do what `run_steps` does: in a function of its own, whose frame doesn't hold all columns of the market.

    With a large frame the processor waited at each call for the arguments that it had just written to the stack.
    """
    portfolio = portfolios[0]
    alongside = part == WHOLE and len(timeline.first_event) == 0 and portfolio["simple"] == 1
    portfolio["next_wake"] = stop
    step = start
    while step < stop:
        if part == WHOLE:
            if alongside and len(holdings) == 1:
                step = pass_quiet_alone(portfolio, holdings[0], rules, market, curve, step, stop)
            elif alongside:
                step = pass_quiet_together(portfolio, holdings, market, curve, step, stop)
            else:
                step = pass_quiet(portfolio, holdings, market, timeline, curve, step, stop)
            if step == stop:
                break
        if part != DECISIONS:
            known = stop if alongside else step
            if math.isnan(fill_step(portfolios, holdings, rules, market, timeline, curve, step, known)):
                break
        if part != UP_TO_CLOSE:
            awake_only = decide_step(portfolios, holdings, rules, market, timeline, steps, step, curve[0, step], part)
            note_auction(portfolios, holdings, curve, step)
            if part == WHOLE:
                set_alarms(portfolio, holdings, timeline, step, awake_only)
        step += 1
    catch_up_all(holdings, market, step if alongside else 0)
    return step


@inlined
def set_alarms(portfolio: Record, holdings: Table, timeline: Timeline, step: int, awake_only: bool) -> None:  # noqa: FBT001 - no keywords here
    """Set the alarms of the instruments of a step; those that were not awake keep theirs."""
    if awake_only:
        turn = 0
        while turn < len(holdings) and holdings[turn]["turn"] >= 0:
            set_alarm(portfolio, holdings[event_at(timeline, step, holdings[turn]["turn"])[0]])
            turn += 1
        return
    first, last = events_of(holdings, timeline, step)
    for event in range(first, last):
        holding = holdings[event_at(timeline, step, event)[0]]
        if not is_asleep(holding):
            set_alarm(portfolio, holding)
