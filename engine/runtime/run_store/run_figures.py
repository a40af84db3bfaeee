"""RunFigures: a run of the history without a folder, by its row; fills, trades and equity as versions before kept them.

Those versions wrote an .npz file of the three tables for each run, `runs/ID.npz`. This is its only reader.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from quantcrafter.engine.api import InstrumentJob, Ledger, Problem, RunError, RunSettings
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.npy import read_npz
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.data.labels import DEFAULT_ZONE
from quantcrafter.engine.runtime.results.run_tables import RunTables
from quantcrafter.engine.runtime.results.run_view import Column, Kept, RunDecision, RunNode, RunOrigin
from quantcrafter.engine.runtime.run_store.record import RunRecord
from quantcrafter.engine.stats.benchmark import Benchmark
from quantcrafter.engine.stats.metrics import Value
from quantcrafter.engine.stats.run_times import RunTimes
from quantcrafter.engine.stats.tables import Table, parts_of_trades

_MOST_UNPACKED = 64_000_000
_UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    EOFError,
    MemoryError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
_PARTS = ("fills", "trades", "equity")


class RunFigures(RunTables):
    """A `RunView` of what a row of the history says, and of tables where there are some; the rest raises RunError."""

    revision = 1
    is_finished = True
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()
    rule_nodes: tuple[str, ...] = ()
    feeds: tuple[tuple[str, str], ...] = ()
    decisions: tuple[RunDecision, ...] = ()
    benchmark: Benchmark | None = None

    def __init__(self, record: RunRecord, tables: Mapping[str, Table] | None = None) -> None:
        """Take the row, and the tables by name."""
        self.id = record.id
        self.started = record.started
        self.strategy, self.engine, self.mode = record.strategy, record.engine, record.mode
        self.origin = RunOrigin(
            record.file, record.spec_text, spec_hash=record.spec_hash, overrides=tuple(record.overrides)
        )
        self.symbols: tuple[str, ...] = record.symbols
        self.bars, self.warmup = record.bars, record.warmup
        self.synthetic, self.data_hash = record.synthetic, record.data_hash
        self.metrics: Mapping[str, Value] = record.metrics
        self.timing: Mapping[str, float] = record.timing
        self.nodes: Mapping[str, RunNode] = {}
        self.times = RunTimes(dict.fromkeys(record.symbols, DEFAULT_ZONE))
        self._settings, self._tables = record.settings, tables

    @property
    def kept(self) -> Kept:
        """What of it is there."""
        return "figures" if self._tables is None else "tables"

    @cached_property
    def settings(self) -> RunSettings:
        """The run's settings.

        Raises:
            RunError: this version does not know them.
        """
        try:
            return RunSettings.model_validate(dict(self._settings))
        except ValueError as error:
            raise RunError(
                Message("The settings of the run {id} are not those of this version. Run it again.", id=self.id)
            ) from error

    @cached_property
    def fills(self) -> Table:
        """Every execution, in the order in which they happened."""
        return self._table("fills")

    @cached_property
    def trades(self) -> Table:
        """Every closed trade, as versions before counted them: each fill that closed a part of a position."""
        return self._table("trades")

    @cached_property
    def parts(self) -> Table:
        """Every part in which a position was closed, with the row of its trade."""
        return parts_of_trades(self.trades)

    @cached_property
    def equity(self) -> Table:
        """Time (`ts_ns`, UTC) and equity (`value`) of every step."""
        return self._table("equity")

    def _table(self, name: str) -> Table:
        if self._tables is None:
            self._refuse(name)
        return self._tables[name]

    @property
    def instruments(self) -> tuple[InstrumentJob, ...]:
        """Raise RunError: they are not kept."""
        self._refuse("instruments")

    @property
    def ledger(self) -> Ledger:
        """Raise RunError: it is not kept."""
        self._refuse("ledger")

    def column(self, node: str, output: str = "", instrument: int = 0) -> Column:
        """Raise RunError: it is not kept."""
        self._refuse(f"{node}.{output} of {self.symbols[instrument]}")

    def strength(self, node: str, output: str = "", instrument: int = 0) -> Column | None:
        """Raise RunError: it is not kept."""
        self._refuse(f"{node}.{output} of {self.symbols[instrument]}")

    def feed_column(self, feed: str, column: str, instrument: int = 0) -> Column:
        """Raise RunError: it is not kept."""
        self._refuse(f"{feed}.{column} of {self.symbols[instrument]}")

    def _refuse(self, name: str) -> NoReturn:
        if self._tables is None:
            raise RunError(
                Message(
                    "Only the metrics of the run {id} are saved, not '{name}'. Run it again.", id=self.id, name=name
                )
            )
        raise RunError(
            Message(
                "Only fills, trades and equity of the run {id} are saved, not '{name}'. Run it again.",
                id=self.id,
                name=name,
            )
        )


def read_tables(path: Path) -> dict[str, Table] | None:
    """Return the tables of an .npz file by name, or None when there is no such file.

    Raises:
        RunError: the file is damaged.
    """
    parts: dict[str, dict[str, Any]] = {part: {} for part in _PARTS}
    try:
        with path.open("rb") as stream:
            for key, array in read_npz(stream, _MOST_UNPACKED).items():
                part, _, name = key.partition(".")
                parts[part][name] = array
        _check_lengths(parts)
    except FileNotFoundError:
        return None
    except _UNREADABLE as error:
        cause = fault(error, "read").cause if isinstance(error, OSError) else Message("the file is damaged")
        text = Message(
            "The fills and trades in '{path}' can't be read: {cause}. Delete the run or run it again.",
            path=shown_path(path),
            cause=cause,
        )
        raise RunError(text) from error
    return {part: Table(columns) for part, columns in parts.items()}


def _check_lengths(parts: Mapping[str, Mapping[str, Any]]) -> None:
    if any(len({column.shape for column in part.values()}) != 1 for part in parts.values()):
        raise ValueError(Message("columns are missing or of different length"))
