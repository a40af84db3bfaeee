"""Applying fills: exactly the reported lots, price and fee, without any check, and with the same ledger."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.entries import Offset, ScaleInRule
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import OrderKind, OrderStatus, Reason, StatusReason
from quantcrafter.engine.api.order_id import OrderId
from quantcrafter.engine.api.order_state import TrackedOrder
from quantcrafter.engine.api.orders import Accepted, Cancelled, Filled, Submit
from quantcrafter.engine.api.ports import ENTER_LONG, EXIT_LONG
from quantcrafter.engine.api.rules import ExecutionRule, ProtectiveKind, ProtectiveRule, SizeKind, SizeRule
from quantcrafter.engine.api.settings import RunSettings
from quantcrafter.engine.simulation import matching
from quantcrafter.engine.simulation.costs import fill_costs
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.fills import apply_fill
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED
from quantcrafter.engine.simulation.late import book_report, row_of
from quantcrafter.engine.simulation.orders import retire, slot_of
from quantcrafter.engine.simulation.state import SimulationState
from tests.support.counts import sample
from tests.support.jobs import Setup, make_bars, make_job
from tests.support.ledger_checks import assert_money_is_conserved, assert_same_bits
from tests.support.random_jobs import jobs

quick = settings(max_examples=sample(80, of=2_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
FLAT = [[100, 101, 99, 100]] * 12
STOP = ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=5.0)
TARGET = ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=5.0)


def without_slippage(job: EngineJob) -> EngineJob:
    terms = job.settings.model_dump()
    terms["slippage"] |= {"bps": 0.0, "ticks": 0.0, "range_percent": 0.0}
    return replace(job, settings=RunSettings.model_validate(terms))


@quick
@given(jobs())
def test_the_venues_own_lots_price_and_fee_give_the_same_books(job: EngineJob) -> None:
    job = without_slippage(job)
    expected = simulate(job, kernel=INTERPRETED)

    def told(*fill: Any) -> None:
        portfolio, holdings, rules, columns, i, k, bar, lots, price, fee = fill
        assert math.isnan(fee)
        _, commission, slippage = fill_costs(portfolio, holdings[i], k, lots, price)
        assert slippage == 0.0
        apply_fill(portfolio, holdings, rules, columns, i, k, bar, lots, price, commission)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "apply_fill", told)
        assert_same_bits(simulate(job, kernel=INTERPRETED), expected)


@quick
@given(jobs())
def test_money_is_conserved_when_fills_come_in_parts_with_fees_of_their_own(job: EngineJob) -> None:
    fees = []

    def in_parts(*fill: Any) -> None:
        portfolio, holdings, rules, columns, i, k, bar, lots, price, _ = fill
        number, first = int(holdings[i]["slots"][k]["id"]), max(int(lots) // 3, 1)
        for part in (first, int(lots) - first):
            k = slot_of(holdings[i], number)
            if part and k >= 0:
                fees.append(0.25 * part)
                apply_fill(portfolio, holdings, rules, columns, i, k, bar, part, price, fees[-1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "apply_fill", in_parts)
        ledger = simulate(job, kernel=INTERPRETED)
    assert_money_is_conserved(job, ledger)
    gained = ledger.parts["pnl"].sum() + sum(position.unrealised_pnl for position in ledger.open_positions)
    assert ledger.equity[-1] - job.settings.cash == pytest.approx(gained, rel=1e-9, abs=1e-6)
    told = ledger.fills["commission"][ledger.fills["slippage"] == 0.0].sum()
    assert told >= math.fsum(fees) - 1e-6


def begun(flags: dict[int, int], *rules: ProtectiveRule, lots: float = 10.0, **terms: Any) -> SimulationState:
    """Return a simulation of flat bars, before its first step."""
    job = make_job(
        (make_bars(FLAT), Setup(flags=flags, rule_columns=(None,) * len(rules))),
        size=SizeRule(SizeKind.QUANTITY, lots),
        protection=rules,
        settings={"cash": 10_000, **terms},
    )
    return SimulationState.of(job, kernel=INTERPRETED)


def run(state: SimulationState, stop: int) -> None:
    assert state.kernel(*state.arrays(), 0, stop, 0) == stop


def fill(state: SimulationState, k: int, lots: int, price: float, fee: float = math.nan) -> None:
    apply_fill(state.portfolio, state.holdings, state.rules, state.market, 0, k, 2, lots, price, fee)


def test_a_fill_books_the_fee_that_the_broker_told_and_no_slippage() -> None:
    state = begun({0: ENTER_LONG}, commission={"percent": 1}, slippage={"bps": 50})
    run(state, 1)
    fill(state, 0, 10, 101.5, 3.25)
    row = state.portfolio["fill_rows"][0]
    assert (row["lots"], row["price"], row["commission"], row["slippage"]) == (10, 101.5, 3.25, 0.0)
    assert state.portfolio["cash"] == 10_000 - 10 * 101.5 - 3.25


def test_a_rebate_is_a_fee_below_zero() -> None:
    state = begun({0: ENTER_LONG})
    run(state, 1)
    fill(state, 0, 10, 100.0, -0.5)
    assert state.portfolio["cash"] == 9_000.5


def test_a_fill_is_not_cut_by_the_cash_there_is() -> None:
    state = begun({0: ENTER_LONG}, lots=1000.0)
    run(state, 1)
    fill(state, 0, 1000, 100.0, 0.0)
    assert (state.holdings[0]["lots"], state.portfolio["cash"]) == (1000, -90_000)


def test_a_part_of_an_entry_is_protected_and_the_rest_stays_at_work() -> None:
    state = begun({0: ENTER_LONG}, STOP, TARGET)
    run(state, 1)
    fill(state, 0, 4, 100.0)
    holding = state.holdings[0]
    assert (holding["lots"], holding["working"], holding["entries"]) == (4, 3, 1)
    assert [(int(each["lots"]), float(each["price"])) for each in holding["slots"][1:3]] == [(4, 95.0), (4, 105.0)]
    fill(state, 0, 6, 102.0)
    assert (holding["lots"], holding["working"], holding["entries"], holding["price"]) == (10, 2, 1, 101.2)
    assert [int(each["lots"]) for each in holding["slots"][:2]] == [10, 10]


def test_a_stop_that_fills_in_parts_takes_its_target_along_when_it_is_done() -> None:
    state = begun({0: ENTER_LONG}, STOP, TARGET)
    run(state, 1)
    fill(state, 0, 10, 100.0)
    holding = state.holdings[0]
    fill(state, 0, 3, 95.0)
    assert (holding["lots"], holding["working"]) == (7, 2)
    assert [int(each["lots"] - each["filled"]) for each in holding["slots"][:2]] == [7, 7]
    fill(state, 0, 7, 94.0)
    assert (holding["lots"], holding["working"]) == (0, 0)
    orders = state.ledger(2).orders
    assert [int(each["status"]) for each in orders] == [OrderStatus.FILLED, OrderStatus.FILLED, OrderStatus.CANCELLED]
    assert orders[2]["status_reason"] == StatusReason.OCO
    ledger = state.ledger(2)
    parts = [(int(each["lots"]), float(each["pnl"]), int(each["left"])) for each in ledger.parts]
    assert parts == [(3, -15.0, 7), (7, -42.0, 0)]
    assert [(int(each["lots"]), float(each["pnl"]), int(each["parts"])) for each in ledger.trades] == [(10, -57.0, 2)]


def test_a_closing_order_that_fills_more_than_the_position_turns_it_round() -> None:
    state = begun({0: ENTER_LONG}, STOP)
    run(state, 1)
    fill(state, 0, 10, 100.0)
    holding = state.holdings[0]
    fill(state, 0, 14, 95.0, 1.4)
    assert (holding["lots"], holding["price"], state.portfolio["cash"]) == (-4, 95.0, 10_000 - 50 + 4 * 95 - 1.4)
    assert state.portfolio["part_rows"][0]["commission"] == pytest.approx(1.0)
    assert holding["commission"] == pytest.approx(0.4)
    protection = holding["slots"][0]
    assert (holding["working"], protection["side"], protection["lots"], protection["price"]) == (1, 1, 4, 99.75)


def test_a_fill_of_a_closing_order_after_the_position_has_gone_opens_the_other_side() -> None:
    state = begun({0: ENTER_LONG, 1: EXIT_LONG})
    run(state, 2)
    holding = state.holdings[0]
    assert (holding["lots"], holding["working"]) == (10, 1)
    holding["lots"], holding["quantity"] = 0, 0.0
    fill(state, 0, 10, 100.0)
    assert holding["lots"] == -10


def late(state: SimulationState, number: int, lots: int, price: float, fee: float | None = None) -> None:
    book_report(state, number, 2, lots, price, fee)


def test_a_report_of_an_order_at_work_is_booked_as_any_fill() -> None:
    state = begun({0: ENTER_LONG}, STOP)
    run(state, 1)
    late(state, 0, 10, 100.0, 1.0)
    assert (state.holdings[0]["lots"], state.holdings[0]["working"], state.portfolio["cash"]) == (10, 1, 8_999.0)


def test_a_fill_after_the_order_was_cancelled_is_booked_and_protected() -> None:
    state = begun({0: ENTER_LONG}, STOP)
    run(state, 1)
    fill(state, 0, 4, 100.0, 0.0)
    retire(state.portfolio, state.holdings[0], 0, 2, OrderStatus.CANCELLED, StatusReason.COMPONENT)
    late(state, 0, 5, 102.0, 0.5)
    holding, ledger = state.holdings[0], state.ledger(1)
    assert (holding["lots"], state.portfolio["cash"]) == (9, 10_000 - 400 - 510 - 0.5)
    assert (holding["working"], holding["slots"][0]["kind"], holding["slots"][0]["lots"]) == (1, OrderKind.STOP, 9)
    assert (ledger.orders[0]["status"], ledger.orders[0]["filled"]) == (OrderStatus.CANCELLED, 9)
    assert ledger.fills["lots"].tolist() == [4, 5]
    assert state.portfolio["at_work"] == 1


def test_a_late_fill_of_a_stop_turns_the_position_round_and_writes_no_order_twice() -> None:
    state = begun({0: ENTER_LONG}, STOP, TARGET)
    run(state, 1)
    fill(state, 0, 10, 100.0)
    fill(state, 1, 10, 105.0)
    assert state.holdings[0]["lots"] == 0
    late(state, 1, 10, 95.0, 0.0)
    ledger = state.ledger(1)
    assert state.holdings[0]["lots"] == -10
    assert ledger.orders["id"].tolist() == list(range(len(ledger.orders)))
    assert (ledger.orders[1]["reason"], ledger.orders[1]["status"]) == (Reason.STOP_LOSS, OrderStatus.CANCELLED)
    assert (ledger.orders[1]["filled"], ledger.orders[1]["lots"], ledger.orders[1]["rule"]) == (10, 10, 0)
    assert [int(each["side"]) for each in state.holdings[0]["slots"][:2]] == [1, 1]


def test_a_late_fill_pays_the_commission_of_the_whole_order_by_the_terms() -> None:
    state = begun({0: ENTER_LONG}, commission={"per_order": 5, "percent": 1})
    run(state, 1)
    fill(state, 0, 4, 100.0)
    retire(state.portfolio, state.holdings[0], 0, 2, OrderStatus.CANCELLED, StatusReason.COMPONENT)
    late(state, 0, 6, 100.0)
    assert state.ledger(1).fills["commission"].tolist() == pytest.approx([9.0, 6.0])


def test_a_late_fill_leaves_what_was_kept_of_the_state_before_as_it_was() -> None:
    state = begun({0: ENTER_LONG}, STOP)
    run(state, 1)
    retire(state.portfolio, state.holdings[0], 0, 2, OrderStatus.CANCELLED, StatusReason.COMPONENT)
    state.harvest()
    kept = state.pages[0]
    before = kept["orders"].copy()
    late(state, 0, 10, 100.0)
    assert np.array_equal(kept["orders"], before)


def test_a_report_of_an_order_that_there_never_was_is_refused() -> None:
    state = begun({0: ENTER_LONG})
    run(state, 1)
    with pytest.raises(RunError, match="no order 7, of which a fill is reported"):
        late(state, 7, 1, 100.0)


def test_a_further_entry_is_as_large_as_the_whole_first_one_though_that_filled_in_parts() -> None:
    rows = [[100, 101, 99, 100]] * 4 + [[110, 111, 109, 110]] * 4
    job = make_job(
        (make_bars(rows, volume=40.0), Setup(flags={0: ENTER_LONG})),
        size=SizeRule(SizeKind.QUANTITY, 10.0),
        execution=ExecutionRule(scale_in=ScaleInRule(2, Offset(percent=5.0))),
        settings={"slippage": {"volume_percent": 10}},
    )
    ledger = simulate(job, kernel=INTERPRETED)
    assert ledger.fills["lots"].tolist() == [4, 4, 2, 4, 4, 2]
    assert ledger.orders["lots"].tolist() == [10, 10]


def test_an_execution_that_turns_a_position_round_is_one_row_and_one_entry() -> None:
    state = begun({0: ENTER_LONG}, STOP, commission={"per_order": 2, "percent": 1})
    run(state, 1)
    fill(state, 0, 10, 100.0)
    fill(state, 0, 14, 95.0)
    ledger = state.ledger(1)
    assert ledger.fills["lots"].tolist() == [10, 14]
    assert ledger.fills["commission"].tolist() == pytest.approx([12.0, 2 + 0.01 * 14 * 95])
    assert (state.holdings[0]["entries"], state.holdings[0]["first_lots"]) == (1, 4)
    spent = 10 * 100 - 14 * 95 + ledger.fills["commission"].sum()
    assert state.portfolio["cash"] == pytest.approx(10_000 - spent)


def test_a_late_fill_of_an_order_that_was_handed_over_long_ago_is_booked_and_written_anew() -> None:
    state = begun({0: ENTER_LONG}, STOP, commission={"per_order": 5, "percent": 1})
    run(state, 1)
    fill(state, 0, 4, 100.0)
    retire(state.portfolio, state.holdings[0], 0, 2, OrderStatus.CANCELLED, StatusReason.COMPONENT)
    state.harvest()
    state.pages.clear()
    number = OrderId("w", 1, 0)
    order = TrackedOrder.begin(Submit(number, "TEST", "buy", "market", 10, 10.0, 1.0, 0, reason="entry"))
    for event in (Accepted(number, 0), Filled(number, "a", 4, 100.0, 0), Cancelled(number, 0)):
        order = order.apply(event)
    book_report(state, 0, 2, 6, 100.0, None, row_of(state, 0, order))
    ledger = state.ledger(1)
    assert (state.holdings[0]["lots"], state.holdings[0]["slots"][0]["lots"]) == (10, 10)
    assert ledger.fills["commission"].tolist() == pytest.approx([6.0])
    written = ledger.orders[ledger.orders["id"] == 0]
    assert (written["filled"].tolist(), written["status"].tolist()) == ([10], [OrderStatus.CANCELLED])
