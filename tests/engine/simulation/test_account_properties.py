"""What holds of the account's rules whatever the market does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.ledger import CashflowKind, InterventionKind, Ledger, Reason
from quantcrafter.engine.api.rules import GuardKind, GuardRule, HaltAction, ProtectiveKind
from quantcrafter.engine.simulation import by_matcher
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.matcher import BarMatcher
from quantcrafter.engine.simulation.matching import fill_slot
from quantcrafter.engine.simulation.session import SimulationSession
from quantcrafter.engine.stats.curve import withdrawn
from tests.support.counts import sample
from tests.support.ledger_checks import assert_money_is_conserved
from tests.support.random_jobs import jobs

quick = settings(max_examples=sample(150, of=2_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
CAPS = (GuardKind.MAX_POSITION, GuardKind.GROSS_EXPOSURE, GuardKind.NET_EXPOSURE, GuardKind.OPEN_TRADES)


@quick
@given(jobs(account=True))
def test_money_is_conserved_with_every_fee_borrow_cost_conversion_and_dividend(job: EngineJob) -> None:
    ledger = simulate(job)
    assert_money_is_conserved(job, ledger)
    gained = ledger.parts["pnl"].sum() + sum(position.unrealised_pnl for position in ledger.open_positions)
    scale = job.settings.cash + np.abs(ledger.fills["lots"] * ledger.fills["price"]).sum()
    kept = ledger.equity[-1] - job.settings.cash + withdrawn(ledger)[1].sum()
    assert kept == pytest.approx(gained, abs=1e-9 * scale)


@quick
@given(jobs(account=True).filter(lambda job: job.settings.withdrawal.percent > 0.0))
def test_a_period_s_profit_and_no_more_is_withdrawn_before_the_first_open_after_it(job: EngineJob) -> None:
    ledger, terms = simulate(job), job.settings.withdrawal
    amounts = dict(zip(*(each.tolist() for each in withdrawn(ledger)), strict=True))
    months = (ledger.ts_ns - 1).astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
    months //= 3 if terms.every == "quarter" else 1
    free = all(each.kind == "spot" for each in job.instruments) and (ledger.fills["side"] > 0).all()
    base = job.settings.cash
    for step in (np.flatnonzero(np.diff(months)) + 1).tolist():
        equity, cash = float(ledger.equity[step - 1]), float(ledger.cash[step - 1])
        wanted = max(equity - base, 0.0) * terms.percent / 100.0
        amount = amounts.pop(step, 0.0)
        room = 1e-9 * (equity + cash)
        assert amount <= min(wanted, max(cash, 0.0)) + room
        if free and job.settings.margin.initial_percent == 100.0:
            assert amount == pytest.approx(min(wanted, max(cash, 0.0)), abs=room)
        base = equity - amount if equity > base or terms.of == "period" else base
    assert not amounts


@quick
@given(jobs(account=True))
def test_borrowing_always_costs_and_dividends_go_with_the_side(job: EngineJob) -> None:
    ledger = simulate(job)
    borrow = ledger.cashflows["kind"] == CashflowKind.BORROW
    assert (ledger.cashflows["amount"][borrow] < 0).all()
    carried = ledger.parts["carry"].sum()
    if not len(ledger.open_positions) and not (ledger.cashflows["kind"] == CashflowKind.CASH_IN_LIEU).any():
        booked = ledger.cashflows["amount"].sum() + withdrawn(ledger)[1].sum()
        assert carried == pytest.approx(booked, abs=1e-6)


@quick
@given(jobs(account=True))
def test_no_entry_is_made_from_a_halt_s_beginning_to_its_end(job: EngineJob) -> None:
    ledger = simulate(job)
    closes = np.concatenate([each.bars.close_ns for each in job.instruments])
    offsets = np.cumsum([0, *(len(each.bars) for each in job.instruments)])
    made = closes[offsets[ledger.orders["instrument"]] + ledger.orders["created_bar"]]
    opening = np.isin(ledger.orders["reason"], (Reason.ENTRY, Reason.SCALE_IN))
    for begin, end in _halts(ledger):
        # Entries made before on the same close, by an instrument earlier in the file, there are none: guards go first.
        assert not (opening & (made >= begin) & (made < end)).any()


def _halts(ledger: Ledger) -> Iterator[tuple[int, int]]:
    """Yield the closes from which and up to which trading was halted."""
    begun: int | None = None
    for each in ledger.interventions:
        when = int(ledger.ts_ns[each["bar"]]) if each["instrument"] == -1 else 0
        if each["kind"] == InterventionKind.HALT_BEGAN:
            begun = when if begun is None else begun
        elif each["kind"] == InterventionKind.HALT_ENDED and begun is not None:
            yield begun, when
            begun = None
    if begun is not None:
        yield begun, int(ledger.ts_ns[-1]) + 1


class Watcher:
    """Runs a job by the Python driver and looks at the account right after every fill."""

    def __init__(self, job: EngineJob) -> None:
        self.job = job
        self.session = SimulationSession(job, BarMatcher())

    def check_caps(self) -> None:
        """Run the job to its end, with a check of the caps after each fill."""
        with mock.patch.object(by_matcher, "fill_slot", self.fill_and_look):
            while not self.session.done:
                self.session.step()

    def fill_and_look(self, portfolios: Any, holdings: Any, *rest: Any) -> None:
        """Fill an order as ever; then check every cap, if that enlarged a position."""
        portfolio, before = portfolios[0], int(portfolios[0]["fills"])
        fill_slot(portfolios, holdings, *rest)
        if portfolio["fills"] == before:
            return
        fill = portfolio["fill_rows"][portfolio["fills"] - 1]
        holding = holdings[fill["instrument"]]
        if fill["side"] * holding["lots"] <= 0:
            return
        values = holdings["quantity"] * holdings["mark"] * holdings["rate"] * holdings["multiplier"]
        entries = holdings["quantity"] * holdings["price"] * holdings["rate"] * holdings["multiplier"]
        equity = float(portfolio["cash"] + (values - entries * holdings["contract"]).sum())
        added = float(fill["lots"] * holding["lot_size"] * fill["price"] * fill["rate"] * holding["multiplier"])
        for guard in self.job.guards:
            self.check(guard, holding, values, equity, added)

    def check(self, guard: GuardRule, holding: Any, values: Any, equity: float, added: float) -> None:
        """Check one cap."""
        room = 1e-6 + 1e-9 * abs(equity)
        cap = guard.value / 100.0 * equity
        mine = abs(values[holding["index"]])
        said = [str(each.values.get(guard.within, "")) for each in self.job.instruments]
        own = said[holding["index"]]
        if guard.within and (not own or guard.group not in ("", own)):
            return
        if guard.kind in (GuardKind.GROSS_EXPOSURE, GuardKind.NET_EXPOSURE):
            cap = guard.value if guard.in_cash else cap
            values = values[[not guard.within or name == own for name in said]]
        if guard.kind is GuardKind.GROSS_EXPOSURE:
            assert np.abs(values).sum() <= cap + room
        elif guard.kind is GuardKind.NET_EXPOSURE:
            before = abs(values.sum() - added * np.sign(holding["lots"]))
            assert abs(values.sum()) <= max(cap, before) + room
        elif guard.kind is GuardKind.OPEN_TRADES:
            if guard.side * holding["lots"] < 0:
                return
            counted = [
                value != 0 and value * guard.side >= 0 and (not guard.within or name == own)
                for value, name in zip(values, said, strict=True)
            ]
            assert sum(counted) <= guard.value or mine > abs(added) + room
        elif guard.kind is GuardKind.MAX_POSITION and guard.symbol in (
            "",
            self.job.instruments[holding["index"]].symbol,
        ):
            if guard.in_units:
                assert abs(holding["quantity"]) <= guard.value + 1e-9
            else:
                assert mine <= (guard.value if guard.in_cash else cap) + room


@quick
@given(jobs(account=True).filter(lambda job: any(guard.kind in CAPS for guard in job.guards)))
def test_no_cap_is_exceeded_after_a_fill(job: EngineJob) -> None:
    Watcher(job).check_caps()


@quick
@given(jobs(account=True))
def test_a_stop_only_moves_towards_the_price_and_no_rule_wants_it_nearer(job: EngineJob) -> None:
    ledger = simulate(job)
    moves = ledger.interventions[ledger.interventions["kind"] == InterventionKind.STOP_MOVED]
    moving = {ProtectiveKind.TRAILING_STOP, ProtectiveKind.BREAK_EVEN}
    for move in moves:
        assert job.protection[move["rule"]].kind in moving
        instrument = job.instruments[move["instrument"]]
        fills = ledger.fills[(ledger.fills["instrument"] == move["instrument"]) & (ledger.fills["bar"] <= move["bar"])]
        side = np.sign((fills["side"].astype(np.int64) * fills["lots"]).sum()) if instrument.split is None else 0
        if side and not np.isnan(move["before"]):
            assert (move["after"] - move["before"]) * side > 0


@quick
@given(jobs(account=True))
def test_a_halt_for_good_is_the_last_one(job: EngineJob) -> None:
    ledger = simulate(job)
    numbered = {len(job.protection) + k: guard for k, guard in enumerate(job.guards)}
    ended = False
    for each in ledger.interventions:
        if each["kind"] == InterventionKind.HALT_BEGAN:
            assert not ended
            ended = numbered[int(each["rule"])].action is HaltAction.FLATTEN_AND_HALT
        elif each["kind"] == InterventionKind.HALT_ENDED:
            assert not ended
