"""Guards of the account and of the holding time of positions: halts and forced exits. Compiled.

`watch` runs once per step, after equity has been updated and before any decision; `forced_exit` and `shut_out` are
called while decisions are made.
"""

from __future__ import annotations

from quantcrafter.engine.simulation.entry_limits import count_at_close, limit_reached
from quantcrafter.engine.simulation.interventions import intervene
from quantcrafter.engine.simulation.jit import jit
from quantcrafter.engine.simulation.orders import add_order, block, end_entries
from quantcrafter.engine.simulation.records import (
    BLOCKED_COOL_DOWN,
    BLOCKED_EQUITY,
    BLOCKED_HALT,
    BLOCKED_MARGIN,
    BLOCKED_OPEN,
    BLOCKED_SESSION_END,
    BLOCKED_SHUT,
    BLOCKED_TODAY,
    ENDED_BY_HALT,
    HALTED,
    LONG,
    MARGIN_CALLED,
    MARKET,
    NONE,
    SESSION_ENDED,
    SHORT,
    TIME_STOPPED,
    MarketArrays,
    Record,
    Table,
)
from quantcrafter.engine.simulation.risk_records import (
    ACCOUNT_LOST,
    CLOSING,
    COOL_DOWN,
    CUT_SHORT,
    DAILY_LOSS,
    ENTRIES_TODAY,
    ENTRY_BLOCKED,
    FLATTEN_AND_HALT,
    FLATTENED,
    FLATTENED_LATE,
    FOR_GOOD,
    HALT_BEGAN,
    HALT_ENDED,
    LOSING_STREAK,
    MARGIN_CALL,
    MAX_DRAWDOWN,
    NO_NEW_TRADES,
    OVERDUE,
    SESSION_END,
    TIME_STOP,
)
from quantcrafter.engine.simulation.worth import margin_of


@jit
def cancel_entries(portfolio: Record, holding: Record) -> None:
    """Cancel orders that would open or increase a position; a grid ends."""
    for side in (SHORT, LONG):
        end_entries(portfolio, holding, holding["bar"], side, ENDED_BY_HALT)


@jit
def flatten(portfolio: Record, holding: Record, reason: int, rule: int, kind: int) -> None:
    """Cancel open entry orders, and order a position to be closed at its instrument's next open, once.

    `kind` is the kind of the recorded intervention.
    """
    cancel_entries(portfolio, holding)
    bar, lots = holding["bar"], holding["lots"]
    if lots == 0 or holding["leaving"] == 1 or bar >= holding["last_bar"]:
        return
    holding["leaving"] = 1
    add_order(portfolio, holding, bar, MARKET, -1 if lots > 0 else 1, abs(lots), reason)
    intervene(portfolio, holding["index"], bar, kind, rule, holding["quantity"], 0.0)


@jit
def severity(action: int) -> int:
    """Return the severity of an action: higher for one that includes another one."""
    if action == FLATTEN_AND_HALT:
        return int(FOR_GOOD)
    return 1 if action == NO_NEW_TRADES else 2


@jit
def breached(portfolio: Record, guard: Record, equity: float) -> bool:
    """Return whether a halt's limit is reached at this close."""
    kind, limit = guard["kind"], guard["value"]
    if kind == MAX_DRAWDOWN:
        return bool((portfolio["peak"] - equity) * 100.0 >= limit * portfolio["peak"])
    if kind == DAILY_LOSS:
        return bool((portfolio["day_equity"] - equity) * 100.0 >= limit * portfolio["day_equity"])
    return bool(kind == LOSING_STREAK and portfolio["losses_in_row"] >= limit)


@jit
def begin_day(portfolio: Record, step: int, day: int) -> None:
    """Begin a trading day: losses are counted again, and a halt until the next day ends."""
    portfolio["day"] = day
    portfolio["day_equity"] = portfolio["last_equity"]
    if 0 < portfolio["halted"] < FOR_GOOD:
        intervene(
            portfolio,
            NONE,
            step,
            HALT_ENDED,
            portfolio["halt_rule"],
            portfolio["last_equity"],
            portfolio["last_equity"],
        )
        portfolio["halted"] = 0
        portfolio["peak"] = portfolio["last_equity"]
        portfolio["losses_in_row"] = 0


@jit
def watch(portfolio: Record, holdings: Table, market: MarketArrays, step: int, equity: float) -> None:
    """Check the account at the close of a step: halts begin and end, and margin is called."""
    if len(market.account.day) > 0 and market.account.day[step] != portfolio["day"]:
        begin_day(portfolio, step, market.account.day[step])
    portfolio["peak"] = max(portfolio["peak"], equity)
    for g in range(portfolio["guards"]):
        guard = portfolio["guard_rows"][g]
        if severity(guard["action"]) > portfolio["halted"] and breached(portfolio, guard, equity):
            portfolio["halted"] = severity(guard["action"])
            portfolio["halt_rule"] = guard["number"]
            reference = portfolio["day_equity"] if guard["kind"] == DAILY_LOSS else portfolio["peak"]
            intervene(portfolio, NONE, step, HALT_BEGAN, guard["number"], reference, equity)
            for i in range(len(holdings)):
                if guard["action"] == NO_NEW_TRADES:
                    cancel_entries(portfolio, holdings[i])
                else:
                    flatten(portfolio, holdings[i], HALTED, guard["number"], FLATTENED)
    if portfolio["maintained"] == 1:
        call_margin(portfolio, holdings, step, equity)
    portfolio["last_equity"] = equity


@jit
def maintenance_of(holding: Record) -> float:
    """Return the maintenance margin of a position, in the account's currency."""
    part = holding["short_margin"] if holding["lots"] < 0 else holding["maintenance_margin"]
    return float(margin_of(holding, abs(holding["quantity"]), holding["mark"], part, holding["unit_maintenance"]))


@jit
def is_lost(portfolio: Record, equity: float) -> bool:
    """Return whether the account is lost at this close, and was not before."""
    return bool(equity <= 0.0 and portfolio["halted"] < FOR_GOOD)


@jit
def close_account(portfolio: Record, holdings: Table, step: int, equity: float) -> None:
    """Close everything at the next open and block all further entries: there is no equity left."""
    portfolio["halted"], portfolio["halt_rule"] = FOR_GOOD, NONE
    intervene(portfolio, NONE, step, ACCOUNT_LOST, NONE, 0.0, equity)
    for i in range(len(holdings)):
        flatten(portfolio, holdings[i], MARGIN_CALLED, NONE, FLATTENED)


@jit
def call_margin(portfolio: Record, holdings: Table, step: int, equity: float) -> None:
    """Close everything at the next open when equity is below the maintenance margin of all positions."""
    required, is_held = 0.0, False
    for i in range(len(holdings)):
        required += maintenance_of(holdings[i])
        is_held = is_held or (holdings[i]["lots"] != 0 and holdings[i]["leaving"] == 0)
    # Without a maintenance margin, there is no margin call: an account without equity is closed by `close_account`.
    called = required > 0.0 and equity < required
    portfolio["margin_called"] = 1 if called else 0
    if called and is_held:
        intervene(portfolio, NONE, step, MARGIN_CALL, NONE, required, equity)
        for i in range(len(holdings)):
            flatten(portfolio, holdings[i], MARGIN_CALLED, NONE, FLATTENED)


@jit
def note_late_exit(portfolio: Record, holding: Record, market: MarketArrays, bar: int) -> None:
    """Note before the open of a bar that a position outlived its session, whose last bar is missing."""
    if holding["lots"] == 0 or market.account.closing[holding["start"] + bar] & CUT_SHORT == 0:
        return
    for g in range(portfolio["guards"]):
        guard = portfolio["guard_rows"][g]
        if guard["kind"] == SESSION_END:
            intervene(portfolio, holding["index"], bar, FLATTENED_LATE, guard["number"], holding["quantity"], 0.0)
            return


@jit
def force_exit(portfolio: Record, holding: Record, market: MarketArrays, bar: int) -> None:
    """Order a position to be closed whose time is over: held for long enough, or the session ends."""
    if holding["lots"] == 0 or holding["leaving"] == 1:
        return
    for g in range(portfolio["guards"]):
        guard = portfolio["guard_rows"][g]
        if guard["kind"] == TIME_STOP and bar - holding["entry_bar"] + 1 >= guard["value"]:
            flatten(portfolio, holding, TIME_STOPPED, guard["number"], FLATTENED)
            return
        if guard["kind"] == SESSION_END:
            closing = market.account.closing[holding["start"] + bar]
            if closing & CLOSING != 0:
                flatten(portfolio, holding, SESSION_ENDED, guard["number"], FLATTENED)
                return
            if closing == OVERDUE and holding["entry_bar"] < bar:
                flatten(portfolio, holding, SESSION_ENDED, guard["number"], FLATTENED_LATE)
                return


@jit
def shut_out(  # noqa: PLR0911 - one reason after the other
    portfolio: Record, holding: Record, market: MarketArrays, bar: int, side: int
) -> tuple[int, int]:
    """Return why no entry of that side may be made at this close, and the guard that says so; -1 where one may."""
    if portfolio["shut"] == 1:
        return BLOCKED_SHUT, NONE
    if portfolio["halted"] > 0:
        return BLOCKED_EQUITY if portfolio["halt_rule"] < 0 else BLOCKED_HALT, portfolio["halt_rule"]
    if portfolio["margin_called"] == 1:
        return BLOCKED_MARGIN, NONE
    for g in range(portfolio["guards"]):
        guard = portfolio["guard_rows"][g]
        if guard["kind"] == SESSION_END and market.account.closing[holding["start"] + bar] & CLOSING != 0:
            return BLOCKED_SESSION_END, guard["number"]
        lost = holding["lost_bar"]
        if guard["kind"] == COOL_DOWN and lost >= 0 and bar < lost + guard["value"]:
            return BLOCKED_COOL_DOWN, guard["number"]
    if portfolio["entry_limits"] == 1:
        g = limit_reached(portfolio, holding, market, bar, side)
        if g >= 0:
            guard = portfolio["guard_rows"][g]
            return BLOCKED_TODAY if guard["kind"] == ENTRIES_TODAY else BLOCKED_OPEN, guard["number"]
    return NONE, NONE


@jit
def is_shut_out(portfolio: Record, holding: Record, market: MarketArrays, bar: int, flag: int, side: int) -> bool:
    """Return whether a halt, or another guard, keeps entries of a side out at this close; note it if so.

    `flag` is the signal: that of the first leg for both legs of a pair.
    """
    reason, rule = shut_out(portfolio, holding, market, bar, side)
    if reason < 0:
        return False
    block(portfolio, holding, bar, flag, reason)
    if reason == BLOCKED_SHUT:
        return True
    counted, limit = 0.0, 0.0
    if reason in (BLOCKED_TODAY, BLOCKED_OPEN):
        g = limit_reached(portfolio, holding, market, bar, side)
        counted = float(count_at_close(portfolio, holding, market, bar, g))
        limit = portfolio["guard_rows"][g]["value"]
    intervene(portfolio, holding["index"], bar, ENTRY_BLOCKED, rule, counted, limit)
    return True
