"""What the HTML report shows of a run: the columns of its indicators, and whether they belong over the price."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from quantcrafter.engine.api import Bars, FloatColumn, Role
from quantcrafter.engine.runtime.results.no_trades import why_no_trade
from quantcrafter.engine.runtime.results.run_view import RunView
from quantcrafter.engine.stats.report_data import ReportData, ReportSeries

_NEAR = 0.25
_ALWAYS_NEAR = 0.6


def report_data(run: RunView) -> ReportData:
    """Return everything that the report of a run shows."""
    origin = run.origin
    return ReportData(
        strategy=run.strategy,
        ledger=run.ledger,
        instruments=run.instruments,
        metrics=run.metrics,
        settings=run.settings,
        no_trades=why_no_trade(run),
        series=tuple(_series(run)),
        description=origin.description,
        file=origin.file,
        strategy_text=origin.text,
        overrides=origin.overrides,
        findings=(*run.findings, *run.notes),
        synthetic=run.synthetic,
        rule_nodes=run.rule_nodes,
        warmup=run.warmup,
        timing=run.timing,
        data_hash=run.data_hash,
        benchmark=run.benchmark,
        notices=run.notices,
    )


def _series(run: RunView) -> Iterator[ReportSeries]:
    """Yield every indicator column of every instrument, in file order."""
    for node, outputs in run.columns():
        if run.role(node) is not Role.INDICATOR:
            continue
        for output in outputs:
            name = node if len(outputs) == 1 else f"{node}.{output}"
            for index, job in enumerate(run.instruments):
                column = run.column(node, output, index)
                yield ReportSeries(name, node, index, column, overlay=lies_on_price(column, job.bars))


def lies_on_price(column: FloatColumn, bars: Bars) -> bool:
    """Return whether a column stays so near the close that it reads as a price, such as an average or a band."""
    known = np.isfinite(column) & (bars.close > 0)
    if not known.any():
        return False
    close = bars.close[known]
    distance = np.abs(column[known] - close) / close
    return bool(np.median(distance) < _NEAR and np.quantile(distance, 0.95) < _ALWAYS_NEAR)
