"""Guards of the account and of the time a position is held: when trading halts, and what is closed. Compiled.

`watch` runs once a step, when equity has been marked and before any decision; `forced_exit` and `shut_out` are asked
while decisions are taken.
"""

from __future__ import annotations

from quantcrafter.engine.simulation.interventions import intervene
from quantcrafter.engine.simulation.jit import jit
from quantcrafter.engine.simulation.orders import add_order, block, end_entries
from quantcrafter.engine.simulation.records import (
    BLOCKED_COOL_DOWN,
    BLOCKED_EQUITY,
    BLOCKED_HALT,
    BLOCKED_MARGIN,
    BLOCKED_SESSION_END,
    ENDED_BY_HALT,
    HALTED,
    LONG,
    MARGIN_CALLED,
    MARKET,
    NONE,
    SESSION_ENDED,
    SHORT,
    TIME_STOPPED,
    Market,
    Record,
    Table,
)
from quantcrafter.engine.simulation.risk_records import (
    ACCOUNT_LOST,
    CLOSING,
    COOL_DOWN,
    CUT_SHORT,
    DAILY_LOSS,
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
def cancel_entries(desk: Record, book: Record) -> None:
    """Take orders off work that would open or enlarge a position; a grid ends."""
    for side in (SHORT, LONG):
        end_entries(desk, book, book["bar"], side, ENDED_BY_HALT)


@jit
def flatten(desk: Record, book: Record, reason: int, rule: int, kind: int) -> None:
    """Cancel entries at work, and order a position to be closed at its instrument's next open, once.

    `kind` is how the intervention is noted.
    """
    cancel_entries(desk, book)
    bar, lots = book["bar"], book["lots"]
    if lots == 0 or book["leaving"] == 1 or bar >= book["last_bar"]:
        return
    book["leaving"] = 1
    add_order(desk, book, bar, MARKET, -1 if lots > 0 else 1, abs(lots), reason)
    intervene(desk, book["index"], bar, kind, rule, book["quantity"], 0.0)


@jit
def severity(action: int) -> int:
    """Return how much an action is: more for one that includes what another one does."""
    if action == FLATTEN_AND_HALT:
        return int(FOR_GOOD)
    return 1 if action == NO_NEW_TRADES else 2


@jit
def breached(desk: Record, guard: Record, equity: float) -> bool:
    """Return whether a halt's limit is reached at this close."""
    kind, limit = guard["kind"], guard["value"]
    if kind == MAX_DRAWDOWN:
        return bool((desk["peak"] - equity) * 100.0 >= limit * desk["peak"])
    if kind == DAILY_LOSS:
        return bool((desk["day_equity"] - equity) * 100.0 >= limit * desk["day_equity"])
    return bool(kind == LOSING_STREAK and desk["losses_in_row"] >= limit)


@jit
def begin_day(desk: Record, step: int, day: int) -> None:
    """Begin a trading day: losses are counted anew, and a halt until the next day ends."""
    desk["day"] = day
    desk["day_equity"] = desk["last_equity"]
    if 0 < desk["halted"] < FOR_GOOD:
        intervene(desk, NONE, step, HALT_ENDED, desk["halt_rule"], desk["last_equity"], desk["last_equity"])
        desk["halted"] = 0
        desk["peak"] = desk["last_equity"]
        desk["losses_in_row"] = 0


@jit
def watch(desk: Record, books: Table, market: Market, step: int, equity: float) -> None:
    """Check the account at the close of a step: halts begin and end, and margin is called."""
    if len(market.account.day) > 0 and market.account.day[step] != desk["day"]:
        begin_day(desk, step, market.account.day[step])
    desk["peak"] = max(desk["peak"], equity)
    for g in range(desk["guards"]):
        guard = desk["guard_rows"][g]
        if severity(guard["action"]) > desk["halted"] and breached(desk, guard, equity):
            desk["halted"] = severity(guard["action"])
            desk["halt_rule"] = guard["number"]
            reference = desk["day_equity"] if guard["kind"] == DAILY_LOSS else desk["peak"]
            intervene(desk, NONE, step, HALT_BEGAN, guard["number"], reference, equity)
            for i in range(len(books)):
                if guard["action"] == NO_NEW_TRADES:
                    cancel_entries(desk, books[i])
                else:
                    flatten(desk, books[i], HALTED, guard["number"], FLATTENED)
    if desk["maintained"] == 1:
        call_margin(desk, books, step, equity)
    desk["last_equity"] = equity


@jit
def maintenance_of(book: Record) -> float:
    """Return the equity that a position must be kept with, in the account's currency."""
    part = book["short_margin"] if book["lots"] < 0 else book["maintenance_margin"]
    return float(margin_of(book, abs(book["quantity"]), book["mark"], part, book["unit_maintenance"]))


@jit
def is_lost(desk: Record, equity: float) -> bool:
    """Return whether the account is lost at this close, and was not before."""
    return bool(equity <= 0.0 and desk["halted"] < FOR_GOOD)


@jit
def close_account(desk: Record, books: Table, step: int, equity: float) -> None:
    """Close everything at the next open and let no entry follow: there is no equity left."""
    desk["halted"], desk["halt_rule"] = FOR_GOOD, NONE
    intervene(desk, NONE, step, ACCOUNT_LOST, NONE, 0.0, equity)
    for i in range(len(books)):
        flatten(desk, books[i], MARGIN_CALLED, NONE, FLATTENED)


@jit
def call_margin(desk: Record, books: Table, step: int, equity: float) -> None:
    """Close everything at the next open when equity is below the maintenance margin of all positions."""
    required, holding = 0.0, False
    for i in range(len(books)):
        required += maintenance_of(books[i])
        holding = holding or (books[i]["lots"] != 0 and books[i]["leaving"] == 0)
    # Without a margin to keep there is nothing to call: an account without equity is closed by `close_account`.
    called = required > 0.0 and equity < required
    desk["margin_called"] = 1 if called else 0
    if called and holding:
        intervene(desk, NONE, step, MARGIN_CALL, NONE, required, equity)
        for i in range(len(books)):
            flatten(desk, books[i], MARGIN_CALLED, NONE, FLATTENED)


@jit
def note_late_exit(desk: Record, book: Record, market: Market, bar: int) -> None:
    """Note before the open of a bar that a position outlived its session, whose last bar is missing."""
    if book["lots"] == 0 or market.account.closing[book["start"] + bar] & CUT_SHORT == 0:
        return
    for g in range(desk["guards"]):
        guard = desk["guard_rows"][g]
        if guard["kind"] == SESSION_END:
            intervene(desk, book["index"], bar, FLATTENED_LATE, guard["number"], book["quantity"], 0.0)
            return


@jit
def force_exit(desk: Record, book: Record, market: Market, bar: int) -> None:
    """Order a position to be closed whose time is over: held for long enough, or the session ends."""
    if book["lots"] == 0 or book["leaving"] == 1:
        return
    for g in range(desk["guards"]):
        guard = desk["guard_rows"][g]
        if guard["kind"] == TIME_STOP and bar - book["entry_bar"] + 1 >= guard["value"]:
            flatten(desk, book, TIME_STOPPED, guard["number"], FLATTENED)
            return
        if guard["kind"] == SESSION_END:
            closing = market.account.closing[book["start"] + bar]
            if closing & CLOSING != 0:
                flatten(desk, book, SESSION_ENDED, guard["number"], FLATTENED)
                return
            if closing == OVERDUE and book["entry_bar"] < bar:
                flatten(desk, book, SESSION_ENDED, guard["number"], FLATTENED_LATE)
                return


@jit
def shut_out(desk: Record, book: Record, market: Market, bar: int) -> tuple[int, int]:
    """Return why no entry may be made at this close, and the rule that says so; -1 where one may."""
    if desk["halted"] > 0:
        return BLOCKED_EQUITY if desk["halt_rule"] < 0 else BLOCKED_HALT, desk["halt_rule"]
    if desk["margin_called"] == 1:
        return BLOCKED_MARGIN, NONE
    for g in range(desk["guards"]):
        guard = desk["guard_rows"][g]
        if guard["kind"] == SESSION_END and market.account.closing[book["start"] + bar] & CLOSING != 0:
            return BLOCKED_SESSION_END, guard["number"]
        lost = book["lost_bar"]
        if guard["kind"] == COOL_DOWN and lost >= 0 and bar < lost + guard["value"]:
            return BLOCKED_COOL_DOWN, guard["number"]
    return NONE, NONE


@jit
def is_shut_out(desk: Record, book: Record, market: Market, bar: int, flag: int) -> bool:
    """Return whether a halt, or another guard, keeps entries out at this close; note it if so."""
    reason, rule = shut_out(desk, book, market, bar)
    if reason < 0:
        return False
    block(desk, book, bar, flag, reason)
    intervene(desk, book["index"], bar, ENTRY_BLOCKED, rule, 0.0, 0.0)
    return True
