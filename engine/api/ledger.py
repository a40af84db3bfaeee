"""The results of a run: orders with their history, fills, trades, blocked decisions, equity. Fixed numpy records."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.ports import FloatColumn, TimeColumn
from quantcrafter.engine.api.round_trips import round_trips, trade_of_parts
from quantcrafter.engine.api.step_program import StepRecord


class OrderKind(IntEnum):
    """How an order is matched. Saved runs hold the numbers: add at the end, never renumber.

    Only the engine creates `CLOSE` orders, at the end of the data, for splits and for rolls. `AT_CLOSE` is a market
    order that fills at a bar's close.
    """

    MARKET = 0
    STOP = 1
    LIMIT = 2
    STOP_LIMIT = 3
    CLOSE = 4
    AT_CLOSE = 5


class OrderStatus(IntEnum):
    """The status of an order. Saved runs hold the numbers: add at the end, never renumber."""

    WORKING = 0
    FILLED = 1
    CANCELLED = 2
    REJECTED = 3


class Reason(IntEnum):
    """Why an order was created, or a trade ended. Saved runs hold the numbers: add at the end, never renumber."""

    ENTRY = 0
    SIGNAL = 1
    OPPOSITE = 2
    STOP_LOSS = 3
    TAKE_PROFIT = 4
    END_OF_DATA = 5
    SCALE_IN = 6
    REBALANCE = 7
    GRID = 8
    COMPONENT = 9
    TRAILING_STOP = 10
    BREAK_EVEN = 11
    TIME_STOP = 12
    SESSION_END = 13
    HALT = 14
    MARGIN_CALL = 15
    SPLIT = 16
    EXPIRY = 17
    REVERSAL = 18
    OTHER_LEG = 19
    ROLL = 20


class StatusReason(IntEnum):
    """Why an order was cancelled, rejected or cut. Saved runs hold the numbers: add at the end, never renumber."""

    NONE = 0
    OCO = 1
    POSITION_CLOSED = 2
    NO_CASH = 3
    REDUCED = 4
    END_OF_DATA = 5
    EXPIRED = 6
    REPLACED = 7
    SIGNAL = 8
    OPPOSITE = 9
    COMPONENT = 10
    HALT = 11
    CAP = 12
    BELOW_MINIMUM = 13
    NO_SIZE = 14
    STOPPED = 15
    PRICE_LIMIT = 16
    OTHER_LEG = 17


class BlockReason(IntEnum):
    """Why an entry signal did not become an order. Saved runs hold the numbers: add at the end, never renumber."""

    FILTER = 0
    WARMUP = 1
    OPPOSITE_IGNORED = 2
    CONTRADICTION = 3
    SIZE_ZERO = 4
    NO_STOP_DISTANCE = 5
    NO_EQUITY = 6
    NO_PRICE = 7
    HALT = 8
    MARGIN_CALL = 9
    SESSION_END = 10
    COOL_DOWN = 11
    BELOW_MINIMUM = 12
    NO_VOLATILITY = 13
    OTHER_EXECUTION = 14
    NO_RATIO = 15
    OTHER_LEG = 16
    ENTRIES_TODAY = 17
    OPEN_ENTRIES = 18
    SHUT = 19


ORDER_DTYPE = np.dtype(
    [
        ("id", np.int64),
        ("parent", np.int64),
        ("instrument", np.int32),
        ("rule", np.int32),
        ("created_bar", np.int64),
        ("closed_bar", np.int64),
        ("lots", np.int64),
        ("price", np.float64),
        ("fill_price", np.float64),
        ("kind", np.uint8),
        ("side", np.int8),
        ("status", np.uint8),
        ("reason", np.uint8),
        ("status_reason", np.uint8),
        ("execution", np.uint8),
        ("limit", np.float64),
        ("filled", np.int64),
        ("expires", np.int64),
        ("touched_bar", np.int64),
        ("level", np.int32),
    ],
    align=True,
)
"""`parent` is the id of the entry order, or of the first leg's entry for that of a pair's second leg, or -1. `rule` is
the index of the protective rule or -1, bars are indices into the instrument's own bars (-1: not yet), `side` is +1 to
buy and -1 to sell, `price` the trigger or limit (NaN: market). `limit` is the limit of a stop-limit (NaN otherwise) and
`touched_bar` the bar from which it is a limit, `filled` how many of the lots have been filled, `expires` the last bar
at which it may fill (-1: no end, or a day that is not over), `level` the line of the grid that it belongs to, or -1,
`execution` the number of the execution node that created it.
"""

FILL_DTYPE = np.dtype(
    [
        ("order_id", np.int64),
        ("bar", np.int64),
        ("lots", np.int64),
        ("price", np.float64),
        ("commission", np.float64),
        ("slippage", np.float64),
        ("instrument", np.int32),
        ("side", np.int8),
        ("kind", np.uint8),
        ("reason", np.uint8),
        ("execution", np.uint8),
        ("rate", np.float64),
    ],
    align=True,
)
"""`price` is the matched price, in the instrument's currency; `rate` is what one unit of that was worth in the
account's. Commission and slippage are amounts in the account's currency, both deducted from the cash. `execution` is
the number of the order's execution node.
"""

BLOCKED_DTYPE = np.dtype(
    [
        ("bar", np.int64),
        ("instrument", np.int32),
        ("flags", np.uint8),
        ("reason", np.uint8),
        ("execution", np.uint8),
    ]
)
"""`execution` is the number of the execution node whose signal was blocked."""


class InterventionKind(IntEnum):
    """What a rule did beyond, or against, the signals. Add at the end, never renumber."""

    STOP_MOVED = 0
    TARGET_MOVED = 1
    ENTRY_BLOCKED = 2
    ENTRY_CUT = 3
    FLATTENED = 4
    HALT_BEGAN = 5
    HALT_ENDED = 6
    MARGIN_CALL = 7
    FLATTENED_LATE = 8
    ACCOUNT_LOST = 9
    EXIT_HELD_BACK = 10
    LIMIT_LOCKED = 11


INTERVENTION_DTYPE = np.dtype(
    [
        ("bar", np.int64),
        ("instrument", np.int32),
        ("rule", np.int32),
        ("kind", np.uint8),
        ("before", np.float64),
        ("after", np.float64),
    ],
    align=True,
)
"""`instrument` is -1 for the whole account, whose `bar` is the step; `rule` is the index of the rule, protective ones
first, then guards, or -1 for the broker or the exchange. `before` and `after` are the prices of an order that was
moved; the quantity asked for and allowed of an entry, or of an order that was held back; the position and 0 when it is
flattened; the equity that a halt measures from, or that the margin asks for, and the equity there was."""


class CashflowKind(IntEnum):
    """Cash flows without a fill. Add at the end, never renumber."""

    BORROW = 0
    DIVIDEND = 1
    CASH_IN_LIEU = 2
    FUNDING = 3
    SWAP = 4
    WITHDRAWAL = 5


CASHFLOW_DTYPE = np.dtype(
    [("bar", np.int64), ("instrument", np.int32), ("kind", np.uint8), ("amount", np.float64)], align=True
)
"""`amount` is in the account's currency, negative if it was paid; it is booked at the bar's open or close. `instrument`
is -1 for a withdrawal from the account, whose `bar` is the step before whose open it was booked."""


@dataclass(frozen=True)
class OpenPosition:
    """A position still open when the data ended. `lots` is signed; amounts are in currency."""

    instrument: int
    lots: int
    entry_bar: int
    entry_price: float
    unrealised_pnl: float


@dataclass(frozen=True)
class Stretches:
    """A column that keeps its value for many rows: `values[k]` holds from row `starts[k]` on, of `length` rows."""

    values: FloatColumn
    starts: TimeColumn
    length: int

    def column(self) -> FloatColumn:
        """Return the column, one value a row."""
        return np.repeat(self.values, np.diff(self.starts, append=self.length))


class _Unfolded:
    """A field that is set as a column or as stretches, and read as a column."""

    def __get__(self, ledger: Ledger | None, _owner: type) -> FloatColumn:
        if ledger is None:
            raise AttributeError("cash")  # the field has no default
        given: FloatColumn | Stretches = vars(ledger)["cash"]
        if isinstance(given, Stretches):
            given = vars(ledger)["cash"] = given.column()
        return given

    def __set__(self, ledger: Ledger, given: FloatColumn | Stretches) -> None:
        vars(ledger)["cash"] = given


@dataclass(frozen=True)
class Ledger:
    """The ledger of one run.

    `ts_ns`, `equity` and `cash` have one row per step: every close time at which any instrument had a bar. Equity is
    cash plus positions valued at their instruments' latest close. `steps` are the results of the nodes that read the
    position, if there are any. `parts` are the parts in which positions were closed, one for each closing fill.
    """

    orders: npt.NDArray[Any]
    fills: npt.NDArray[Any]
    parts: npt.NDArray[Any]
    blocked: npt.NDArray[Any]
    ts_ns: TimeColumn
    equity: FloatColumn
    cash: _Unfolded = _Unfolded()
    open_positions: tuple[OpenPosition, ...] = ()
    interventions: npt.NDArray[Any] = field(default_factory=lambda: np.zeros(0, INTERVENTION_DTYPE))
    cashflows: npt.NDArray[Any] = field(default_factory=lambda: np.zeros(0, CASHFLOW_DTYPE))
    steps: StepRecord | None = None

    @cached_property
    def trades(self) -> npt.NDArray[Any]:
        """The closed trades, each from flat to flat, in the order in which they ended (`TRADE_DTYPE`)."""
        return round_trips(self.parts)

    @cached_property
    def trade_of_parts(self) -> TimeColumn:
        """The row of `trades` that each part belongs to, -1 where the position is still open."""
        return trade_of_parts(self.parts)
