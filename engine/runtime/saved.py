"""SavedRun: a finished run in a folder, memory-mapped, for whoever looks at it from another process.

`run.json` holds what is small; every column is one .npy file, with the instruments one after the other:
`bars.<name>`, `market.<name>` (combined flags and filter mask), `column.<step>.<output>` (and `.strength` for a
signal that has one), `feed.<feed>.<name>`, and the ledger's records. A folder is written beside its place and renamed,
so that it is whole or not there. Reading needs numpy and the engine's own light modules only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.api import Bars, InstrumentJob, Ledger, PortType, Role, RunError, RunSettings
from engine.api.bars import BAR_COLUMNS, Session
from engine.api.ledger import OpenPosition
from engine.api.npy import map_npy
from engine.api.os_errors import fault
from engine.api.timeframe import Timeframe
from engine.api.wording import shown_path
from engine.runtime.result import Origin, RunResult
from engine.stats import tables
from engine.stats.metrics import Value
from engine.stats.tables import Table

FORMAT = 1
FILE = "run.json"
TIMES = ("open_ns", "close_ns")
RECORDS = ("orders", "fills", "trades", "blocked", "interventions", "cashflows")
CURVES = ("ts_ns", "equity", "cash")
ACCOUNT = {"rate_open": 1.0, "rate_close": 1.0, "split": 1.0, "dividend": 0.0}
"""Columns that only some runs have, with what they hold for instruments that have none."""
Column = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class SavedOutput:
    """An output of a node that has a column."""

    name: str
    type: PortType


@dataclass(frozen=True, slots=True)
class SavedSource:
    """What an input port read: a number, a column of a feed's bars (or the bars, `output` empty), or a node's output.

    `node` is a feed's name for the kind `market` (`bars` for the instrument's own).
    """

    kind: Literal["number", "market", "node"]
    node: str = ""
    output: str = ""
    value: float = 0.0


@dataclass(frozen=True)
class SavedNode:
    """A node as it ran.

    `step` numbers the columns it has (nodes that compute the same share them), -1 where there are none. `ready` is the
    first bar of each instrument at which its columns are complete. `parameters` are the component's, defaults included.
    """

    id: str
    role: Role
    use: str
    parameters: Mapping[str, Any]
    inputs: Mapping[str, tuple[SavedSource, ...]]
    outputs: tuple[SavedOutput, ...] = ()
    step: int = -1
    ready: tuple[int, ...] = ()


@dataclass(frozen=True)
class SavedDecision:
    """What the execution node was wired to. `filters` tells of each whether True blocks entries."""

    node: str
    combine: str
    signals: tuple[SavedSource, ...]
    filters: Mapping[str, bool]
    protection: tuple[str, ...]


class SavedRun:
    """A run read from its folder. Columns are memory-mapped and read-only."""

    def __init__(self, folder: Path, description: Mapping[str, Any]) -> None:
        """Take what `run.json` says; `months` holds percent by year and month, 0 being the whole year."""
        self.folder = folder
        self.id = folder.name
        self.strategy: str = description["strategy"]
        self.engine: str = description["engine"]
        self.mode: str = description["mode"]
        self.bars_total: int = description["bars"]
        self.warmup: int = description["warmup"]
        self.metrics: Mapping[str, Value] = description["metrics"]
        self.timing: Mapping[str, float] = description["timing"]
        self.findings: tuple[str, ...] = tuple(description["findings"])
        self.notes: tuple[str, ...] = tuple(description["notes"])
        self.synthetic: bool = description["synthetic"]
        self.data_hash: str = description["data_hash"]
        self.settings: Mapping[str, Any] = description["settings"]
        self.origin = Origin(**{**description["origin"], "overrides": tuple(description["origin"]["overrides"])})
        self.rule_nodes: tuple[str, ...] = tuple(description["rule_nodes"])
        self.nodes: Mapping[str, SavedNode] = {each["id"]: _node(each) for each in description["nodes"]}
        self.decision = _decision(description["decision"])
        self.months: Mapping[int, Mapping[int, float]] = {
            int(year): {int(month): value for month, value in months.items()}
            for year, months in description["months"].items()
        }
        self._description = description
        self._opened: dict[str, Column] = {}
        lengths = [each["bars"] for each in description["instruments"]]
        self._offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).tolist()

    @classmethod
    def open(cls, folder: Path) -> SavedRun:
        """Return the run of a folder.

        Raises:
            RunError: there is none, it is damaged, or a newer version wrote it.
        """
        try:
            description = json.loads((Path(folder) / FILE).read_text(encoding="utf-8"))
            if description["format"] != FORMAT:
                raise RunError(f"The run in '{folder}' has format {description['format']}, not {FORMAT}. Run it again.")
            return cls(Path(folder), description)
        except (OSError, ValueError, KeyError, TypeError) as error:
            cause = fault(error, "read").cause
            raise RunError(f"The run in '{shown_path(folder)}' cannot be read: {cause}. Run it again.") from error

    # ------------------------------------------------------------------ what was run

    @property
    def file(self) -> str:
        """The strategy's file, empty if it was never saved."""
        return self.origin.file

    @property
    def text(self) -> str:
        """The YAML text as it was run."""
        return self.origin.text

    @property
    def spec_hash(self) -> str:
        """A hash of what the strategy does, without its layout."""
        return self.origin.spec_hash

    @cached_property
    def instruments(self) -> tuple[InstrumentJob, ...]:
        """The instruments in file order, with bars, combined signal flags and filter mask."""
        return tuple(
            InstrumentJob(
                symbol=each["symbol"],
                bars=self._bars(number),
                tick_size=each["tick_size"],
                lot_size=each["lot_size"],
                flags=self._part("market.flags", number),
                allowed=self._part("market.allowed", number),
                first_bar=each["first_bar"],
                kind=each.get("kind", "spot"),
                multiplier=each.get("multiplier", 1.0),
                currency=each.get("currency", ""),
                rate_open=self._optional_part("market.rate_open", number),
                rate_close=self._optional_part("market.rate_close", number),
                split=self._optional_part("market.split", number),
                dividend=self._optional_part("market.dividend", number),
            )
            for number, each in enumerate(self._description["instruments"])
        )

    # ------------------------------------------------------------------ what it did

    @cached_property
    def ledger(self) -> Ledger:
        """The books."""
        # A run kept before there were interventions and cash flows has no files of them.
        names = [name for name in (*RECORDS, *CURVES) if (self.folder / f"{name}.npy").exists()]
        arrays: dict[str, Any] = {name: self._array(name) for name in names}
        held = tuple(OpenPosition(**each) for each in self._description["open_positions"])
        return Ledger(**arrays, open_positions=held)

    @property
    def ts_ns(self) -> Column:
        """Close time of every step, UTC nanoseconds."""
        return self.ledger.ts_ns

    @property
    def equity(self) -> Column:
        """Equity at every step."""
        return self.ledger.equity

    @property
    def cash(self) -> Column:
        """Cash at every step."""
        return self.ledger.cash

    @property
    def daily_returns(self) -> Column:
        """Change of the equity from one trading day to the next, as fractions."""
        return self._array("daily_returns")

    @cached_property
    def fills(self) -> Table:
        """Every execution, as in `RunResult`."""
        return tables.fills_table(self.ledger, self.instruments)

    @cached_property
    def trades(self) -> Table:
        """Every closed trade, as in `RunResult`."""
        return tables.trades_table(self.ledger, self.instruments)

    @cached_property
    def orders(self) -> Table:
        """Every order with its life, as in `RunResult`."""
        return tables.orders_table(self.ledger, self.instruments, self.rule_nodes)

    @cached_property
    def blocked(self) -> Table:
        """Every entry signal that became no order, as in `RunResult`."""
        return tables.blocked_table(self.ledger, self.instruments)

    @cached_property
    def interventions(self) -> Table:
        """Every time that a rule stepped in, as in `RunResult`."""
        return tables.interventions_table(self.ledger, self.instruments, self.rule_nodes)

    @cached_property
    def cashflows(self) -> Table:
        """Every amount that came or went without a fill, as in `RunResult`."""
        return tables.cashflows_table(self.ledger, self.instruments)

    # ------------------------------------------------------------------ the trace

    def columns(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield each node id that has columns, with its output names."""
        for node in self.nodes.values():
            if node.step >= 0:
                yield node.id, tuple(output.name for output in node.outputs)

    def role(self, node: str) -> Role:
        """Return the role of a node."""
        return self.nodes[node].role

    def column(self, node: str, output: str = "", instrument: int = 0) -> Column:
        """Return an output column aligned to the instrument's own bars, shape (n,); flags for a signal.

        Raises:
            KeyError: there is no such node or output.
        """
        return self._part(self._column_name(node, output), instrument)

    def strength(self, node: str, output: str = "", instrument: int = 0) -> Column | None:
        """Return the strength of a signal output, or None where it has none."""
        return self._optional_part(f"{self._column_name(node, output)}.strength", instrument)

    def feed_column(self, feed: str, column: str, instrument: int = 0) -> Column:
        """Return a column of a feed's bars that some node read, aligned to the instrument's own bars.

        Raises:
            KeyError: no node read it.
        """
        if {"feed": feed, "column": column} not in self._description.get("feeds", ()):
            raise KeyError(f"{feed}.{column}")
        return self._part(f"feed.{feed}.{column}", instrument)

    def to_result(self) -> RunResult:
        """Return the run as the result it came from, for reports; its trace reads from here."""
        return RunResult(
            strategy=self.strategy,
            engine=self.engine,
            mode=self.mode,
            bars=self.bars_total,
            warmup=self.warmup,
            ledger=self.ledger,
            instruments=self.instruments,
            job_settings=RunSettings.model_validate(self.settings),
            rule_nodes=self.rule_nodes,
            metrics=self.metrics,
            timing=self.timing,
            findings=self.findings,
            notes=self.notes,
            synthetic=self.synthetic,
            stored_hash=self.data_hash,
            origin=self.origin,
            trace=self,
        )

    def _column_name(self, node: str, output: str) -> str:
        known = self.nodes[node]
        names = [each.name for each in known.outputs]
        if known.step < 0 or (output and output not in names):
            raise KeyError(f"{node}.{output}")
        return f"column.{known.step}.{names.index(output) if output else 0}"

    def _bars(self, number: int) -> Bars:
        about = self._description["instruments"][number]
        session = {**about["session"], "weekdays": tuple(about["session"]["weekdays"])}
        columns: dict[str, Any] = {name: self._part(f"bars.{name}", number) for name in (*TIMES, *BAR_COLUMNS)}
        return Bars(
            symbol=about["symbol"],
            timeframe=Timeframe.parse(about["timeframe"]),
            **columns,
            session=Session(**session),
            source=about["source"],
            synthetic=about["synthetic"],
        )

    def _part(self, name: str, instrument: int) -> Column:
        start, stop = self._offsets[instrument], self._offsets[instrument + 1]
        return self._array(name)[start:stop]

    def _optional_part(self, name: str, instrument: int) -> Column | None:
        """Return a column that only some runs have, or None."""
        return self._part(name, instrument) if (self.folder / f"{name}.npy").exists() else None

    def _array(self, name: str) -> Column:
        if name not in self._opened:
            try:
                self._opened[name] = map_npy(self.folder / f"{name}.npy")
            except (OSError, ValueError) as error:
                cause = fault(error, "read").cause
                text = f"The run in '{shown_path(self.folder)}' has lost '{name}': {cause}. Run it again."
                raise RunError(text) from error
        return self._opened[name]


def _node(about: Mapping[str, Any]) -> SavedNode:
    return SavedNode(
        id=about["id"],
        role=Role(about["role"]),
        use=about["use"],
        parameters=about["parameters"],
        inputs={port: tuple(SavedSource(**each) for each in wires) for port, wires in about["inputs"].items()},
        outputs=tuple(SavedOutput(each["name"], PortType(each["type"])) for each in about["outputs"]),
        step=about["step"],
        ready=tuple(about["ready"]),
    )


def _decision(about: Mapping[str, Any] | None) -> SavedDecision | None:
    if about is None:
        return None
    return SavedDecision(
        node=about["node"],
        combine=about["combine"],
        signals=tuple(SavedSource(**each) for each in about["signals"]),
        filters=about["filters"],
        protection=tuple(about["protection"]),
    )
