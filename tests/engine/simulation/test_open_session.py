"""A job that is fed bar by bar, without knowing what comes, keeps the same books as one that knows all its bars."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.api.engine import EngineJob
from engine.simulation.closed_bar import closed_bars
from engine.simulation.driver import simulate
from engine.simulation.matcher import BarMatcher
from engine.simulation.session import Session
from tests.support.counts import sample
from tests.support.ledger_checks import assert_same_bits
from tests.support.random_jobs import jobs

many = settings(max_examples=sample(300, of=20_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def feed(session: Session, job: EngineJob) -> Session:
    """Give a session the bars of a job, and say at the right moments that an instrument's data has ended."""
    last = {each.symbol: int(each.bars.close_ns[-1]) for each in job.instruments}
    for bars in closed_bars(job):
        session.append(bars)
        ended = [symbol for symbol, bar in bars.items() if bar.close_ns == last[symbol]]
        if ended:
            session.end_data(*ended)
        session.step()
    return session


@many
@given(st.one_of(jobs(), jobs(account=True)), st.sampled_from([None, BarMatcher()]))
def test_fed_bar_by_bar_the_books_are_the_same_to_the_last_bit(job: EngineJob, matcher: BarMatcher | None) -> None:
    session = feed(Session.open(job, matcher), job)
    assert session.has_ended
    assert_same_bits(session.ledger(), simulate(job))
