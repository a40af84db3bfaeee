"""The data of a report as plain values, so that this package doesn't depend on runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy.typing as npt

from quantcrafter.engine.api.engine import InstrumentJob
from quantcrafter.engine.api.ledger import Ledger
from quantcrafter.engine.api.settings import RunSettings
from quantcrafter.engine.stats import tables
from quantcrafter.engine.stats.benchmark import Benchmark
from quantcrafter.engine.stats.metric_catalog import Value
from quantcrafter.engine.stats.run_times import RunTimes
from quantcrafter.engine.stats.tables import Table


@dataclass(frozen=True)
class ReportSeries:
    """One column of the graph for the price chart.

    `values` has shape (n,) of the instrument's own bars; `overlay` draws it over the price, otherwise it shares a
    panel below with the other series of its `node`.
    """

    name: str
    node: str
    instrument: int
    values: npt.NDArray[Any]
    overlay: bool = True


@dataclass(frozen=True)
class ReportData:
    """Everything that `write_report` shows; texts may hold anything, they are escaped.

    `notices` are those of nodes, with `ts_ns`, `bar`, `instrument`, `node`, `kind` and `text`. `no_trades` says why no
    trade was closed, empty if one was.
    """

    strategy: str
    ledger: Ledger
    instruments: Sequence[InstrumentJob]
    metrics: Mapping[str, Value]
    settings: RunSettings
    no_trades: str = ""
    series: Sequence[ReportSeries] = ()
    description: str = ""
    file: str = ""
    strategy_text: str = ""
    overrides: Sequence[str] = ()
    findings: Sequence[str] = ()
    synthetic: bool = False
    rule_nodes: Sequence[str] = ()
    warmup: int = 0
    timing: Mapping[str, float] = field(default_factory=dict)
    data_hash: str = ""
    benchmark: Benchmark | None = None
    notices: Table | None = None

    @cached_property
    def times(self) -> RunTimes:
        """How the times of the run are shown."""
        return RunTimes.of(self.instruments)

    @cached_property
    def trades(self) -> Table:
        """The closed trades as a table."""
        return tables.trades_table(self.ledger, self.instruments)
