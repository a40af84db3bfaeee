"""A job that is fed bar by bar, without knowing what comes, keeps the same books as one that knows all its bars."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import fields, replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.api.bars import NEW_YORK_STOCKS, Bars
from engine.api.engine import EngineJob
from engine.api.entries import OrderLife
from engine.api.ledger import Ledger
from engine.api.rules import GuardKind, GuardRule
from engine.api.timeframe import Timeframe
from engine.simulation.closed_bar import closed_bars
from engine.simulation.driver import simulate
from engine.simulation.identity import Identity
from engine.simulation.kernels import INTERPRETED, compiled
from engine.simulation.matcher import BarMatcher
from engine.simulation.pages import whole_rows
from engine.simulation.session import Session
from engine.simulation.session_state import SessionState
from tests.support.counts import sample
from tests.support.ledger_checks import assert_same_bits
from tests.support.random_jobs import jobs

HOUR_NS = 3_600_000_000_000
OPENING_NS = 1_704_205_800_000_000_000  # 2 January 2024, 09:30 in New York
HOURS = 7

many = settings(max_examples=sample(120, of=20_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def hourly(bars: Bars) -> Bars:
    """Return bars at hours of New York's sessions; a number that is missing among the days is a missing hour."""
    number = bars.open_ns // (24 * HOUR_NS)
    day, hour = number // HOURS, number % HOURS
    open_ns = OPENING_NS + day * 24 * HOUR_NS + hour * HOUR_NS
    close_ns = open_ns + np.where(hour == HOURS - 1, HOUR_NS // 2, HOUR_NS)
    frame = Timeframe(1, "h")
    return replace(bars, open_ns=open_ns, close_ns=close_ns, timeframe=frame, session=NEW_YORK_STOCKS)


def by_day(job: EngineJob) -> EngineJob:
    """Return a job on hourly bars whose orders are good for a day, and whose positions end with the session."""
    instruments = tuple(replace(each, bars=hourly(each.bars)) for each in job.instruments)
    entry = replace(job.execution.entry, life=OrderLife.DAY)
    guards = (*job.guards, GuardRule(GuardKind.SESSION_END, 60.0))
    return replace(job, instruments=instruments, execution=replace(job.execution, entry=entry), guards=guards)


any_job = st.one_of(jobs(), jobs(account=True), jobs(account=True).map(by_day))


def joined(parts: list[Ledger]) -> Ledger:
    """Return what several sessions drained as one ledger; the last one has the open positions and orders at work."""
    tables = {}
    for each in fields(Ledger):
        values = [getattr(part, each.name) for part in parts]
        if isinstance(values[0], np.ndarray):
            # As plain bytes: numpy copies records field by field, without what lies between the fields.
            whole = np.concatenate([whole_rows(value) if value.dtype.names else value for value in values])
            tables[each.name] = whole.view(values[0].dtype)
    orders = tables["orders"]
    tables["orders"] = whole_rows(orders)[np.argsort(orders["id"])].view(orders.dtype)
    return replace(parts[-1], **tables)


def fed(job: EngineJob, session: Session, stops: Collection[int] = ()) -> Iterator[Ledger]:
    """Feed a job to its end; at some steps go on in a fresh session from the text of a saved state. Yield the books."""
    last = {each.symbol: int(each.bars.close_ns[-1]) for each in job.instruments}
    identity, matcher, kernel = session.identity, session.matcher, session.memory.kernel
    for step, bars in enumerate(closed_bars(job)):
        if step in stops:
            text = session.state().to_json()
            yield session.drain()
            state = SessionState.from_json(text)
            session = Session.open(job, state, identity=identity, matcher=matcher, kernel=kernel)
            assert session.state().to_json() == text
        session.append(bars)
        ended = [symbol for symbol, bar in bars.items() if bar.close_ns == last[symbol]]
        if ended:
            session.end_data(*ended)
        session.step()
    assert session.has_ended
    yield session.ledger()


KERNELS = {"compiled": compiled, "interpreted": lambda: INTERPRETED}


@many
@given(any_job, st.sampled_from([None, BarMatcher()]), st.sampled_from(list(KERNELS)))
def test_fed_bar_by_bar_the_books_are_the_same_to_the_last_bit(
    job: EngineJob, matcher: BarMatcher | None, kernel: str
) -> None:
    session = Session.open(job, matcher=matcher, kernel=KERNELS[kernel]())
    (books,) = fed(job, session)
    assert_same_bits(books, simulate(job))


@many
@given(any_job, st.sets(st.integers(0, 60), max_size=6))
def test_saved_and_opened_again_anywhere_the_books_are_the_same(job: EngineJob, stops: set[int]) -> None:
    parts = list(fed(job, Session.open(job, identity=Identity("strategy")), stops))
    assert_same_bits(joined(parts), simulate(job))
