"""Compiled, interpreted and step by step the books are the same to the last bit, whatever is thrown at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.engine import EngineJob, InstrumentJob
from quantcrafter.engine.api.ports import BoolColumn, FlagColumn
from quantcrafter.engine.simulation.driver import simulate, simulate_stepwise
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED, RunSteps, compiled, complete
from quantcrafter.engine.simulation.matcher import BarMatcher, WorkingOrder
from quantcrafter.engine.simulation.records import OPENS, STOPS
from quantcrafter.engine.simulation.session import SimulationSession
from tests.support.counts import sample
from tests.support.ledger_checks import assert_money_is_conserved, assert_same_bits
from tests.support.random_jobs import jobs
from tests.support.random_programs import with_program
from tests.support.reliability import record

COMPARED = {"runs": 0, "fills": 0}
EXAMPLES = sample(2_000, of=20_000)
"""How many random runs are compared."""

many = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.fixture(scope="module", autouse=True)
def _report(request: pytest.FixtureRequest) -> Iterator[None]:
    """Print how many random runs were compared, and write it on the page on reliability."""
    yield
    if COMPARED["runs"]:
        record("random jobs", ("random jobs", "fills"), [[COMPARED["runs"], COMPARED["fills"]]])
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\nall drivers agree on {COMPARED['runs']:,} random runs, {COMPARED['fills']:,} fills")  # noqa: T201


class PlainMatcher:
    """The bar standard's matching written again, without the primitives: it shares no mistake with them."""

    def match(self, order: WorkingOrder) -> float | None:
        if order.phase == OPENS:
            return order.open
        buys, stops = order.side > 0, order.phase == STOPS
        # Buyers at a stop and sellers at a limit wait for a higher price, the others for a lower one.
        upward = buys == stops
        reached = order.high >= order.price if upward else order.low <= order.price
        if not reached:
            return None
        beyond = order.open > order.price if upward else order.open < order.price
        return order.open if beyond else order.price


def with_some_program(job: EngineJob, seed: int) -> EngineJob:
    """Return every third job with steps behind the position."""
    return job if seed % 3 else with_program(job, seed)


KERNELS: dict[str, Callable[[], RunSteps]] = {
    "compiled": compiled,
    "complete": complete,
    "interpreted": lambda: INTERPRETED,
}
MATCHERS = {"compiled": None, "primitives": BarMatcher(), "plain": PlainMatcher()}


@many
@given(st.one_of(jobs(), jobs(account=True)), st.sampled_from(list(MATCHERS)), st.sampled_from(list(KERNELS)))
def test_both_drivers_keep_the_same_books_to_the_last_bit(job: EngineJob, matcher: str, kernel: str) -> None:
    loop = simulate(job, kernel=compiled())
    interpreted = simulate(job, kernel=INTERPRETED)
    stepped = simulate_stepwise(job, MATCHERS[matcher], KERNELS[kernel]())
    assert_same_bits(loop, interpreted)
    assert_same_bits(loop, simulate(job, kernel=complete()))
    assert_same_bits(loop, stepped)
    assert_money_is_conserved(job, loop)
    COMPARED["runs"] += 1
    COMPARED["fills"] += len(loop.fills)


@settings(max_examples=sample(150, of=3_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(jobs(), jobs(account=True)), st.integers(0, 10**6), st.sampled_from(list(MATCHERS)))
def test_both_drivers_run_the_same_steps_behind_the_position(job: EngineJob, seed: int, matcher: str) -> None:
    job = with_program(job, seed)
    loop = simulate(job, kernel=compiled())
    assert_same_bits(loop, simulate(job, kernel=INTERPRETED))
    assert_same_bits(loop, simulate_stepwise(job, MATCHERS[matcher], compiled()))
    assert_money_is_conserved(job, loop)
    assert loop.steps is not None
    # The same decisions as by columns that hold what the steps gave.
    given = zip(job.instruments, loop.steps.flags, loop.steps.allowed, strict=True)
    columns = tuple(_given(each, flags, allowed) for each, flags, allowed in given)
    by_columns = simulate(replace(job, instruments=columns, steps=None), kernel=compiled())
    assert_same_bits(replace(loop, steps=None), by_columns)


def _given(instrument: InstrumentJob, flags: FlagColumn, allowed: BoolColumn) -> InstrumentJob:
    """Return an instrument without steps, with signals and filter masks of all executions."""
    verdicts = zip(instrument.further, flags[1:], allowed[1:], strict=True)
    further = tuple(replace(each, flags=own, allowed=passes) for each, own, passes in verdicts)
    return replace(instrument, flags=flags[0], allowed=allowed[0], further=further, step_columns=())


@settings(max_examples=sample(100, of=2_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    jobs(account=True).flatmap(lambda job: st.builds(with_some_program, st.just(job), st.integers(0, 99))), st.data()
)
def test_a_restored_snapshot_goes_on_as_if_nothing_had_happened(job: EngineJob, data: st.DataObject) -> None:
    whole = simulate(job)
    session = SimulationSession(job)
    early = data.draw(st.integers(0, len(session)))
    late = data.draw(st.integers(early, len(session)))
    while session.index < early:
        session.step()
    snapshot, holdings = session.snapshot(), session.ledger()
    while session.index < late:
        session.step()
    ahead = session.snapshot()
    for _ in range(2):
        session.restore(ahead)
        assert session.index == late
        session.restore(snapshot)
        assert_same_bits(session.ledger(), holdings)
        while not session.done:
            session.step()
        assert_same_bits(session.ledger(), whole)
    session.restore(ahead)
    while not session.done:
        session.step()
    assert_same_bits(session.ledger(), whole)
