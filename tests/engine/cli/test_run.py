"""`quantcrafter run`, `runs`, `compare` and `lookahead`, from a file to what is printed and written."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from quantcrafter.engine.api import Bars, Timeframe
from quantcrafter.engine.cli import progress
from quantcrafter.engine.cli.interrupt import cancel_on_interrupt
from quantcrafter.engine.cli.main import main
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.results.report_columns import lies_on_price
from tests.support.command_line import clean_environment
from tests.support.plugin_packages import install, module

STRATEGY = """\
quantcrafter: 1
name: Small cross
description: For the tests of the command line.
instruments:
  - {symbol: TEST, data: synthetic, timeframe: 1d, bars: 400, seed: 3}
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 5}
  slow: {use: ta.SMA, input: bars.close, timeperiod: 20}
advisors:
  cross: {use: crossover, fast: fast, slow: slow}
money:
  size: {use: fixed_quantity, quantity: 1}
execution:
  entry: {use: market, signals: [cross], money: size}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the user's directory."""
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path / "home"


@pytest.fixture
def strategy(tmp_path: Path) -> str:
    """Return the path of a strategy file."""
    path = tmp_path / "small.yaml"
    path.write_text(STRATEGY, encoding="utf-8")
    return str(path)


def test_a_run_takes_its_file_as_the_first_generation_names_it(
    strategy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--config", strategy, "--no-history", "--json", "-", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["strategy"]
    assert main(["run", strategy, "--config", strategy]) == 2
    assert "is given already" in capsys.readouterr().err


def test_a_run_prints_a_summary_within_80_columns(strategy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", strategy]) == 0

    shown = capsys.readouterr().out
    assert shown.startswith("Small cross  SYNTHETIC DATA\nTEST 1d, 400 bars from ")
    assert "backtest on native" in shown
    for label in ("Total return", "Sharpe ratio", "Max. drawdown", "Win rate", "Commission", "Kept as run"):
        assert label in shown
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("width", ["80", "50"])
def test_a_benchmark_has_a_group_of_its_own(
    strategy: str, width: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    assert main(["run", strategy, "--no-history"]) == 0
    assert "Beta" not in capsys.readouterr().out
    assert main(["run", strategy, "--no-history", "--benchmark", "synthetic:OTHER"]) == 0
    shown = capsys.readouterr().out
    for label in ("Benchmark return", "Alpha", "Beta", "Correlation", "Tracking error", "Information ratio"):
        assert label in shown
    assert max(map(len, shown.splitlines())) <= int(width)


def test_a_benchmark_on_the_command_line_may_be_any_file_here(
    strategy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "elsewhere"
    here.mkdir()
    bars = [
        "date,open,high,low,close",
        *(f"2010-0{m}-{d:02},1,2,1,{1 + d % 2}" for m in (1, 2, 3) for d in range(1, 29)),
    ]
    (here / "spy.csv").write_text("\n".join(bars) + "\n", encoding="utf-8")
    monkeypatch.chdir(here)
    assert main(["run", strategy, "--json", "-", "--no-history", "--quiet", "-b", "spy.csv"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["metrics"]["beta"] is not None
    assert Path(result["benchmark"]["name"]) == here / "spy.csv"
    assert len(result["benchmark"]["growth"]) == len(result["equity"]["ts_ns"])


def test_a_benchmark_that_there_is_not_ends_with_2(strategy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", strategy, "--no-history", "-b", "TSET"]) == 2
    assert "Did you mean 'TEST'?" in capsys.readouterr().err


def test_a_narrow_terminal_gets_one_column(
    strategy: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "50")

    assert main(["run", strategy, "--no-history"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 50


def test_a_run_without_a_trade_says_why_in_summary_and_report(
    strategy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    changes = ["-s", "indicators.slow.timeperiod=500"]
    assert main(["run", strategy, *changes, "--report", str(report), "--no-history"]) == 0
    text = "No trades: the warm-up takes all 400 bars. Use more bars, or shorter periods."
    assert text in " ".join(capsys.readouterr().out.split())
    assert text in report.read_text(encoding="utf-8")


def test_a_run_writes_what_is_asked_for(strategy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "deep" / "folder"
    files = ["--json", str(out / "r.json"), "--trades", str(out / "t.csv"), "--report", str(out / "r.html")]

    assert main(["run", strategy, *files]) == 0

    result = json.loads((out / "r.json").read_text(encoding="utf-8"))
    with (out / "t.csv").open(encoding="utf-8", newline="") as stream:
        trades = list(csv.DictReader(stream))
    assert len(trades) == len(result["trades"]) == result["metrics"]["trades"] > 0
    page = (out / "r.html").read_text(encoding="utf-8")
    assert "Small cross" in page
    assert "slow" in page
    shown = capsys.readouterr().out
    for path in ("r.json", "t.csv", "r.html"):
        assert str(out / path) in shown


def test_json_on_stdout_is_nothing_but_json(strategy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", strategy, "--json", "-", "--no-history"]) == 0

    shown = capsys.readouterr()
    assert json.loads(shown.out)["strategy"] == "Small cross"
    assert "Small cross" in shown.err


def test_the_first_run_on_a_machine_says_that_it_compiles(
    strategy: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    native = load_registry().engine("native")
    monkeypatch.setattr(native, "is_ready", lambda _engine: False)

    assert main(["run", strategy, "--no-history"]) == 0
    assert capsys.readouterr().err == "Compiling the simulator for this machine, once; this can take a minute ...\n"
    monkeypatch.setattr(native, "is_ready", lambda _engine: True)
    assert main(["run", strategy, "--no-history"]) == 0
    assert capsys.readouterr().err == ""


def test_quiet_prints_nothing(strategy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", strategy, "--quiet"]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--engine", "natve"], 2, "There is no engine 'natve'"),
        (["--mode", "live"], 2, "can't run in mode 'live'"),
        (["--mode", "sideways"], 2, "sideways"),
        (["--set", "indicators.fast.timeperiod=x"], 2, "timeperiod"),
        (["--set", "nonsense"], 2, "nonsense"),
        (["--set", "indicators.none.timeperiod=3"], 2, "none"),
        (["--report", str(Path(__file__) / "x.html")], 1, "can't be written"),
    ],
)
def test_what_cannot_be_run_is_said_in_words(
    strategy: str, capsys: pytest.CaptureFixture[str], options: list[str], code: int, message: str
) -> None:
    assert main(["run", strategy, *options]) == code
    shown = capsys.readouterr().err
    assert message in shown
    assert "Unexpected" not in shown


def test_a_history_that_cannot_be_used_does_not_spoil_the_run(
    strategy: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home.mkdir()
    (home / "history.db").write_text("no database" * 100)

    assert main(["run", strategy]) == 0
    shown = capsys.readouterr()
    assert shown.err.startswith("warning: The run is not saved: The run history")
    assert "Small cross" in shown.out


def test_runs_are_listed_shown_compared_and_deleted(strategy: str, capsys: pytest.CaptureFixture[str]) -> None:
    for period in ("5", "7"):
        assert main(["run", strategy, "-q", "--set", f"indicators.fast.timeperiod={period}"]) == 0

    assert main(["runs", "--json"]) == 0
    newest, oldest = json.loads(capsys.readouterr().out)
    assert newest["overrides"] == ["indicators.fast.timeperiod=7"]
    assert newest["file"] == strategy
    assert newest["spec_hash"] != oldest["spec_hash"]

    assert main(["runs"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows] == ["Run", newest["id"], oldest["id"], "*"]
    assert rows[-1] == "* on synthetic data"
    assert max(map(len, rows)) <= 80

    assert main(["runs", "show", "last", "--trades", "2"]) == 0
    shown = capsys.readouterr().out
    assert f"Run {newest['id']}" in shown
    assert "The last 2 of " in shown
    assert max(len(line) for line in shown.splitlines() if strategy not in line) <= 80

    assert main(["runs", "show", oldest["id"], "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["spec_text"] == STRATEGY
    assert len(document["trades"]) == document["metrics"]["trades"]

    assert main(["compare", "last-1", "last"]) == 0
    shown = capsys.readouterr().out
    assert "indicators.fast.timeperiod=7" in shown
    assert "Final equity" in shown
    assert max(map(len, shown.splitlines())) <= 80

    assert main(["compare", oldest["id"], newest["id"], "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    change = compared["metrics"]["final_equity"]
    assert change["delta"] == change["b"] - change["a"]
    assert not compared["same_trades"]

    assert main(["runs", "delete", newest["id"]]) == 0
    assert main(["runs", "prune", "--keep", "0"]) == 0
    assert capsys.readouterr().err == f"Deleted run {newest['id']}.\nDeleted 1 run.\n"
    assert main(["runs", "list"]) == 0
    assert capsys.readouterr().err.startswith("No runs are stored yet.")


def test_a_run_that_is_compared_with_itself_is_the_same(strategy: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", strategy, "-q"])

    assert main(["compare", "last", "last"]) == 0
    assert "The same trades in both runs." in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["runs", "show", "x"], ["runs", "delete", "x"], ["compare", "x", "last"]])
def test_an_unknown_run_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "There is no run 'x'" in capsys.readouterr().err


def with_fast_line(use: str) -> str:
    return STRATEGY.replace("{use: ta.SMA, input: bars.close, timeperiod: 5}", f"{{use: {use}, input: bars.close}}")


CHEAT = '''
class Cheat(Indicator):
    """Know the next close."""
    name = "cheat.next"
    input: SeriesInput = port("Any series.")

    def compute(self, input):
        import numpy as np
        return np.append(input[1:], np.nan)

@hookimpl
def register_indicators():
    return [Cheat]
'''


@pytest.fixture
def cheating(strategy: str, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Make the strategy's fast line know the future."""
    registry = load_registry(extra_plugins=[("cheat", module("cheat", CHEAT))])
    monkeypatch.setattr("quantcrafter.engine.cli.installed.load_registry", lambda: registry)
    Path(strategy).write_text(with_fast_line("cheat.next"), encoding="utf-8")
    return registry


def test_an_honest_strategy_passes_the_lookahead_check(strategy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lookahead", strategy]) == 0
    assert capsys.readouterr().err == f"{strategy}: no node looks ahead.\n"


def test_a_node_that_knows_the_future_is_named_with_its_bar(
    strategy: str, cheating: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lookahead", strategy, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found[0]["node"], found[0]["origin"]) == ("fast", True)
    assert found[0]["known"] is None, "NaN was known then"

    assert main(["lookahead", strategy]) == 1
    shown = capsys.readouterr().out
    assert f"{found[0]['bar']:,}" in shown
    assert "1 node looks ahead: fast." in shown
    assert cheating.owner("indicators", "cheat.next") == "cheat"


def test_the_progress_bar_shows_on_a_terminal_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with progress.show_progress() as update:
        update("load", 1, 2)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "is_terminal", lambda _stream: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress.show_progress() as update:
        update("load", 1, 2)
        update("simulate", 1, 1)
    shown = capsys.readouterr().err
    assert "Loading data" in shown
    assert "Simulating" in shown


def test_the_first_interrupt_asks_a_run_to_end() -> None:
    before = signal.getsignal(signal.SIGINT)
    with cancel_on_interrupt() as cancelled:
        assert not cancelled()
        signal.raise_signal(signal.SIGINT)
        assert cancelled()
    assert signal.getsignal(signal.SIGINT) is before


SLOW = '''
class Slow(Indicator):
    """Take a second, and say by a file that it has begun."""
    name = "slow.pass"
    input: SeriesInput = port("Any series.")

    def compute(self, input):
        import pathlib, time
        pathlib.Path(__file__).with_name("begun").touch()
        time.sleep(1)
        return input

@hookimpl
def register_indicators():
    return [Slow]
'''


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_an_interrupted_run_ends_cleanly_and_leaves_nothing(strategy: str, home: Path, tmp_path: Path) -> None:
    install(tmp_path / "site", "qc-slow", SLOW)
    Path(strategy).write_text(with_fast_line("slow.pass"), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "quantcrafter.engine.cli", "run", strategy, "--json", str(tmp_path / "out.json")],
        env=clean_environment(home, PYTHONPATH=str(tmp_path / "site")),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "site" / "begun").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)

    assert process.returncode == 130, errors
    assert "Stopped" in errors
    assert "Traceback" not in errors
    assert out == ""
    assert not (tmp_path / "out.json").exists()
    assert not (home / "history.db").exists()


def test_an_average_lies_on_the_price_and_an_oscillator_does_not() -> None:
    import numpy as np

    close = np.linspace(90.0, 130.0, 50)
    times = np.arange(50, dtype=np.int64)
    bars = Bars("X", Timeframe(1, "d"), times, times + 1, close, close, close, close, close)

    assert lies_on_price(close * 1.1, bars)
    assert not lies_on_price(np.linspace(0.0, 100.0, 50) - 50, bars)
    assert not lies_on_price(np.full(50, np.nan), bars)
