"""Benchmark: what a run is compared with, at every step of the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantcrafter.engine.api.bars import Bars
from quantcrafter.engine.api.engine import InstrumentJob
from quantcrafter.engine.api.ledger import Ledger
from quantcrafter.engine.api.ports import FloatColumn, TimeColumn
from quantcrafter.engine.stats import curve
from quantcrafter.engine.stats.position_worth import holding

_SILENT_BARS = 2
_SILENT_NS = 7 * curve.DAY_NS
"""How long after its last bar a benchmark still counts: over a weekend with a holiday."""


@dataclass(frozen=True, eq=False)
class Benchmark:
    """What a run is compared with.

    `growth` is what one unit of money that was held in it from the run's first open (or its own, if that is later) has
    become, in the account's currency, at each step of the run, shape (steps,). It is NaN before the benchmark's first
    close, and after its end.
    """

    name: str
    growth: FloatColumn

    def returns(self, last: TimeColumn) -> FloatColumn:
        """Return the change from one trading day to the next as fractions, shape (days,); NaN where it has no value.

        `last` is the last step of each trading day. The first change is that from the first open, if the benchmark was
        there on that day.
        """
        growth = self.growth[last]
        before = np.concatenate(([1.0], growth[:-1])) if len(growth) else growth
        with np.errstate(all="ignore"):
            return np.asarray(growth / before - 1.0)


def benchmark_of(name: str, job: InstrumentJob, ledger: Ledger, instruments: Sequence[InstrumentJob]) -> Benchmark:
    """Return a benchmark with the bars, rates, splits and dividends of `job`, for a run of `instruments`.

    It is bought at the open of its first bar that closes after the run's first open. A bar of a day or longer counts
    from the last step of its trading day on, whenever it closes: two exchanges have the same day. A shorter bar counts
    from its close on.
    """
    steps, bars = ledger.ts_ns, job.bars
    start_ns = curve.run_start_ns(ledger, instruments)
    begin = len(bars) if start_ns is None else int(np.searchsorted(bars.close_ns, start_ns, side="right"))
    if begin >= len(bars):
        return Benchmark(name, np.full(len(steps), np.nan))
    with np.errstate(all="ignore"):
        held = holding(job, begin)
    latest = _latest_by_day(bars, ledger, instruments) if not bars.timeframe.is_intraday else _latest(bars, steps)
    end_ns = int(bars.close_ns[-1]) + max(_SILENT_NS, _SILENT_BARS * bars.timeframe.nominal_ns)
    known = (latest >= begin) & (steps <= end_ns)
    return Benchmark(name, np.where(known, held[np.maximum(latest, 0)], np.nan))


def _latest(bars: Bars, steps: TimeColumn) -> TimeColumn:
    return np.searchsorted(bars.close_ns, steps, side="right") - 1


def _latest_by_day(bars: Bars, ledger: Ledger, instruments: Sequence[InstrumentJob]) -> TimeColumn:
    """Return the bar that counts at each step: the last one of its trading day or an earlier one."""
    own_days, own_bars = curve.trading_days(bars.close_ns, bars.session)
    days, last = curve.trading_days(ledger.ts_ns, curve.common_session(instruments))
    steps = np.arange(len(ledger.ts_ns))
    place = np.searchsorted(last, steps)
    complete = last[place] == steps
    found = np.searchsorted(own_days, days[place] - ~complete, side="right") - 1
    return np.where(found < 0, -1, own_bars[np.maximum(found, 0)])
