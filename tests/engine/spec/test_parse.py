from __future__ import annotations

import time
from pathlib import Path

import pytest

from quantcrafter.engine.api import Role, SpecError, Timeframe
from quantcrafter.engine.spec import (
    Place,
    Resolved,
    Unresolved,
    check_strategy,
    check_strategy_file,
    load_strategy,
    parse_strategy,
)
from tests.support.strategies import FULL, HEADER, brief, problems_of


def test_a_whole_file_is_read() -> None:
    spec = parse_strategy(FULL, file="dir/golden.yaml")
    assert spec.name == "Golden cross"
    assert spec.description.startswith("Long while")
    assert spec.run.cash == 5000
    assert spec.run.commission.percent == 0.1
    assert spec.layout == {"fast": (120.0, 80.0)}
    assert spec.block_names == ("trend",)
    assert list(spec.nodes) == [
        "weekly", "fast", "slow", "slope/ema", "slope/above", "again/ema", "again/above", "cross", "entry",
    ]  # fmt: skip
    fast = spec.nodes["fast"]
    assert (fast.role, fast.use, fast.path) == (Role.INDICATOR, "ta.SMA", "indicators.fast")
    assert list(fast.values.items()) == [("input", "bars.close"), ("timeperiod", 50)]


def test_instruments_take_their_own_fields_and_leave_the_provider_its_options() -> None:
    first, second = parse_strategy(FULL).instruments
    assert (first.symbol, first.data, first.timeframe) == ("AAPL", "csv", Timeframe(1, "h"))
    assert (first.tick_size, first.lot_size, first.on_bad_bars) == (0.05, 10.0, "repair")
    assert first.options == {"path": "a.csv"}
    assert (second.timeframe, second.tick_size, second.lot_size) == (Timeframe(1, "d"), None, None)
    assert (second.on_bad_bars, second.options) == ("refuse", {})
    assert first.place("path") == Place("", 5, 37)
    assert first.place("path", key=True) == Place("", 5, 31)


def test_places_point_to_values_keys_and_items() -> None:
    spec = parse_strategy(FULL, file="f.yaml")
    slow, entry = spec.nodes["slow"], spec.nodes["entry"]
    assert slow.place() == Place("f.yaml", 25, 3)
    assert slow.place("timeperiod") == Place("f.yaml", 28, 17)
    assert slow.place("timeperiod", key=True) == Place("f.yaml", 28, 5)
    assert slow.place("absent") == slow.place()
    assert entry.place("signals", 0) == Place("f.yaml", 20, 34)
    assert entry.place("signals", 7) == entry.place("signals") == Place("f.yaml", 20, 33)
    assert spec.place("cash") == Place("f.yaml", 34, 13)


def test_a_nodes_problem_has_place_path_and_node() -> None:
    problem = parse_strategy(FULL, file="f.yaml").nodes["entry"].problem("x", "Bad.", field="signals", index=0)
    assert str(problem) == "f.yaml:20:34: error: Bad."
    assert (problem.path, problem.node, problem.field) == ("execution.entry.signals.0", "entry", "signals")


def test_references_resolve_to_nodes_outputs_and_bars() -> None:
    spec = parse_strategy(FULL)
    cross = spec.nodes["cross"]
    assert spec.resolve(cross, "fast") == Resolved("fast", "")
    assert spec.resolve(cross, "weekly.close") == Resolved("weekly", "close")
    assert spec.resolve(cross, "bars") == Resolved("bars", "")
    assert spec.resolve(cross, "bars.high") == Resolved("bars", "high")


@pytest.mark.parametrize(
    ("reference", "message", "remedy"),
    [
        ("fats", "There is no node 'fats'.", "Did you mean 'fast'?"),
        ("zzz", "There is no node 'zzz'.", "Add the node, or correct the name."),
        ("bars.clsoe", "Bars have no column 'clsoe'.", "Did you mean 'close'?"),
        ("slope", "The block 'slope' has 2 outputs: name one.", "Write one of slope.up, slope.line."),
        ("slope.upp", "The block 'slope' has no output 'upp'.", "Did you mean 'up'?"),
        ("slope/ema", "'slope/ema' is not a reference.", "The inside of a block is not visible"),
        ("a b", "'a b' is not a reference.", "A reference is a node's id"),
        (7, "7 is not a reference.", "A reference is a node's id"),
    ],
)
def test_a_reference_that_leads_nowhere_says_what_could_be_meant(reference: object, message: str, remedy: str) -> None:
    spec = parse_strategy(FULL)
    found = spec.resolve(spec.nodes["cross"], reference)
    assert isinstance(found, Unresolved)
    assert found.message == message
    assert found.remedy.startswith(remedy)


def test_all_problems_come_at_once_in_file_order() -> None:
    text = """\
quantcrafter: 1
nmae: x
instruments:
  - {symbol: 700, data: sample}
  - {symbol: IBM, data: sample, tick_size: 0, timeframe: daily}
  - {symbol: IBM, data: sample}
  - IBM
  - {symbol: X, provider: csv}
indicators:
  fast: {uses: ta.SMA}
  bars: {use: ta.SMA}
  a-b: {use: ta.SMA}
  number: 5
  nothing:
  bad: {use: 5}
logic: [1]
advisors:
  fast: {use: crossover}
run: {cash: -1, engin: native, commission: {percnt: 1}, start: 2020}
layout: {fast: [1, 2, 3], slow: [.inf, 1]}
"""
    assert brief(problems_of(text)) == [
        ("unknown_key", 2, 1, "nmae"),
        ("instruments", 4, 14, "instruments.0.symbol"),
        ("instruments", 5, 44, "instruments.1.tick_size"),
        ("instruments", 5, 58, "instruments.1.timeframe"),
        ("duplicate_symbol", 6, 14, "instruments.2.symbol"),
        ("shape", 7, 5, "instruments.3"),
        ("missing", 8, 5, "instruments.4"),
        ("missing_use", 10, 3, "indicators.fast"),
        ("bad_id", 11, 3, "indicators.bars"),
        ("bad_id", 12, 3, "indicators.a-b"),
        ("shape", 13, 3, "indicators.number"),
        ("shape", 14, 3, "indicators.nothing"),
        ("shape", 15, 14, "indicators.bad.use"),
        ("shape", 16, 8, "logic"),
        ("duplicate_node", 18, 3, "advisors.fast"),
        ("run", 19, 13, "run.cash"),
        ("run", 19, 24, "run.engin"),
        ("run", 19, 53, "run.commission.percnt"),
        ("run", 19, 64, "run.start"),
        ("layout", 20, 16, "layout.fast"),
        ("layout", 20, 33, "layout.slow"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + "indicatrs: {}", "A strategy file has no key 'indicatrs'. Did you mean 'indicators'?"),
        (HEADER + "logic: {x: {usee: a}}", "doesn't say which component to use. Write 'use' instead of 'usee'."),
        (HEADER + "run: {csah: 1}", "run: There is no setting 'csah' here. Did you mean 'cash'?"),
        (HEADER + "run: {commission: {percent: 101}}", "must be less than or equal to 100, was 101."),
        (HEADER + "run: {mode: test}", "run: 'mode' must be 'backtest', 'replay', 'paper' or 'live', was 'test'."),
        (HEADER + "name: 5", "'name' must be text, was a number. Put it in quotes."),
        (HEADER.replace("AAPL", "TRUE"), "must be text such as AAPL, was true. Put it in quotes."),
        (HEADER.replace("symbol", "smybol"), "The instrument has no 'symbol'. Write 'symbol' instead of 'smybol'."),
        (HEADER.replace("sample", "sample, on_bad_bars: fix"), "must be refuse or repair, was 'fix'."),
        ("quantcrafter: 1\n", "'instruments' must list at least one instrument, was missing."),
        ("quantcrafter: 1\ninstruments: []", "was an empty list."),
        ("quantcrafter: 1\ninstruments: {}", "was a mapping."),
        (HEADER.replace("er: 1", "er: 2"), "This file needs a newer QuantCrafter: its format is 2, this one reads 1."),
        (HEADER.replace("quantcrafter: 1", "quantcrafter: 0"), "The format 0 is unknown, this QuantCrafter reads 1."),
        (HEADER.replace("quantcrafter: 1", "quantcrafter: one"), "The version of the format must be a whole number."),
        (HEADER.replace("quantcrafter: 1\n", ""), "doesn't say that it is a QuantCrafter file. Begin with 'quant"),
        ("- a", "A strategy file must be a mapping, was a list."),
        ("hello", "A strategy file must be a mapping, was text."),
    ],
)  # fmt: skip
def test_a_mistake_is_explained(text: str, message: str) -> None:
    problems = problems_of(text)
    assert len(problems) == 1, problems
    assert message in str(problems[0])


def test_what_is_usable_comes_with_the_problems() -> None:
    spec, problems = check_strategy(HEADER + "logic: {a: {}, b: {use: not}}\nrun: {cash: -1, engine: other}\n")
    assert len(problems) == 2
    assert spec is not None
    assert list(spec.nodes) == ["b"]
    assert (spec.run.cash, spec.run.engine) == (100_000, "other")
    found = spec.resolve(spec.nodes["b"], "a")
    assert isinstance(found, Unresolved)
    assert found.reported


def test_parsing_raises_with_every_problem() -> None:
    with pytest.raises(SpecError) as caught:
        parse_strategy("quantcrafter: 1\nfoo: 1\nbar: 2\n")
    assert sorted(problem.code for problem in caught.value.problems) == ["instruments", "unknown_key", "unknown_key"]


def test_an_unknown_component_is_not_judged_here() -> None:
    spec = parse_strategy(HEADER + "indicators: {x: {use: from.a/plugin-1, any: {thing: [1]}}}\n")
    assert spec.nodes["x"].use == "from.a/plugin-1"
    assert spec.nodes["x"].values == {"any": {"thing": [1]}}


def test_a_file_is_read_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "my strategy.yaml"
    path.write_text("\ufeff" + HEADER.replace("\n", "\r\n"), encoding="utf-8")
    spec = load_strategy(path)
    assert spec.name == "my strategy"
    assert (spec.file, spec.base_dir) == (str(path), str(tmp_path))


def test_a_file_that_cannot_be_read_is_a_problem_not_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"name: a\ndescription: caf\xe9\n")
    (tmp_path / "big.yaml").write_bytes(b"#" * (1 << 20) + b"#")
    (tmp_path / "utf16.yaml").write_bytes("name: a".encode("utf-16"))
    messages = []
    for name in ("latin.yaml", "big.yaml", "utf16.yaml", "none.yaml", "", "a\0b"):
        spec, problems = check_strategy_file(f"{tmp_path}/{name}")
        assert spec is None
        messages.append(str(problems[0]))
    assert "latin.yaml:2:17: error: The file must be UTF-8 text, byte 0xe9 is not." in messages[0]
    assert "at most 1,048,576 bytes" in messages[1]
    assert "must be UTF-8 text" in messages[2]
    assert "the file or folder doesn't exist" in messages[3]
    assert "is a folder, not a file" in messages[4]
    assert "characters that are not allowed" in messages[5]


def test_reading_two_hundred_nodes_is_quick() -> None:
    line = "  n{0}: {{use: ta.SMA, input: bars.close, timeperiod: {0}}}  # note\n"
    text = HEADER + "indicators:\n" + "".join(line.format(n) for n in range(200))
    started = time.process_time()
    assert len(parse_strategy(text).nodes) == 200
    assert time.process_time() - started < 2  # tens of milliseconds; a stall would show
