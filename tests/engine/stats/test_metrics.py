from __future__ import annotations

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.bars import Bars, Session
from quantcrafter.engine.api.ledger import CASHFLOW_DTYPE, CashflowKind
from quantcrafter.engine.api.timeframe import Timeframe
from quantcrafter.engine.stats import curve
from quantcrafter.engine.stats.benchmark import benchmark_of
from quantcrafter.engine.stats.metrics import METRICS, compute_metrics
from tests.support.counts import sample
from tests.support.ledgers import (
    CASH,
    DAY_NS,
    Book,
    Deal,
    curve_ledger,
    daily_times,
    job_of,
    million_run,
    walk_bars,
    walk_run,
)


def random_curve(count: int = 700, seed: int = 3) -> np.ndarray:
    return CASH * np.exp(np.cumsum(np.random.default_rng(seed).normal(0.0005, 0.012, count)))


def test_ratios_agree_with_quantstats_on_the_same_daily_curve() -> None:
    equity = random_curve()
    bars = walk_bars(len(equity))
    ours = compute_metrics(curve_ledger(bars.close_ns, equity), [job_of(bars)], cash=CASH)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing it pulls in plotting libraries with deprecations of their own
        import pandas as pd
        from quantstats import stats

        days = pd.to_datetime(bars.close_ns).normalize()
        returns = pd.Series(np.diff(np.concatenate(([CASH], equity))) / np.concatenate(([CASH], equity[:-1])), days)
        # quantstats counts years as samples / periods, we count calendar time: the same years give the same CAGR.
        years = (int(bars.close_ns[-1]) - int(bars.open_ns[0])) / curve.YEAR_NS
        periods = len(returns) / years
        theirs = {
            "sharpe": stats.sharpe(returns, periods=252),
            "sortino": stats.sortino(returns, periods=252),
            "annual_volatility_pct": 100 * stats.volatility(returns, periods=252),
            "cagr_pct": 100 * stats.cagr(returns, periods=periods),  # type: ignore[arg-type]  # it divides by the number as it is
            "max_drawdown_pct": -100 * stats.max_drawdown(returns),
            "calmar": stats.calmar(returns, periods=periods),  # type: ignore[arg-type]  # the same
        }
    assert {key: ours[key] for key in theirs} == pytest.approx(theirs, rel=1e-9)


def test_a_withdrawal_is_no_loss() -> None:
    # The example of docs/metrics.md: 1,000 become 1,200, of which 100 are withdrawn, and 1,100 become 990.
    equity = np.array([CASH, 1.2 * CASH, 0.99 * CASH])
    bars = walk_bars(3)
    rows = np.array([(2, -1, CashflowKind.WITHDRAWAL, -0.1 * CASH)], CASHFLOW_DTYPE)
    ledger = replace(curve_ledger(bars.close_ns, equity), cashflows=rows)
    values = compute_metrics(ledger, [job_of(bars)], cash=CASH)
    assert values["withdrawn"] == pytest.approx(0.1 * CASH)
    assert values["net_profit"] == pytest.approx(0.09 * CASH)
    assert values["final_equity"] == pytest.approx(0.99 * CASH)
    assert values["total_return_pct"] == pytest.approx(8.0)
    assert values["max_drawdown_pct"] == pytest.approx(10.0)
    _, daily = curve.daily_equity(ledger, [job_of(bars)])
    assert curve.daily_returns(daily, CASH) == pytest.approx([0.0, 0.2, -0.1])


def test_every_metric_is_described_once_and_computed() -> None:
    ledger, jobs = walk_run()
    benchmark = benchmark_of("SPY", job_of(walk_bars(750, seed=4)), ledger, jobs)
    values = compute_metrics(ledger, jobs, cash=CASH, benchmark=benchmark)
    assert list(values) == [metric.key for metric in METRICS]
    assert len(set(values)) == len(METRICS)
    assert [key for key, value in values.items() if value is None] == []


def test_trade_metrics_match_a_calculation_by_hand() -> None:
    bars = walk_bars(40)
    job = job_of(bars, lot_size=0.5)
    book = Book([job], commission_pct=0.0)
    deals = [Deal(0, 1, 10, 2, 5), Deal(0, -1, 10, 8, 12), Deal(0, 1, 10, 20, 21), Deal(0, 1, 10, 30, 36)]
    for deal in deals:
        book.deal(deal)
    values = compute_metrics(book.ledger(), [job], cash=CASH)
    pnl = [deal.side * 5.0 * (bars.open[deal.exit] - bars.open[deal.entry]) for deal in deals if deal.exit is not None]
    wins, losses = [p for p in pnl if p > 0], [p for p in pnl if p < 0]
    assert wins
    assert losses
    assert values["trades"] == 4
    assert values["win_rate_pct"] == pytest.approx(25.0 * len(wins))
    assert values["profit_factor"] == pytest.approx(sum(wins) / -sum(losses))
    assert values["expectancy"] == pytest.approx(sum(pnl) / 4)
    assert values["largest_win"] == pytest.approx(max(wins))
    assert values["largest_loss"] == pytest.approx(min(losses))
    assert values["average_bars"] == pytest.approx((3 + 4 + 1 + 6) / 4)
    assert values["exposure_pct"] == pytest.approx(100 * (3 + 4 + 1 + 6) / 40)
    traded = sum(5.0 * (bars.open[d.entry] + bars.open[d.exit]) for d in deals if d.exit is not None)
    years = (bars.close_ns[-1] - bars.open_ns[0]) / curve.YEAR_NS
    assert values["turnover"] == pytest.approx(traded / book.ledger().equity.mean() / years)


def test_excursions_are_shares_of_the_entry_price() -> None:
    ledger, jobs = walk_run()
    values = compute_metrics(ledger, jobs, cash=CASH)
    trades = ledger.trades
    assert values["average_mae_pct"] == pytest.approx(100 * np.mean(trades["mae"] / trades["entry_price"]))
    assert values["average_mfe_pct"] == pytest.approx(100 * np.mean(trades["mfe"] / trades["entry_price"]))


def test_the_deepest_drawdown_lasts_from_its_peak_to_its_recovery() -> None:
    equity = np.array([100.0, 110.0, 99.0, 88.0, 100.0, 110.0, 105.0, 107.0, 120.0])
    open_ns, close_ns = daily_times(len(equity), "2020-01-06")
    bars = replace(walk_bars(len(equity)), open_ns=open_ns, close_ns=close_ns)
    values = compute_metrics(curve_ledger(close_ns, equity), [job_of(bars)], cash=100.0)
    assert values["max_drawdown_pct"] == pytest.approx(20.0)
    assert values["max_drawdown_bars"] == 4
    assert values["max_drawdown_days"] == pytest.approx(6.0)  # Tuesday to Monday


def test_a_fall_from_the_starting_cash_is_a_drawdown_from_the_first_open() -> None:
    equity = np.array([90.0, 80.0, 85.0])
    bars = walk_bars(3)
    values = compute_metrics(curve_ledger(bars.close_ns, equity), [job_of(bars)], cash=100.0)
    assert values["max_drawdown_pct"] == pytest.approx(20.0)
    assert values["max_drawdown_bars"] == 3
    assert values["max_drawdown_days"] == pytest.approx((bars.close_ns[-1] - bars.open_ns[0]) / DAY_NS)
    assert values["longest_drawdown_days"] == values["max_drawdown_days"]


def test_a_rising_curve_has_no_drawdown_and_no_sortino() -> None:
    bars = walk_bars(50)
    equity = CASH * 1.001 ** np.arange(1, 51) + np.arange(50) % 3
    values = compute_metrics(curve_ledger(bars.close_ns, equity), [job_of(bars)], cash=CASH)
    assert values["max_drawdown_pct"] == 0.0
    assert values["longest_drawdown_days"] == 0.0
    assert values["sortino"] is None
    assert values["calmar"] is None


def minute_bars(open_ns: np.ndarray, session: Session, timeframe: str = "1h") -> Bars:
    base = walk_bars(len(open_ns), timeframe=timeframe)
    return replace(base, open_ns=open_ns, close_ns=open_ns + Timeframe.parse(timeframe).nominal_ns, session=session)


@pytest.mark.parametrize(
    ("session", "hours", "days"),
    [
        (Session(), range(48), 2),
        (Session("Australia/Sydney", 600, 960, (0, 1, 2, 3, 4)), [23, 24, 25, 26, 27, 28, 47, 48, 49, 50], 2),
        (Session("America/Chicago", 1020, 960, (0, 1, 2, 3, 4)), [24 - 1, 24, 30, 36, 44, 47, 48, 60], 2),
    ],
)
def test_intraday_steps_are_gathered_by_the_venues_trading_day(session: Session, hours: list[int], days: int) -> None:
    start = np.datetime64("2024-01-08T00:00", "ns").astype(np.int64)
    bars = minute_bars(start + np.array(list(hours), dtype=np.int64) * 3_600_000_000_000, session)
    found, _ = curve.daily_equity(curve_ledger(bars.close_ns, np.full(len(bars), CASH)), [job_of(bars)])
    assert len(found) == days


@pytest.mark.parametrize(
    ("timeframe", "weekdays", "expected"),
    [("1m", 5, 252), ("1d", 5, 252), ("1h", 7, 365), ("1w", 5, 52), ("1mo", 7, 12), ("2d", 5, 126)],
)
def test_annualising_follows_the_session_and_the_timeframe(timeframe: str, weekdays: int, expected: float) -> None:
    bars = replace(
        walk_bars(5, timeframe="1m"),
        timeframe=Timeframe.parse(timeframe),
        session=Session(weekdays=tuple(range(weekdays))),
    )
    assert curve.periods_per_year([job_of(bars)]) == expected


def test_buy_and_hold_gives_every_instrument_the_same_cash() -> None:
    _, jobs = walk_run(200, instruments=3)
    ledger, _ = walk_run(200, instruments=3)
    growth = [job.bars.close[-1] / job.bars.open[0] - 1 for job in jobs]
    held = curve.buy_and_hold_curve(ledger, jobs, CASH)
    assert compute_metrics(ledger, jobs, cash=CASH)["buy_and_hold_pct"] == pytest.approx(100 * np.mean(growth))
    assert held[-1] == pytest.approx(CASH * (1 + np.mean(growth)))


def test_months_of_a_year_multiply_to_the_year() -> None:
    ledger, jobs = walk_run()
    table = curve.monthly_returns(ledger, jobs, CASH)
    assert list(table) == [2015, 2016, 2017]
    total = 1.0
    for months in table.values():
        product = math.prod(1 + value / 100 for month, value in months.items() if month)
        assert product == pytest.approx(1 + months[0] / 100)
        total *= product
    assert total == pytest.approx(ledger.equity[-1] / CASH)


def test_streaks_are_counted_in_the_order_in_which_trades_end() -> None:
    bars = replace(walk_bars(60))
    bars.open[:] = np.arange(100.0, 160.0)
    job = job_of(bars)
    book = Book([job], commission_pct=0.0)
    for deal in (Deal(0, 1, 1, 2, 20), Deal(0, -1, 1, 3, 5), Deal(0, 1, 1, 6, 8), Deal(0, 1, 1, 9, 11)):
        book.deal(deal)
    values = compute_metrics(book.ledger(), [job], cash=CASH)
    assert (values["longest_win_streak"], values["longest_loss_streak"]) == (3, 1)


@settings(max_examples=sample(150, of=2_000), deadline=None)
@given(
    values=st.lists(
        st.one_of(
            st.floats(allow_nan=False, allow_infinity=False, width=64),
            st.sampled_from([0.0, -1.0, 1e-300, 1e300, CASH]),
        ),
        max_size=40,
    ),
    timeframe=st.sampled_from(["1d", "1m"]),
    cash=st.sampled_from([1e-9, CASH, 1e300]),
)
def test_no_equity_curve_makes_a_metric_raise_or_be_not_finite(
    values: list[float], timeframe: str, cash: float
) -> None:
    bars = walk_bars(max(len(values), 1), timeframe=timeframe).slice(0, len(values))
    metrics = compute_metrics(curve_ledger(bars.close_ns, np.array(values)), [job_of(bars)], cash=cash)
    assert all(value is None or math.isfinite(value) for value in metrics.values())


@settings(max_examples=sample(60, of=2_000), deadline=None)
@given(
    scale=st.sampled_from([1e-12, 1.0, 1e150, 1e307]),
    deals=st.lists(
        st.tuples(st.sampled_from([-1, 1]), st.integers(1, 10**12), st.integers(0, 28), st.integers(0, 5)), max_size=8
    ),
)
def test_no_trades_make_a_metric_raise_or_be_not_finite(scale: float, deals: list[tuple[int, int, int, int]]) -> None:
    job = job_of(walk_bars(30), lot_size=1.0)
    with np.errstate(all="ignore"):
        book = Book([job])
        for side, lots, entry, hold in deals:
            book.deal(Deal(0, side, lots, entry, entry + hold if entry + hold < 30 else None))
        ledger = book.ledger()
        ledger.trades["pnl"] *= scale
        ledger.fills["price"] *= scale
        metrics = compute_metrics(replace(ledger, equity=ledger.equity * scale), [job], cash=CASH)
    assert all(value is None or math.isfinite(value) for value in metrics.values())


def test_returns_end_with_the_day_on_which_the_account_is_lost() -> None:
    returns = curve.daily_returns(np.array([1000.0, 500.0, -500.0, 200.0, 500.0]), 1000.0)
    np.testing.assert_allclose(returns, [0.0, -0.5, -2.0])


def test_a_run_without_instruments_or_steps_has_empty_metrics() -> None:
    values = compute_metrics(curve_ledger(np.zeros(0), np.zeros(0)), [], cash=CASH)
    assert values["final_equity"] == CASH
    assert values["trades"] == 0
    assert values["sharpe"] is None


@pytest.mark.benchmark_report
def test_a_million_steps_take_milliseconds(capsys: pytest.CaptureFixture[str]) -> None:
    import time

    ledger, jobs = million_run()
    begun = time.perf_counter()
    values = compute_metrics(ledger, jobs, cash=CASH)
    elapsed = time.perf_counter() - begun
    with capsys.disabled():
        print(f"\nmetrics of 1M steps and 40k trades: {1000 * elapsed:.1f} ms")  # noqa: T201
    assert values["trades"] == 40_000
    assert values["exposure_pct"] == pytest.approx(20.0)


def test_texts_carry_units_and_dashes() -> None:
    by_key = {metric.key: metric for metric in METRICS}
    assert by_key["cagr_pct"].text(12.346) == "12.35 %"
    assert by_key["cagr_pct"].text(-0.001) == "0.00 %"
    assert by_key["sharpe"].text(None) == "\N{EN DASH}"
    assert by_key["trades"].text(1234) == "1,234"
    assert by_key["start_ns"].text(0) == "1970-01-01 00:00"
    assert by_key["net_profit"].text(-1234.5) == "-1,234.50"
    assert len(by_key["net_profit"].text(1e300)) < 20
