"""Whatever a file holds, what is said of it stays short: in one message, and in how many there are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quantcrafter.app.document.validation import check
from quantcrafter.engine.api import DataError, Problem
from quantcrafter.engine.cli.main import main
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import in_file_order, validate_file
from quantcrafter.engine.spec import StrategyFile
from quantcrafter.engine.spec.limits import MAX_INSTRUMENTS, MAX_PROBLEMS, MAX_STRATEGY_NODES

HEAD = "quantcrafter: 1\ninstruments: [{symbol: AAPL, data: sample}]\n"
TAIL = (
    "money: {size: {use: fixed_quantity, quantity: 1}}\nexecution: {entry: {use: market, signals: [go], money: size}}\n"
)
LONGEST = 300
LONGEST_REMEDY = 700
"""A remedy may hold a command with a path."""


def nodes(count: int, wire: str) -> str:
    lines = (f"  n{n}: {{use: ta.SMA, input: {wire.format(n, (n + 1) % count)}}}\n" for n in range(count))
    return HEAD + "indicators:\n" + "".join(lines)


def problems_of(text: str, folder: Path) -> list[Problem]:
    path = folder / "s.yaml"
    path.write_text(text, encoding="utf-8")
    return validate_file(path, load_registry())


def test_of_thousands_of_bad_references_a_hundred_are_listed_and_the_rest_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(nodes(1900, "missing{}"), encoding="utf-8")
    for command in (["validate"], ["run", "-q", "--no-history"], ["lookahead", "-q"]):
        assert main([command[0], str(path), *command[1:]]) == 2
        printed = capsys.readouterr()
        lines = [line for line in printed.err.splitlines() if "error:" in line]
        assert len(lines) == MAX_PROBLEMS + 1
        assert "There are 1,801 more problems." in lines[-1]
    assert main(["validate", str(path), "--json"]) == 2
    found = json.loads(capsys.readouterr().out)["files"][0]["problems"]
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1]["more"] == 1801


def test_the_desktop_lists_as_few(tmp_path: Path) -> None:
    found = check(StrategyFile.loads(nodes(1900, "missing{}")), tmp_path, load_registry()).problems
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1].more == 1801


def test_an_error_is_never_left_out_for_a_warning() -> None:
    warnings = [Problem("idle", f"w{n}", line=n, severity="warning") for n in range(1, 300)]  # type: ignore[arg-type]
    found = in_file_order([*warnings, Problem("x", "e", line=500)])
    assert found[-2].message == "e"
    assert found[-1].more == 200
    assert found[-1].severity == "warning"


def test_a_long_circle_is_named_by_its_ends(tmp_path: Path) -> None:
    texts = [problem.message for problem in problems_of(nodes(1900, "n{1}"), tmp_path)]
    cycle = next(text for text in texts if "cycle" in text)
    assert cycle.startswith("The nodes n0 <- n1 <- ")
    assert cycle.endswith(" form a cycle of 1,900 nodes.")
    assert len(cycle) < LONGEST


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (nodes(5000, "bars.close"), f"at most {MAX_STRATEGY_NODES:,} nodes"),
        (
            "quantcrafter: 1\ninstruments:\n" + "".join(f"  - {{symbol: S{n}, data: sample}}\n" for n in range(3000)),
            f"at most {MAX_INSTRUMENTS:,} instruments, this one has 3,000",
        ),
        (HEAD + f"indicators: {{{'n' * 900}: {{use: ta.SMA, input: bars.close}}}}\n", "this one has 900"),
        (f"quantcrafter: 1\ninstruments: [{{symbol: {'S' * 900}, data: sample}}]\n", "this one has 900"),
        (f"x: {'y' * 70_000}\n", "at most 65,536 characters"),
        ("a: " + "[" * 40, "32 levels deep"),
    ],
    ids=["nodes", "instruments", "node name", "symbol", "text", "nesting"],
)
def test_past_a_limit_one_located_line_says_so_and_nothing_else(text: str, said: str, tmp_path: Path) -> None:
    problems = problems_of(text, tmp_path)
    assert len(problems) == 1
    assert said in problems[0].message
    assert problems[0].remedy
    assert problems[0].line > 0


@pytest.mark.parametrize(
    "line",
    [
        "  a: {use: ta.SMA, input: QQ}",
        "  a: {use: QQ}",
        "  a: {use: ta.SMA, QQ: 1, input: bars.close}",
        "  a: {use: ta.SMA, input: bars.close, timeperiod: QQ}",
        "  a: {use: ta.SMA, input: bars.close, timeperiod: [QQ, QQ, QQ, QQ, QQ, QQ, QQ, QQ]}",
        "  a: {use: ta.SMA, input: {QQ: QQ}}",
        "  a: {use: blocks/QQ.yaml}",
        "  a: QQ",
        "  'Q Q QQ': {}",
        "QQ: 1",
        "run: {engine: QQ}",
        "run: {rates: {EUR: QQ}, currency: QQ, start: QQ}",
    ],
)
@pytest.mark.parametrize("size", [3_000, 60_000])
def test_no_text_of_a_file_makes_a_message_long(line: str, size: int, tmp_path: Path) -> None:
    section = "indicators:\n" if line.startswith(" ") else ""
    problems = problems_of(HEAD + section + line.replace("QQ", "x" * size) + "\n", tmp_path)
    assert problems
    for problem in problems:
        assert len(problem.message) <= LONGEST
        assert len(problem.remedy) <= LONGEST_REMEDY
        assert len(json.dumps(problem.path)) <= LONGEST


def test_no_error_is_endless() -> None:
    assert len(str(DataError("row " * 100_000))) == 2_000


def test_a_table_of_many_columns_is_refused_briefly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "wide.csv").write_text(",".join(f"c{n}" for n in range(5_000)) + "\n" + "1," * 5_000 + "1\n")
    advisor = "advisors: {go: {use: breakout, entry_bars: 5, exit_bars: 5}}\n"
    text = HEAD.replace("data: sample", "data: csv, path: wide.csv") + advisor + TAIL
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    assert main(["run", str(tmp_path / "s.yaml"), "-q", "--no-history"]) == 1
    error = capsys.readouterr().err
    assert "'c0', 'c1', 'c2'" in error
    assert len(error) < 2 * LONGEST


def test_a_strategy_without_execution_says_so_at_a_place(tmp_path: Path) -> None:
    problems = problems_of(HEAD, tmp_path)
    assert [(problem.code, problem.line, problem.column) for problem in problems] == [("no_execution", 1, 1)]
