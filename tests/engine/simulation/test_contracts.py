"""Contracts on margin, by hand: what a fill moves, what margin permits, and what the account is worth meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.entries import GridRule, Offset, RebalanceRule, ScaleInRule
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import BlockReason, InterventionKind, Ledger, Reason, StatusReason
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from quantcrafter.engine.api.rules import (
    ExecutionRule,
    GuardKind,
    GuardRule,
    OnOpposite,
    ProtectiveKind,
    ProtectiveRule,
    SizeKind,
    SizeRule,
)
from quantcrafter.engine.api.settings import InstrumentMargin
from quantcrafter.engine.simulation.driver import simulate, simulate_stepwise
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED
from tests.support.jobs import Setup, make_bars, make_job
from tests.support.ledger_checks import assert_money_is_conserved, assert_same_bits

MARGIN = {"margin": {"initial_percent": 5, "maintenance_percent": 0}}


def flat(*prices: float) -> list[tuple[float, float, float, float]]:
    """Return bars that open at one price, and close at the next one's open or, the last, where they opened."""
    return [
        (price, max(price, after), min(price, after), after)
        for price, after in zip(prices, (*prices[1:], prices[-1]), strict=True)
    ]


def run(job: EngineJob) -> Ledger:
    """Run a job by both drivers, which must agree, and return its books; money must be conserved."""
    ledger = simulate(job, kernel=INTERPRETED)
    assert_same_bits(ledger, simulate_stepwise(job, kernel=INTERPRETED))
    assert_money_is_conserved(job, ledger)
    return ledger


def contract(
    prices: Sequence[float], flags: dict[int, int], quantity: float, more: dict[str, Any] | None = None, **job: Any
) -> Ledger:
    """Run a contract whose bars are flat steps between prices, with decisions by `flags`."""
    setup = Setup(flags, more={"kind": "contract", **(more or {})})
    job.setdefault("settings", {"cash": 10_000.0, **MARGIN})
    job.setdefault("size", SizeRule(SizeKind.QUANTITY, quantity))
    return run(make_job((make_bars(flat(*prices)), setup), **job))


def rates(*values: float) -> dict[str, Any]:
    """Return the rates at opens and closes: each bar's close is the next one's open."""
    return {"rate_open": np.array(values), "rate_close": np.array([*values[1:], values[-1]])}


def test_a_hundred_thousand_usdjpy_from_150_to_165_earn_9090_dollars_and_91_cents() -> None:
    prices = (150.0, 150.0, 157.5, 165.0)
    more = rates(*(1.0 / price for price in prices))
    ledger = contract(prices, {0: ENTER_LONG, 2: EXIT_LONG}, 100_000, more)
    assert ledger.trades["pnl"].tolist() == [pytest.approx(1_500_000 / 165.0)]
    assert ledger.cash.tolist() == pytest.approx([10_000.0, 10_000.0, 10_000.0, 10_000.0 + 1_500_000 / 165.0])
    assert ledger.equity[1] == pytest.approx(10_000.0 + 750_000 / 157.5)


def test_a_short_contract_earns_what_the_price_falls_by_and_brings_no_money_when_it_is_sold() -> None:
    ledger = contract((100.0, 100.0, 90.0, 80.0), {0: ENTER_SHORT, 2: EXIT_SHORT}, 50, {"multiplier": 10.0})
    assert ledger.cash.tolist() == pytest.approx([10_000.0, 10_000.0, 10_000.0, 20_000.0])
    assert ledger.equity.tolist() == pytest.approx([10_000.0, 15_000.0, 20_000.0, 20_000.0])


def test_each_part_of_an_exit_is_converted_at_its_own_rate() -> None:
    parts = (
        ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=10.0, share=50.0),
        ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=20.0, share=50.0),
    )
    more = rates(0.5, 0.5, 0.4, 0.2)
    ledger = contract((100.0, 100.0, 110.0, 120.0), {0: ENTER_LONG}, 10, more, protection=parts)
    # The closes reach the targets, at the rates that were known at the opens.
    assert ledger.fills["rate"].tolist() == [0.5, 0.5, 0.4]
    assert ledger.parts["pnl"].tolist() == pytest.approx([5 * 10 * 0.5, 5 * 20 * 0.4])
    assert ledger.cash[-1] == pytest.approx(10_000.0 + 25.0 + 40.0)


def test_further_entries_average_the_price_and_leave_the_cash_alone() -> None:
    more = {"multiplier": 2.0, **rates(1.0, 1.0, 2.0, 4.0)}
    scale = ExecutionRule(scale_in=ScaleInRule(2, Offset(percent=5.0), in_favour=True))
    ledger = contract((100.0, 100.0, 110.0, 111.0), {0: ENTER_LONG}, 10, more, execution=scale)
    assert ledger.fills["price"].tolist() == [100.0, 110.0]
    assert (ledger.cash == 10_000.0).all()
    (held,) = ledger.open_positions
    assert held.entry_price == pytest.approx(105.0)
    assert held.unrealised_pnl == pytest.approx(20 * 2.0 * (111.0 - 105.0) * 4.0)
    assert ledger.equity[-1] == pytest.approx(10_000.0 + held.unrealised_pnl)


def test_a_reversal_by_one_order_books_the_old_side_and_opens_the_new_one_at_its_price() -> None:
    rule = ExecutionRule(OnOpposite.REVERSE)
    flags = {0: ENTER_LONG, 1: ENTER_SHORT}
    ledger = contract((100.0, 100.0, 104.0, 101.0), flags, 10, execution=rule)
    assert ledger.cash.tolist() == pytest.approx([10_000.0, 10_000.0, 10_040.0, 10_040.0])
    assert ledger.equity[-1] == pytest.approx(10_040.0 + 30.0)


def test_margin_by_the_contract_is_taken_in_the_currency_of_its_prices() -> None:
    more = {"margin": InstrumentMargin(per_contract=300.0), **rates(2.0, 2.0, 2.0)}
    ledger = contract((100.0, 100.0, 100.0), {0: ENTER_LONG}, 100, more, settings={"cash": 10_000.0})
    # A contract takes 600 of the account: 16 of them, where 100 were asked for.
    assert ledger.fills["lots"].tolist() == [16]
    assert ledger.orders["status_reason"].tolist() == [StatusReason.REDUCED]


def test_open_profit_pays_for_margin_and_an_open_loss_takes_from_it() -> None:
    winner = (make_bars(flat(100.0, 100.0, 120.0, 120.0), "A"), Setup({0: ENTER_LONG}, more={"kind": "contract"}))
    second = (make_bars(flat(100.0, 100.0, 100.0, 100.0), "B"), Setup({1: ENTER_LONG}, more={"kind": "contract"}))
    size = SizeRule(SizeKind.QUANTITY, 1_000.0)
    settings = {"cash": 10_000.0, "margin": {"initial_percent": 10, "maintenance_percent": 0}}
    ledger = run(make_job(winner, second, size=size, settings=settings))
    # 1,000 of A at 120 take 12,000 of the equity of 30,000; 18,000 are left for 1,800 of B.
    assert ledger.fills["lots"].tolist() == [1_000, 1_000]
    loser = (make_bars(flat(100.0, 100.0, 92.0, 92.0), "A"), Setup({0: ENTER_LONG}, more={"kind": "contract"}))
    ledger = run(make_job(loser, second, size=size, settings=settings))
    # An equity of 2,000 does not even carry the 9,200 of A.
    assert ledger.orders["status_reason"].tolist()[-1] == StatusReason.NO_CASH


def test_both_sides_of_a_contract_are_called_at_half_of_what_an_entry_takes() -> None:
    settings = {"cash": 1_000.0, "margin": {"initial_percent": 10}}
    for flag, prices in ((ENTER_LONG, (100.0, 100.0, 94.0, 94.0)), (ENTER_SHORT, (100.0, 100.0, 106.0, 106.0))):
        ledger = contract(prices, {0: flag}, 100, settings=settings)
        call = ledger.interventions[ledger.interventions["kind"] == InterventionKind.MARGIN_CALL]
        # The equity is 400; 5 percent of 9,400, or 10,600, must be kept.
        assert call["before"].tolist() == [pytest.approx(0.05 * 100 * prices[2])]
        assert call["after"].tolist() == [pytest.approx(400.0)]
        assert ledger.trades["exit_reason"].tolist() == [Reason.MARGIN_CALL]


def test_an_account_that_contracts_have_lost_is_closed_and_enters_no_more() -> None:
    flags = {0: ENTER_LONG, 3: ENTER_LONG}
    ledger = contract((100.0, 100.0, 80.0, 82.0, 90.0), flags, 600)
    assert InterventionKind.ACCOUNT_LOST in ledger.interventions["kind"]
    assert ledger.trades["exit_price"].tolist() == [80.0]
    assert ledger.equity[-1] == pytest.approx(10_000.0 - 600 * 20)
    assert ledger.blocked["reason"].tolist() == [BlockReason.NO_EQUITY]


@pytest.mark.parametrize(
    ("size", "lots"),
    [
        (SizeRule(SizeKind.CASH, 10_000.0), 5),
        (SizeRule(SizeKind.EQUITY_PERCENT, 50.0), 2),
        (SizeRule(SizeKind.RISK_PERCENT, 10.0), 5),
        (SizeRule(SizeKind.LOTS, 3.0), 3),
        (SizeRule(SizeKind.KELLY, 0.5, trades=5, start=60.0), 3),
        (SizeRule(SizeKind.MARTINGALE, 80.0, factor=2.0, most=90.0), 4),
    ],
)
def test_sizes_count_the_value_of_a_contract_with_multiplier_and_rate(size: SizeRule, lots: int) -> None:
    more = {"multiplier": 10.0, **rates(2.0, 2.0, 2.0)}
    stop = (ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=10.0),)
    ledger = contract((100.0, 100.0, 100.0), {0: ENTER_LONG}, 0, more, size=size, protection=stop)
    # A contract is worth 100 x 10 x 2 = 2,000 of the account's 10,000, and loses 200 at its stop.
    assert ledger.fills["lots"].tolist() == [lots]


@pytest.mark.parametrize(
    ("guard", "lots"),
    [
        (GuardRule(GuardKind.MAX_POSITION, 50.0), 5),
        (GuardRule(GuardKind.MAX_POSITION, 3_000.0, in_cash=True), 3),
        (GuardRule(GuardKind.MAX_POSITION, 2.0, in_units=True), 2),
        (GuardRule(GuardKind.GROSS_EXPOSURE, 70.0), 7),
        (GuardRule(GuardKind.NET_EXPOSURE, 90.0), 9),
    ],
)
@pytest.mark.parametrize("flag", [ENTER_LONG, ENTER_SHORT])
def test_caps_count_the_value_of_a_contract(guard: GuardRule, lots: int, flag: int) -> None:
    ledger = contract((100.0, 100.0, 100.0), {0: flag}, 40, {"multiplier": 10.0}, guards=(guard,))
    assert ledger.fills["lots"].tolist() == [lots]


def test_a_stop_by_cash_is_as_near_as_the_multiplier_makes_it() -> None:
    stop = (ProtectiveRule(ProtectiveKind.STOP_LOSS, cash=400.0),)
    more = {"multiplier": 10.0, **rates(2.0, 2.0, 2.0, 2.0)}
    ledger = contract((100.0, 100.0, 90.0, 90.0), {0: ENTER_LONG}, 10, more, protection=stop)
    assert ledger.trades["exit_price"].tolist() == [98.0]
    assert ledger.trades["pnl"].tolist() == pytest.approx([-400.0])


def test_costs_in_percent_and_price_steps_count_the_multiplier_and_those_by_lot_do_not() -> None:
    settings = {
        "cash": 10_000.0,
        **MARGIN,
        "commission": {"percent": 0.1, "per_lot": 3.0},
        "slippage": {"bps": 5, "ticks": 2, "range_percent": 10},
    }
    rows = [(100.0, 100.0, 100.0, 100.0), (100.0, 101.0, 99.0, 100.0)]
    setup = Setup({0: ENTER_LONG}, more={"kind": "contract", "multiplier": 10.0, **rates(2.0, 2.0)})
    ledger = run(make_job((make_bars(rows), setup), size=SizeRule(SizeKind.QUANTITY, 4.0), settings=settings))
    # Four contracts are worth 4,000 in the currency of their prices; the account has half as many units of money.
    assert ledger.fills["commission"].tolist() == pytest.approx([2.0 * (4.0 + 12.0)])
    assert ledger.fills["slippage"].tolist() == pytest.approx([2.0 * (2.0 + 40 * (0.02 + 0.2))])
    assert ledger.cash[-1] == pytest.approx(10_000.0 - 32.0 - 21.6)


def test_a_grid_grows_to_its_cap_by_the_value_of_contracts() -> None:
    grid = ExecutionRule(grid=GridRule(5, Offset(ticks=100.0), cap_percent=100.0))
    prices = (100.0, 100.0, 94.0, 94.0)
    ledger = contract(prices, {0: ENTER_LONG}, 4, {"multiplier": 10.0}, execution=grid)
    # Ten contracts are worth the equity at the anchor: two lines of four, not three.
    assert ledger.fills["lots"].tolist() == [4, 4]
    assert ledger.fills["price"].tolist() == [99.0, 98.0]


def test_a_target_of_volatility_counts_the_value_of_contracts() -> None:
    size = SizeRule(SizeKind.VOLATILITY_TARGET, 20.0, column="volatility", most=100.0)
    more = {"multiplier": 10.0, "size_column": np.full(3, 40.0)}
    ledger = contract((100.0, 100.0, 100.0), {0: ENTER_LONG}, 0, more, size=size)
    # Half of the equity, 5,000, in contracts of 1,000.
    assert ledger.fills["lots"].tolist() == [5]


def test_fixed_ratio_grows_by_the_profit_of_contracts() -> None:
    size = SizeRule(SizeKind.FIXED_RATIO, 1.0, delta=100.0, most=50.0)
    flags = {0: ENTER_LONG, 1: EXIT_LONG, 2: ENTER_LONG}
    ledger = contract((100.0, 100.0, 110.0, 110.0, 110.0), flags, 0, {"multiplier": 30.0}, size=size)
    # 300 of profit are three deltas: the third step is reached.
    assert ledger.fills["lots"].tolist() == [1, 1, 3]


def test_weights_are_parts_of_the_equity_by_the_value_of_contracts() -> None:
    rule = ExecutionRule(rebalance=RebalanceRule(every_bars=1))
    setup = Setup(execution_columns={"weight": np.array([0.5, 1.5, 1.5, 1.5])})
    setup.more = {"kind": "contract", "multiplier": 10.0}
    job = make_job(
        (make_bars(flat(100.0, 100.0, 100.0, 100.0)), setup), execution=rule, settings={"cash": 10_000.0, **MARGIN}
    )
    assert run(job).fills["lots"].tolist() == [5, 10]


def test_a_dividend_counts_with_the_multiplier_and_a_split_leaves_the_worth_alone() -> None:
    more = {"multiplier": 10.0, "split": np.array([1.0, 1.0, 2.0, 1.0]), "dividend": np.array([0.0, 0.0, 0.0, 1.5])}
    setup = Setup({0: ENTER_LONG}, more={"kind": "contract", **more})
    rows = [(100.0, 100.0, 100.0, 100.0), (100.0, 104.0, 100.0, 104.0), *[(52.0, 52.0, 52.0, 52.0)] * 2]
    job = make_job((make_bars(rows), setup), size=SizeRule(SizeKind.QUANTITY, 5.0), settings={"cash": 10_000.0})
    ledger = run(job)
    assert ledger.equity.tolist() == pytest.approx([10_000.0, 10_200.0, 10_200.0, 10_200.0 + 10 * 10 * 1.5])


def test_nobody_borrows_a_contract() -> None:
    with pytest.raises(RunError, match="is not borrowed"):
        contract((100.0, 100.0), {}, 1, {"borrow_percent": 5.0})


def test_a_multiplier_needs_a_contract_and_pips_need_a_pip_size() -> None:
    bars = make_bars(flat(100.0, 100.0))
    with pytest.raises(RunError, match="kind: contract"):
        run(make_job((bars, Setup(more={"multiplier": 5.0}))))
    stop = (ProtectiveRule(ProtectiveKind.STOP_LOSS, pips=5.0),)
    with pytest.raises(RunError, match="pip_size"):
        run(make_job((bars, Setup()), protection=stop))


def test_orders_of_a_contract_work_below_zero() -> None:
    rules = (
        ProtectiveRule(ProtectiveKind.STOP_LOSS, ticks=300.0),
        ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=50.0),
    )
    more = {"pip_size": 0.1}
    down = contract((2.0, 2.0, -5.0, -5.0), {0: ENTER_LONG}, 10, more, protection=rules)
    assert down.trades["exit_price"].tolist() == [-1.0]
    up = contract((-10.0, -10.0, -8.0, -4.0), {0: ENTER_LONG}, 10, more, protection=rules[1:])
    # Half of ten points above -10 is -5.
    assert up.trades["exit_price"].tolist() == [-5.0]
    assert up.trades["pnl"].tolist() == pytest.approx([50.0])


def test_a_long_position_in_oil_loses_its_full_distance_below_zero() -> None:
    rows = [(20, 21, 19, 20), (18, 19, -38, -37), (-14, 14, -17, 10), (12, 15, 11, 14), (14, 15, 13, 14)]
    setup = Setup({0: ENTER_LONG, 3: EXIT_LONG}, more={"kind": "contract"})
    ledger = run(make_job((make_bars(rows), setup), size=SizeRule(SizeKind.QUANTITY, 100.0)))
    assert ledger.equity.tolist() == [100_000.0, 94_500.0, 99_200.0, 99_600.0, 99_600.0]
    assert ledger.trades["mae"].tolist() == [56.0]


def test_a_size_by_value_is_not_known_at_a_price_of_zero() -> None:
    ledger = contract((0.0, 0.0, 5.0), {0: ENTER_LONG}, 0, size=SizeRule(SizeKind.EQUITY_PERCENT, 10.0))
    assert ledger.blocked["reason"].tolist() == [BlockReason.NO_PRICE]


def test_the_value_of_a_spot_position_moves_through_the_cash_beside_a_contract_that_does_not() -> None:
    spot = (make_bars(flat(100.0, 100.0, 110.0), "SPOT"), Setup({0: ENTER_LONG}))
    future = (make_bars(flat(50.0, 50.0, 45.0), "FUT"), Setup({0: ENTER_SHORT}, more={"kind": "contract"}))
    ledger = run(make_job(spot, future, size=SizeRule(SizeKind.QUANTITY, 10.0), settings={"cash": 2_000.0}))
    assert ledger.cash.tolist() == pytest.approx([2_000.0, 1_000.0, 1_000.0])
    assert ledger.equity.tolist() == pytest.approx([2_000.0, 2_150.0, 2_150.0])


def test_an_own_margin_in_percent_wins_over_that_of_the_run() -> None:
    more = {"margin": InstrumentMargin(initial_percent=50.0)}
    spot = (make_bars(flat(100.0, 100.0, 100.0)), Setup({0: ENTER_LONG}, more=more))
    ledger = run(make_job(spot, size=SizeRule(SizeKind.QUANTITY, 30.0), settings={"cash": 1_000.0}))
    assert ledger.fills["lots"].tolist() == [20]
