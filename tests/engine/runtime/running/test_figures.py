"""Figures of whole runs by hand: another currency, a split and a dividend; benchmarks; lost accounts; no trades."""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api import DataError, SpecError
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.results.report_columns import report_data
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.running.load_graph import validate_file
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.stats.metrics import METRICS
from quantcrafter.engine.stats.report import report_page

BENCHMARKED = ("benchmark_return_pct", "alpha_pct", "beta", "correlation", "tracking_error_pct", "information_ratio")
Prices = Sequence[float]
ENTER, EXIT, NONE = 1, 2, 9


def day(number: int) -> str:
    return str(np.datetime64("2024-01-01") + number)


def write(folder: Path, name: str, opens: Prices, closes: Prices, first: int = 0, **columns: Sequence[float]) -> None:
    """Write a file of daily bars."""
    lines = [",".join(("date", "open", "high", "low", "close", *columns))]
    for n, (a, b) in enumerate(zip(opens, closes, strict=True)):
        more = [column[n] for column in columns.values()]
        lines.append(",".join(map(str, (day(first + n), a, max(a, b), min(a, b), b, *more))))
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def mark(folder: Path, marks: Sequence[float]) -> None:
    write(folder, "marks.csv", marks, marks)


def strategy(
    folder: Path, *, instrument: str = "", data: str = "", settings: str = "", quantity: float = 10, short: bool = False
) -> Path:
    """Write a strategy that enters and leaves where the file of marks says so."""
    side = "short" if short else "long"
    file = folder / "strategy.yaml"
    file.write_text(
        f"""quantcrafter: 1
name: case
instruments:
  - {{symbol: ONE, data: csv, path: one.csv, session: 24x7{instrument}}}
data:
  marks: {{use: feed, symbol: MARKS, data: csv, path: marks.csv, session: 24x7}}
{data}logic:
  el: {{use: compare, left: marks.close, op: "==", right: {ENTER}}}
  xl: {{use: compare, left: marks.close, op: "==", right: {EXIT}}}
advisors:
  go: {{use: rule, enter_{side}: [el], exit_{side}: [xl]}}
money:
  size: {{use: fixed_quantity, quantity: {quantity}}}
execution:
  entry: {{use: market, signals: [go], money: size}}
run: {{cash: 100000{settings}}}
""",
        encoding="utf-8",
    )
    return file


def result_of(file: Path, *overrides: str) -> RunResult:
    return run(file, registry=load_registry(), overrides=overrides)


# ---------------------------------------------------------------------- another currency, a split, a dividend


@pytest.fixture
def sold_in_euros(tmp_path: Path) -> RunResult:
    """Ten shares bought at 100 EUR, split two for one, 3 EUR paid for each, sold at 60 EUR.

    An euro is 2 dollars up to the close of the fourth day, and 1.5 dollars then.
    """
    prices = [100, 100, 50, 50, 60, 60, 60]
    split, dividend = [1, 1, 2, 1, 1, 1, 1], [0, 0, 0, 3, 0, 0, 0]
    write(tmp_path, "one.csv", prices, prices, split=split, dividend=dividend)
    mark(tmp_path, [ENTER, NONE, NONE, NONE, EXIT, NONE, NONE])
    rates = [2, 2, 2, 2, 2, 1.5, 1.5, 1.5]
    write(tmp_path, "eurusd.csv", rates, rates, first=-1)
    feed = "  eurusd: {use: feed, symbol: EURUSD, data: csv, path: eurusd.csv, session: 24x7}\n"
    rate = ", currency: USD, rates: {EUR: eurusd}"
    return result_of(
        strategy(tmp_path, instrument=", currency: EUR, corporate_actions: columns", data=feed, settings=rate)
    )


EQUITY = (100_000, 100_000, 100_000, 100_120, 99_920, 99_920, 99_920)


def test_the_equity_of_a_foreign_share_counts_split_dividend_and_rates(sold_in_euros: RunResult) -> None:
    # 98,000 is left after 10 x 100 x 2; 20 x 3 x 2 is paid; 20 x 60 x 1.5 comes back.
    assert sold_in_euros.ledger.equity.tolist() == pytest.approx(EQUITY)


def test_a_trade_in_another_currency_is_measured_in_the_accounts(sold_in_euros: RunResult) -> None:
    metrics = sold_in_euros.metrics
    assert metrics["expectancy"] == pytest.approx(-80.0)  # 1,800 + 120 - 2,000
    assert metrics["average_trade_pct"] == pytest.approx(-4.0)  # of 2,000
    assert metrics["average_loss"] == pytest.approx(-80.0)
    assert metrics["net_profit"] == pytest.approx(-80.0)


def test_turnover_and_exposure_are_in_the_accounts_currency_and_in_time(sold_in_euros: RunResult) -> None:
    assert sold_in_euros.metrics["turnover"] == pytest.approx(3_800 / (sum(EQUITY) / 7) / (7 / 365.25))
    assert sold_in_euros.metrics["exposure_pct"] == pytest.approx(100 * 4 / 7)


def test_buy_and_hold_counts_split_dividend_and_rates(sold_in_euros: RunResult) -> None:
    # one share for 200 dollars became two of 90 dollars each, and 6 EUR came while an euro was 2 dollars
    assert sold_in_euros.metrics["buy_and_hold_pct"] == pytest.approx(100 * ((2 * 60 * 1.5 + 6 * 2) / 200 - 1))


# ---------------------------------------------------------------------- a benchmark

WALK = [round(100 * math.exp(0.01 * n + 0.03 * math.sin(3 * n)), 2) for n in range(41)]
OTHER = [round(50 * math.exp(0.005 * n + 0.02 * math.sin(3 * n + 1)), 2) for n in range(41)]


@pytest.fixture
def compared(tmp_path: Path) -> Path:
    """A strategy that buys on the first day, and bars to compare with."""
    write(tmp_path, "one.csv", WALK[:-1], WALK[1:])
    mark(tmp_path, [ENTER] + [NONE] * 39)
    write(tmp_path, "other.csv", OTHER[:-1], OTHER[1:])
    return strategy(
        tmp_path,
        data="  other: {use: feed, symbol: OTHER, data: csv, path: other.csv, session: 24x7}\n",
        quantity=900,
    )


def beta_by_hand(result: RunResult, first: float, closes: Sequence[float]) -> float:
    equity = np.concatenate(([100_000.0], result.ledger.equity))
    own, theirs = np.diff(equity) / equity[:-1], np.diff([first, *closes]) / [first, *closes[:-1]]
    return float(np.cov(own, theirs)[0, 1] / np.var(theirs, ddof=1))


@pytest.mark.parametrize("name", ["other", "other.csv"])
def test_a_feed_or_a_file_is_a_benchmark(compared: Path, name: str) -> None:
    result = result_of(compared, f"run.benchmark={name}")
    assert result.metrics["beta"] == pytest.approx(beta_by_hand(result, OTHER[0], OTHER[1:]))
    assert result.metrics["benchmark_return_pct"] == pytest.approx(100 * (OTHER[-1] / OTHER[0] - 1))
    assert result.benchmark is not None
    assert result.benchmark.name == name
    assert result.benchmark.growth.tolist() == pytest.approx([price / OTHER[0] for price in OTHER[1:]])


@pytest.mark.parametrize("name", ["other", "other.csv"])
def test_a_benchmark_counts_from_the_start_of_the_run_on(compared: Path, name: str) -> None:
    result = result_of(compared, f"run.benchmark={name}", f"run.start={day(10)}")
    assert result.benchmark is not None
    assert result.benchmark.growth.tolist() == pytest.approx([price / OTHER[10] for price in OTHER[11:]])
    assert result.metrics["buy_and_hold_pct"] == pytest.approx(100 * (WALK[-1] / WALK[10] - 1))


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (0, ""),
        (
            -200,
            "The benchmark other.csv has no bar within the range of the run, so nothing is compared: its data go from",
        ),
        (-25, "The benchmark other.csv is compared for 55% of the run only"),
    ],
)
def test_a_benchmark_of_other_dates_is_told(compared: Path, first: int, told: str) -> None:
    write(compared.parent, "other.csv", OTHER[:-1], OTHER[1:], first=first)
    found = [each for each in result_of(compared, "run.benchmark=other.csv").findings if "benchmark" in each.lower()]
    assert (len(found), told in "".join(found)) == (bool(told), True), found


def test_an_instrument_is_a_benchmark_and_buying_it_is_the_same_as_buy_and_hold(compared: Path) -> None:
    metrics = result_of(compared, "run.benchmark=ONE").metrics
    assert metrics["benchmark_return_pct"] == pytest.approx(metrics["buy_and_hold_pct"])


def test_a_symbol_of_a_provider_is_a_benchmark(compared: Path) -> None:
    write(compared.parent, "one.csv", WALK[:-1], WALK[1:], first=-5000)
    result = result_of(compared, "run.benchmark=synthetic:OTHER")
    assert result.benchmark is not None
    assert np.isfinite(result.benchmark.growth).all()
    assert result.metrics["beta"] is not None
    assert result.synthetic


def test_a_benchmark_in_another_currency_is_converted(sold_in_euros: RunResult, tmp_path: Path) -> None:
    assert sold_in_euros.benchmark is None
    found = result_of(tmp_path / "strategy.yaml", "run.benchmark=ONE")
    assert found.metrics["benchmark_return_pct"] == pytest.approx(found.metrics["buy_and_hold_pct"])


def test_without_a_benchmark_its_figures_are_none(compared: Path) -> None:
    result = result_of(compared)
    assert [result.metrics[key] for key in BENCHMARKED] == [None] * 6
    assert result.benchmark is None


def test_a_benchmark_changes_nothing_that_the_strategy_does(compared: Path) -> None:
    bare, other = result_of(compared), result_of(compared, "run.benchmark=other", "run.risk_free=5")
    assert other.ledger.equity.tolist() == bare.ledger.equity.tolist()
    assert {key for key in bare.metrics if bare.metrics[key] != other.metrics[key]} == {
        *BENCHMARKED,
        "sharpe",
        "sortino",
    }


def test_what_is_no_benchmark_is_refused_with_a_suggestion(compared: Path) -> None:
    with pytest.raises(SpecError, match=r"'benchmark' must be .* was 'othr'\. Did you mean 'other'\?"):
        result_of(compared, "run.benchmark=othr")
    with pytest.raises(SpecError, match=r"was 'SPY'.*Write '[a-z]+:SPY'"):
        result_of(compared, "run.benchmark=SPY")
    with pytest.raises(DataError, match=r"othr\.csv.*doesn't exist"):
        result_of(compared, "run.benchmark=othr.csv")


def test_a_benchmark_outside_the_folder_needs_permission(
    compared: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    write(elsewhere, "other.csv", OTHER[:-1], OTHER[1:])
    text = compared.read_text(encoding="utf-8").replace(
        "cash: 100000", f"cash: 100000, benchmark: {elsewhere}/other.csv"
    )
    compared.write_text(text, encoding="utf-8")
    problems = validate_file(compared, load_registry())
    assert [(each.path, each.line) for each in problems] == [("run.benchmark.path", 17)]


def test_a_kept_run_has_its_benchmark(compared: Path, tmp_path: Path) -> None:
    result = result_of(compared, "run.benchmark=other", "run.start=2024-01-05")
    assert result.benchmark is not None
    kept = RunFolder.open(save_run(result, tmp_path / "kept"))
    assert kept.benchmark is not None
    assert kept.benchmark.name == "other"
    np.testing.assert_array_equal(kept.benchmark.growth, result.benchmark.growth)
    assert dict(kept.metrics) == dict(result.metrics)
    assert RunFolder.open(save_run(result_of(compared), tmp_path / "bare")).benchmark is None


def test_a_risk_free_rate_is_taken_from_the_returns(compared: Path) -> None:
    metrics = result_of(compared, "run.risk_free=5").metrics
    equity = np.concatenate(([100_000.0], result_of(compared).ledger.equity))
    excess = np.diff(equity) / equity[:-1] - (1.05 ** (1 / 365) - 1)
    assert metrics["sharpe"] == pytest.approx(excess.mean() / excess.std(ddof=1) * math.sqrt(365))
    assert metrics["sortino"] == pytest.approx(
        excess.mean() / math.sqrt(np.mean(np.minimum(excess, 0) ** 2)) * math.sqrt(365)
    )


# ---------------------------------------------------------------------- lost accounts, no trades


def strict(value: Any) -> Any:
    """Return JSON read back, refusing NaN and infinity."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(value, parse_constant=refuse)


@pytest.mark.parametrize(
    ("prices", "signals", "short"),
    [
        ([100, 100, 300, 900, 900], [ENTER, NONE, NONE, NONE, NONE], True),  # short, and the price rises ninefold
        ([100, 100, 1100, 1100, 1100], [ENTER, NONE, NONE, NONE, NONE], True),  # the equity ends below zero at one step
        ([100, 100, 100, 100, 100], [NONE] * 5, False),  # no signal
        ([100], [ENTER], False),  # a single bar
        ([100, 100], [ENTER, NONE], False),
    ],
)
@pytest.mark.parametrize("change", ["", "run.benchmark=ONE"])
def test_lost_accounts_and_runs_without_trades_have_figures_or_none(
    tmp_path: Path, prices: Prices, signals: Sequence[int], change: str, *, short: bool
) -> None:
    write(tmp_path, "one.csv", prices, prices)
    mark(tmp_path, signals)
    file = strategy(tmp_path, quantity=990, short=short)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = result_of(file, *([change] if change else []))
        text = result.write_json(tmp_path / "result.json").read_text(encoding="utf-8")
        page = report_page(report_data(result))
    metrics = strict(text)["metrics"]
    assert list(metrics) == [metric.key for metric in METRICS]
    assert all(value is None or math.isfinite(value) for value in metrics.values())
    assert metrics["trades"] == len(result.ledger.trades)
    if not len(result.ledger.trades):
        assert [metrics[key] for key in ("win_rate_pct", "expectancy", "average_trade_pct")] == [None] * 3
    if not len(result.ledger.fills):
        assert (metrics["total_return_pct"], metrics["exposure_pct"], metrics["turnover"]) == (0.0, 0.0, 0.0)
        assert (metrics["sharpe"], metrics["sortino"], metrics["profit_factor"]) == (None, None, None)
    visible = page.partition("<main>")[2].partition('<script type="application/json"')[0]
    assert re.findall(r"\b(nan|inf|infinity)\b", visible.lower()) == []


def test_an_account_that_is_lost_keeps_its_loss_and_no_growth_rate(tmp_path: Path) -> None:
    prices = [100.0] * 20 + [1100.0] * 20
    write(tmp_path, "one.csv", prices, prices)
    mark(tmp_path, [ENTER] + [NONE] * 39)
    metrics = result_of(strategy(tmp_path, quantity=990, short=True)).metrics
    assert metrics["total_return_pct"] is not None
    assert metrics["total_return_pct"] < -100
    assert metrics["cagr_pct"] is None
    assert metrics["calmar"] is None
    assert metrics["max_drawdown_pct"] == pytest.approx(-metrics["total_return_pct"])
