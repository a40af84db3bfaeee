from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from quantcrafter.engine.api import Role
from quantcrafter.engine.spec import Bound, Literal, Resolved, Unresolved, check_strategy, load_strategy, parse_strategy
from quantcrafter.engine.spec.limits import MAX_STRATEGY_NODES
from tests.support.strategies import FULL, HEADER, brief, problems_of

posix = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes need privileges there")

BLOCK_FILE = """\
quantcrafter: 1
description: Above its average.
inputs: {price: series}
parameters: {period: ema.timeperiod}
outputs: {up: above}
indicators: {ema: {use: ta.EMA, input: price, timeperiod: 50}}
logic: {above: {use: compare, left: price, op: ">", right: ema}}
"""


def blocks(text: str, uses: str) -> str:
    return HEADER + "blocks:\n" + text + "logic:\n" + uses


def test_a_block_is_expanded_once_for_each_use_with_its_own_parameters() -> None:
    spec = parse_strategy(FULL, file="f.yaml")
    slope, again = spec.nodes["slope/ema"], spec.nodes["again/ema"]
    assert (slope.role, slope.use, slope.path) == (Role.INDICATOR, "ta.EMA", "blocks.trend.indicators.ema")
    assert slope.values == {"input": "price", "timeperiod": 20}
    assert again.values["timeperiod"] == 50
    assert (slope.place("timeperiod").line, again.place("timeperiod").line) == (30, 17)
    assert slope.context == "in block 'trend' used by 'slope'"
    assert "(in block 'trend' used by 'slope')." in slope.problem("x", "Bad.").message


def test_inputs_lead_out_of_the_block_and_outputs_into_it() -> None:
    spec = parse_strategy(FULL)
    assert spec.resolve(spec.nodes["slope/ema"], "price") == Resolved("weekly", "close")
    assert spec.resolve(spec.nodes["again/ema"], "price") == Resolved("bars", "close")
    assert spec.resolve(spec.nodes["again/above"], "ema") == Resolved("again/ema", "")
    assert spec.resolve(spec.nodes["cross"], "slope.up") == Resolved("slope/above", "")
    assert spec.resolve(spec.nodes["cross"], "again.line") == Resolved("again/ema", "")


def test_the_inside_of_a_block_does_not_see_the_strategy() -> None:
    spec = parse_strategy(FULL)
    found = spec.resolve(spec.nodes["slope/ema"], "fast")
    assert isinstance(found, Unresolved)
    assert found.message == "There is no node 'fast' in block 'trend' used by 'slope'."


def test_a_block_with_one_output_is_meant_by_its_name() -> None:
    text = blocks("  one: {outputs: {up: x}, logic: {x: {use: a}}}\n", "  b: {use: one}\n  c: {use: not, a: b}\n")
    spec = parse_strategy(text)
    assert spec.resolve(spec.nodes["c"], "b") == Resolved("b/x", "")


def test_numbers_lists_and_bars_can_be_wired_to_inputs() -> None:
    text = blocks(
        "  k:\n    inputs:\n      {n: series, many: condition, feed: {type: bars, default: bars},\n"
        "       half: {type: series, default: 0.5}}\n"
        "    outputs: {up: x}\n    logic: {x: {use: a}}\n",
        "  d: {use: k, n: 30, many: [e, bars.close]}\n  e: {use: b}\n  f: {use: k, n: 1, many: [], feed: w}\n",
    ).replace("logic:\n  d", "data: {w: {use: resample}}\nlogic:\n  d")
    spec = parse_strategy(text)
    inner = spec.nodes["d/x"]
    assert spec.resolve(inner, "n") == Literal(30.0)
    assert spec.resolve(inner, "half") == Literal(0.5)
    assert spec.resolve(inner, "many") == Bound((Resolved("e", ""), Resolved("bars", "close")))
    assert spec.resolve(inner, "feed.high") == Resolved("bars", "high")
    assert spec.resolve(spec.nodes["f/x"], "feed.high") == Resolved("w", "high")
    assert isinstance(spec.resolve(inner, "feed.hihg"), Unresolved)
    assert isinstance(spec.resolve(inner, "n.value"), Unresolved)


def test_blocks_nest_and_pass_parameters_on() -> None:
    text = blocks(
        "  inner:\n    {inputs: {p: series}, parameters: {n: m.timeperiod}, outputs: {v: m},\n"
        "    indicators: {m: {use: ta.SMA, input: p}}}\n"
        "  outer:\n    inputs: {p: series}\n    parameters: {both: [one.n, two.n]}\n    outputs: {v: two.v}\n"
        "    indicators: {one: {use: inner, p: p}, two: {use: inner, p: one}}\n",
        "  o: {use: outer, p: bars.low, both: 9}\n  x: {use: not, a: o}\n",
    )
    spec = parse_strategy(text)
    assert list(spec.nodes) == ["o/one/m", "o/two/m", "x"]
    assert [spec.nodes[name].values["timeperiod"] for name in ("o/one/m", "o/two/m")] == [9, 9]
    assert spec.resolve(spec.nodes["x"], "o") == Resolved("o/two/m", "")
    assert spec.resolve(spec.nodes["o/two/m"], "p") == Resolved("o/one/m", "")
    assert spec.resolve(spec.nodes["o/one/m"], "p") == Resolved("bars", "low")
    assert spec.nodes["o/two/m"].context == "in block 'inner' used by 'o/two'"


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("price: weekly.close", "price: weakly.close", (30, 30), "There is no node 'weakly'. Did you mean 'weekly'?"),
        ("period: 20", "peroid: 20", (30, 44), "has no input or parameter 'peroid'. Did you mean 'period'?"),
        (", default: bars.close}", "}", (31, 3), "of block 'trend' is not wired. Add 'price: REFERENCE'."),
        ("type: series, ", "type: number, ", (11, 21), "The type of the block input 'price' is 'number'. The types"),
        ("default: bars.close}", "default: fast}", (11, 38), "The default 'fast' is neither a number nor bars."),
        ("period: ema.timeperiod", "period: eme.timeperiod", (13, 15), "has no node 'eme'. Did you mean 'ema'?"),
        ("period: ema.timeperiod", "period: ema", (13, 15), "names a field of an inner node, was 'ema'."),
        ("up: above", "up: abov", (15, 11), "which the block doesn't have. Did you mean 'above'?"),
        ("      price: {", "      ema: {", (11, 7), "The block input 'ema' has the name of a node."),
        ("    outputs:", "    outptus:", (14, 5), "A block has no key 'outptus'. Did you mean 'outputs'?"),
        ("    logic: {above", "    execution: {above", (18, 5), "A block has no key 'execution'."),
    ],
)  # fmt: skip
def test_a_mistake_in_or_about_a_block_is_located(old: str, new: str, place: tuple[int, int], message: str) -> None:
    assert old in FULL
    found = problems_of(FULL.replace(old, new))
    assert any(message in str(p) and (p.line, p.column) == place for p in found), [str(p) for p in found]


def test_a_block_that_uses_itself_is_named_with_its_way() -> None:
    text = blocks(
        "  a: {outputs: {v: x}, logic: {x: {use: b}}}\n  b: {outputs: {v: y}, logic: {y: {use: a}}}\n",
        "  n: {use: a}\n",
    )
    problems = problems_of(text)
    assert [p.code for p in problems] == ["block_recursion"]
    assert "The block 'a' uses itself: a > b > a (in block 'b' used by 'n/x')." in problems[0].message
    assert problems[0].line == 5


def test_a_circle_through_pass_through_blocks_is_refused() -> None:
    text = blocks(
        "  pass: {inputs: {p: series}, outputs: {v: p}}\n",
        "  a: {use: pass, p: b}\n  b: {use: pass, p: a}\n  c: {use: not, x: a}\n",
    )
    spec, problems = check_strategy(text)
    assert all("refers to itself" in p.message for p in problems)
    assert problems
    assert spec is not None
    assert isinstance(spec.resolve(spec.nodes["c"], "a"), Unresolved)


def test_a_long_chain_of_blocks_is_refused_without_recursion() -> None:
    chain = "".join(f"  n{i}: {{use: pass, p: {f'n{i - 1}' if i else 'bars.close'}}}\n" for i in range(1500))
    chain = "\n".join(reversed(chain.splitlines())) + "\n"
    text = blocks("  pass: {inputs: {p: series}, outputs: {v: p}}\n", chain)
    assert "passes through more than" in str(problems_of(text)[0])


def test_lists_of_lists_through_blocks_do_not_explode() -> None:
    chain = "".join(f"  n{i}: {{use: pass, p: [n{i - 1}, n{i - 1}]}}\n" for i in range(1, 60))
    text = blocks("  pass: {inputs: {p: condition}, outputs: {v: p}}\n", "  n0: {use: pass, p: [bars.close]}\n" + chain)
    assert "is a list itself" in str(problems_of(text)[0])


def test_blocks_cannot_multiply_without_bound() -> None:
    levels = "".join(
        f"  l{i}: {{outputs: {{v: a0}}, logic: {{{', '.join(f'a{j}: {{use: l{i + 1}}}' for j in range(10))}}}}}\n"
        for i in range(6)
    )
    text = blocks(levels + "  l6: {outputs: {v: x}, logic: {x: {use: a}}}\n", "  n: {use: l0}\n")
    problems = problems_of(text)
    assert [p.code for p in problems] == ["limit"]
    assert f"at most {MAX_STRATEGY_NODES:,} nodes" in problems[0].message


def test_blocks_cannot_multiply_values_without_bound() -> None:
    text = blocks(
        f"  big: {{outputs: {{v: x}}, logic: {{x: {{use: a, values: [{'1,' * 5000}]}}}}}}\n",
        "".join(f"  n{i}: {{use: big}}\n" for i in range(1000)),
    )
    assert "values, blocks expanded" in problems_of(text)[0].message


def test_blocks_nest_to_a_limit() -> None:
    levels = "".join(f"  l{i}: {{outputs: {{v: x}}, logic: {{x: {{use: l{i + 1}}}}}}}\n" for i in range(9))
    text = blocks(levels + "  l9: {outputs: {v: x}, logic: {x: {use: a}}}\n", "  n: {use: l0}\n")
    assert "Blocks can be nested at most 8 levels deep" in str(problems_of(text)[0])
    assert not problems_of(text.replace("n: {use: l0}", "n: {use: l2}"))


def test_a_block_is_refused_in_execution() -> None:
    text = FULL.replace("entry: {use: market, ", "entry: {use: trend, ")
    assert "A block can't be used in 'execution'." in [p.message for p in problems_of(text)]


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a strategy's folder, with the user's block folder and a foreign file next to it."""
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    for name in ("home/blocks", "work/blocks"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "work/blocks/trend.yaml").write_text(BLOCK_FILE)
    (tmp_path / "home/blocks/mine.yml").write_text(BLOCK_FILE.replace("50", "70"))
    (tmp_path / "foreign.yaml").write_text(BLOCK_FILE)
    return tmp_path / "work"


def write(folder: Path, use: str, more: str = "") -> Path:
    path = folder / "s.yaml"
    path.write_text(f"{HEADER}logic:\n  t: {{use: '{use}', price: bars.open{more}}}\n")
    return path


def test_block_files_come_from_the_strategys_folder_or_the_users(folder: Path) -> None:
    spec = load_strategy(write(folder, "blocks/trend.yaml", ", period: 5"))
    assert spec.nodes["t/ema"].values["timeperiod"] == 5
    assert spec.nodes["t/above"].place().file == str((folder / "blocks/trend.yaml").resolve())
    assert spec.nodes["t/above"].context == "in block 'blocks/trend.yaml' used by 't'"
    assert load_strategy(write(folder, "mine.yml")).nodes["t/ema"].values["timeperiod"] == 70
    assert load_strategy(write(folder, "trend.yaml"), block_dir=folder / "blocks").nodes["t/ema"]


@posix
@pytest.mark.parametrize(
    ("use", "message"),
    [
        ("../foreign.yaml", "'..' is not allowed"),
        ("blocks/../../foreign.yaml", "'..' is not allowed"),
        ("/etc/passwd.yaml", "it must be a relative path with forward slashes"),
        ("C:\\x.yaml", "it must be a relative path with forward slashes"),
        ("C:x.yaml", "it must be a relative path with forward slashes"),
        ("blocks\\trend.yaml", "it must be a relative path with forward slashes"),
        ("link.yaml", "it leads outside the strategy's folder"),
        ("out/foreign.yaml", "it leads outside the strategy's folder"),
        ("loop.yaml", "refused"),
        ("dir.yaml", "it is not a file"),
        ("pipe.yaml", "it is not a file"),
        ("none.yaml", "Block file 'none.yaml' was not found"),
        (f"{'x' * 5000}.yaml", "can't be opened"),
    ],
)
def test_a_block_file_elsewhere_is_refused(folder: Path, use: str, message: str) -> None:
    (folder / "link.yaml").symlink_to(folder.parent / "foreign.yaml")
    (folder / "out").symlink_to(folder.parent)
    (folder / "loop.yaml").symlink_to(folder / "loop.yaml")
    (folder / "dir.yaml").mkdir()
    os.mkfifo(folder / "pipe.yaml")
    path = write(folder, use)
    spec, problems = check_strategy(path.read_text(), file=str(path), base_dir=folder)
    assert spec is not None
    assert len(problems) == 1
    assert message in problems[0].message
    assert (problems[0].line, problems[0].path, problems[0].node) == (4, "logic.t.use", "t")


@posix
def test_a_link_within_the_folders_is_followed(folder: Path) -> None:
    (folder / "link.yaml").symlink_to(folder.parent / "home/blocks/mine.yml")
    assert load_strategy(write(folder, "link.yaml")).nodes["t/ema"].values["timeperiod"] == 70


def test_a_problem_in_a_block_file_is_located_there(folder: Path) -> None:
    (folder / "bad.yaml").write_text(BLOCK_FILE.replace("inputs:", "input:").replace("quantcrafter: 1\n", ""))
    path = write(folder, "bad.yaml")
    _, problems = check_strategy(path.read_text(), file=str(path), base_dir=folder)
    bad = str(folder / "bad.yaml")
    assert [(p.code, p.file, p.line) for p in problems] == [
        ("version", bad, 1),
        ("unknown_key", bad, 2),
        ("unknown_field", str(path), 4),
    ]


def test_a_block_file_does_not_see_the_strategys_own_blocks(folder: Path) -> None:
    (folder / "outer.yaml").write_text(BLOCK_FILE.replace("use: compare", "use: mine"))
    path = write(folder, "outer.yaml")
    path.write_text(path.read_text() + "blocks: {mine: {outputs: {v: x}, logic: {x: {use: a}}}}\n")
    assert load_strategy(path).nodes["t/above"].use == "mine"


def test_broken_yaml_in_a_block_file_is_located_there(folder: Path) -> None:
    (folder / "bad.yaml").write_text("a: [")
    path = write(folder, "bad.yaml")
    _, problems = check_strategy(path.read_text(), file=str(path), base_dir=folder)
    assert [(p.code, p.file) for p in problems] == [("syntax", str(folder / "bad.yaml"))]


def test_brief_shows_every_problem_of_an_unused_block() -> None:
    text = blocks("  idle: {outputs: {v: none}}\n  bare: {}\n", "  x: {use: a}\n")
    assert brief(problems_of(text)) == [
        ("block_output", 4, 23, "blocks.idle.outputs.v"),
        ("block_outputs", 5, 9, "blocks.bare"),
    ]
