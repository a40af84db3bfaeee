"""Several executions in one job: who goes first, whose signals, sizes, stops and orders are whose, in every driver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.component import ExecutionLogic
from quantcrafter.engine.api.engine import DecisionComponent, EngineJob, Execution, ExecutionColumns
from quantcrafter.engine.api.entries import EntryRule, GridRule, Offset, OrderLife, RebalanceRule, ScaleInRule
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import BlockReason, Ledger, OrderKind, Reason, StatusReason
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT, EXIT_LONG
from quantcrafter.engine.api.rules import ExecutionRule, OnOpposite, ProtectiveKind, ProtectiveRule, SizeKind, SizeRule
from quantcrafter.engine.simulation.adopting import adopt
from quantcrafter.engine.simulation.closed_bar import closed_bars
from quantcrafter.engine.simulation.driver import simulate, simulate_stepwise
from quantcrafter.engine.simulation.identity import Identity
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED, RunSteps, compiled
from quantcrafter.engine.simulation.matcher import BarMatcher
from quantcrafter.engine.simulation.session import SimulationSession
from quantcrafter.engine.simulation.session_state import SessionState
from tests.support.counts import sample
from tests.support.feeding import fed_and_saved, joined
from tests.support.jobs import Setup, make_bars, make_job
from tests.support.ledger_checks import assert_money_is_conserved, assert_same_bits
from tests.support.random_jobs import jobs

AT_MARKET = ExecutionRule()
BELOW = ExecutionRule(entry=EntryRule(OrderKind.LIMIT, Offset(percent=2.0)))
TEN, THREE = SizeRule(SizeKind.QUANTITY, 10.0), SizeRule(SizeKind.QUANTITY, 3.0)
FLAT = (100.0, 101.0, 99.0, 100.0)
LOW = (100.0, 101.0, 97.0, 99.0)
"""A bar that reaches a limit of 98."""

WHO = Identity("two", ("stop", "target"))


def machine_code() -> RunSteps:
    """Return the bar loop as machine code; where nothing is compiled, as with planted faults, the interpreted one."""
    return INTERPRETED if vars(numba.config)["DISABLE_JIT"] else compiled()


def columns(flags: dict[int, int], bars: int) -> ExecutionColumns:
    """Return the columns of a second execution with these signals."""
    values = np.zeros(bars, np.uint8)
    for bar, flag in flags.items():
        values[bar] = flag
    return ExecutionColumns(values, np.ones(bars, np.bool_))


def two(
    rows: Sequence[tuple[float, ...]],
    first: dict[int, int],
    second: dict[int, int],
    rules: tuple[ExecutionRule, ExecutionRule] = (AT_MARKET, BELOW),
    protection: tuple[ProtectiveRule, ...] = (),
    own: tuple[tuple[int, ...] | None, tuple[int, ...] | None] = (None, None),
) -> EngineJob:
    """Return a job of one instrument with two executions: ten units by the first, three by the second."""
    more = {"further": (columns(second, len(rows)),)}
    job = make_job(
        (make_bars(rows), Setup(first, more=more)),
        size=TEN,
        execution=rules[0],
        further=(Execution(rules[1], THREE, "second", own[1]),),
        protection=protection,
    )
    return replace(job, executions=(replace(job.executions[0], node="first", protection=own[0]), job.executions[1]))


def saved_at(job: EngineJob, save_at: int) -> Ledger:
    """Return the ledger of a session that is fed bar by bar, saved and opened again after so many steps."""
    parts, session = [], SimulationSession.open(job, identity=WHO)
    for step, bars in enumerate(closed_bars(job)):
        if step == save_at:
            text = session.state().to_json()
            parts.append(session.drain())
            session = SimulationSession.open(job, SessionState.from_json(text), identity=WHO)
        session.append(bars)
        session.step()
    session.end_data()
    return joined([*parts, session.ledger()])


DRIVERS: dict[str, Callable[[EngineJob], Ledger]] = {
    "compiled": lambda job: simulate(job, kernel=machine_code()),
    "interpreted": lambda job: simulate(job, kernel=INTERPRETED),
    "stepwise": simulate_stepwise,
    "by a matcher": lambda job: simulate_stepwise(job, BarMatcher()),
    "saved after one bar": lambda job: saved_at(job, 1),
    "saved after three bars": lambda job: saved_at(job, 3),
}
by_every_driver = pytest.mark.parametrize("run", DRIVERS.values(), ids=DRIVERS)


def told(ledger: Ledger) -> list[tuple[int, int, int, float, str, int]]:
    """Return each fill as bar, side, lots, price, reason and number of the execution."""
    names = ("bar", "side", "lots", "price", "reason", "execution")
    return [(b, s, n, p, Reason(r).name, e) for b, s, n, p, r, e in ledger.fills[list(names)].tolist()]


def blocked(ledger: Ledger) -> list[tuple[int, int, str, int]]:
    """Return each signal that was blocked as bar, flags, reason and number of the execution."""
    names = ["bar", "flags", "reason", "execution"]
    return [(bar, flags, BlockReason(why).name, e) for bar, flags, why, e in ledger.blocked[names].tolist()]


@by_every_driver
def test_each_execution_has_its_own_signals_orders_and_size(run: Callable[[EngineJob], Ledger]) -> None:
    # The first buys at the market and sells again; then the limit of the second, 2 % below 100, is reached on bar 4.
    ledger = run(two([FLAT, FLAT, FLAT, FLAT, LOW, FLAT, FLAT], {0: ENTER_LONG, 1: EXIT_LONG}, {2: ENTER_LONG}))
    assert told(ledger) == [
        (1, 1, 10, 100.0, "ENTRY", 0),
        (2, -1, 10, 100.0, "SIGNAL", 0),
        (4, 1, 3, 98.0, "ENTRY", 1),
    ]
    assert ledger.orders["execution"].tolist() == [0, 0, 1]
    assert len(ledger.blocked) == 0


@by_every_driver
def test_signals_of_one_bar_go_to_the_first_execution(run: Callable[[EngineJob], Ledger]) -> None:
    ledger = run(two([FLAT, FLAT, LOW, FLAT], {0: ENTER_LONG}, {0: ENTER_LONG}))
    assert told(ledger) == [(1, 1, 10, 100.0, "ENTRY", 0)]
    assert blocked(ledger) == [(0, ENTER_LONG, "OTHER_EXECUTION", 1)]


@by_every_driver
def test_an_entry_at_work_keeps_the_other_execution_out(run: Callable[[EngineJob], Ledger]) -> None:
    ledger = run(two([FLAT, FLAT, FLAT, LOW, FLAT], {1: ENTER_LONG | EXIT_LONG, 2: ENTER_SHORT}, {0: ENTER_LONG}))
    # A contradiction isn't looked at, since nothing could come of it.
    assert blocked(ledger) == [(1, ENTER_LONG, "OTHER_EXECUTION", 0), (2, ENTER_SHORT, "OTHER_EXECUTION", 0)]
    assert told(ledger) == [(3, 1, 3, 98.0, "ENTRY", 1)]


@by_every_driver
def test_exits_of_one_execution_leave_the_other_s_position_and_entries_alone(
    run: Callable[[EngineJob], Ledger],
) -> None:
    ledger = run(two([FLAT, FLAT, LOW, FLAT, FLAT, FLAT], {1: EXIT_LONG, 3: EXIT_LONG}, {0: ENTER_LONG, 4: EXIT_LONG}))
    assert told(ledger) == [(2, 1, 3, 98.0, "ENTRY", 1), (5, -1, 3, 100.0, "SIGNAL", 1)]


@by_every_driver
def test_a_position_that_is_being_left_still_keeps_the_other_out_at_that_close(
    run: Callable[[EngineJob], Ledger],
) -> None:
    rules = (AT_MARKET, AT_MARKET)
    ledger = run(two([FLAT] * 6, {0: ENTER_LONG, 2: EXIT_LONG}, {2: ENTER_SHORT, 3: ENTER_SHORT}, rules))
    assert told(ledger) == [
        (1, 1, 10, 100.0, "ENTRY", 0),
        (3, -1, 10, 100.0, "SIGNAL", 0),
        (4, -1, 3, 100.0, "ENTRY", 1),
    ]
    assert blocked(ledger) == [(2, ENTER_SHORT, "OTHER_EXECUTION", 1)]


@by_every_driver
def test_an_entry_that_ends_makes_way_on_the_same_close(run: Callable[[EngineJob], Ledger]) -> None:
    # Good for one bar, the limit ends on the close of bar 1: exits and ends come before all entries.
    short_lived = ExecutionRule(entry=EntryRule(OrderKind.LIMIT, Offset(percent=2.0), life=OrderLife.BARS, bars=1))
    ledger = run(two([FLAT] * 4, {1: ENTER_LONG}, {0: ENTER_LONG}, (AT_MARKET, short_lived)))
    assert told(ledger) == [(2, 1, 10, 100.0, "ENTRY", 0)]
    assert ledger.orders["status_reason"].tolist() == [StatusReason.EXPIRED, StatusReason.NONE]


@by_every_driver
def test_each_execution_treats_an_opposite_signal_as_its_rule_says(run: Callable[[EngineJob], Ledger]) -> None:
    rules = (ExecutionRule(OnOpposite.IGNORE), ExecutionRule(OnOpposite.REVERSE))
    first = {0: ENTER_LONG, 1: ENTER_SHORT, 2: EXIT_LONG}
    ledger = run(two([FLAT] * 7, first, {3: ENTER_LONG, 4: ENTER_SHORT}, rules))
    assert told(ledger)[2:] == [
        (4, 1, 3, 100.0, "ENTRY", 1),
        (5, -1, 3, 100.0, "OPPOSITE", 1),
        (5, -1, 3, 100.0, "ENTRY", 1),
    ]
    assert blocked(ledger) == [(1, ENTER_SHORT, "OPPOSITE_IGNORED", 0)]


@by_every_driver
def test_each_execution_has_its_own_stops(run: Callable[[EngineJob], Ledger]) -> None:
    near, far = (ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=percent) for percent in (1.0, 2.5))
    rules = (AT_MARKET, AT_MARKET)
    deep = (100.0, 100.5, 97.0, 98.0)
    rows = [FLAT, (100.0, 101.0, 99.5, 100.0), deep, FLAT, (100.0, 101.0, 99.5, 100.0), deep]
    ledger = run(two(rows, {0: ENTER_LONG}, {3: ENTER_LONG}, rules, (near, far), ((0,), (1,))))
    assert told(ledger) == [
        (1, 1, 10, 100.0, "ENTRY", 0),
        (2, -1, 10, 99.0, "STOP_LOSS", 0),
        (4, 1, 3, 100.0, "ENTRY", 1),
        (5, -1, 3, 97.5, "STOP_LOSS", 1),
    ]


@by_every_driver
def test_each_execution_s_stop_sizes_its_own_entries(run: Callable[[EngineJob], Ledger]) -> None:
    stops = tuple(ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=percent) for percent in (1.0, 2.0))
    calm = [(100.0, 101.0, 99.5, 100.0)] * 6
    job = two(calm, {0: ENTER_LONG, 1: EXIT_LONG}, {3: ENTER_LONG}, (AT_MARKET, AT_MARKET), stops, ((0,), (1,)))
    by_risk = SizeRule(SizeKind.RISK_PERCENT, 1.0)
    job = replace(job, executions=tuple(replace(each, size=by_risk) for each in job.executions))
    # 1 % of 100,000 is lost at 1 a unit by the first, and at 2 by the second.
    entries = [fill for fill in told(run(job)) if fill[4] == "ENTRY"]
    assert [(lots, e) for _, _, lots, _, _, e in entries] == [(1_000, 0), (500, 1)]


@by_every_driver
def test_further_entries_and_grids_belong_to_their_execution(run: Callable[[EngineJob], Ledger]) -> None:
    growing = ExecutionRule(scale_in=ScaleInRule(2, Offset(percent=1.0), in_favour=False))
    grid = ExecutionRule(grid=GridRule(2, Offset(percent=2.0)))
    rows = [FLAT, FLAT, (100.0, 100.0, 98.0, 98.0), (98.0, 99.0, 97.0, 98.0), FLAT, FLAT, FLAT, LOW, FLAT]
    ledger = run(two(rows, {0: ENTER_LONG, 3: EXIT_LONG}, {1: ENTER_LONG, 5: ENTER_LONG}, (growing, grid)))
    assert told(ledger) == [
        (1, 1, 10, 100.0, "ENTRY", 0),
        (3, 1, 10, 98.0, "SCALE_IN", 0),
        (4, -1, 20, 100.0, "SIGNAL", 0),
        (7, 1, 3, 98.0, "GRID", 1),
        (8, -1, 3, 100.0, "GRID", 1),
    ]
    assert blocked(ledger) == [(1, ENTER_LONG, "OTHER_EXECUTION", 1)]


def test_a_filter_and_a_size_column_count_for_their_execution_alone() -> None:
    job = two([FLAT] * 5, {}, {0: ENTER_LONG, 2: ENTER_LONG}, (AT_MARKET, AT_MARKET))
    by_volatility = SizeRule(SizeKind.VOLATILITY_TARGET, 10.0, column="volatility", most=100.0)
    (instrument,) = job.instruments
    passes = np.array([False, True, True, True, True])
    given = replace(instrument.further[0], allowed=passes, size=np.full(5, 20.0))
    job = replace(
        job,
        instruments=(replace(instrument, further=(given,)),),
        executions=(job.executions[0], replace(job.executions[1], size=by_volatility)),
    )
    for run in DRIVERS.values():
        ledger = run(job)
        # 10 / 20 of the equity of 100,000.
        assert told(ledger) == [(3, 1, 500, 100.0, "ENTRY", 1)]
        assert blocked(ledger) == [(0, ENTER_LONG, "FILTER", 1)]


# ---------------------------------------------------------------------- random jobs

many = settings(max_examples=sample(60, of=3_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
any_job = st.one_of(jobs(several=True), jobs(account=True, several=True))


@many
@given(any_job, st.integers(0, 2**32 - 1))
def test_all_drivers_and_a_saved_session_keep_the_same_books(job: EngineJob, seed: int) -> None:
    loop = simulate(job, kernel=machine_code())
    assert_same_bits(loop, simulate(job, kernel=INTERPRETED))
    assert_same_bits(loop, simulate_stepwise(job, BarMatcher()))
    assert_same_bits(loop, fed_and_saved(job, seed))
    assert_money_is_conserved(job, loop)


@many
@given(any_job)
def test_one_execution_at_a_time_has_entries_or_a_position(job: EngineJob) -> None:
    session = SimulationSession(job)
    while not session.done:
        session.step()
        for holding in session.memory.holdings:
            working = holding["slots"][: holding["working"]]
            engaged = set(working["execution"].tolist())
            if holding["lots"] != 0 or holding["grid_side"] != 0:
                engaged.add(int(holding["execution"]))
            assert len(engaged) <= 1
            own = job.executions[int(holding["execution"])].protection
            rules = working["rule"][working["rule"] >= 0].tolist()
            assert own is None or set(rules) <= set(own)


@many
@given(jobs(several=False), st.integers(1, 3))
def test_an_execution_without_signals_changes_nothing(job: EngineJob, count: int) -> None:
    if job.executions[0].rule.rebalance is not None:
        return
    quiet = tuple(Execution(BELOW, THREE, f"quiet_{n}") for n in range(count))
    instruments = tuple(replace(each, further=(columns({}, len(each.bars)),) * count) for each in job.instruments)
    beside = simulate(replace(job, instruments=instruments, executions=(*job.executions, *quiet)), kernel=INTERPRETED)
    assert_same_bits(simulate(job, kernel=INTERPRETED), beside)


# ---------------------------------------------------------------------- states and refusals


def test_a_changed_strategy_adopts_entries_by_the_names_of_their_nodes() -> None:
    job = two([FLAT] * 4, {}, {0: ENTER_LONG})
    session = SimulationSession.open(job, identity=WHO)
    for _, bars in zip(range(2), closed_bars(job), strict=False):
        session.append(bars)
        session.step()
    state = session.state()
    assert state.executions == ("first", "second")
    turned = replace(
        job,
        executions=job.executions[::-1],
        instruments=tuple(
            replace(each, flags=each.further[0].flags, further=(replace(each.further[0], flags=each.flags),))
            for each in job.instruments
        ),
    )
    found = adopt(state, turned, WHO)
    assert found.dropped == ()
    (order,) = found.state.instruments["TEST"].orders
    assert order["execution"] == 0
    alone = replace(
        job, executions=job.executions[:1], instruments=tuple(replace(i, further=()) for i in job.instruments)
    )
    found = adopt(state, alone, WHO)
    assert found.dropped == ("Order 0 of TEST is cancelled: its execution node was removed.",)
    assert SimulationSession.open(alone, found.state, identity=WHO).working_orders(0).tolist() == []


def test_a_state_that_names_an_execution_too_many_is_refused() -> None:
    job = two([FLAT] * 4, {}, {0: ENTER_LONG})
    session = SimulationSession.open(job, identity=WHO)
    session.append(next(closed_bars(job)))
    session.step()
    text = session.state().to_json().replace('"execution":1', '"execution":2')
    with pytest.raises(RunError, match="it names execution 2 of 2"):
        SimulationSession.open(job, SessionState.from_json(text), identity=WHO)


def test_the_state_of_two_executions_is_not_that_of_one() -> None:
    job = two([FLAT] * 4, {}, {0: ENTER_LONG})
    session = SimulationSession.open(job, identity=WHO)
    alone = replace(
        job, executions=job.executions[:1], instruments=tuple(replace(i, further=()) for i in job.instruments)
    )
    with pytest.raises(RunError, match="other settings, rules or components"):
        SimulationSession.open(alone, session.state(), identity=WHO)


def test_what_must_be_the_only_execution_is_refused_beside_another() -> None:
    job = two([FLAT] * 3, {}, {})
    weights = Execution(ExecutionRule(rebalance=RebalanceRule(3)), THREE, "weights")
    with pytest.raises(RunError, match="Rebalancing sets whole positions"):
        simulate(replace(job, executions=(job.executions[0], weights)))

    class Own(ExecutionLogic):
        name = "own"

    own = DecisionComponent("own", Own(), ({},))
    with pytest.raises(RunError, match="written in Python can't be combined"):
        simulate_stepwise(replace(job, components=(own,)))


@pytest.mark.parametrize(
    ("executions", "message"),
    [
        ((), "1 to 8 execution nodes, had 0"),
        ((Execution(AT_MARKET, TEN),) * 9, "1 to 8 execution nodes, had 9"),
        ((Execution(AT_MARKET, TEN),) * 3, "must have columns for 3 executions, had 2"),
        ((Execution(AT_MARKET, TEN, protection=(1,)),) * 2, r"There are 0 protective rules.* names \(1,\)"),
    ],
)
def test_executions_that_do_not_fit_are_refused(executions: tuple[Execution, ...], message: str) -> None:
    with pytest.raises(RunError, match=message):
        simulate(replace(two([FLAT] * 3, {}, {}), executions=executions))


def test_a_bar_lacks_the_values_of_the_second_execution() -> None:
    job = two([FLAT] * 3, {}, {})
    session = SimulationSession.open(job)
    bars = {symbol: replace(bar, further=()) for symbol, bar in next(closed_bars(job)).items()}
    with pytest.raises(RunError, match="must have the values of 1 further executions"):
        session.append(bars)
