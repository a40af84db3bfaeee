"""The simulation's memory: one record for the portfolio, one for each instrument, and the columns they read."""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.engine import MOST_EXECUTIONS
from quantcrafter.engine.api.entries import MOST_ENTRIES, MOST_LEVELS, OrderLife
from quantcrafter.engine.api.ledger import (
    BLOCKED_DTYPE,
    FILL_DTYPE,
    ORDER_DTYPE,
    BlockReason,
    OrderKind,
    OrderStatus,
    Reason,
    StatusReason,
)
from quantcrafter.engine.api.matching import Phase
from quantcrafter.engine.api.ports import BoolColumn, FlagColumn, FloatColumn, TimeColumn
from quantcrafter.engine.api.round_trips import PART_DTYPE
from quantcrafter.engine.api.rules import OnOpposite, ProtectiveKind, SizeKind
from quantcrafter.engine.simulation.risk_records import (
    RISK_HOLDING_FIELDS,
    RISK_HOLDING_TERMS,
    RISK_PORTFOLIO_FIELDS,
    RISK_TERMS,
    SIZE_FIELDS,
    AccountColumns,
    risk_tables,
)

Table = npt.NDArray[Any]
Record = np.void


def _numbers(members: type[IntEnum]) -> tuple[Any, ...]:
    """Return the members as int64: a plain int, or a member, would have each value compiled as a type of its own."""
    return tuple(np.int64(member) for member in members)


MARKET, STOP, LIMIT, STOP_LIMIT, CLOSE, AT_CLOSE = _numbers(OrderKind)
WORKING, FILLED, CANCELLED, REJECTED = _numbers(OrderStatus)
(
    ENTRY,
    SIGNAL,
    OPPOSITE,
    STOP_LOSS_HIT,
    TAKE_PROFIT_HIT,
    DATA_ENDED,
    SCALE_IN,
    REBALANCE,
    GRID,
    COMPONENT,
    TRAILING_STOP_HIT,
    BREAK_EVEN_HIT,
    TIME_STOPPED,
    SESSION_ENDED,
    HALTED,
    MARGIN_CALLED,
    SPLIT_UP,
    CONTRACT_EXPIRED,
    REVERSAL,
    OTHER_LEG,
    ROLLED,
) = _numbers(Reason)
(
    NO_REASON,
    OCO,
    POSITION_CLOSED,
    NO_CASH,
    REDUCED,
    END_OF_DATA,
    EXPIRED,
    REPLACED,
    ENDED_BY_SIGNAL,
    ENDED_BY_OPPOSITE,
    ENDED_BY_COMPONENT,
    ENDED_BY_HALT,
    CAPPED,
    BELOW_MINIMUM,
    NO_SIZE,
    ENDED_BY_STOP,
    PRICE_LIMIT,
    OTHER_LEG_ENDED,
) = _numbers(StatusReason)
(
    BLOCKED_FILTER,
    BLOCKED_WARMUP,
    BLOCKED_OPPOSITE,
    BLOCKED_CONTRADICTION,
    BLOCKED_SIZE,
    BLOCKED_DISTANCE,
    BLOCKED_EQUITY,
    BLOCKED_PRICE,
    BLOCKED_HALT,
    BLOCKED_MARGIN,
    BLOCKED_SESSION_END,
    BLOCKED_COOL_DOWN,
    BLOCKED_MINIMUM,
    BLOCKED_VOLATILITY,
    BLOCKED_EXECUTION,
    BLOCKED_RATIO,
    BLOCKED_LEG,
    BLOCKED_TODAY,
    BLOCKED_OPEN,
    BLOCKED_SHUT,
) = _numbers(BlockReason)
GTC, DAY, BARS = _numbers(OrderLife)
IGNORE_OPPOSITE, CLOSE_OPPOSITE, REVERSE_OPPOSITE, REVERSE_AT_PRICE = _numbers(OnOpposite)
STOP_LOSS, TAKE_PROFIT, TRAILING_STOP, BREAK_EVEN, BY_COMPONENT = _numbers(ProtectiveKind)
(
    QUANTITY,
    CASH,
    EQUITY_PERCENT,
    RISK_PERCENT,
    VOLATILITY_TARGET,
    KELLY,
    MARTINGALE,
    ANTI_MARTINGALE,
    FIXED_RATIO,
    LOTS,
) = _numbers(SizeKind)
NONE: Any = np.int64(-1)
LONG: Any = np.int64(1)
SHORT: Any = np.int64(-1)
"""Sides of orders and positions."""

WHOLE: Any = np.int64(0)
UP_TO_CLOSE: Any = np.int64(1)
DECISIONS: Any = np.int64(2)
"""What of a step is run: all of it, what happens up to the close, or the decisions on it."""

OPENS, STOPS, LIMITS = _numbers(Phase)
CLOSES: Any = np.int64(3)
"""The phases in which orders fill: market orders at the open, then stops, then limits, then orders at the close."""

PAIRED: Any = np.int64(4)
"""The phase of market orders that fill at the open together with that of the other leg of a pair."""

ANY: Any = np.int64(0)
CLOSING: Any = np.int64(1)
OPENING: Any = np.int64(2)
"""The orders of a phase: all, those that only close a position, or those that may open one."""

BOTH_WAYS: Any = np.int64(2)
"""The way of the price after an entry inside the bar if its high and its low both came after it."""

NO_BAR: Any = np.int64(1 << 62)
"""A bar that is never reached: the last one of open data."""

DAY_BEGINS: Any = np.uint8(1)
DAY_ENDS: Any = np.uint8(2)
"""Values of `MarketArrays.day_edge`, added up: the bar is the first of a trading day; its session ends at the close."""

WORKING_SLOTS = 64
"""Maximum number of open orders of an instrument; rules that could need more are rejected before the run."""

USUAL_SLOTS = 8
"""What entries, exits, stops and targets need of them at most."""

ROWS_PER_BAR = 8
"""Maximum number of orders that a bar of one instrument may create, fill and end, beyond those open before it."""

MOST_ROWS = 1 << 17
"""Rows of a portfolio's tables: enough for a step of some 8,000 instruments. What is not used takes no memory; more
rows are a type of their own, and so a compilation of their own."""

TABLE_ROWS = MOST_ROWS
"""Rows that are used before the driver empties them."""

MOST_BANDS = 48
"""How many bands the tables of an instrument's ticks may have together."""

BAND_TERMS = ("bands", "band_first", "band_since", "band_from", "band_tick", "band_inverse")

RULE_DTYPE = np.dtype(
    [
        ("percent", np.float64),
        ("multiple", np.float64),
        ("offset", np.float64),
        ("ticks", np.float64),
        ("pips", np.float64),
        ("cash", np.float64),
        ("lock_percent", np.float64),
        ("line", np.int64),
        ("follow", np.int64),
        ("kind", np.int64),
        ("column", np.int64),
        ("share", np.float64),
        ("unit", np.int64),
        ("place", np.int64),
        ("executions", np.int64),
        ("side", np.int64),
    ]
)
"""A protective rule; `column` is a row of `MarketArrays.columns`, or -1; `unit` is 1 when each unit has an order of it,
2 when its distance is that from the latest entry; `place` is the bit of the orders that it belongs to (0: none at an
entry); bit e of `executions` says whether positions of execution e get it; `side` is 1 or -1 if it is only for long or
only for short ones."""

STOPS_OF_ALL: Any = np.int64(1)
TARGETS_OF_ALL: Any = np.int64(2)
TARGETS_OF_PARTS: Any = np.int64(4)
"""Protective orders that an entry creates: the nearest stop, the nearest target, and targets for parts of the position.
Those for its units are UNIT_PLACES bits above."""

UNIT_PLACES: Any = np.int64(3)

HOLDING_DTYPE = np.dtype(
    [
        # The instrument: its bar `b` is row `start + b` of the market's columns. How many bars are known, and which one
        # is the last, are two facts: while the data is open, `last_bar` is NO_BAR.
        ("index", np.int64),
        ("start", np.int64),
        ("bars", np.int64),
        ("last_bar", np.int64),
        ("first_bar", np.int64),
        ("tick_size", np.float64),
        ("tick_inverse", np.float64),
        # The number of its bands of ticks that are in use, 0 where all prices have one tick.
        ("tick_bands", np.int64),
        ("lot_size", np.float64),
        ("lot_inverse", np.float64),
        # A pip of its price (0: none). What a unit earns when the price rises by one. And 1 for a contract, whose
        # positions are worth what they have gained since their entry, or 0: then they are worth their price.
        ("pip_size", np.float64),
        ("multiplier", np.float64),
        ("contract", np.float64),
        # Its position: lots and quantity are signed, the price is the average by cost, commission and slippage are
        # those of the entries still open, highest and lowest the extremes since the entry, mark its latest known price.
        # Open profit of a contract counts from the settled price: the average one, or that of the last roll. What
        # rolls have paid of the profit is in `rolled`.
        ("lots", np.int64),
        ("quantity", np.float64),
        ("price", np.float64),
        ("settled", np.float64),
        ("rolled", np.float64),
        ("commission", np.float64),
        ("slippage", np.float64),
        ("highest", np.float64),
        ("lowest", np.float64),
        ("mark", np.float64),
        ("entry_bar", np.int64),
        ("entry_order", np.int64),
        # Whether its orders are matched inside a bar (1) or at the open (0); the bar inside which an entry filled last,
        # and which way the price went when it reached that entry: up (+1), down (-1), or both ways after it.
        ("inside", np.int64),
        ("inside_bar", np.int64),
        ("inside_way", np.int64),
        # How it grew: the number of entries, the lots of the first and the last, the last one's price, and the bar on
        # whose close the last one was decided.
        ("entries", np.int64),
        ("first_lots", np.int64),
        ("last_lots", np.int64),
        ("last_price", np.float64),
        ("decided_bar", np.int64),
        # Its further entries that wait at their prices: how many were placed, and how many entries had been made then.
        ("placed", np.int64),
        ("placed_after", np.int64),
        # Its units, one for each entry order that filled: order, bar and average price of the entry, and the lots that
        # are left, unsigned (see `quantcrafter.engine.simulation.units`).
        ("units", np.int64),
        ("unit_order", np.int64, (MOST_ENTRIES,)),
        ("unit_bar", np.int64, (MOST_ENTRIES,)),
        ("unit_lots", np.int64, (MOST_ENTRIES,)),
        ("unit_price", np.float64, (MOST_ENTRIES,)),
        *RISK_HOLDING_FIELDS,
        # The execution whose position or entries there are; where there is nothing, the one that had its turn last.
        ("execution", np.int64),
        # What wakes it: a price this low or this high, or this bar; before which bar nothing is known to wake it; and
        # whether it is awake in the step that is run (see `quantcrafter.engine.simulation.quiet`).
        ("alarm_below", np.float64),
        ("alarm_above", np.float64),
        ("alarm_bar", np.int64),
        ("quiet_until", np.int64),
        ("awake", np.int64),
        # The event of the step that is the first, second and so on with an instrument awake, by place.
        ("turn", np.int64),
        # Its grid: the side (0: none), the price the lines are counted from, their spacing, the lots of a line, and how
        # many each line holds.
        ("grid_side", np.int64),
        ("grid_anchor", np.float64),
        ("grid_step", np.float64),
        ("grid_lots", np.int64),
        ("grid_held", np.int64, (MOST_LEVELS,)),
        # Its open orders, the first `working` slots, by id; each may fill from its `from_bar` on, in its `phase`. An
        # order that `opens` may make a position or let it grow, all others only close; it is sized and protected by the
        # values of the bar on whose close it was `decided`. One that is good for a day ends with that of its `day_bar`
        # (-1: it isn't). A stop-limit was touched at `touch_price`. What has filled of each is worth `value`, and was
        # charged `charged`. One that closes a single unit names it: `unit` is the number of the unit's entry order (-1:
        # it closes the position).
        ("working", np.int64),
        ("from_bar", np.int64, (WORKING_SLOTS,)),
        ("phase", np.int64, (WORKING_SLOTS,)),
        ("opens", np.int64, (WORKING_SLOTS,)),
        ("decided", np.int64, (WORKING_SLOTS,)),
        ("day_bar", np.int64, (WORKING_SLOTS,)),
        ("touch_price", np.float64, (WORKING_SLOTS,)),
        ("value", np.float64, (WORKING_SLOTS,)),
        ("charged", np.float64, (WORKING_SLOTS,)),
        ("unit", np.int64, (WORKING_SLOTS,)),
        ("slots", ORDER_DTYPE, (WORKING_SLOTS,)),
        # The bands of its ticks, of all tables in order, `bands` of them: the day from which on a table is in force,
        # the price at which a band begins, its tick, and 1 / tick or 0. And the first band that is in use.
        ("bands", np.int64),
        ("band_first", np.int64),
        ("band_since", np.int64, (MOST_BANDS,)),
        ("band_from", np.float64, (MOST_BANDS,)),
        ("band_tick", np.float64, (MOST_BANDS,)),
        ("band_inverse", np.float64, (MOST_BANDS,)),
    ],
    align=True,
)
"""The simulation's data of one instrument."""


SIZE_TERMS: list[tuple[str, type]] = [
    ("size_kind", np.int64),
    ("size_value", np.float64),
    *SIZE_FIELDS,
    ("size_column", np.int64),
]
"""How large an entry is."""

EXECUTION_TERMS: list[tuple[Any, ...]] = [
    ("on_opposite", np.int64),
    # The entry order; columns are rows of `MarketArrays.columns`, or -1.
    ("entry_kind", np.int64),
    ("entry_percent", np.float64),
    ("entry_ticks", np.float64),
    ("entry_pips", np.float64),
    ("entry_multiple", np.float64),
    ("limit_percent", np.float64),
    ("limit_ticks", np.float64),
    ("limit_pips", np.float64),
    ("limit_multiple", np.float64),
    ("life", np.int64),
    ("life_bars", np.int64),
    ("follow", np.int64),
    ("two_sided", np.int64),
    ("line", np.int64),
    ("short_line", np.int64),
    ("atr", np.int64),
    ("weight", np.int64),
    ("rank", np.int64),
    # Further entries: at most that many in all, spaced in favour (+1) of the position or against it (-1).
    ("scale_entries", np.int64),
    ("scale_percent", np.float64),
    ("scale_ticks", np.float64),
    ("scale_pips", np.float64),
    ("scale_multiple", np.float64),
    ("scale_sign", np.int64),
    ("scale_on_signal", np.int64),
    # 1 when they wait at their prices; and the lots of each, in those of the first.
    ("scale_resting", np.int64),
    ("scale_sizes", np.float64, (MOST_ENTRIES,)),
    # Grid: its number of lines (0: no grid), their spacing, and how large the position may become.
    ("grid_levels", np.int64),
    ("grid_percent", np.float64),
    ("grid_ticks", np.float64),
    ("grid_pips", np.float64),
    ("grid_multiple", np.float64),
    ("grid_cap_percent", np.float64),
    # Pair: 1 when both legs are traded together; the instruments of the legs; whether the ratio is one of values; and
    # the open profit that closes both, in percent of their value and in cash (0: none).
    ("pair", np.int64),
    ("first_leg", np.int64),
    ("second_leg", np.int64),
    ("ratio", np.int64),
    ("by_value", np.int64),
    ("pair_stop_percent", np.float64),
    ("pair_stop_cash", np.float64),
    ("pair_target_percent", np.float64),
    ("pair_target_cash", np.float64),
    *SIZE_TERMS,
]
"""How signals of one execution node become orders, and their sizes."""

EXECUTION_DTYPE = np.dtype(EXECUTION_TERMS, align=True)

DECISION_TERMS: list[tuple[Any, ...]] = [
    # The executions, in the order of the file. Each has rows of its own in `MarketArrays.signals` and `.allowed`.
    ("execution_count", np.int64),
    ("executions", EXECUTION_DTYPE, (MOST_EXECUTIONS,)),
    # 1 when waiting entries of any of them follow a line, and when any ranks the entries at an open.
    ("following", np.int64),
    ("ranked", np.int64),
    # 1 when entries of any of them may wait on the side against a position or another entry.
    ("opposing", np.int64),
    # 1 when orders of any of them fill at the close, and when they do so at the very close of the decision.
    ("at_close", np.int64),
    ("auction", np.int64),
    # 1 when any of them trades a pair; and when market orders fill at an open in a certain order: of pairs, ranks or
    # weights.
    ("paired", np.int64),
    ("staged", np.int64),
    # Weights: 1 when positions are brought to them; how far one may drift (0: as far as it likes).
    ("rebalance", np.int64),
    ("drift_percent", np.float64),
    # 1 if any of its rules is one that few strategies use: there is machine code without those.
    ("has_rare", np.int64),
    # 1 when such a rule was to be followed all the same: the run must not go on.
    ("omitted", np.int64),
    # 1 if every close must be checked while there are orders or a position, 0 if only signals matter.
    ("checks_closes", np.int64),
    # 1 when every close must be looked at while there is a position: a rule follows a column, or it may grow.
    ("restless", np.int64),
]
"""What is decided at a close."""

COST_TERMS: list[tuple[str, type]] = [
    ("commission_percent", np.float64),
    ("commission_maker_percent", np.float64),
    ("commission_per_lot", np.float64),
    ("commission_per_unit", np.float64),
    ("commission_per_order", np.float64),
    ("commission_minimum", np.float64),
    ("slippage_bps", np.float64),
    ("slippage_ticks", np.float64),
    ("slippage_range_percent", np.float64),
    ("volume_percent", np.float64),
]
"""What a fill costs."""


@cache
def portfolio_dtype(table_rows: int = MOST_ROWS) -> np.dtype[np.void]:
    """Return the record of what the whole run shares: terms, account, and tables of that many rows.

    `arm_delay` is 0 when protective orders work within the entry bar, else 1; `reject` and `close_last` are 0 or 1.
    `first_step` is the step to which the first row of the step columns belongs: 0, but in an open session.
    `capacity` is how many rows of each table may be used, `rows_per_bar` how many a bar of an instrument may take
    beyond the orders `at_work`. Orders are written to their table when they leave work. `overflow` counts orders for
    which there was no slot. `cash_changes` counts those noted in the curve. `next_wake` is a step at which an
    instrument that is asleep wakes, if it is known.
    """
    return np.dtype(
        [
            *DECISION_TERMS,
            *COST_TERMS,
            ("arm_delay", np.int64),
            ("reject", np.int64),
            ("close_last", np.int64),
            ("cash", np.float64),
            *RISK_TERMS,
            *RISK_PORTFOLIO_FIELDS,
            # Profit and entry value of what has been closed of an open pair, by execution.
            ("pair_profit", np.float64, (MOST_EXECUTIONS,)),
            ("pair_value", np.float64, (MOST_EXECUTIONS,)),
            ("next_order", np.int64),
            ("at_work", np.int64),
            ("overflow", np.int64),
            ("first_step", np.int64),
            ("rows_per_bar", np.int64),
            ("capacity", np.int64),
            ("cash_changes", np.int64),
            ("next_wake", np.int64),
            ("orders", np.int64),
            ("fills", np.int64),
            ("parts", np.int64),
            ("blocked", np.int64),
            ("order_rows", ORDER_DTYPE, (table_rows,)),
            ("fill_rows", FILL_DTYPE, (table_rows,)),
            ("part_rows", PART_DTYPE, (table_rows,)),
            ("blocked_rows", BLOCKED_DTYPE, (table_rows,)),
            *risk_tables(table_rows),
        ],
        align=True,
    )


_RULES_OF_THE_RUN = ("arm_delay", "reject", "close_last", "first_step", "rows_per_bar", "capacity", "next_wake")
PORTFOLIO_TERMS = frozenset(
    [
        *(field[0] for field in (*DECISION_TERMS, *COST_TERMS, *RISK_TERMS)),
        *_RULES_OF_THE_RUN,
        *(f"{name}_rows" for name in ("order", "fill", "part", "blocked", "intervention", "cashflow")),
    ]
)
"""Fields of a portfolio that come from the job or from where it is run, and the tables; the others are its state."""

_PLACE = ("index", "start", "bars", "last_bar", "first_bar")
_UNITS = (
    "tick_size",
    "tick_inverse",
    "tick_bands",
    *BAND_TERMS,
    "lot_size",
    "lot_inverse",
    "pip_size",
    "multiplier",
    "contract",
)
HOLDING_TERMS = frozenset([*_PLACE, *_UNITS, *RISK_HOLDING_TERMS])
"""Fields of a book that come from the job and do not change; the others are its state."""


class MarketArrays(NamedTuple):
    """Bars and decision columns of all instruments, one after the other, each of shape (rows,).

    `flags` are the signals of all executions together: what wakes an instrument. `signals` and `allowed` have shape
    (executions, rows): the flags of each, and whether its filters let entries pass. `columns` has shape (k, rows): the
    columns that protective rules and executions use. `day_edge` says where
    trading days begin and end; it is empty when no order depends on it. `account` holds what only some runs need.
    """

    open: FloatColumn
    high: FloatColumn
    low: FloatColumn
    close: FloatColumn
    flags: FlagColumn
    signals: FlagColumn
    allowed: BoolColumn
    columns: FloatColumn
    day_edge: FlagColumn
    account: AccountColumns


class Timeline(NamedTuple):
    """Which bars close at which step.

    The events of step s are rows `first_event[s]` to `first_event[s + 1]` of `instrument` and `bar`, in file order.
    All three are empty where the instruments are side by side: each has a bar at every step, with the step's number.
    `due` tells at which steps weights are
    restored; it is empty when there are none.
    """

    first_event: TimeColumn
    instrument: TimeColumn
    bar: TimeColumn
    due: BoolColumn
