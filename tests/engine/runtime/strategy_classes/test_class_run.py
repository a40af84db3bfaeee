"""A strategy class runs only where the user's own list allows its import, and its books land in an ordinary result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api import RunError, SpecError
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.run_store.history import RunHistory
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.strategy_classes.class_paths import (
    AllowedPath,
    allow,
    allowed_paths,
    class_paths_file,
    disallow,
)
from quantcrafter.engine.runtime.strategy_classes.class_run import ClassSource, run_class

FOLDER = Path(__file__).parents[3] / "support" / "own_strategies"
SMA = "bt_examples.SmaCross"


def run(path: str = SMA, engine: str = "backtrader", **changes: object) -> RunResult:
    source = ClassSource(path, engine, **{"data": ("sample:AAPL",), **changes})  # type: ignore[arg-type]
    return run_class(source, registry=load_registry())


def test_nothing_is_imported_unless_the_user_allowed_it(tmp_path: Path) -> None:
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')")
    with pytest.raises(RunError, match=r"Importing 'trap\.Anything' is not allowed.*quantcrafter engines allow trap "):
        run("trap.Anything")
    allow("trapdoor", tmp_path)
    with pytest.raises(RunError, match="is not allowed"):
        run("trap.Anything")


def test_a_list_that_cannot_be_read_allows_nothing() -> None:
    allow("bt_examples", FOLDER)
    class_paths_file().write_text('{"allowed": "bt_examples"}')
    with pytest.raises(RunError, match=r"can't be read.* until then no class is imported"):
        run()


def test_an_allowed_package_covers_what_is_below_it_and_no_namesake() -> None:
    allowed = AllowedPath("mine.strategies")
    assert allowed.covers("mine.strategies.Cross")
    assert allowed.covers("mine.strategies.trend.Cross")
    assert not allowed.covers("mine.strategies2.Cross")
    assert not allowed.covers("mine.Cross")


def test_paths_are_allowed_and_taken_back(tmp_path: Path) -> None:
    allow("one", tmp_path)
    allow("two.three")
    allow("one", FOLDER)
    assert allowed_paths() == (AllowedPath("two.three"), AllowedPath("one", str(FOLDER)))
    disallow("one")
    assert [path.module for path in allowed_paths()] == ["two.three"]
    with pytest.raises(RunError, match="'one' is not on the list"):
        disallow("one")
    with pytest.raises(RunError, match="must exist"):
        allow("one", tmp_path / "nowhere")
    with pytest.raises(RunError, match="A module is names with dots"):
        allow("../one")


def test_the_result_is_reported_kept_and_saved_like_any_other(tmp_path: Path) -> None:
    allow("bt_examples", FOLDER)
    result = run(parameters={"fast": 20, "stake": 3}, overrides=("run.cash=5000",))

    assert (result.strategy, result.engine, result.mode) == ("SmaCross", "backtrader", "backtest")
    assert len(result.trades) > 50
    assert set(result.trades["quantity"]) == {3.0}
    assert result.metrics["initial_equity"] == 5000
    assert result.origin.overrides == ("run.cash=5000", "fast=20", "stake=3")
    assert "SmaCross" in result.write_report(tmp_path / "report.html").read_text(encoding="utf-8")
    history = RunHistory()
    for columns in (True, False):
        kept = history.open(history.add(result, columns=columns))
        assert kept.trades == result.trades
        assert kept.metrics == result.metrics
    saved = RunFolder.open(save_run(result, tmp_path / "saved"))
    assert saved.trades == result.trades
    assert saved.ledger.equity[-1] == result.ledger.equity[-1]


def test_the_hash_tells_other_parameters_and_other_code_apart(tmp_path: Path) -> None:
    source = (FOLDER / "bt_examples.py").read_text(encoding="utf-8")
    (tmp_path / "own_code.py").write_text(source, encoding="utf-8")
    allow("own_code", tmp_path)
    first = run("own_code.SmaCross").origin.spec_hash
    assert run("own_code.SmaCross").origin.spec_hash == first
    assert run("own_code.SmaCross", parameters={"fast": 9}).origin.spec_hash != first
    (tmp_path / "own_code.py").write_text(source + "\n# changed\n", encoding="utf-8")
    assert run("own_code.SmaCross").origin.spec_hash != first


def test_data_may_be_a_file_or_a_mapping(tmp_path: Path) -> None:
    allow("bt_examples", FOLDER)
    rows = [
        f"2024-01-{day:02d} 09:{30 + day}:00,{day + 100},{day + 102},{day + 99},{day + 101},5" for day in range(1, 29)
    ]
    file = tmp_path / "acme.csv"
    file.write_text("\n".join(["time,open,high,low,close,volume", *rows]), encoding="utf-8")
    first = run(data=(str(file),), timeframe="1d", parameters={"fast": 2, "slow": 4})
    assert [job.symbol for job in first.instruments] == ["acme"]
    mapping = f"{{symbol: acme, data: csv, path: {file}, timeframe: 1d}}"
    second = run(data=(mapping,), parameters={"fast": 2, "slow": 4})
    assert first.data_hash == second.data_hash
    pairs = run("bt_examples.Pairs", data=("sample:AAPL", "sample:IBM"))
    assert {row["instrument"] for row in pairs.trades} == {"AAPL", "IBM"}


def test_a_class_is_measured_by_the_days_of_its_market_and_against_a_benchmark(tmp_path: Path) -> None:
    allow("bt_examples", FOLDER)
    days = [str(day) for day in np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]") if np.is_busday(day)]
    prices = [100 + 10 * np.sin(n) for n in range(len(days))]
    rows = [f"{day},{a:.2f},{a + 11:.2f},{a - 11:.2f},{b:.2f},5" for day, a, b in zip(days, prices, prices[1:])]  # noqa: B905 - one less
    (tmp_path / "600000.SH.csv").write_text("\n".join(["date,open,high,low,close,volume", *rows]), encoding="utf-8")
    mapping = f"{{symbol: '600000.SH', data: csv, path: {tmp_path / '600000.SH.csv'}}}"
    result = run(data=(mapping,), parameters={"fast": 2, "slow": 4}, overrides=('run.benchmark="600000.SH"',))
    assert result.instruments[0].trading_days == 243
    returns = result.daily_returns
    assert result.metrics["annual_volatility_pct"] == pytest.approx(100 * returns.std(ddof=1) * np.sqrt(243))
    assert result.metrics["beta"] is not None
    assert result.metrics["benchmark_return_pct"] == pytest.approx(result.metrics["buy_and_hold_pct"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": ("nowhere",)}, r"--data is a CSV or Parquet file.*was 'nowhere'.*Providers: .*sample"),
        ({"timeframe": "1x"}, "--timeframe: a timeframe is a count and a unit"),
        ({"engine": "native"}, "'native' doesn't do strategy classes written for it"),
        ({"engine": "backtradr"}, "Did you mean 'backtrader'"),
        ({"overrides": ("run.cash=-5",)}, "run.cash"),
        ({"overrides": ("run.margin.initial_percent=50",)}, r"'run\.margin\.initial_percent' doesn't apply"),
        ({"overrides": ("run.insufficient_cash=reject",)}, r"'run\.insufficient_cash' doesn't apply"),
        ({"data": ("{symbol: ES, data: sample, kind: contract}",)}, "'kind: contract' of ES doesn't apply"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(changes: dict[str, object], message: str) -> None:
    allow("bt_examples", FOLDER)
    with pytest.raises(SpecError, match=message):
        run(**changes)  # type: ignore[arg-type]
