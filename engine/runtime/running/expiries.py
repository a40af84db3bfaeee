"""Contracts that expire after the last of their bars: in the middle of a day, or where bars are missing."""

from __future__ import annotations

from dataclasses import replace

from quantcrafter.engine.api import EngineJob, InstrumentJob
from quantcrafter.engine.runtime.running.prepare import LoadedMarket, to_ns
from quantcrafter.engine.simulation.venue_columns import expiry_ns, is_on_last_day


def with_expiries(job: EngineJob, market: LoadedMarket) -> EngineJob:
    """Return the job of a run with what is known of expiries after the last bar.

    A contract has expired by then if the last bar is of its last day, or if the data or the run go on after it.
    """
    if all(each.expiry_day is None for each in job.instruments):
        return job
    reached = [int(each.bars.close_ns[-1]) for each in job.instruments if len(each.bars)]
    end_ns = to_ns(job.settings.end)
    latest = max([*reached, *(() if end_ns is None else (end_ns,))], default=0)

    def told(one: InstrumentJob) -> InstrumentJob:
        end = expiry_ns(one)
        if end is None or not len(one.bars) or one.bars.close_ns[-1] >= end:
            return one
        return replace(one, expires=one.symbol in market.expired or latest >= end or is_on_last_day(one))

    return replace(job, instruments=tuple(map(told, job.instruments)))
