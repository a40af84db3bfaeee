"""Equity, buy-and-hold, drawdown and exposure, one value for each bar of an instrument. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantcrafter.app.charts.model.detail_levels import RangeLevels
from quantcrafter.app.charts.model.trades import HeldUnits
from quantcrafter.engine.api import FloatColumn, InstrumentJob
from quantcrafter.engine.runtime.results.run_view import RunView
from quantcrafter.engine.stats.curve import buy_and_hold_curve, drawdown_curve, grown_equity


@dataclass(frozen=True)
class Curves:
    """The account over the bars of one instrument. Drawdown and exposure are in percent, drawdown below zero.

    `benchmark` is what the starting cash would have become in the run's benchmark, None without one.
    """

    equity: RangeLevels
    hold: RangeLevels
    drawdown: RangeLevels
    exposure: RangeLevels
    benchmark: RangeLevels | None = None

    @property
    def money(self) -> tuple[RangeLevels, ...]:
        """The curves that are amounts of money."""
        return (self.equity, self.hold) if self.benchmark is None else (self.equity, self.hold, self.benchmark)


def curves_of(run: RunView, instrument: int) -> Curves:
    """Return the account's curves at each bar of an instrument."""
    cash = run.settings.cash
    ledger, jobs = run.ledger, run.instruments
    close_ns = jobs[instrument].bars.close_ns
    steps = np.minimum(np.searchsorted(ledger.ts_ns, close_ns), max(len(ledger.ts_ns) - 1, 0))
    same = len(steps) == len(ledger.ts_ns)

    def at_bars(column: FloatColumn) -> FloatColumn:
        if not len(column):
            return np.full(len(steps), cash)
        return column if same else np.asarray(column[steps])

    equity = ledger.equity
    return Curves(
        RangeLevels(at_bars(equity)),
        RangeLevels(at_bars(buy_and_hold_curve(ledger, jobs, cash))),
        RangeLevels(at_bars(-drawdown_curve(grown_equity(ledger), cash) if len(equity) else equity)),
        RangeLevels(at_bars(exposure_curve(run))),
        None if run.benchmark is None else RangeLevels(at_bars(run.benchmark.growth * cash)),
    )


def exposure_curve(run: RunView) -> FloatColumn:
    """Return the value of all positions in percent of the equity at every step; short ones count below zero.

    A contract counts with its whole value.
    """
    ledger = run.ledger
    value = np.zeros(len(ledger.ts_ns))
    for number, job in enumerate(run.instruments):
        held = _value(run, number, job)
        latest = np.searchsorted(job.bars.close_ns, ledger.ts_ns, side="right") - 1
        if len(held):
            value += np.where(latest < 0, 0.0, held[np.maximum(latest, 0)])
    sound = ledger.equity > 0
    percent = np.full(len(value), np.nan)
    np.divide(100.0 * value, ledger.equity, out=percent, where=sound)
    return percent


def _value(run: RunView, number: int, job: InstrumentJob) -> FloatColumn:
    units = HeldUnits(run.ledger, number, job.lot_size).column(len(job.bars))
    rate = 1.0 if job.rate_close is None else job.rate_close
    return np.asarray(units * job.bars.close * job.multiplier * rate)
