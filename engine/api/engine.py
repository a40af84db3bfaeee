"""The contract between a prepared strategy and an engine that matches its orders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from quantcrafter.engine.api.bars import Bars, DatedAmounts
from quantcrafter.engine.api.capability import Capability
from quantcrafter.engine.api.component import Component
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import Ledger
from quantcrafter.engine.api.market import Term, TickTables
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.ports import BoolColumn, FlagColumn, FloatColumn
from quantcrafter.engine.api.rules import ExecutionRule, GuardRule, ProtectiveRule, SizeRule
from quantcrafter.engine.api.settings import (
    InstrumentKind,
    InstrumentMargin,
    LimitRounding,
    QuoteSide,
    RunSettings,
    Settlement,
)
from quantcrafter.engine.api.step_program import StepProgram


def _no_progress(done: int, total: int) -> None:
    """Ignore progress."""


def _never() -> bool:
    return False


MOST_EXECUTIONS = 8
"""How many execution nodes a job may have."""


@dataclass(frozen=True)
class Execution:
    """One execution node: how its signals become orders, and the size of its entries.

    `protection` holds the numbers of the job's protective rules that its positions get; None for all of them.
    """

    rule: ExecutionRule
    size: SizeRule
    node: str = ""
    protection: tuple[int, ...] | None = None


@dataclass(frozen=True)
class ExecutionColumns:
    """The inputs of one execution node for an instrument; each column has shape (n,).

    `flags` are its combined signals, `allowed` says whether its filters let entries pass, `columns` are those of its
    rule by the names in `EXECUTION_COLUMNS`, `size` is that of its size rule.
    """

    flags: FlagColumn
    allowed: BoolColumn
    columns: Mapping[str, FloatColumn] = field(default_factory=dict)
    size: FloatColumn | None = None

    def rows(self, span: slice) -> ExecutionColumns:
        """Return the columns of some of the bars."""
        columns = {name: column[span] for name, column in self.columns.items()}
        return ExecutionColumns(self.flags[span], self.allowed[span], columns, _rows(self.size, span))


@dataclass(frozen=True)
class NightlySwap:
    """What a long and a short position earn a night, below zero if they pay it.

    Per unit, as a difference of prices; with `by_value` in percent of the value, a year of 360 days. On the
    weekday `triple_day` (Monday is 0) three nights are due; None for no such day. If the rates change, `dated` has
    what is due at each rollover, and the other numbers are not used.
    """

    long: float
    short: float
    by_value: bool = False
    triple_day: int | None = 2
    dated: DatedAmounts | None = None


@dataclass(frozen=True, slots=True)
class Roll:
    """A change to the next contract of a continuous series, before the bar with the number `bar`.

    `old_price` and `new_price` are the last closes of both contracts on the day of the roll, `old` and `new` their
    names, '' where they are not known.
    """

    bar: int
    old_price: float
    new_price: float
    old: str = ""
    new: str = ""

    @property
    def difference(self) -> float:
        """How far the roll moved the prices."""
        return self.new_price - self.old_price


@dataclass(frozen=True)
class InstrumentJob:
    """One instrument, ready for the decision stage; columns have shape (n,) of its own bars.

    `flags` are the combined signals, `allowed` whether the filters let entries pass, `first_bar` the first bar at
    which a decision may be taken, `rule_columns[i]` the column of the i-th protective rule or None,
    `execution_columns` those of the execution rule by the names in `EXECUTION_COLUMNS`, `size_column` that of the size
    rule. They are those of the job's first execution; `further` has those of the others, in order.

    `rate_open` and `rate_close` are units of the account's currency for one of the instrument's, as known at the opens
    and closes of its bars; None where the two are the same. `split` is how many units one becomes at a bar's open,
    `dividend` the cash that a unit gets then. `roll` is the last close of the contract whose first bar a bar is, NaN at
    all others; the close of the bar before is that of the contract before. `contracts` names the contracts of such a
    series, each with the opening time of its first bar (UTC ns). `borrow_percent` is the cost of a short position per
    year. `step_columns` are the inputs of the job's `steps`, in order.

    A `contract` is not paid for when it is bought: its positions require `margin` (that of the run if None), and gain
    or lose `multiplier` for each unit and point of the price, in the currency of its prices. `pip_size` is the unit of
    distances in pips. `tick_is_shown` means that the tick was derived from the prices, and later prices may show a
    finer one. The duties are taxes on the value of purchases and sales. `trading_days` is the number per year, derived
    from the session if None. `terms` contains the source of each value. `values` are what the strategy says of the
    instrument by names of its own, such as its sector.

    `history` contains all bars that decision components see and ends with `bars`; None if these are all. `step_state`
    is the state of the job's `steps` before the first bar, None for the initial one.

    `spread` is the distance of bid and ask, as a difference of prices, and `quotes` which of them the bars are;
    `spreads` has the spread of each bar, if it changes. `funding_percent` is what a long position pays of its value
    every eight hours; `funding` has the times and percentages of a rate that changes, in its place. `swap` is what
    positions earn a night.
    `expiry_day` is the trading day (since 1970) with whose session a contract expires: there are no later bars.
    `expires` says that it has expired after the last bar although that one closes before the end of this session.
    `settlement` says from when a position can be closed. `price_limits` are pairs of a trading day (since 1970) and how
    many percent the prices of a session may move from then on, from the last close of the session before; 0 means as
    far as they like. `limit_amounts` are limits as amounts, where there are no such pairs: below which last close, by
    how much. Bars longer than a day have no limits.

    `tick_tables` are ticks that depend on the price: pairs of a trading day (since 1970), from which on a table is in
    force, and its bands, each a price from which on its tick holds. `tick_size` is then that of usual prices. Without
    tables, it holds for all prices.
    """

    symbol: str
    bars: Bars
    tick_size: float
    lot_size: float
    flags: FlagColumn
    allowed: BoolColumn
    first_bar: int
    rule_columns: tuple[FloatColumn | None, ...] = ()
    execution_columns: Mapping[str, FloatColumn] = field(default_factory=dict)
    size_column: FloatColumn | None = None
    min_quantity: float = 0.0
    borrow_percent: float = 0.0
    currency: str = ""
    rate_open: FloatColumn | None = None
    rate_close: FloatColumn | None = None
    split: FloatColumn | None = None
    dividend: FloatColumn | None = None
    roll: FloatColumn | None = None
    step_columns: tuple[FloatColumn, ...] = ()
    kind: InstrumentKind = "spot"
    multiplier: float = 1.0
    pip_size: float | None = None
    margin: InstrumentMargin | None = None
    tick_is_shown: bool = False
    buy_duty_percent: float = 0.0
    sell_duty_percent: float = 0.0
    trading_days: float | None = None
    spread: float = 0.0
    quotes: QuoteSide = "mid"
    spreads: FloatColumn | None = None
    funding_percent: float = 0.0
    funding: DatedAmounts | None = None
    swap: NightlySwap | None = None
    expiry_day: int | None = None
    expires: bool = False
    settlement: Settlement = "t+0"
    price_limits: tuple[tuple[int, float], ...] = ()
    limit_amounts: tuple[tuple[float, float], ...] = ()
    limit_rounding: LimitRounding = "nearest"
    tick_tables: TickTables = ()
    terms: Mapping[str, Term] = field(default_factory=dict)
    values: Mapping[str, str | float] = field(default_factory=dict)
    further: tuple[ExecutionColumns, ...] = ()
    history: Bars | None = None
    step_state: FloatColumn | None = None
    contracts: tuple[tuple[int, str], ...] = ()

    @property
    def finest_tick(self) -> float:
        """The tick at the lowest price of the bars: as many decimals as any of their prices has."""
        lowest = float(self.bars.low.min()) if len(self.bars) else 0.0
        fitting = ([tick for low, tick in bands if low <= abs(lowest)] for _, bands in self.tick_tables)
        return min((ticks[-1] for ticks in fitting), default=self.tick_size)

    @property
    def seen(self) -> Bars:
        """All bars that decision components see."""
        return self.bars if self.history is None else self.history

    def rows(self, begin: int, end: int) -> InstrumentJob:
        """Return the job of bars `begin` to `end` (exclusive), of which components see what comes before as well."""
        span = slice(begin, end)
        return replace(
            self,
            bars=self.bars.slice(begin, end),
            flags=self.flags[span],
            allowed=self.allowed[span],
            first_bar=max(0, self.first_bar - begin),
            rule_columns=tuple(_rows(each, span) for each in self.rule_columns),
            execution_columns={name: column[span] for name, column in self.execution_columns.items()},
            size_column=_rows(self.size_column, span),
            rate_open=_rows(self.rate_open, span),
            rate_close=_rows(self.rate_close, span),
            split=_rows(self.split, span),
            dividend=_rows(self.dividend, span),
            roll=_rows(self.roll, span),
            spreads=_rows(self.spreads, span),
            step_columns=tuple(column[span] for column in self.step_columns),
            further=tuple(each.rows(span) for each in self.further),
            history=self.bars.slice(0, end) if begin else None,
            expires=self.expires and end >= len(self.bars),
        )

    @cached_property
    def moved_by_rolls(self) -> FloatColumn:
        """How far all rolls up to each bar have moved the prices, shape (n,); a roll at the first bar is before it."""
        moved = np.zeros(len(self.bars))
        if self.roll is not None and len(moved):
            moved[1:] = self.roll[1:] - self.bars.close[:-1]
        return np.cumsum(np.where(np.isnan(moved), 0.0, moved))

    @cached_property
    def rolls(self) -> tuple[Roll, ...]:
        """The rolls of a continuous series, oldest first, without one before the first bar."""
        if self.roll is None:
            return ()
        found = []
        for bar in np.flatnonzero(~np.isnan(self.roll[1:])).tolist():
            old, new = (self._contract_at(place) for place in (bar, bar + 1))
            found.append(Roll(bar + 1, float(self.bars.close[bar]), float(self.roll[bar + 1]), old, new))
        return tuple(found)

    def _contract_at(self, bar: int) -> str:
        """Return the name of the contract that a bar is of, '' if it is not known."""
        time = int(self.bars.open_ns[bar])
        return next((name for since, name in reversed(self.contracts) if since <= time), "")

    @cached_property
    def executions(self) -> tuple[ExecutionColumns, ...]:
        """The columns of each execution of the job."""
        return ExecutionColumns(self.flags, self.allowed, self.execution_columns, self.size_column), *self.further


def _rows(column: FloatColumn | None, span: slice) -> FloatColumn | None:
    return None if column is None else column[span]


@dataclass(frozen=True)
class DecisionComponent:
    """A decision component that provides its own `on_bar`.

    `inputs` holds, for each instrument in file order, its columns by port name over all bars that are `seen`: arrays,
    `Signals`, `Bars`, or tuples of these. `rule` is the index of a risk manager's place among the protective rules,
    `execution` the number of the execution whose entries a money manager sizes.
    """

    node: str
    component: Component
    inputs: tuple[Mapping[str, Any], ...]
    rule: int = -1
    execution: int = 0


@dataclass(frozen=True)
class EngineJob:
    """The complete input of an engine for the decision stage; instruments are in file order.

    Each of the `executions` acts on its own signals, for all instruments. In each instrument, only one of them at a
    time has working entries or a position: the one that enters first, or on the same bar the first in this order.

    `components` decide in Python, bar by bar; without them, the whole loop can be compiled. An execution component
    replaces the rule of the only execution, a money manager replaces a size rule; each risk manager has a protective
    rule of the kind COMPONENT for its orders.

    `steps` is the program of the nodes that read the position; `flags` and `allowed` of the instruments are then those
    of the other nodes, and are replaced bar by bar by the results of the program.

    `progress(done, total)` is called from time to time with counts of bars, and so is `cancelled()`.
    """

    instruments: tuple[InstrumentJob, ...]
    executions: tuple[Execution, ...]
    protection: tuple[ProtectiveRule, ...]
    settings: RunSettings
    progress: Callable[[int, int], None] = field(default=_no_progress)
    cancelled: Callable[[], bool] = field(default=_never)
    guards: tuple[GuardRule, ...] = ()
    components: tuple[DecisionComponent, ...] = ()
    steps: StepProgram | None = None

    @property
    def is_compiled(self) -> bool:
        """Whether the job consists only of rules, so that the compiled driver can run it."""
        return not self.components


@dataclass(frozen=True)
class ClassInstrument:
    """One instrument for a strategy class: its bars as they were loaded, the tick of its prices, and its lot."""

    symbol: str
    bars: Bars
    tick_size: float
    lot_size: float = 1.0


@dataclass(frozen=True)
class ClassJob:
    """A strategy class of the engine's own kind, which only that engine runs, on our bars.

    `path` is `package.module.Class`, `folder` the folder of the module if it is not installed ('' for none), `modules`
    the other modules that are allowed there. The caller has checked that the user allowed the import.
    """

    path: str
    instruments: tuple[ClassInstrument, ...]
    settings: RunSettings
    parameters: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    folder: str = ""
    modules: tuple[str, ...] = ()
    progress: Callable[[int, int], None] = field(default=_no_progress)
    cancelled: Callable[[], bool] = field(default=_never)


@dataclass(frozen=True)
class ClassRun:
    """The ledger of a strategy class: quantities are whole numbers of `lot_size`, by instrument."""

    ledger: Ledger
    lot_sizes: tuple[float, ...]


class EngineAdapter(ABC):
    """An engine that can run a job.

    `modes` are the supported modes, `capabilities` the supported features; a run that requires more is rejected before
    it starts. `packages` are the additional modules that must be installed, `install` is the command to install them.
    """

    name: ClassVar[str]
    modes: ClassVar[tuple[str, ...]] = ("backtest",)
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.MARKET_ORDERS})
    packages: ClassVar[tuple[str, ...]] = ()
    install: ClassVar[str] = ""

    @abstractmethod
    def run(self, job: EngineJob) -> Ledger:
        """Match the job's orders and return the ledger.

        Raises:
            RunError: the engine doesn't support what the job requires.
            RunCancelledError: `job.cancelled()` returned True.
        """

    def run_class(self, job: ClassJob) -> ClassRun:
        """Run a strategy class written for the engine and return its ledger.

        Called only for engines with `Capability.STRATEGY_CLASSES`.

        Raises:
            RunError: the class is unavailable, or raised.
            RunCancelledError: `job.cancelled()` returned True.
        """
        raise RunError(
            Message(
                "The engine '{name}' runs no strategy classes, so '{path}' can't be run on it.",
                name=self.name,
                path=job.path,
            )
        )

    def is_ready(self) -> bool:
        """Return whether the engine can start immediately, or must first be compiled on this machine."""
        return True

    @classmethod
    def missing(cls) -> str:
        """Return what is missing and how to install it, such as `not installed: pip install ...`; '' for nothing."""
        if all(_is_installed(package) for package in cls.packages):
            return ""
        return Message("not installed: {install}", install=cls.install or f"pip install {' '.join(cls.packages)}")

    @classmethod
    def versions(cls) -> dict[str, str]:
        """Return the versions of the packages that match orders."""
        return {package: _version(package) for package in cls.packages or ("quantcrafter",)}


@cache
def _is_installed(package: str) -> bool:
    """Return whether a package can be imported, without importing it."""
    from importlib.util import find_spec

    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
