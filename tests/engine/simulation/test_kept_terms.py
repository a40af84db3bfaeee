"""Records that are kept for jobs of equal terms are those that would be made anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.bars import DatedAmount, DatedAmounts
from quantcrafter.engine.api.engine import EngineJob, NightlySwap
from quantcrafter.engine.simulation.arrays import head_of, holdings_of, market_of, portfolio_of, rules_of
from quantcrafter.engine.simulation.kept_terms import MOST_JOBS, LatestTerms
from tests.support.counts import sample
from tests.support.random_jobs import jobs

ROWS = 64


def assert_fresh(latest: LatestTerms, job: EngineJob) -> None:
    """Compare the records of a job with new ones, byte by byte."""
    books = latest.books_of(job, ROWS, market_of(job).flags)
    assert head_of(books.portfolios).tobytes() == head_of(portfolio_of(job, ROWS)).tobytes()
    assert books.holdings.tobytes() == holdings_of(job).tobytes()
    assert books.rules.tobytes() == rules_of(job).tobytes()
    # What a run writes to its records is not seen by the next one.
    head_of(books.portfolios)[:] = 0xA7
    books.holdings["lots"] = 7


@settings(max_examples=sample(60, of=1_000), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(jobs(account=True), min_size=1, max_size=3), st.lists(st.integers(0, 2), min_size=2, max_size=6))
def test_records_are_those_made_anew_whatever_ran_before(some: Sequence[EngineJob], order: Sequence[int]) -> None:
    latest = LatestTerms()
    for number in order:
        assert_fresh(latest, some[number % len(some)])


@settings(max_examples=sample(60, of=1_000), deadline=None, suppress_health_check=list(HealthCheck))
@given(jobs(account=True), st.data())
def test_a_change_of_one_term_is_seen(job: EngineJob, data: st.DataObject) -> None:
    latest = LatestTerms()
    assert_fresh(latest, job)
    first, *others = job.instruments
    dated = DatedAmounts.of([DatedAmount(int(first.bars.close_ns[0]), 0.1, -0.1)])
    changed = {
        "tick": replace(first, tick_size=first.tick_size * 2.0),
        "lot": replace(first, lot_size=first.lot_size * 2.0),
        "duty": replace(first, sell_duty_percent=first.sell_duty_percent + 0.5),
        "currency": replace(first, currency="GBX"),
        "first bar": replace(first, first_bar=first.first_bar + 1),
        "minimum": replace(first, min_quantity=first.min_quantity + 1.0),
        "spread": replace(first, spread=first.spread + 0.5),
        "spreads": replace(first, spreads=np.full(len(first.bars), 0.01) if first.spreads is None else None),
        "funding": replace(first, funding=dated if first.funding is None else None),
        "swap": replace(first, swap=NightlySwap(1.0, -1.0) if first.swap is None else None),
        "dated swap": replace(first, swap=NightlySwap(0.0, 0.0, dated=dated)),
        "roll": replace(first, roll=np.full(len(first.bars), np.nan) if first.roll is None else None),
        "rate": replace(first, rate_open=np.ones(len(first.bars)), rate_close=np.ones(len(first.bars))),
    }
    other = changed[data.draw(st.sampled_from(sorted(changed)))]
    assert_fresh(latest, replace(job, instruments=(other, *others)))
    richer = job.settings.model_copy(update={"cash": job.settings.cash + 1.0})
    assert_fresh(latest, replace(job, settings=richer))
    farther = tuple(replace(rule, percent=rule.percent + 1.0) for rule in job.protection)
    assert_fresh(latest, replace(job, protection=farther))


@given(jobs())
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
def test_few_jobs_are_kept(job: EngineJob) -> None:
    latest = LatestTerms()
    for number in range(2 * MOST_JOBS):
        assert_fresh(latest, replace(job, settings=job.settings.model_copy(update={"cash": 1e6 + number})))
    assert len(latest._kept) <= MOST_JOBS
