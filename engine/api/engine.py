"""The contract between a prepared strategy and an engine that matches its orders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar

from quantcrafter.engine.api.bars import Bars
from quantcrafter.engine.api.capability import Capability
from quantcrafter.engine.api.component import Component
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import Ledger
from quantcrafter.engine.api.market import Term
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.ports import BoolColumn, FlagColumn, FloatColumn
from quantcrafter.engine.api.rules import ExecutionRule, GuardRule, ProtectiveRule, SizeRule
from quantcrafter.engine.api.settings import InstrumentKind, InstrumentMargin, RunSettings
from quantcrafter.engine.api.step_program import StepProgram


def _no_progress(done: int, total: int) -> None:
    """Ignore progress."""


def _never() -> bool:
    return False


MOST_EXECUTIONS = 8
"""How many execution nodes a job may have."""


@dataclass(frozen=True)
class Execution:
    """One execution node: how its signals become orders, and how large its entries are.

    `protection` holds the numbers of the job's protective rules that its positions get; None for all of them.
    """

    rule: ExecutionRule
    size: SizeRule
    node: str = ""
    protection: tuple[int, ...] | None = None


@dataclass(frozen=True)
class ExecutionColumns:
    """What one execution node reads of an instrument; each column has shape (n,).

    `flags` are its combined signals, `allowed` says whether its filters let entries pass, `columns` are those of its
    rule by the names in `EXECUTION_COLUMNS`, `size` is that of its size rule.
    """

    flags: FlagColumn
    allowed: BoolColumn
    columns: Mapping[str, FloatColumn] = field(default_factory=dict)
    size: FloatColumn | None = None


@dataclass(frozen=True)
class InstrumentJob:
    """One instrument, ready for the decision stage; columns have shape (n,) of its own bars.

    `flags` are the combined signals, `allowed` whether the filters let entries pass, `first_bar` the first bar at
    which a decision may be taken, `rule_columns[i]` the column of the i-th protective rule or None,
    `execution_columns` those of the execution rule by the names in `EXECUTION_COLUMNS`, `size_column` that of the size
    rule. They are those of the job's first execution; `further` has those of the others, in order.

    `rate_open` and `rate_close` are units of the account's currency for
    one of the instrument's, as known at the opens and closes of its bars; None where the two are the same. `split` is
    how many units one becomes at a bar's open, `dividend` the cash that a unit gets then. `borrow_percent` is what a
    short position costs a year. `step_columns` are the inputs of the job's `steps`, in order.

    A `contract` is not paid for when it is bought: its positions take `margin` (that of the run where None), and gain
    or lose `multiplier` for each unit and point of the price, in the currency of its prices. `pip_size` is what a
    distance in pips counts. `tick_is_shown` says that the prices told the tick, and later ones
    may tell a finer one. The duties are taxes on the value of what is bought and sold. `trading_days` are those of a
    year, told from the session where None. `terms` say of values where they come from.
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
    step_columns: tuple[FloatColumn, ...] = ()
    kind: InstrumentKind = "spot"
    multiplier: float = 1.0
    pip_size: float | None = None
    margin: InstrumentMargin | None = None
    tick_is_shown: bool = False
    buy_duty_percent: float = 0.0
    sell_duty_percent: float = 0.0
    trading_days: float | None = None
    terms: Mapping[str, Term] = field(default_factory=dict)
    further: tuple[ExecutionColumns, ...] = ()

    @property
    def executions(self) -> tuple[ExecutionColumns, ...]:
        """The columns of each execution of the job."""
        return ExecutionColumns(self.flags, self.allowed, self.execution_columns, self.size_column), *self.further


@dataclass(frozen=True)
class DecisionComponent:
    """A decision component that provides its own `on_bar`.

    `inputs` holds, for each instrument in file order, its columns by port name: arrays, `Signals`, `Bars`, or tuples of
    these. `rule` is the index of a risk manager's place among the protective rules, `execution` the number of the
    execution whose entries a money manager sizes.
    """

    node: str
    component: Component
    inputs: tuple[Mapping[str, Any], ...]
    rule: int = -1
    execution: int = 0


@dataclass(frozen=True)
class EngineJob:
    """All an engine needs to run the decision stage; instruments are in file order.

    Each of the `executions` acts on its own signals, for all instruments. In an instrument one of them at a time has
    working entries or a position: whoever comes first, and in one bar the first in this order.

    `components` decide in Python, bar by bar; without any the whole loop can be compiled. An execution component among
    them takes the place of the only execution's rule, a money manager that of a size rule; each risk manager has a
    protective rule of the kind COMPONENT that names its orders.

    `steps` is the program of the nodes that read the position; `flags` and `allowed` of the instruments are then those
    of the other nodes, and what the program gives takes their place bar by bar.

    `progress(done, total)` is called now and then with counts of bars; `cancelled()` is asked as often.
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
        """Whether rules say all, so that the compiled driver can run it."""
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
    """A strategy class of the engine's own kind, to be run by that engine alone on our bars.

    `path` is `package.module.Class`, `folder` where to look for the module when it is not installed ('' for
    nowhere), `modules` what else is allowed there. Whoever makes the job has checked that the user allows the import.
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
    """The books of a strategy class: quantities are whole numbers of `lot_size`, by instrument."""

    ledger: Ledger
    lot_sizes: tuple[float, ...]


class EngineAdapter(ABC):
    """An engine that can run a job.

    `modes` says in which ways it can run one, `capabilities` what it can do; a run that asks for more is refused before
    it begins. `packages` are the modules that must be installed beside QuantCrafter, `install` the command that brings
    them.
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
            RunError: the engine cannot do what the job asks for.
            RunCancelledError: `job.cancelled()` returned True.
        """

    def run_class(self, job: ClassJob) -> ClassRun:
        """Run a strategy class written for the engine and return its books.

        Only engines with `Capability.STRATEGY_CLASSES` are asked.

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
        """Return whether the engine can start at once, or must first compile itself for this machine."""
        return True

    @classmethod
    def missing(cls) -> str:
        """Return what is not installed and how to get it, such as `not installed: pip install ...`; '' when all is."""
        if all(_is_installed(package) for package in cls.packages):
            return ""
        return Message("not installed: {install}", install=cls.install or f"pip install {' '.join(cls.packages)}")

    @classmethod
    def versions(cls) -> dict[str, str]:
        """Return the versions of what does the matching, by package."""
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
