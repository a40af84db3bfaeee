"""The books of a strategy class, by hand: what its fills cost and bring is calculated as for any run."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.adapters.classes.class_ledger import ClassFill, ClassOrder, keep_books
from quantcrafter.engine.api import Bars, ClassInstrument, ClassJob, ClassRun, RunCancelledError, RunError, RunSettings
from quantcrafter.engine.api.ledger import OrderKind, OrderStatus, Reason, StatusReason
from tests.support.jobs import make_bars

MARKET, LIMIT, STOP, STOP_LIMIT = OrderKind.MARKET, OrderKind.LIMIT, OrderKind.STOP, OrderKind.STOP_LIMIT
BUY, SELL = 1, -1
ROWS = [[100, 104, 97, 101], [102, 106, 99, 103], [104, 108, 101, 105], [106, 110, 103, 107], [108, 112, 105, 109]]


def fill(order: int, bar: int, side: int, quantity: float, price: float, kind: OrderKind = MARKET) -> ClassFill:
    return ClassFill(order, 0, bar, side, quantity, price, kind)


def keep(
    *fills: ClassFill,
    quantities: dict[int, float] | None = None,
    bars: tuple[Bars, ...] = (),
    lot_size: float = 1.0,
    cancelled: Any = lambda: False,
    **settings: Any,
) -> ClassRun:
    """Return the ledger of these fills; an order is as large as its fills are together, or as `quantities` says."""
    instruments = tuple(
        ClassInstrument(each.symbol, each, 0.01, lot_size) for each in bars or (make_bars(ROWS, "ACME"),)
    )
    terms = RunSettings.model_validate({"cash": 10_000, **settings})
    orders = []
    for number in range(1 + max((each.order for each in fills), default=-1)):
        own = [each for each in fills if each.order == number]
        whole = (quantities or {}).get(number, math.fsum(each.quantity for each in own))
        first, last, price = own[0], own[-1], math.nan if own[0].kind is MARKET else own[0].price
        made = (first.instrument, first.bar - 1, last.bar, first.side, whole, price, first.kind, OrderStatus.FILLED)
        orders.append(ClassOrder(*made))
    return keep_books(ClassJob("mine.Class", instruments, terms, cancelled=cancelled), fills, orders)


def test_limit_orders_pay_the_makers_percentage() -> None:
    run = keep(
        fill(0, 1, BUY, 10, 100.0, LIMIT),
        fill(1, 3, SELL, 10, 106.0),
        commission={"percent": 0.5, "maker_percent": 0.1},
    )
    assert run.ledger.fills["commission"].tolist() == pytest.approx([1.0, 5.3])
    assert run.ledger.cash[-1] == pytest.approx(10_000 - 1_000 - 1 + 1_060 - 5.3)
    assert run.ledger.trades["pnl"].tolist() == pytest.approx([60 - 6.3])


def test_each_lot_pays_its_commission() -> None:
    run = keep(fill(0, 1, BUY, 300, 102.0), lot_size=100.0, commission={"per_lot": 2, "per_order": 1})
    assert run.lot_sizes == (100.0,)
    assert run.ledger.fills["lots"].tolist() == [3]
    assert run.ledger.fills["commission"].tolist() == [7.0]


def test_a_commission_for_each_lot_needs_whole_lots() -> None:
    with pytest.raises(
        RunError, match="'per_lot' needs whole lots, and the class traded 250 of ACME, whose lot is 100"
    ):
        keep(fill(0, 1, BUY, 250, 102.0), lot_size=100.0, commission={"per_lot": 2})


@pytest.mark.parametrize("quantity", [1e300, 1e17, math.inf, math.nan])
@pytest.mark.parametrize("commission", [{}, {"per_lot": 2}])
def test_a_quantity_that_can_not_be_counted_is_refused_by_name(quantity: float, commission: dict[str, float]) -> None:
    with pytest.raises(RunError, match=r"A quantity of ACME must be at most .*, and the class ordered"):
        keep(fill(0, 1, BUY, quantity, 102.0), commission=commission)


def test_an_order_that_fills_in_parts_pays_the_minimum_once() -> None:
    run = keep(fill(0, 1, BUY, 4, 102.0), fill(0, 2, BUY, 6, 104.0), commission={"percent": 0.1, "minimum": 5})
    assert run.ledger.fills["commission"].tolist() == pytest.approx([5.0, 0.0])


def test_slippage_is_booked_beside_the_price_of_market_and_stop_orders_alone() -> None:
    run = keep(
        fill(0, 1, BUY, 10, 102.0),
        fill(1, 2, SELL, 10, 101.5, STOP),
        fill(2, 3, BUY, 10, 104.0, LIMIT),
        fill(3, 4, SELL, 10, 106.0, STOP_LIMIT),
        slippage={"bps": 10, "ticks": 2, "range_percent": 10},
    )
    expected = [1.02 + 0.2 + 0.7 * 10, 1.015 + 0.2 + 0.7 * 10, 0.0, 0.0]
    assert run.ledger.fills["slippage"].tolist() == pytest.approx(expected)


def test_a_fill_that_turns_the_position_round_closes_a_trade_and_opens_the_rest() -> None:
    run = keep(fill(0, 1, BUY, 10, 102.0), fill(1, 3, SELL, 15, 106.0), commission={"per_unit": 0.1})
    ledger = run.ledger
    assert ledger.fills["lots"].tolist() == [10, 15]
    assert ledger.fills["reason"].tolist() == [Reason.ENTRY, Reason.SIGNAL]
    (trade,) = ledger.trades
    assert (trade["lots"], trade["entry_bar"], trade["exit_bar"]) == (10, 1, 3)
    assert trade["commission"] == pytest.approx(1.0 + 1.0)
    assert trade["pnl"] == pytest.approx(40 - 2)
    (held,) = ledger.open_positions
    assert (held.lots, held.entry_price, held.entry_bar) == (-5, 106.0, 3)
    assert held.unrealised_pnl == pytest.approx(-5 * (109 - 106) - 0.5)


def test_excursions_are_those_of_the_bars_that_the_position_saw() -> None:
    """In at the open of bar 1 and out at that of bar 3: bars 1 and 2 count, from 99 to 108."""
    run = keep(fill(0, 1, BUY, 10, 102.0), fill(1, 3, SELL, 10, 106.0))
    assert (run.ledger.trades["mae"].tolist(), run.ledger.trades["mfe"].tolist()) == ([3.0], [6.0])


def test_of_the_bar_of_an_entry_inside_it_the_close_alone_counts() -> None:
    """In at 100 inside bar 1, which closes at 103; bar 2 has a low of 101 and a high of 108."""
    run = keep(fill(0, 1, BUY, 10, 100.0, LIMIT), fill(1, 3, SELL, 10, 106.0))
    assert (run.ledger.trades["mae"].tolist(), run.ledger.trades["mfe"].tolist()) == ([0.0], [8.0])


def test_equity_is_cash_and_positions_at_their_latest_closes() -> None:
    other = make_bars([[50, 50, 50, 50], [60, 60, 60, 60], [55, 55, 55, 55]], "OTHER", close_days=[0, 2, 4])
    bars = (make_bars(ROWS, "ACME"), other)
    run = keep(fill(0, 1, BUY, 10, 102.0), ClassFill(1, 1, 1, SELL, 20, 60.0, MARKET), bars=bars)
    cash = [10_000, 8_980, 10_180, 10_180, 10_180]
    worth = [0, 1_030, 1_050 - 1_200, 1_070 - 1_200, 1_090 - 1_100]
    assert run.ledger.cash.tolist() == cash
    assert run.ledger.equity.tolist() == [a + b for a, b in zip(cash, worth, strict=True)]


def test_what_is_open_at_the_end_of_the_data_is_closed_where_the_settings_say_so() -> None:
    run = keep(fill(0, 1, BUY, 10, 102.0), end_of_data="close_last", commission={"per_order": 1})
    ledger = run.ledger
    assert ledger.open_positions == ()
    assert ledger.fills["price"].tolist() == [102.0, 109.0]
    assert (ledger.orders[1]["id"], ledger.orders[1]["kind"]) == (1, OrderKind.CLOSE)
    assert ledger.trades["exit_reason"].tolist() == [Reason.END_OF_DATA]
    assert ledger.cash[-1] == ledger.equity[-1] == 10_000 + 70 - 2


def test_an_order_that_still_works_at_the_end_is_cancelled() -> None:
    job = ClassJob("mine.Class", (ClassInstrument("ACME", make_bars(ROWS), 0.01),), RunSettings())
    working = ClassOrder(0, 1, -1, BUY, 10, 90.0, LIMIT, OrderStatus.WORKING)
    (order,) = keep_books(job, [], [working]).ledger.orders
    assert (order["status"], order["status_reason"]) == (OrderStatus.CANCELLED, StatusReason.END_OF_DATA)
    assert (order["closed_bar"], order["lots"], order["filled"]) == (4, 10, 0)
    assert math.isnan(order["fill_price"])


def test_parts_of_a_unit_are_counted_in_hundred_millionths() -> None:
    run = keep(fill(0, 1, BUY, 0.12345678, 102.0), fill(1, 3, SELL, 0.12345678, 106.0))
    assert run.lot_sizes == (1e-8,)
    assert run.ledger.fills["lots"].tolist() == [12_345_678, 12_345_678]
    assert run.ledger.cash[-1] == pytest.approx(10_000 + 4 * 0.12345678)
    assert run.ledger.open_positions == ()


def test_an_account_that_the_other_engine_lets_go_below_zero_is_not_closed() -> None:
    run = keep(fill(0, 1, SELL, 5_000, 102.0))
    assert run.ledger.equity[-1] == 10_000 - 5_000 * 7
    assert len(run.ledger.fills) == 1


def test_any_number_of_orders_may_fill_on_a_bar() -> None:
    count = 3_001
    fills = [fill(number, 1, BUY if number % 2 == 0 else SELL, 1, 102.0) for number in range(count)]
    run = keep(*fills, commission={"per_order": 0.01})
    assert len(run.ledger.fills) == len(run.ledger.orders) == count
    assert run.ledger.orders["filled"].tolist() == [1] * count
    assert len(run.ledger.trades) == count // 2
    assert run.ledger.cash[-1] == pytest.approx(10_000 - 102 - 0.01 * count)


def test_a_cancelled_run_keeps_no_books() -> None:
    with pytest.raises(RunCancelledError):
        keep(fill(0, 3, BUY, 1, 106.0), cancelled=lambda: True)


def test_books_add_up_over_many_bars() -> None:
    rng = np.random.default_rng(3)
    closes = 100 + np.cumsum(rng.normal(0, 1, 400))
    rows = np.column_stack([closes, closes + 1, closes - 1, closes])
    fills = [fill(n, 2 + 3 * n, int(rng.choice([BUY, SELL])), 1 + n % 7, float(rows[2 + 3 * n, 0])) for n in range(120)]
    run = keep(*fills, bars=(make_bars(rows, "ACME"),), commission={"percent": 0.1, "per_order": 1})
    ledger = run.ledger
    gained = ledger.parts["pnl"].sum() + sum(each.unrealised_pnl for each in ledger.open_positions)
    assert ledger.equity[-1] - 10_000 == pytest.approx(gained, abs=1e-6)
