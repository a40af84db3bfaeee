"""Data derived from a run's ledger and bars: tables, returns, and JSON, CSV and report files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from quantcrafter.engine.api import InstrumentJob, Role
from quantcrafter.engine.api.csv_text import csv_text
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.runtime.results.run_view import Column, Kept, RunNode, RunView
from quantcrafter.engine.stats import tables
from quantcrafter.engine.stats.curve import daily_equity, daily_returns, monthly_returns
from quantcrafter.engine.stats.run_times import RunTimes
from quantcrafter.engine.stats.tables import Table
from quantcrafter.engine.stats.whole_files import write_whole

TIMINGS = ("load_s", "columns_s", "simulate_s", "total_s")


class RunTables:
    """The part of a `RunView` that doesn't depend on the storage of the run; tables are built at their first use."""

    @property
    def file(self: RunView) -> str:
        """The strategy's file, empty if it was never saved."""
        return self.origin.file

    @property
    def text(self: RunView) -> str:
        """The YAML text as it was run."""
        return self.origin.text

    @property
    def spec_hash(self: RunView) -> str:
        """A hash of what the strategy does, without its layout."""
        return self.origin.spec_hash

    @property
    def kept(self) -> Kept:
        """Everything."""
        return "all"

    @cached_property
    def symbols(self: RunView) -> tuple[str, ...]:
        """The instruments' symbols in file order."""
        return tuple(job.symbol for job in self.instruments)

    @cached_property
    def fills_without_volume(self: RunView) -> int:
        """Return how many fills were made on bars without volume, of instruments that have volume on other bars."""
        count = 0
        for number, each in enumerate(self.instruments):
            volume = each.bars.volume
            if volume.any():
                bars = self.ledger.fills["bar"][self.ledger.fills["instrument"] == number]
                count += int((volume[bars] == 0.0).sum())
        return count

    @cached_property
    def fills(self: RunView) -> Table:
        """Every execution, in the order in which they happened."""
        return tables.fills_table(self.ledger, self.instruments)

    @cached_property
    def trades(self: RunView) -> Table:
        """Every closed trade, from flat to flat."""
        return tables.trades_table(self.ledger, self.instruments)

    @cached_property
    def parts(self: RunView) -> Table:
        """Every part in which a position was closed, with the row of its trade."""
        return tables.parts_table(self.ledger, self.instruments)

    @cached_property
    def orders(self: RunView) -> Table:
        """Every order with its life."""
        return tables.orders_table(self.ledger, self.instruments, self.rule_nodes)

    @cached_property
    def blocked(self: RunView) -> Table:
        """Every entry signal that became no order, with the reason."""
        return tables.blocked_table(self.ledger, self.instruments)

    @cached_property
    def interventions(self: RunView) -> Table:
        """Every time that a rule moved an order, cut or blocked an entry, closed a position, or halted trading."""
        return tables.interventions_table(self.ledger, self.instruments, self.rule_nodes)

    @cached_property
    def cashflows(self: RunView) -> Table:
        """Every cash flow without a fill: borrow fees, dividends."""
        return tables.cashflows_table(self.ledger, self.instruments)

    @cached_property
    def notices(self: RunView) -> Table:
        """Every bar at which a node such as `notify` or `assert` noted something, with its text."""
        from quantcrafter.engine.runtime.results.notices import notices_of

        return notices_of(self)

    @cached_property
    def equity(self: RunView) -> Table:
        """Time (`ts_ns`, UTC) and equity (`value`) of every step."""
        return tables.equity_table(self.ledger)

    @cached_property
    def times(self: RunView) -> RunTimes:
        """How the times of the run are shown: in the zones of its exchanges."""
        return RunTimes.of(self.instruments)

    @cached_property
    def daily_returns(self: RunView) -> Column:
        """Change of the equity from one trading day to the next, as fractions."""
        return daily_returns_of(self)

    @cached_property
    def months(self: RunView) -> Mapping[int, Mapping[int, float]]:
        """Returns in percent by year and month, 0 being the whole year."""
        return months_of(self)

    def columns(self: RunView) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield each node id that has columns, with its output names."""
        for node in self.nodes.values():
            if node.step >= 0:
                yield node.id, tuple(output.name for output in node.outputs)

    def role(self: RunView, node: str) -> Role:
        """Return the role of a node."""
        return self.nodes[node].role

    def to_json(self: RunView) -> dict[str, Any]:
        """Return the run as plain values that JSON can hold; undefined numbers are None."""
        from quantcrafter.engine.runtime.results.no_trades import why_no_trade

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
            "parts": self.parts.rows(),
            "orders": self.orders.rows(),
            "blocked": self.blocked.rows(),
            "interventions": self.interventions.rows(),
            "cashflows": self.cashflows.rows(),
            "notices": self.notices.rows(),
            "no_trades": why_no_trade(self),
            "synthetic": self.synthetic,
            "data": {
                "hash": self.data_hash,
                "instruments": [_feed(job) for job in self.instruments],
                "findings": list(self.findings),
                "notes": list(self.notes),
            },
            **_benchmark(self),
        }

    def write_json(self: RunView, path: str | Path) -> Path:
        """Write `to_json()` to a file.

        Raises:
            RunError: the file cannot be written.
        """
        from pydantic_core import to_json

        return write_whole(path, to_json(self.to_json()) + b"\n", Message("The result"))

    def write_report(self: RunView, path: str | Path) -> Path:
        """Write the HTML report: one file with charts, metrics and trades that needs no network.

        Raises:
            RunError: the file cannot be written.
        """
        from quantcrafter.engine.runtime.results.report_columns import report_data
        from quantcrafter.engine.stats.report import write_report

        return write_report(path, report_data(self))

    def write_trades_csv(self: RunView, path: str | Path) -> Path:
        """Write the trades to a CSV file with a header.

        Times are UTC ns and, for people, text in the zone of the instrument's exchange, which `time_zone` names.

        Raises:
            RunError: the file cannot be written.
        """
        columns = dict(self.trades.columns)
        ends = {f"{end}_time": columns[f"{end}_ts_ns"] for end in ("entry", "exit")}
        columns |= self.times.file_columns(ends, columns["instrument"])
        rows = zip(*(tables.plain_list(column) for column in columns.values()), strict=True)
        return write_whole(path, csv_text(columns, rows).encode(), Message("The trade list"))


def daily_returns_of(run: RunView) -> Column:
    """Return the change of a run's equity from one trading day to the next, as fractions."""
    with np.errstate(all="ignore"):
        _, daily = daily_equity(run.ledger, run.instruments)
        returns: Column = daily_returns(daily, run.settings.cash)
    return returns


def months_of(run: RunView) -> Mapping[int, Mapping[int, float]]:
    """Return a run's returns in percent by year and month, 0 being the whole year."""
    return monthly_returns(run.ledger, run.instruments, run.settings.cash)


def data_hash(instruments: Sequence[InstrumentJob]) -> str:
    """Return a hash of all bars of a run, those before its start included."""
    digest = hashlib.blake2b(digest_size=16)
    for instrument in instruments:
        digest.update(instrument.seen.content_hash.encode())
    return digest.hexdigest()


def output_place(nodes: Mapping[str, RunNode], node: str, output: str) -> tuple[int, int]:
    """Return the step and the place among its outputs where a node's output is; the first one if unnamed.

    Raises:
        KeyError: there is no such node or output, or it has no column.
    """
    known = nodes[node]
    names = [each.name for each in known.outputs]
    if known.step < 0 or (output and output not in names):
        raise KeyError(f"{node}.{output}")
    return known.step, names.index(output) if output else 0


def _benchmark(run: RunView) -> dict[str, Any]:
    """Return the name of the benchmark, and what one unit of money in it has become at each step; nothing without."""
    found = run.benchmark
    if found is None:
        return {}
    return {"benchmark": {"name": found.name, "growth": tables.plain_list(found.growth)}}


def _feed(job: InstrumentJob) -> dict[str, Any]:
    terms = {name: {"value": term.value, "from": term.source} for name, term in job.terms.items()}
    return {
        "symbol": job.symbol,
        "timeframe": str(job.bars.timeframe),
        "bars": len(job.bars),
        "source": job.bars.source,
        "synthetic": job.bars.synthetic,
        **({"terms": terms} if terms else {}),
    }
