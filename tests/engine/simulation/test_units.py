"""Units of a position: one for each entry that filled, with stops and targets of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.entries import MOST_ENTRIES, GridRule, Offset, ScaleInRule
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ports import ENTER_LONG
from quantcrafter.engine.api.rules import ExecutionRule, OnOpposite, ProtectiveKind, ProtectiveRule, SizeKind, SizeRule
from quantcrafter.engine.simulation.arrays import holdings_of
from quantcrafter.engine.simulation.closed_bar import closed_bars
from quantcrafter.engine.simulation.driver import simulate, simulate_stepwise
from quantcrafter.engine.simulation.execution_terms import protection_of
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED
from quantcrafter.engine.simulation.records import Record
from quantcrafter.engine.simulation.session import SimulationSession
from quantcrafter.engine.simulation.session_state import SessionState
from quantcrafter.engine.simulation.units import are_units_sound, clear_units, grow_unit, shrink_units
from tests.support.counts import sample
from tests.support.jobs import Setup, make_bars, make_job
from tests.support.ledger_checks import assert_money_is_conserved, assert_same_bits
from tests.support.random_jobs import for_each_unit, jobs

STOP = ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=10.0, scope="unit")
TARGET = ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=10.0, scope="unit")
PART = ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=5.0, share=50.0, scope="unit")
TRAILING = ProtectiveRule(ProtectiveKind.TRAILING_STOP, percent=5.0)
OF_POSITION = ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=10.0)

many = settings(
    max_examples=sample(150, of=3_000),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def growing(entries: int = 4) -> ExecutionRule:
    """Return an execution that grows in steps of two percent."""
    return ExecutionRule(scale_in=ScaleInRule(entries, Offset(percent=2.0)))


def climbing(
    *protection: ProtectiveRule, execution: ExecutionRule | None = None, split_at: int = -1, bars: int = 9
) -> EngineJob:
    """Return a job whose price climbs by three percent a bar for some bars, then falls through all stops."""
    close = [*(100.0 * 1.03**k for k in range(bars)), 100.0, 90.0, 80.0, 70.0]
    ratio = np.where(np.arange(len(close)) == split_at, 0.5, 1.0)
    close = [price / (0.5 if k >= split_at >= 0 else 1.0) for k, price in enumerate(close)]
    rows = [[price, price * 1.001, price * 0.999, price] for price in close]
    flags = [ENTER_LONG, *(0 for _ in close[1:])]
    more = {"split": ratio, "dividend": np.zeros(len(close))} if split_at >= 0 else {}
    setup = Setup(flags, None, 0, 0.01, 1.0, tuple(None for _ in protection), {}, more)
    return make_job(
        (make_bars(rows), setup),
        size=SizeRule(SizeKind.QUANTITY, 7.0),
        protection=protection,
        execution=execution or growing(),
    )


def assert_orders_fit(holding: Record, job: EngineJob) -> None:
    """Check that orders of units never close more than their unit, and that each unit has its stop."""
    lots = {int(holding["unit_order"][u]): int(holding["unit_lots"][u]) for u in range(int(holding["units"]))}
    protection, stopped = job.protection, []
    for k in range(int(holding["working"])):
        order, unit = holding["slots"][k], int(holding["unit"][k])
        if unit < 0:
            continue
        assert protection[order["rule"]].scope == "unit"
        assert 0 < order["lots"] - order["filled"] <= lots[unit]
        if protection[order["rule"]].kind is ProtectiveKind.STOP_LOSS:
            assert order["lots"] - order["filled"] == lots[unit]
            stopped.append(unit)
    own = protection_of(job, int(holding["execution"]))
    if any(rule.scope == "unit" and rule.kind is ProtectiveKind.STOP_LOSS for rule in own):
        assert sorted(stopped) == sorted(lots)


@many
@given(st.one_of(jobs(), jobs(account=True), jobs(units=True), jobs(account=True, units=True)))
def test_units_make_up_the_position_at_every_step_and_each_has_its_orders(job: EngineJob) -> None:
    session = SimulationSession.open(replace(job, settings=job.settings.model_copy(update={"end_of_data": "leave"})))
    for bars in closed_bars(job):
        session.append(bars)
        session.step()
        for holding in session.memory.holdings:
            assert are_units_sound(holding), holding
            assert_orders_fit(holding, job)


@many
@given(st.one_of(jobs(units=True), jobs(account=True, units=True)))
def test_positions_with_units_have_the_same_books_on_both_drivers(job: EngineJob) -> None:
    loop = simulate(job, kernel=INTERPRETED)
    assert_same_bits(loop, simulate_stepwise(job))
    assert_money_is_conserved(job, loop)


@many
@given(st.one_of(jobs(units=False, several=False), jobs(account=True, units=False, several=False)))
def test_without_further_entries_a_unit_is_the_position(job: EngineJob) -> None:
    # An entry that follows its line after a part of it has filled goes on as another order: another unit.
    (execution,) = job.executions
    entry = replace(execution.rule.entry, follow=False)
    rule = replace(execution.rule, entry=entry, scale_in=None, grid=None, rebalance=None)
    one_entry = replace(job, executions=(replace(execution, rule=rule),))
    fixed = tuple(each for each in for_each_unit(job.protection, rule) if each.scope == "unit")
    kept = [
        n
        for n, rule in enumerate(job.protection)
        if rule.kind in {ProtectiveKind.STOP_LOSS, ProtectiveKind.TAKE_PROFIT}
    ]
    instruments = tuple(
        replace(each, rule_columns=tuple(each.rule_columns[n] for n in kept)) for each in one_entry.instruments
    )
    by_unit = replace(one_entry, protection=fixed, instruments=instruments)
    whole = replace(by_unit, protection=tuple(replace(rule, scope="position") for rule in fixed))
    assert_same_bits(simulate(by_unit, kernel=INTERPRETED), simulate(whole, kernel=INTERPRETED))


def test_four_units_are_stopped_out_one_by_one_from_the_newest() -> None:
    ledger = simulate(climbing(STOP))
    fills = [(int(f["side"]), int(f["lots"])) for f in ledger.fills]
    assert fills == [(1, 7)] * 4 + [(-1, 7)] * 4
    bought = [round(float(f["price"]) * 0.9, 2) for f in ledger.fills[:4]]
    stops = [round(float(o["price"]), 2) for o in ledger.orders if o["rule"] == 0]
    assert stops == bought


def test_a_split_keeps_the_units_of_a_position_and_their_stops() -> None:
    job = climbing(STOP, split_at=8)
    session = SimulationSession.open(job)
    for bars in list(closed_bars(job))[:9]:
        session.append(bars)
        session.step()
    holding = session.memory.holdings[0]
    # Of four units of 7 lots each 3 whole ones are left, and the parts make up two more.
    assert holding["lots"] == 14
    assert holding["unit_lots"][:4].tolist() == [3, 3, 3, 5]
    assert_orders_fit(holding, job)
    assert_same_bits(simulate(job), simulate_stepwise(job))


def test_a_state_without_units_opens_with_one_for_the_whole_position() -> None:
    job = climbing(STOP)
    session = SimulationSession.open(job)
    for bars in list(closed_bars(job))[:6]:
        session.append(bars)
        session.step()
    state = SessionState.from_json(session.state().to_json())
    (symbol,) = state.instruments
    kept = state.instruments[symbol]
    holding = {name: value for name, value in kept.holding.items() if not name.startswith("unit")}
    orders = tuple({name: value for name, value in order.items() if name != "unit"} for order in kept.orders)
    older = replace(state, instruments={symbol: replace(kept, holding=holding, orders=orders)})
    found = SimulationSession.open(job, older).memory.holdings[0]
    assert found["units"] == 1
    assert found["unit_lots"][0] == found["lots"] > 0
    assert found["unit_price"][0] == found["price"]


@pytest.mark.parametrize("change", [{"units": 0}, {"units": 99}, {"unit_lots": [1, 1, 1, 1]}])
def test_a_state_whose_units_were_changed_by_hand_is_refused(change: dict[str, object]) -> None:
    job = climbing(STOP)
    session = SimulationSession.open(job)
    for bars in list(closed_bars(job))[:6]:
        session.append(bars)
        session.step()
    state = session.state()
    (symbol,) = state.instruments
    kept = state.instruments[symbol]
    changed = replace(state, instruments={symbol: replace(kept, holding={**kept.holding, **change})})
    with pytest.raises(RunError, match=r"units of .* position"):
        SimulationSession.open(job, changed)


def one_holding() -> Record:
    """Return the book of an instrument."""
    holding: Record = holdings_of(climbing())[0]
    return holding


def test_what_comes_beyond_the_most_units_joins_the_last_one() -> None:
    holding = one_holding()
    for number in range(MOST_ENTRIES + 2):
        grow_unit(holding, number, number, 10, 100.0 + number)
    holding["lots"] = 10 * (MOST_ENTRIES + 2)
    assert are_units_sound(holding)
    last = MOST_ENTRIES - 1
    assert holding["units"] == MOST_ENTRIES
    assert (holding["unit_order"][last], holding["unit_bar"][last], holding["unit_lots"][last]) == (last, last, 30)
    assert holding["unit_price"][last] == pytest.approx(100.0 + last + 1.0)


def test_lots_come_off_the_unit_that_is_named_and_else_off_the_oldest() -> None:
    holding = one_holding()
    for number in (3, 5, 8):
        grow_unit(holding, number, number, 10, 100.0)
    shrink_units(holding, 5, 4)
    assert holding["unit_lots"][:3].tolist() == [10, 6, 10]
    shrink_units(holding, -1, 13)
    assert holding["unit_order"][:3].tolist() == [5, 8, 0]
    assert holding["unit_lots"][:3].tolist() == [3, 10, 0]
    shrink_units(holding, 8, 12)
    assert holding["unit_lots"][:2].tolist() == [1, 0]
    clear_units(holding)
    assert holding["units"] == 0
    assert not holding["unit_lots"].any()


@pytest.mark.parametrize(
    ("protection", "execution", "message"),
    [
        ((replace(TRAILING, scope="unit"),), growing(), "stop that moves belongs to the whole position"),
        ((STOP, TRAILING), growing(), "can't be combined with a stop of the whole position"),
        ((STOP, OF_POSITION), growing(), "can't be combined with a stop of the whole position"),
        ((STOP,), ExecutionRule(grid=GridRule(3, Offset(percent=1.0), 100.0)), "Only entries by signals"),
        ((STOP, TARGET, PART), growing(20), "need up to 60 orders at once, and there is room for 56"),
    ],
)
def test_stops_of_units_that_could_not_be_carried_out_are_refused(
    protection: tuple[ProtectiveRule, ...], execution: ExecutionRule, message: str
) -> None:
    with pytest.raises(RunError, match=message):
        simulate(climbing(*protection, execution=execution))


def test_as_many_units_as_there_may_be_have_their_orders() -> None:
    far = replace(TARGET, percent=1000.0)
    job = climbing(replace(STOP, percent=80.0), far, execution=growing(MOST_ENTRIES), bars=45)
    ledger = simulate(job)
    assert_same_bits(ledger, simulate_stepwise(job))
    assert len(ledger.orders) == 3 * MOST_ENTRIES
    assert (ledger.fills["side"] > 0).sum() == MOST_ENTRIES


@pytest.mark.parametrize("opposite", [OnOpposite.IGNORE, OnOpposite.CLOSE, OnOpposite.REVERSE])
def test_an_exit_of_all_takes_the_orders_of_all_units(opposite: OnOpposite) -> None:
    job = climbing(STOP, execution=replace(growing(), on_opposite=opposite))
    flags = np.array(job.instruments[0].flags)
    flags[8] = 2  # EXIT_LONG
    job = replace(job, instruments=(replace(job.instruments[0], flags=flags),))
    ledger = simulate(job)
    assert [int(f["lots"]) for f in ledger.fills] == [7, 7, 7, 7, 28]
    assert (ledger.orders["status"][ledger.orders["rule"] == 0] == 2).all()
