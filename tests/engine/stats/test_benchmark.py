"""Alpha, beta and the rest against quantstats and by hand, and which value of a benchmark counts at which step."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.bars import NEW_YORK_STOCKS, Bars
from quantcrafter.engine.api.timeframe import Timeframe
from quantcrafter.engine.stats.benchmark import benchmark_of
from quantcrafter.engine.stats.metric_catalog import Value
from quantcrafter.engine.stats.metrics import METRICS, compute_metrics
from tests.support.counts import sample
from tests.support.ledgers import CASH, curve_ledger, daily_times, job_of, walk_bars

KEYS = tuple(metric.key for metric in METRICS if metric.group == "Benchmark")


def compared(equity: np.ndarray, bars: Bars, other: Bars, risk_free: float = 0.0) -> dict[str, Value]:
    ledger, jobs = curve_ledger(bars.close_ns, equity), [job_of(bars)]
    benchmark = benchmark_of("other", job_of(other), ledger, jobs)
    return compute_metrics(ledger, jobs, cash=CASH, risk_free=risk_free, benchmark=benchmark)


def related_curve(other: Bars, beta: float = 0.6, seed: int = 5) -> np.ndarray:
    """Return an equity curve that follows other bars in part."""
    moves = np.diff(np.log(np.concatenate(([other.open[0]], other.close))))
    noise = np.random.default_rng(seed).normal(0.0002, 0.004, len(other))
    return CASH * np.exp(np.cumsum(beta * moves + noise))


def fractions(first: float, values: np.ndarray) -> np.ndarray:
    return np.diff(np.concatenate(([first], values))) / np.concatenate(([first], values[:-1]))


def test_alpha_and_beta_agree_with_quantstats() -> None:
    bars, other = walk_bars(500), walk_bars(500, seed=8)
    equity = related_curve(other)
    ours = compared(equity, bars, other)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing it pulls in plotting libraries with deprecations of their own
        import pandas as pd
        from quantstats import stats

        days = pd.to_datetime(bars.close_ns).normalize()
        own = pd.Series(fractions(CASH, equity), days)
        theirs = pd.Series(fractions(float(other.open[0]), other.close), days)
        greeks = stats.greeks(own, theirs, periods=252, prepare_returns=False)  # type: ignore[no-untyped-call]
        ratio = float(stats.information_ratio(own, theirs, prepare_returns=False))  # type: ignore[no-untyped-call]
    assert ours["beta"] == pytest.approx(greeks["beta"], rel=1e-9)
    assert ours["alpha_pct"] == pytest.approx(100 * greeks["alpha"], rel=1e-9)
    assert ours["information_ratio"] == pytest.approx(ratio * math.sqrt(252), rel=1e-9)
    assert ours["correlation"] == pytest.approx(np.corrcoef(own, theirs)[0, 1], rel=1e-9)
    assert ours["tracking_error_pct"] == pytest.approx(100 * np.std(own - theirs, ddof=1) * math.sqrt(252), rel=1e-9)
    assert ours["benchmark_return_pct"] == pytest.approx(100 * (other.close[-1] / other.open[0] - 1), rel=1e-9)


def test_a_risk_free_rate_lowers_the_ratios_as_in_quantstats() -> None:
    bars = walk_bars(500)
    equity = related_curve(walk_bars(500, seed=8))
    ours = compute_metrics(curve_ledger(bars.close_ns, equity), [job_of(bars)], cash=CASH, risk_free=3.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas as pd
        from quantstats import stats

        returns = pd.Series(fractions(CASH, equity), pd.to_datetime(bars.close_ns).normalize())
        sharpe, sortino = stats.sharpe(returns, rf=0.03, periods=252), stats.sortino(returns, rf=0.03, periods=252)
    assert ours["sharpe"] == pytest.approx(sharpe, rel=1e-9)
    assert ours["sortino"] == pytest.approx(sortino, rel=1e-9)


def test_alpha_is_what_exceeds_the_risk_free_rate_and_the_part_of_the_market() -> None:
    other = walk_bars(300, seed=8)
    found = compared(related_curve(other), walk_bars(300), other, risk_free=4.0)
    own, theirs = fractions(CASH, related_curve(other)), fractions(float(other.open[0]), other.close)
    free = 1.04 ** (1 / 252) - 1
    beta = np.cov(own, theirs)[0, 1] / np.var(theirs, ddof=1)
    assert found["alpha_pct"] == pytest.approx(25_200 * (np.mean(own) - free - beta * (np.mean(theirs) - free)))


def test_who_holds_the_benchmark_has_a_beta_of_one_and_no_alpha() -> None:
    other = walk_bars(200, seed=8)
    found = compared(CASH * other.close / other.open[0], walk_bars(200), other, risk_free=4.0)
    assert found["beta"] == pytest.approx(1.0)
    assert found["alpha_pct"] == pytest.approx(0.0, abs=1e-9)
    assert found["correlation"] == pytest.approx(1.0)
    assert found["tracking_error_pct"] == pytest.approx(0.0, abs=1e-9)


def test_without_a_benchmark_there_are_no_figures_of_one() -> None:
    bars = walk_bars(50)
    found = compute_metrics(curve_ledger(bars.close_ns, np.full(50, CASH)), [job_of(bars)], cash=CASH)
    assert [found[key] for key in KEYS] == [None] * len(KEYS)


# ---------------------------------------------------------------------- which value counts when


def growth(bars: Bars, other: Bars) -> list[float]:
    """Return what a benchmark has become at each close of other bars."""
    ledger = curve_ledger(bars.close_ns, np.full(len(bars), CASH))
    found: list[float] = benchmark_of("other", job_of(other), ledger, [job_of(bars)]).growth.tolist()
    return found


def days(count: int, start: str = "2020-01-06", close: str = "21:00") -> Bars:
    """Return New York days of which the first opens at 100 and each closes a whole number higher."""
    open_ns, close_ns = daily_times(count, start)
    if close == "24:00":
        open_ns, close_ns = open_ns - 52_200 * 10**9, close_ns + 10_800 * 10**9
    closes = np.arange(101.0, 101.0 + count, dtype=np.float64)
    bars = walk_bars(count)
    opens = np.arange(100.0, 100.0 + count, dtype=np.float64)
    made = replace(bars, open_ns=open_ns, close_ns=close_ns, open=opens, high=closes, low=opens, close=closes)
    return made if close == "21:00" else replace(made, session=replace(NEW_YORK_STOCKS, timezone="UTC"))


def test_days_are_compared_with_the_same_days_whenever_they_close() -> None:
    midnight = replace(
        days(3, close="24:00"), session=replace(NEW_YORK_STOCKS, timezone="UTC", open_minute=0, close_minute=0)
    )
    assert growth(days(3), midnight) == pytest.approx([1.01, 1.02, 1.03])


def test_within_the_day_a_daily_benchmark_is_that_of_the_day_before() -> None:
    start_ns = days(2).open_ns
    hours = np.concatenate([start + np.arange(6) * 3_600_000_000_000 for start in start_ns])
    bars = replace(
        walk_bars(12, timeframe="1h"), open_ns=hours, close_ns=hours + 3_600_000_000_000, session=NEW_YORK_STOCKS
    )
    found = growth(bars, days(2))
    assert np.isnan(found[:5]).all()
    assert found[5:] == pytest.approx([1.01] * 6 + [1.02])


def test_a_benchmark_is_bought_at_the_first_open_of_the_run() -> None:
    assert growth(days(3, "2020-01-08"), days(5)) == pytest.approx([103 / 102, 104 / 102, 105 / 102])


def test_a_benchmark_that_begins_later_or_ends_earlier_has_no_value_outside() -> None:
    found = growth(days(30), days(10, "2020-01-08"))
    assert np.isnan(found[:2]).all()
    assert found[2:12] == pytest.approx([1.01 + n / 100 for n in range(10)])
    assert found[12:17] == pytest.approx([1.10] * 5)  # it may rest for a week
    assert np.isnan(found[17:]).all()


def test_a_benchmark_of_another_time_has_no_figures() -> None:
    found = compared(np.linspace(CASH, 2 * CASH, 30), days(30, "2020-01-06"), days(30, "2010-01-06"))
    assert [found[key] for key in KEYS] == [None] * len(KEYS)


def test_what_an_account_that_was_lost_earns_later_is_not_compared() -> None:
    other = days(6)
    lost = compared(np.array([1.01, 0.99, 0.5, -0.1, 5.0, 9.0]) * CASH, days(6), other)
    own = np.array([0.01, 0.99 / 1.01 - 1, 0.5 / 0.99 - 1, -1.2])
    theirs = fractions(100.0, other.close[:4])
    assert lost["beta"] == pytest.approx(np.cov(own, theirs)[0, 1] / np.var(theirs, ddof=1))


@settings(max_examples=sample(100, of=2_000), deadline=None)
@given(
    values=st.lists(st.sampled_from([0.0, -1.0, 1e-300, 1.0, CASH, 1e300]), min_size=1, max_size=20),
    prices=st.lists(st.sampled_from([0.0, -1.0, 1e-300, 1.0, 2.0, 1e300]), min_size=1, max_size=20),
    risk_free=st.sampled_from([-99.0, 0.0, 1000.0]),
    timeframe=st.sampled_from(["1d", "1h", "1w"]),
)
def test_no_benchmark_makes_a_metric_raise_or_be_not_finite(
    values: list[float], prices: list[float], risk_free: float, timeframe: str
) -> None:
    column = np.array(prices)
    other = replace(walk_bars(len(prices)), open=column, close=column, timeframe=Timeframe.parse(timeframe))
    found = compared(np.array(values), walk_bars(len(values)), other, risk_free)
    assert all(value is None or math.isfinite(value) for value in found.values())
