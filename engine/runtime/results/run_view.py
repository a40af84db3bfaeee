"""RunView: the interface to a run for charts, tables, reports, explanations and comparisons, regardless of its storage.

`RunResult` is a run in memory, `RunFolder` one on the disk, which may still grow. Readers use only this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

import numpy.typing as npt

from quantcrafter.engine.api import InstrumentJob, Ledger, PortType, Problem, Role, RunSettings
from quantcrafter.engine.stats.benchmark import Benchmark
from quantcrafter.engine.stats.metrics import Value
from quantcrafter.engine.stats.run_times import RunTimes
from quantcrafter.engine.stats.tables import Table

Column = npt.NDArray[Any]

Kept = Literal["all", "tables", "figures"]
"""The stored parts of a run: everything; fills, trades and equity without bars and columns; or only metrics and
text.
"""


@dataclass(frozen=True)
class RunOrigin:
    """What was run: the file, its text and description, a hash of what it does, and the changes made to it."""

    file: str = ""
    text: str = field(default="", repr=False)
    description: str = ""
    spec_hash: str = ""
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunOutput:
    """An output of a node that has a column."""

    name: str
    type: PortType


@dataclass(frozen=True, slots=True)
class RunSource:
    """The source of a port: a number, a column of a feed's bars (or the bars, `output` empty), or a node's output.

    `node` is a feed's name for the kind `market` (`bars` for the instrument's own).
    """

    kind: Literal["number", "market", "node"]
    node: str = ""
    output: str = ""
    value: float = 0.0


@dataclass(frozen=True)
class RunNode:
    """A node as it ran.

    `step` numbers the columns it has (nodes that compute the same share them), -1 where there are none. `ready` is the
    first bar of each instrument at which its columns are complete. `parameters` are the component's, defaults included;
    `per_instrument` those of instruments that have their own, by symbol.
    """

    id: str
    role: Role
    use: str
    parameters: Mapping[str, Any]
    inputs: Mapping[str, tuple[RunSource, ...]]
    outputs: tuple[RunOutput, ...] = ()
    step: int = -1
    ready: tuple[int, ...] = ()
    per_instrument: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class RunDecision:
    """The inputs of an execution node. `filters` contains for each filter whether True blocks entries.

    `legs` are the numbers of the two instruments if it trades a pair: it acts on the signals of the first one.
    """

    node: str
    combine: str
    signals: tuple[RunSource, ...]
    filters: Mapping[str, bool]
    protection: tuple[str, ...]
    legs: tuple[int, ...] = ()


class RunView(Protocol):
    """One run up to its current revision; it doesn't change while it is being read.

    Of the instruments' jobs it has bars, combined signals, filter mask, and the account's columns (rates, splits,
    dividends). What the engine alone reads, the columns of sizes and rules, is not kept.

    Of an old run not everything may be kept any more (`kept`); asking for the rest raises RunError.
    """

    # ------------------------------------------------------------------ what was run

    @property
    def id(self) -> str:
        """Its id in the storage; empty if it exists only in memory."""
        ...

    @property
    def started(self) -> datetime:
        """When it was started, in UTC."""
        ...

    @property
    def kept(self) -> Kept:
        """The available parts."""
        ...

    @property
    def revision(self) -> int:
        """The number of additions to the run; 0 for an empty run."""
        ...

    @property
    def is_finished(self) -> bool:
        """Whether nothing will be added."""
        ...

    @property
    def strategy(self) -> str:
        """The strategy's name."""
        ...

    @property
    def engine(self) -> str:
        """The engine that ran it."""
        ...

    @property
    def mode(self) -> str:
        """The mode that it ran in."""
        ...

    @property
    def origin(self) -> RunOrigin:
        """What was run."""
        ...

    @property
    def settings(self) -> RunSettings:
        """The run's settings."""
        ...

    @property
    def rule_nodes(self) -> tuple[str, ...]:
        """The node of each rule, protective ones first, then guards."""
        ...

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is doubtful in the file."""
        ...

    @property
    def findings(self) -> tuple[str, ...]:
        """What is doubtful in the data."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed about the data."""
        ...

    @property
    def synthetic(self) -> bool:
        """Whether any of the data were generated."""
        ...

    @property
    def nodes(self) -> Mapping[str, RunNode]:
        """The nodes by id; none where the run was one of a strategy class."""
        ...

    @property
    def decisions(self) -> tuple[RunDecision, ...]:
        """What each execution node was wired to, by its number."""
        ...

    @property
    def feeds(self) -> tuple[tuple[str, str], ...]:
        """The columns of feeds that nodes read, as pairs of feed and column."""
        ...

    @property
    def file(self) -> str:
        """The strategy's file, empty if it was never saved."""
        ...

    @property
    def text(self) -> str:
        """The YAML text as it was run."""
        ...

    @property
    def spec_hash(self) -> str:
        """A hash of what the strategy does, without its layout."""
        ...

    # ------------------------------------------------------------------ the result

    @property
    def bars(self) -> int:
        """How many steps there were: close times at which any instrument had a bar."""
        ...

    @property
    def warmup(self) -> int:
        """The leading bars without a decision."""
        ...

    @property
    def symbols(self) -> tuple[str, ...]:
        """The instruments' symbols in file order."""
        ...

    @property
    def instruments(self) -> tuple[InstrumentJob, ...]:
        """The instruments in file order, with their bars."""
        ...

    @property
    def data_hash(self) -> str:
        """A hash of all bars; empty while they are incomplete."""
        ...

    @property
    def ledger(self) -> Ledger:
        """The ledger: orders, fills, trades, equity and the other records."""
        ...

    @property
    def metrics(self) -> Mapping[str, Value]:
        """The metrics by key; none while the run continues."""
        ...

    @property
    def benchmark(self) -> Benchmark | None:
        """What the run is compared with; None without a benchmark, and while the run goes on."""
        ...

    @property
    def timing(self) -> Mapping[str, float]:
        """Seconds by stage."""
        ...

    @property
    def fills(self) -> Table:
        """Every execution, in the order in which they happened."""
        ...

    @property
    def trades(self) -> Table:
        """Every closed trade, from flat to flat."""
        ...

    @property
    def parts(self) -> Table:
        """Every part in which a position was closed, with the row of its trade."""
        ...

    @property
    def orders(self) -> Table:
        """Every order with its life."""
        ...

    @property
    def blocked(self) -> Table:
        """Every entry signal that became no order, with the reason."""
        ...

    @property
    def interventions(self) -> Table:
        """Every time that a rule stepped in."""
        ...

    @property
    def cashflows(self) -> Table:
        """Every cash flow without a fill."""
        ...

    @property
    def notices(self) -> Table:
        """Every bar at which a node such as `notify` or `assert` noted something, with its text."""
        ...

    @property
    def equity(self) -> Table:
        """Time (`ts_ns`, UTC) and equity (`value`) of every step."""
        ...

    @property
    def times(self) -> RunTimes:
        """How the times of the run are shown: in the zones of its exchanges."""
        ...

    @property
    def daily_returns(self) -> Column:
        """Change of the equity from one trading day to the next, as fractions."""
        ...

    @property
    def months(self) -> Mapping[int, Mapping[int, float]]:
        """Returns in percent by year and month, 0 being the whole year."""
        ...

    @property
    def fills_without_volume(self) -> int:
        """How many fills were made on bars without volume, of instruments that have volume on other bars."""
        ...

    # ------------------------------------------------------------------ columns

    def columns(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield each node id that has columns, with its output names."""
        ...

    def role(self, node: str) -> Role:
        """Return the role of a node."""
        ...

    def column(self, node: str, output: str = "", instrument: int = 0) -> Column:
        """Return an output column aligned to the instrument's own bars, shape (n,); flags for a signal.

        Raises:
            KeyError: there is no such node or output.
        """
        ...

    def strength(self, node: str, output: str = "", instrument: int = 0) -> Column | None:
        """Return the strength of a signal output, or None where it has none."""
        ...

    def feed_column(self, feed: str, column: str, instrument: int = 0) -> Column:
        """Return a column of a feed's bars that some node read, aligned to the instrument's own bars.

        Raises:
            KeyError: no node read it.
        """
        ...

    # ------------------------------------------------------------------ what is written of it

    def to_json(self) -> dict[str, Any]:
        """Return the run as plain values that JSON can hold; undefined numbers are None."""
        ...
