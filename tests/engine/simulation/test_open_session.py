"""A job that is fed bar by bar, without knowing what comes, keeps the same books as one that knows all its bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.bars import NEW_YORK_STOCKS, Bars
from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.entries import EntryRule, Offset, OrderLife
from quantcrafter.engine.api.ledger import OrderKind
from quantcrafter.engine.api.ports import ENTER_LONG
from quantcrafter.engine.api.rules import ExecutionRule, GuardKind, GuardRule, ProtectiveKind, ProtectiveRule
from quantcrafter.engine.api.timeframe import Timeframe
from quantcrafter.engine.simulation.closed_bar import closed_bars
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.growing import KEPT_ROWS, LEAST_ROWS
from quantcrafter.engine.simulation.identity import Identity
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED, RunSteps, compiled
from quantcrafter.engine.simulation.matcher import BarMatcher
from quantcrafter.engine.simulation.session import SimulationSession
from tests.support.counts import sample
from tests.support.feeding import fed, joined
from tests.support.jobs import Setup, make_bars, make_job
from tests.support.ledger_checks import assert_same_bits
from tests.support.random_jobs import jobs, random_bars
from tests.support.random_programs import with_program

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
    instruments = tuple(replace(each, bars=hourly(each.bars), expiry_day=None) for each in job.instruments)
    executions = tuple(
        replace(each, rule=replace(each.rule, entry=replace(each.rule.entry, life=OrderLife.DAY)))
        for each in job.executions
    )
    guards = (*job.guards, GuardRule(GuardKind.SESSION_END, 60.0))
    return replace(job, instruments=instruments, executions=executions, guards=guards)


any_job = st.one_of(jobs(), jobs(account=True), jobs(account=True).map(by_day))


KERNELS: dict[str, Callable[[], RunSteps]] = {"compiled": compiled, "interpreted": lambda: INTERPRETED}


@many
@given(any_job, st.sampled_from([None, BarMatcher()]), st.sampled_from(list(KERNELS)))
def test_fed_bar_by_bar_the_books_are_the_same_to_the_last_bit(
    job: EngineJob, matcher: BarMatcher | None, kernel: str
) -> None:
    session = SimulationSession.open(job, matcher=matcher, kernel=KERNELS[kernel]())
    (holdings,) = fed(job, session)
    assert_same_bits(holdings, simulate(job))


@many
@given(any_job, st.sets(st.integers(0, 60), max_size=6))
def test_saved_and_opened_again_anywhere_the_books_are_the_same(job: EngineJob, stops: set[int]) -> None:
    parts = list(fed(job, SimulationSession.open(job, identity=Identity("strategy")), stops))
    assert_same_bits(joined(parts), simulate(job))


@settings(max_examples=sample(60, of=5_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_job, st.integers(0, 10**6), st.sets(st.integers(0, 60), max_size=4))
def test_steps_behind_the_position_go_on_where_a_saved_session_stood(
    job: EngineJob, seed: int, stops: set[int]
) -> None:
    job = with_program(job, seed)
    parts = list(fed(job, SimulationSession.open(job, identity=Identity("strategy")), stops))
    assert_same_bits(joined(parts), replace(simulate(job), steps=None))


def test_a_session_of_many_bars_keeps_few_rows_and_none_is_moved_often() -> None:
    bars = random_bars(1, "TEST", np.arange(20_000))
    job = make_job((bars, Setup(flags=dict.fromkeys(range(5, 20_000, 50), ENTER_LONG))), settings={"cash": 1e6})
    session, moves = SimulationSession.open(job), 0
    market = session.memory.market
    for number, step in enumerate(closed_bars(job), 1):
        session.append(step)
        session.step()
        moves += session.memory.market is not market
        market = session.memory.market
        if number % 1_000 == 0:
            session.drain()
            assert session.memory.holdings["bars"][0] == number
            assert len(market.close) <= LEAST_ROWS
            assert len(session.memory.pages) == 0
    assert moves <= 20_000 // (LEAST_ROWS - KEPT_ROWS) + 1


def test_rows_are_kept_for_as_long_as_an_entry_at_work_needs_them() -> None:
    days = np.arange(2_000)
    rows = np.tile([100.0, 101.0, 99.0, 100.0], (2_000, 1))
    rows[1_990, 2] = 48.0
    atr = np.linspace(1.0, 5.0, 2_000)
    stop = ProtectiveRule(ProtectiveKind.STOP_LOSS, multiple=1.0, column="atr")
    far = ExecutionRule(entry=EntryRule(OrderKind.LIMIT, Offset(percent=50.0)))
    job = make_job(
        (make_bars(rows, close_days=days), Setup(flags={100: ENTER_LONG}, rule_columns=(atr,))),
        protection=(stop,),
        execution=far,
    )
    for stops in ((), (1_500,)):
        parts = list(fed(job, SimulationSession.open(job), stops))
        assert_same_bits(joined(parts), simulate(job))
        assert len(parts[-1].fills) == 2
