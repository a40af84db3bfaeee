"""`quantcrafter validate`: every problem of every file, at its place."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from quantcrafter.engine.cli.main import main
from tests.support.command_line import ROOT, quantcrafter

GOOD = """\
quantcrafter: 1
name: Small
instruments:
  - {symbol: TEST, data: synthetic, timeframe: 1d, bars: 300}
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
BAD = GOOD.replace("ta.SMA, input: bars.close, timeperiod: 5", "ta.SMAA, input: bars.close, timeperiod: 5").replace(
    "slow: slow}", "slow: slwo}"
)


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """Return a valid strategy file."""
    (tmp_path / "good.yaml").write_text(GOOD, encoding="utf-8")
    return tmp_path / "good.yaml"


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """Return a strategy file with two problems."""
    (tmp_path / "bad.yaml").write_text(BAD, encoding="utf-8")
    return tmp_path / "bad.yaml"


def test_a_valid_file_is_said_to_be_valid(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(good)]) == 0
    shown = capsys.readouterr()
    assert shown.out == f"{good}: valid\n"
    assert shown.err == ""
    assert main(["validate", "--instruments", str(good)]) == 0
    assert capsys.readouterr().err.startswith("TEST: 24x7 UTC (data), tick 0.01 (data), lot 1 (default)")


def test_guesses_and_faults_of_the_data_are_told(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (good.parent / "d.csv").write_text("time,open,high,low,close\n2024-06-03,1.5,1.5,1.5,1.5\n2024-06-04,1.5,2,1.5,2\n")
    text = good.read_text(encoding="utf-8")
    start = text.index("data: synthetic")
    good.write_text(text[:start] + "data: csv, path: d.csv, tick_size: 1}" + text[text.index("}", start) + 1 :])
    assert main(["validate", str(good)]) == 0
    shown = capsys.readouterr().err
    assert "'tick_size' is 1, but 50% of the prices are not multiples of it" in shown
    assert "no market is named" in shown
    assert "00:00-24:00 UTC (guess)" in shown
    assert main(["validate", "--json", str(good)]) == 0
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert file["data"]["instruments"][0]["terms"]["tick_size"] == {"value": 1.0, "from": "file"}


def test_nodes_that_lack_bars_before_the_start_are_named(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # 2010-01-04 is the first bar: of the 19 that the slow average needs 11 come before.
    assert main(["validate", str(good), "--set", "run.start=2010-01-15"]) == 0
    told = capsys.readouterr().err.splitlines()[0]
    assert told.startswith("warning: TEST: too few bars come before the start of the run on 2010-01-15, 11 in all: ")
    assert "'slow' lacks 8 bars" in told
    assert main(["run", str(good), "--set", "run.start=2010-01-15", "--no-history"]) == 0
    shown = capsys.readouterr()
    assert told in shown.err.splitlines()
    assert "11 bars before the start for the warm-up" in " ".join(shown.out.split())  # lines are as wide as the screen
    assert main(["validate", str(good), "--set", "run.start=2010-06-15"]) == 0
    assert "warning" not in capsys.readouterr().err


def test_data_that_can_not_be_had_are_a_warning(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = good.read_text(encoding="utf-8")
    start = text.index("data: synthetic")
    good.write_text(text[:start] + "data: csv, path: none.csv}" + text[text.index("}", start) + 1 :])
    assert main(["validate", str(good)]) == 0
    assert "A run would fail on its data." in capsys.readouterr().err


def test_every_problem_is_one_line_with_its_place(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(bad)]) == 2
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert lines[0].startswith(f"{bad}:6:")
    assert "error: " in lines[0]
    assert "ta.SMAA" in lines[0]
    assert "Did you mean 'ta.SMA'" in lines[0]
    assert any(line.startswith(f"{bad}:9:") and "slwo" in line for line in lines)
    assert shown.out == f"{bad}: {len(lines)} errors\n"


def test_one_bad_file_among_many_ends_with_2_and_all_are_checked(
    good: Path, bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", str(bad), str(good)]) == 2
    assert f"{good}: valid\n" in capsys.readouterr().out


def test_the_findings_as_json(good: Path, bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "--json", str(good), str(bad)]) == 2
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert shown.err == ""
    assert not document["valid"]
    assert [(file["file"], file["valid"]) for file in document["files"]] == [(str(good), True), (str(bad), False)]
    assert document["files"][1]["problems"][0]["line"] == 6
    for problem in document["files"][1]["problems"]:
        assert problem["code"]
        assert all(str(value) in problem["message"] + problem["remedy"] for value in problem["parameters"].values())
    assert any(problem["parameters"] for problem in document["files"][1]["problems"])
    assert document["plugin_problems"] == []


def test_a_value_is_changed_before_the_check(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(good), "--set", "indicators.fast.timeperiod=-3"]) == 2
    assert "timeperiod" in capsys.readouterr().err
    assert main(["validate", str(good), "-s", "indicators.fast.timeperiod=7"]) == 0


@pytest.mark.parametrize("name", ["missing.yaml", ".", "good.yaml/inside"])
def test_what_is_no_file_is_a_problem_and_no_crash(good: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(good.parent / name)]) == 2
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a: [", b"quantcrafter: 1\n", b"- 1\n" * 5])
def test_any_content_is_a_problem_and_no_crash(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "odd.yaml").write_bytes(content)

    assert main(["validate", str(tmp_path / "odd.yaml")]) == 2
    assert "Unexpected" not in capsys.readouterr().err


def test_the_examples_are_valid(tmp_path: Path) -> None:
    examples = sorted((ROOT / "resources" / "examples").glob("*.yaml"))

    done = quantcrafter("validate", *map(str, examples), home=tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": valid\n") == len(examples) >= 6


@pytest.mark.benchmark_report
def test_how_long_validate_takes(good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    best = 9.0
    for _ in range(3):
        start = time.perf_counter()
        done = quantcrafter("validate", str(good), home=tmp_path)
        assert done.stdout.endswith(": valid\n")
        best = min(best, time.perf_counter() - start)
    with capsys.disabled():
        sys_note = f"\nquantcrafter validate: {best:.2f} s in all (aim: 0.7 s)"
        print(sys_note)  # noqa: T201 - a benchmark reports


def test_a_mode_that_no_engine_here_can_run_is_told_at_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(GOOD + "run:\n  cash: 1000\n  mode: live\n  engine: backtrader\n", encoding="utf-8")
    assert main(["validate", str(path)]) == 2
    said = capsys.readouterr()
    text = " ".join((said.out + said.err).split())
    assert "s.yaml:16:9: error: The engine 'backtrader' can't run in mode 'live'. It can: backtest." in text
    assert main(["validate", str(path), "--set", "run.mode=backtest"]) == 0
    assert main(["run", str(path), "--mode", "backtest", "--no-history", "--quiet"]) == 0


def test_an_engine_that_nobody_knows_is_told_at_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(GOOD + "run: {engine: nativ}\n", encoding="utf-8")
    assert main(["validate", str(path)]) == 2
    said = capsys.readouterr()
    assert "s.yaml:14:15: error: There is no engine 'nativ'. Did you mean 'native'?" in " ".join(
        (said.out + said.err).split()
    )


def test_json_says_how_far_back_each_node_and_the_decisions_look(
    good: Path, bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", str(good), str(bad), "--json"]) == 2
    first, second = json.loads(capsys.readouterr().out)["files"]
    nodes = first["lookback"]["nodes"]
    assert nodes["slow"] == {"lookback": 19, "path": {"bars": 19}}
    assert nodes["cross"] == {"lookback": 1000, "path": {"bars": 1019}}
    assert first["lookback"]["decisions"] == {"bars": 1019}
    assert second["lookback"] is None


@pytest.mark.parametrize(
    ("mode", "engine", "refused"),
    [
        ("paper", "native", ""),
        ("replay", "native", ""),
        ("live", "native", ""),
        ("paper", "backtrader", "The engine 'backtrader' can't run in mode 'paper'. It can: backtest."),
    ],
)
def test_a_mode_in_which_a_strategy_can_be_started_is_valid_and_others_are_refused(
    good: Path, capsys: pytest.CaptureFixture[str], mode: str, engine: str, refused: str
) -> None:
    options = ["--set", f"run.mode={mode}", "--set", f"run.engine={engine}"]
    assert main(["validate", str(good), *options]) == (2 if refused else 0)
    assert refused in capsys.readouterr().err
    if not refused:
        assert main(["run", str(good), *options]) == 2
        assert "Start it: 'quantcrafter start FILE'. Or set 'mode: backtest'." in capsys.readouterr().err
