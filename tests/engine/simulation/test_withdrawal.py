"""Profit that is withdrawn: in sessions, by guards and conditions that measure the equity, and after an adoption."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import InterventionKind, Ledger
from quantcrafter.engine.api.ports import ENTER_LONG
from quantcrafter.engine.api.rules import GuardKind, GuardRule, SizeKind, SizeRule
from quantcrafter.engine.simulation.adopting import adopt
from quantcrafter.engine.simulation.closed_bar import closed_bars
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.identity import Identity
from quantcrafter.engine.simulation.session import SimulationSession
from quantcrafter.engine.simulation.session_state import SessionState
from quantcrafter.engine.simulation.withdrawal import month_of
from quantcrafter.engine.stats.curve import grown_equity, withdrawn
from tests.support.bar_by_bar import joined
from tests.support.jobs import Setup, make_bars, make_job
from tests.support.ledger_checks import assert_same_bits

HALF = {"cash": 10_000.0, "withdrawal": {"percent": 50.0}}
CLOSES = {28: 100.0, 29: 100.0, 30: 150.0, 31: 150.0, 32: 120.0, 58: 140.0, 59: 140.0, 60: 200.0, 90: 200.0}


def job_of(given: dict[str, Any] | None = None, guards: tuple[GuardRule, ...] = ()) -> EngineJob:
    """Return ten units bought at 100 and held: 10,500 in January, 10,400 in February, 11,000 in March."""
    bars = make_bars([[close] * 4 for close in CLOSES.values()], close_days=list(CLOSES))
    size = SizeRule(SizeKind.QUANTITY, 10.0)
    return make_job((bars, Setup({0: ENTER_LONG})), size=size, settings=HALF if given is None else given, guards=guards)


def amounts(ledger: Ledger) -> list[tuple[int, float]]:
    """Return step and amount of each withdrawal."""
    return list(zip(*(each.tolist() for each in withdrawn(ledger)), strict=True))


@pytest.mark.parametrize("close", [90.0, 110.0, 120.0, 150.0])
@pytest.mark.parametrize("guards", [(), (GuardRule(GuardKind.MAX_DRAWDOWN, 90.0),)])
def test_what_is_withdrawn_does_not_depend_on_the_first_close_of_the_period(
    close: float, guards: tuple[GuardRule, ...]
) -> None:
    """By hand: 10 units gained 20 each in January; half of the 200 goes before the first open of February."""
    closes = {29: 100.0, 30: 120.0, 31: close, 32: close}
    bars = make_bars([[price] * 4 for price in closes.values()], close_days=list(closes))
    size = SizeRule(SizeKind.QUANTITY, 10.0)
    bought = make_job((bars, Setup({0: ENTER_LONG})), size=size, settings=HALF, guards=guards)
    early = bars.open.copy()
    early[1] = 100.0
    low = bars.low.copy()
    low[1] = 100.0
    moved = replace(bought.instruments[0], bars=replace(bought.instruments[0].bars, open=early, low=low))
    assert amounts(simulate(replace(bought, instruments=(moved,)))) == [(2, 100.0)]


def test_months_are_those_of_the_calendar() -> None:
    days = np.concatenate([np.arange(-30_000, 60_000, 13), np.arange(10_000, 12_000)])
    expected = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) + 12 * 1970
    assert [month_of(day) for day in days.tolist()] == expected.tolist()


def test_a_session_that_is_restarted_at_each_bar_withdraws_as_a_run_does() -> None:
    job, parts = job_of(), []
    session = SimulationSession.open(job)
    for bars in closed_bars(job):
        session.append(bars)
        session.step()
        parts.append(session.drain())
        session = SimulationSession.open(job, SessionState.from_json(session.state().to_json()))
    session.end_data()
    parts.append(session.drain())
    whole = simulate(job)
    assert amounts(whole) == [(3, 250.0), (8, 250.0)]
    assert joined(parts).cashflows.tolist() == whole.cashflows.tolist()
    assert joined(parts).equity.tolist() == whole.equity.tolist()


def test_an_account_at_an_external_venue_is_refused() -> None:
    with pytest.raises(RunError, match="Leave 'withdrawal' out"):
        SimulationSession.open(job_of(), venue="external")
    assert SimulationSession.open(job_of({"cash": 10_000.0}), venue="external").is_external


@pytest.mark.parametrize(("percent", "halts"), [(2.9, True), (3.0, False)])
def test_a_drawdown_is_measured_from_a_peak_without_what_was_withdrawn(percent: float, *, halts: bool) -> None:
    # Of 10,500 at the end of January, 250 are withdrawn. Then the equity falls to 9,950: by 2.93 percent.
    ledger = simulate(job_of(guards=(GuardRule(GuardKind.MAX_DRAWDOWN, percent),)))
    began = ledger.interventions[ledger.interventions["kind"] == InterventionKind.HALT_BEGAN]
    assert len(began) == halts
    if halts:
        assert began["before"][0] == pytest.approx(10_250.0)
        assert began["after"][0] == pytest.approx(9_950.0)


def test_a_withdrawal_is_no_loss_of_the_day() -> None:
    # Bar 3 opens and closes at the price of the close before; 250 of 10,500 leave the account before it.
    guard = GuardRule(GuardKind.DAILY_LOSS, 2.0)
    ledger = simulate(job_of(guards=(guard,)))
    began = ledger.interventions[ledger.interventions["kind"] == InterventionKind.HALT_BEGAN]
    assert began["bar"].tolist() == [4]


def test_the_grown_equity_has_the_returns_of_what_was_left() -> None:
    ledger = simulate(job_of())
    grown = grown_equity(ledger)
    steps, taken = withdrawn(ledger)
    before = ledger.equity[:-1].copy()
    before[steps - 1] -= taken
    assert grown[1:] / grown[:-1] == pytest.approx(ledger.equity[1:] / before)
    plain = simulate(job_of({"cash": 10_000.0}))
    assert grown_equity(plain) is plain.equity


def test_profit_before_an_adoption_is_left_in_the_account() -> None:
    plain, job = job_of({"cash": 10_000.0}), job_of()
    bars = list(closed_bars(job))
    old = SimulationSession.open(plain, identity=Identity("first"))
    for each in bars[:3]:
        old.append(each)
        old.step()
    adopted = adopt(SessionState.from_json(old.state().to_json()), job, Identity("second"))
    session = SimulationSession.open(job, adopted.state, identity=Identity("second"))
    for each in bars[3:]:
        session.append(each)
        session.step()
    # The equity is 10,500 when the changed strategy begins in February, and 11,000 at the end of March.
    assert amounts(session.ledger()) == [(8, 250.0)]
    left = adopt(SessionState.from_json(session.state().to_json()), plain, Identity("third")).state.account
    assert not {"month", "period_equity"} & set(left)


def test_the_steps_of_a_run_are_those_of_its_chunks() -> None:
    job = job_of()
    one = simulate(job)
    stepwise = SimulationSession(replace(job, steps=None))
    while not stepwise.done:
        stepwise.step()
    assert_same_bits(one, stepwise.ledger())
