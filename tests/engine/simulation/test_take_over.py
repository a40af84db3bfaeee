"""A session that takes over another one's books keeps its own terms: every one of them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.unit_rules import unit_fault
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.execution_terms import protection_of
from quantcrafter.engine.simulation.session import SimulationSession
from tests.support.counts import sample
from tests.support.ledger_checks import assert_same_bits
from tests.support.random_jobs import jobs

many = settings(max_examples=sample(150, of=2_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def with_terms_of(job: EngineJob, other: EngineJob) -> EngineJob:
    """Return a job on the same bars with another one's terms but the same starting cash.

    An execution rule that rebalances stays where it is: its weights are a column of the bars. So does one that the
    job's stops for units could not stand beside.
    """
    terms = other.settings.model_copy(update={"cash": job.settings.cash})
    (first, *further), rule = job.executions, other.executions[0].rule
    stays = rule.rebalance is not None or unit_fault(rule, protection_of(job, 0)) is not None
    changed = replace(first, rule=first.rule if stays else rule, size=other.executions[0].size)
    return replace(job, executions=(changed, *further), settings=terms)


@many
@given(jobs(), jobs(max_bars=1, max_instruments=1))
def test_taken_over_before_the_first_step_it_runs_as_its_own_job(job: EngineJob, other: EngineJob) -> None:
    changed = with_terms_of(job, other)
    session = SimulationSession(changed)
    session.take_over(SimulationSession(job))
    while not session.done:
        session.step()
    assert_same_bits(session.ledger(), simulate(changed))


@many
@given(jobs(), st.data())
def test_taken_over_anywhere_on_the_same_terms_nothing_changes(job: EngineJob, data: st.DataObject) -> None:
    first, second = SimulationSession(job), SimulationSession(job)
    for _ in range(data.draw(st.integers(0, len(first)))):
        first.step()
    second.take_over(first)
    while not second.done:
        second.step()
    assert_same_bits(second.ledger(), simulate(job))
