"""What the HTML report shows of a run: the columns of its indicators, and whether they belong over the price."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.api import Bars, FloatColumn, Role
from engine.runtime.explain.no_trades import why_no_trade
from engine.runtime.result import RunResult
from engine.stats.report_data import ReportData, ReportSeries

_NEAR = 0.25
_ALWAYS_NEAR = 0.6


def report_data(result: RunResult) -> ReportData:
    """Return everything that the report of a run shows."""
    origin = result.origin
    return ReportData(
        strategy=result.strategy,
        ledger=result.ledger,
        instruments=result.instruments,
        metrics=result.metrics,
        settings=result.job_settings,
        no_trades=why_no_trade(result),
        series=tuple(_series(result)),
        description=origin.description,
        file=origin.file,
        strategy_text=origin.text,
        overrides=origin.overrides,
        findings=(*result.findings, *result.notes),
        synthetic=result.synthetic,
        rule_nodes=result.rule_nodes,
        warmup=result.warmup,
        timing=result.timing,
        data_hash=result.data_hash,
    )


def _series(result: RunResult) -> Iterator[ReportSeries]:
    """Yield every indicator column of every instrument, in file order."""
    if result.trace is None:
        return
    for node, outputs in result.trace.columns():
        if result.trace.role(node) is not Role.INDICATOR:
            continue
        for output in outputs:
            name = node if len(outputs) == 1 else f"{node}.{output}"
            for index, job in enumerate(result.instruments):
                column = result.trace.column(node, output, index)
                yield ReportSeries(name, node, index, column, overlay=lies_on_price(column, job.bars))


def lies_on_price(column: FloatColumn, bars: Bars) -> bool:
    """Return whether a column stays so near the close that it reads as a price, such as an average or a band."""
    known = np.isfinite(column) & (bars.close > 0)
    if not known.any():
        return False
    close = bars.close[known]
    distance = np.abs(column[known] - close) / close
    return bool(np.median(distance) < _NEAR and np.quantile(distance, 0.95) < _ALWAYS_NEAR)
