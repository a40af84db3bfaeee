"""RunResult: what a finished run hands back, and its JSON and CSV files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.api import InstrumentJob, Ledger, Problem, RunSettings
from engine.api.csv_text import csv_text
from engine.stats import tables
from engine.stats.files import write_whole
from engine.stats.metrics import Value
from engine.stats.tables import Table

TIMINGS = ("load_s", "columns_s", "simulate_s", "total_s")


@dataclass(frozen=True)
class Origin:
    """What was run: the file, its text and description, a hash of what it does, and the changes made to it."""

    file: str = ""
    text: str = field(default="", repr=False)
    description: str = ""
    spec_hash: str = ""
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunResult:
    """The outcome of a run.

    `bars` counts the steps (close times at which any instrument had a bar), `warmup` the leading bars without a
    decision. `warnings` tells what is doubtful in the file, `findings` what is in the data, `notes` what was guessed of
    it. `rule_nodes` names the node of each rule, protective ones first, then guards, `timing` holds seconds by stage,
    and `trace` every column of every node. `stored_hash` is the hash of the bars where it is known.

    `fills`, `trades`, `orders`, `blocked`, `interventions`, `cashflows` and `equity` are tables: `trades["pnl"]` is a
    numpy column, `trades[0]` a row as a dict. They are built from `ledger` when first asked for.
    """

    strategy: str
    engine: str
    mode: str
    bars: int
    warmup: int
    ledger: Ledger
    instruments: tuple[InstrumentJob, ...]
    job_settings: RunSettings
    rule_nodes: tuple[str, ...]
    metrics: Mapping[str, Value]
    timing: Mapping[str, float]
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    synthetic: bool = False
    stored_hash: str = ""
    origin: Origin = field(default_factory=Origin)
    warnings: tuple[Problem, ...] = ()
    trace: Any = field(default=None, repr=False, compare=False)

    @cached_property
    def data_hash(self) -> str:
        """A hash of all bars of the run; of a run that was kept, the one it was kept with."""
        return self.stored_hash or data_hash(self.instruments)

    @cached_property
    def fills_without_volume(self) -> int:
        """Return how many fills were made on bars without volume, of instruments that have volume on other bars."""
        count = 0
        for number, each in enumerate(self.instruments):
            volume = each.bars.volume
            if volume.any():
                bars = self.ledger.fills["bar"][self.ledger.fills["instrument"] == number]
                count += int((volume[bars] == 0.0).sum())
        return count

    @cached_property
    def fills(self) -> Table:
        """Every execution, in the order in which they happened."""
        return tables.fills_table(self.ledger, self.instruments)

    @cached_property
    def trades(self) -> Table:
        """Every closed trade, entry to exit."""
        return tables.trades_table(self.ledger, self.instruments)

    @cached_property
    def orders(self) -> Table:
        """Every order with its life."""
        return tables.orders_table(self.ledger, self.instruments, self.rule_nodes)

    @cached_property
    def blocked(self) -> Table:
        """Every entry signal that became no order, with the reason."""
        return tables.blocked_table(self.ledger, self.instruments)

    @cached_property
    def interventions(self) -> Table:
        """Every time that a rule moved an order, cut or blocked an entry, closed a position, or halted trading."""
        return tables.interventions_table(self.ledger, self.instruments, self.rule_nodes)

    @cached_property
    def cashflows(self) -> Table:
        """Every amount that came or went without a fill: borrow fees, dividends."""
        return tables.cashflows_table(self.ledger, self.instruments)

    @cached_property
    def equity(self) -> Table:
        """Time (`ts_ns`, UTC) and equity (`value`) of every step."""
        return tables.equity_table(self.ledger)

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain values that JSON can hold; undefined numbers are None."""
        return {
            "strategy": self.strategy,
            "engine": self.engine,
            "mode": self.mode,
            "bars": self.bars,
            "warmup": self.warmup,
            "fills": self.fills.rows(),
            "trades": self.trades.rows(),
            "metrics": dict(self.metrics),
            "equity": {name: tables.plain_list(self.equity[name]) for name in ("ts_ns", "value")},
            "timing": {name: float(self.timing.get(name, 0.0)) for name in TIMINGS},
            "fills_without_volume": self.fills_without_volume,
            "open_positions": tables.open_positions_table(self.ledger, self.instruments).rows(),
            "orders": self.orders.rows(),
            "blocked": self.blocked.rows(),
            "interventions": self.interventions.rows(),
            "cashflows": self.cashflows.rows(),
            "synthetic": self.synthetic,
            "data": {
                "hash": self.data_hash,
                "instruments": [_feed(job) for job in self.instruments],
                "findings": list(self.findings),
                "notes": list(self.notes),
            },
        }

    def write_json(self, path: str | Path) -> Path:
        """Write `to_json()` to a file.

        Raises:
            RunError: the file cannot be written.
        """
        from pydantic_core import to_json

        return write_whole(path, to_json(self.to_json()) + b"\n", "The result")

    def write_report(self, path: str | Path) -> Path:
        """Write the HTML report: one file with charts, metrics and trades that needs no network.

        Raises:
            RunError: the file cannot be written.
        """
        from engine.runtime.report import report_data
        from engine.stats.report import write_report

        return write_report(path, report_data(self))

    def write_trades_csv(self, path: str | Path) -> Path:
        """Write the trades to a CSV file with a header; times as ns and, for people, as UTC text.

        Raises:
            RunError: the file cannot be written.
        """
        columns = dict(self.trades.columns)
        for end in ("entry", "exit"):
            columns[f"{end}_time"] = columns[f"{end}_ts_ns"].astype("datetime64[ns]").astype("datetime64[s]")
        times = [column.astype(str) if column.dtype.kind == "M" else column for column in columns.values()]
        rows = zip(*(tables.plain_list(column) for column in times), strict=True)
        return write_whole(path, csv_text(columns, rows).encode(), "The trade list")


def data_hash(instruments: Sequence[InstrumentJob]) -> str:
    """Return a hash of all bars of a run."""
    digest = hashlib.blake2b(digest_size=16)
    for instrument in instruments:
        digest.update(instrument.bars.content_hash.encode())
    return digest.hexdigest()


def _feed(job: InstrumentJob) -> dict[str, Any]:
    return {
        "symbol": job.symbol,
        "timeframe": str(job.bars.timeframe),
        "bars": len(job.bars),
        "source": job.bars.source,
        "synthetic": job.bars.synthetic,
    }
