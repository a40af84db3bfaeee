"""Pairs: both legs fill or neither does, in every driver, whatever is thrown at them."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.ledger import Reason
from quantcrafter.engine.simulation.driver import simulate, simulate_stepwise
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED, compiled
from quantcrafter.engine.simulation.matcher import BarMatcher
from quantcrafter.engine.simulation.session import SimulationSession
from tests.support.counts import sample
from tests.support.feeding import fed_and_saved
from tests.support.ledger_checks import assert_money_is_conserved, assert_same_bits
from tests.support.random_pairs import pair_jobs
from tests.support.random_programs import with_program

many = settings(max_examples=sample(60, of=5_000), deadline=None, suppress_health_check=list(HealthCheck))

FORCED = (Reason.MARGIN_CALL, Reason.END_OF_DATA, Reason.EXPIRY, Reason.SPLIT, Reason.OTHER_LEG)
"""Why a leg may be closed without the other one, beside the end of the other one's data."""


@many
@given(pair_jobs, st.integers(0, 2**32 - 1))
def test_all_drivers_and_a_saved_session_keep_the_same_books(job: EngineJob, seed: int) -> None:
    loop = simulate(job, kernel=compiled())
    assert_same_bits(loop, simulate(job, kernel=INTERPRETED))
    assert_same_bits(loop, simulate_stepwise(job, BarMatcher()))
    assert_same_bits(loop, simulate_stepwise(job, None, compiled()))
    assert_same_bits(loop, fed_and_saved(job, seed))
    assert_money_is_conserved(job, loop)


@many
@given(pair_jobs, st.integers(0, 10**6))
def test_nodes_that_read_the_position_see_the_same_pair_in_every_driver(job: EngineJob, seed: int) -> None:
    job = with_program(job, seed)
    loop = simulate(job, kernel=compiled())
    assert_same_bits(loop, simulate(job, kernel=INTERPRETED))
    assert_same_bits(loop, simulate_stepwise(job, BarMatcher()))


@many
@given(pair_jobs)
def test_no_leg_is_alone_after_a_step_unless_it_was_forced(job: EngineJob) -> None:
    session = SimulationSession(job, kernel=INTERPRETED)
    pairs, forced = legs_by_execution(job), dict.fromkeys(range(len(job.executions)), False)
    fills = 0
    while not session.done:
        session.fill()
        ledger = session.ledger()
        for fill in ledger.fills[fills:]:
            forced[int(fill["execution"])] |= fill["reason"] in FORCED
        fills = len(ledger.fills)
        for e, legs in pairs.items():
            one, two = (lots_of(session, i, e) for i in legs)
            holdings = session.memory.holdings
            forced[e] |= any(holdings[i]["bar"] >= holdings[i]["last_bar"] for i in legs)
            assert forced[e] or (one == 0) == (two == 0)
            assert one * two <= 0
            forced[e] = forced[e] and (one != 0 or two != 0)
        session.decide()


def legs_by_execution(job: EngineJob) -> dict[int, tuple[int, int]]:
    """Return the instruments of the legs of each execution that trades a pair."""
    symbols = [each.symbol for each in job.instruments]
    pairs = {e: each.rule.pair for e, each in enumerate(job.executions)}
    return {e: (symbols.index(pair.first), symbols.index(pair.second)) for e, pair in pairs.items() if pair}


def lots_of(session: SimulationSession, i: int, e: int) -> int:
    """Return the lots that an execution holds of an instrument."""
    holding = session.memory.holdings[i]
    return int(holding["lots"]) if holding["execution"] == e else 0
