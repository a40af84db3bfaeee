"""What the simulation remembers for risk, sizes and financing: fields of portfolio and holdings, and rules."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from quantcrafter.engine.api.ledger import CASHFLOW_DTYPE, INTERVENTION_DTYPE, CashflowKind, InterventionKind
from quantcrafter.engine.api.ports import FlagColumn, FloatColumn, TimeColumn
from quantcrafter.engine.api.rules import HISTORY_TRADES, GuardKind, HaltAction

HISTORY_RING = 1 << (HISTORY_TRADES - 1).bit_length()
"""Closed trades that are remembered: a power of two, so that a ring needs no division."""


def _numbers(members: Any) -> tuple[Any, ...]:
    """Return the members as int64: a plain int, or a member, would have each value compiled as a type of its own."""
    return tuple(np.int64(member) for member in members)


(
    TIME_STOP,
    SESSION_END,
    MAX_DRAWDOWN,
    DAILY_LOSS,
    LOSING_STREAK,
    COOL_DOWN,
    MAX_POSITION,
    GROSS_EXPOSURE,
    NET_EXPOSURE,
    OPEN_TRADES,
    ENTRIES_TODAY,
    OPEN_ENTRIES,
) = _numbers(GuardKind)
NO_NEW_TRADES, FLATTEN_AND_HALT, FLATTEN_FOR_THE_DAY = _numbers(HaltAction)
(
    STOP_MOVED,
    TARGET_MOVED,
    ENTRY_BLOCKED,
    ENTRY_CUT,
    FLATTENED,
    HALT_BEGAN,
    HALT_ENDED,
    MARGIN_CALL,
    FLATTENED_LATE,
    ACCOUNT_LOST,
    EXIT_HELD_BACK,
    LIMIT_LOCKED,
) = _numbers(InterventionKind)
BORROW, DIVIDEND, CASH_IN_LIEU, FUNDING, SWAP, WITHDRAWAL = _numbers(CashflowKind)

CLOSING: Any = np.uint8(1)
OVERDUE: Any = np.uint8(2)
CUT_SHORT: Any = np.uint8(4)
"""Bits of `AccountColumns.closing`; 0 is any other bar."""

FOR_GOOD: Any = np.int64(3)
"""`portfolio["halted"]`: 0 trading, 1 no entries until the next day, 2 flat until the next day, 3 flat for good."""

MAX_GUARDS = 32
"""How many guards a strategy may have."""

GUARD_DTYPE = np.dtype(
    [
        ("kind", np.int64),
        ("value", np.float64),
        ("action", np.int64),
        ("in_cash", np.int64),
        ("in_units", np.int64),
        ("instrument", np.int64),
        ("number", np.int64),
        ("side", np.int64),
        ("grouped", np.int64),
        ("shared", np.int64),
    ]
)
"""A guard; `instrument` is -1 for all of them, `number` is how the ledger names the rule.

`side` is 1 or -1 if it counts only long or short positions. `grouped` is 1 if it counts the instruments of a group:
those with the same number in `holding["guard_group"]`. A limit on entries counts all instruments together if it is
`shared`.
"""

RISK_HOLDING_FIELDS: list[tuple[str, Any]] = [
    # What an order must have at least, and what borrowing costs a year, in percent.
    ("min_quantity", np.float64),
    ("borrow_percent", np.float64),
    # Taxes on the value of what is bought and sold, in percent.
    ("buy_duty", np.float64),
    ("sell_duty", np.float64),
    # What one unit of the commission's amounts is in the currency of the prices: 100 where these are in pence.
    ("amount_unit", np.float64),
    # How far the ask lies above the prices of the bars, and the bid below them, and which parts of the spread these
    # are.
    ("ask_offset", np.float64),
    ("bid_offset", np.float64),
    ("ask_part", np.float64),
    ("bid_part", np.float64),
    # What a long position pays of its value, in percent, at a funding. What a long and a short position earn a night,
    # per unit as a difference of prices, or of their value in percent a year.
    ("funding_percent", np.float64),
    ("swap_long", np.float64),
    ("swap_short", np.float64),
    ("swap_by_value", np.int64),
    # Whether swap changes: the columns of nights then have what long positions earn, those of fundings what short ones
    # do.
    ("swap_dated", np.int64),
    # The row of `MarketArrays.columns` that says how far rolls have moved prices up to each bar, -1 without rolls.
    ("roll_row", np.int64),
    # Whether it expires with its last bar.
    ("expires", np.int64),
    # Of each guard that counts by groups, the number of its group; -1 for none.
    ("guard_group", (np.int16, (MAX_GUARDS,))),
    # The guards whose limits on entries it counts for: bit g for guard g.
    ("guarded", np.int64),
    # Whether what is entered in a session can be closed in a later one only, and whether prices have limits.
    ("next_session", np.int64),
    ("limited", np.int64),
    # Margin as parts of a position's value: what an entry takes, what a long position must keep, and a short one. And
    # as amounts for a unit, in the currency of its prices: what an entry takes, and what any position must keep.
    ("initial_margin", np.float64),
    ("maintenance_margin", np.float64),
    ("short_margin", np.float64),
    ("unit_margin", np.float64),
    ("unit_maintenance", np.float64),
    # The rate of its currency in that of the account, the average price of the entries in the latter, and the fees and
    # dividends of the open position.
    ("rate", np.float64),
    ("basis", np.float64),
    ("carry", np.float64),
    # Its latest bar, whether an exit is on its way, the step at which its entries had their turn, the bar of its last
    # losing trade, its streaks.
    ("bar", np.int64),
    ("leaving", np.int64),
    ("served", np.int64),
    ("lost_bar", np.int64),
    ("losses_in_row", np.int64),
    ("wins_in_row", np.int64),
    # What the parts of its open trade that were closed earned, and what they were worth when they were entered.
    ("part_profit", np.float64),
    ("part_value", np.float64),
    # What its last closed trade earned, in percent of its entry value (NaN before the first), and its entries so far.
    ("last_result", np.float64),
    # What its open entries would have lost at their stops as first placed, in the account's currency, and all entries
    # of its trade (NaN without a stop); the last closed trade's profit as a multiple of the latter. For steps alone.
    ("risk", np.float64),
    ("risk_taken", np.float64),
    ("last_r", np.float64),
    ("entries_made", np.int64),
    # Those that filled in a session, long and short; they are counted where a guard limits them.
    ("entries_day", np.int64),
    ("longs_today", np.int64),
    ("shorts_today", np.int64),
    # Range and volume left of the bar that is being matched.
    ("bar_range", np.float64),
    ("volume_left", np.float64),
    # Whether the bar had no volume, and orders wait for one that has.
    ("untraded", np.int64),
    # The session of its bar; the lots entered in which session cannot be closed in it; and for which sessions it was
    # noted that an exit was held back, and that the price was locked at a limit.
    ("session_day", np.int64),
    ("fresh_lots", np.int64),
    ("fresh_day", np.int64),
    ("held_back_day", np.int64),
    ("locked_day", np.int64),
    # The open of its bar; from which price on nothing is bought at it, and later in the bar; down from which nothing is
    # sold (see `quantcrafter.engine.simulation.venue_rules`).
    ("bar_open", np.float64),
    ("lid_at_open", np.float64),
    ("lid_inside", np.float64),
    ("floor_at_open", np.float64),
    ("floor_inside", np.float64),
]

RISK_HOLDING_TERMS = (
    "min_quantity",
    "borrow_percent",
    "guard_group",
    "buy_duty",
    "sell_duty",
    "amount_unit",
    "ask_offset",
    "bid_offset",
    "ask_part",
    "bid_part",
    "funding_percent",
    "swap_long",
    "swap_short",
    "swap_by_value",
    "swap_dated",
    "roll_row",
    "expires",
    "guarded",
    "next_session",
    "limited",
    "initial_margin",
    "maintenance_margin",
    "short_margin",
    "unit_margin",
    "unit_maintenance",
)
"""Those of them that come from the job and do not change."""

RISK_TERMS: list[tuple[Any, ...]] = [
    # Whether any position must keep a margin; and whether all are long and paid in full, so that none takes any.
    ("maintained", np.int64),
    ("paid_up", np.int64),
    # Whether there is nothing to do beyond orders and signals, or at least nothing where neither of them does anything;
    # else whether something is to be done before an open, positions are financed, the account is watched, and
    # protective orders move; and the only rule that moves them, if it is a trailing stop at a fixed distance (-1: it
    # is not). And how many rows of the tables a step may take beside those of its bars.
    ("plain", np.int64),
    ("simple", np.int64),
    ("opening", np.int64),
    ("financed", np.int64),
    ("watched", np.int64),
    ("moving", np.int64),
    ("trailing", np.int64),
    ("spare_rows", np.int64),
    ("skip_empty", np.int64),
    # Whether any instrument has rules of its exchange: a later session to close in, or limits of its price.
    ("venue_rules", np.int64),
    # The row of `MarketArrays.columns` with the spread of each bar, -1 where spreads don't change.
    ("spread_row", np.int64),
    # Whether steps of the plan run at every close.
    ("stepped", np.int64),
    ("guards", np.int64),
    ("guard_rows", GUARD_DTYPE, (MAX_GUARDS,)),
    # Whether any of them limits the number of entries, and what each counts in the other instruments, at a decision.
    ("entry_limits", np.int64),
    ("others", np.int64, (MAX_GUARDS,)),
    # Withdrawals of profit: how many percent (0: none), after how many months, and whether only of what exceeds all
    # equities at which earlier periods ended.
    ("withdraw_percent", np.float64),
    ("withdraw_months", np.int64),
    ("withdraw_above", np.int64),
]
"""Fields of the portfolio that come from the job and do not change."""

RISK_PORTFOLIO_FIELDS: list[tuple[Any, ...]] = [
    # The halt, and what it is measured by.
    ("margin_called", np.int64),
    ("halted", np.int64),
    # Whether the program that runs the strategy allows no entries; set anew before each step, never kept.
    ("shut", np.int64),
    ("halt_rule", np.int64),
    ("day", np.int64),
    ("day_equity", np.float64),
    ("last_equity", np.float64),
    ("peak", np.float64),
    # The highest equity so far, as steps of the plan see it.
    ("highest_equity", np.float64),
    ("losses_in_row", np.int64),
    # Closed trades: how many, what they and closed parts of open ones earned, and each one's result as a part of its
    # entry value.
    ("closed", np.int64),
    ("realised", np.float64),
    ("history", np.float64, (HISTORY_RING,)),
    # For withdrawals: the month of the latest step (0 before the first), and the equity from which profit counts.
    ("month", np.int64),
    ("period_equity", np.float64),
    ("interventions", np.int64),
    ("cashflows", np.int64),
]

SIZE_FIELDS: list[tuple[str, type]] = [
    ("size_factor", np.float64),
    ("size_least", np.float64),
    ("size_most", np.float64),
    ("size_window", np.int64),
    ("size_trades", np.int64),
    ("size_start", np.float64),
    ("size_delta", np.float64),
]


def risk_tables(rows: int) -> list[tuple[Any, ...]]:
    """Return the portfolio's tables of interventions and cash flows."""
    return [("intervention_rows", INTERVENTION_DTYPE, (rows,)), ("cashflow_rows", CASHFLOW_DTYPE, (rows,))]


class AccountColumns(NamedTuple):
    """Columns of all instruments, one after the other, for what only some runs need; empty where it is not needed.

    Times are those of the bars. `rate_open` and `rate_close` are units of the account's currency for one of the
    instrument's, as known then; `split` is how many units one becomes at the bar's open, `dividend` the cash a unit
    gets then; at the first bar of a new contract, `split` is NaN and `dividend` the last close of that contract.
    `closing` says whether the session is about to end (CLOSING), or should have ended a position of the one before
    (OVERDUE); and whether orders by the end of the one before come late, as its last bar is missing (CUT_SHORT).
    `day` is the trading day of each step, not of each bar; `session_day` that of each bar's open. `limit_up` and
    `limit_down` are the highest and the lowest price of the bar's session, infinite where there is none.
    `funding_open` and `funding_inside` count the fundings from the last close to the bar's open and from there to its
    close, `nights_open` and `nights_inside` the nights for which swap is due. Of rates that change, they have the sums.
    """

    open_ns: TimeColumn
    close_ns: TimeColumn
    volume: FloatColumn
    rate_open: FloatColumn
    rate_close: FloatColumn
    split: FloatColumn
    dividend: FloatColumn
    closing: FlagColumn
    day: TimeColumn
    session_day: TimeColumn
    limit_up: FloatColumn
    limit_down: FloatColumn
    funding_open: FloatColumn
    funding_inside: FloatColumn
    nights_open: FloatColumn
    nights_inside: FloatColumn
