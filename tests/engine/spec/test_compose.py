from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.spec import limits
from quantcrafter.engine.spec.compose import compose
from quantcrafter.engine.spec.source import ProblemLog
from quantcrafter.engine.spec.tree import Mapping, Sequence, content, plain
from tests.support.counts import sample


def read(text: str) -> tuple[Any, list[str]]:
    log = ProblemLog()
    root = compose(text, "s.yaml", log)
    return None if root is None else plain(root), [str(problem) for problem in log.in_order()]


def value_of(text: str) -> Any:
    value, problems = read(f"v: {text}\n")
    assert not problems
    return value["v"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("true", True), ("False", False),
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"),
        ("2020-01-01", "2020-01-01"), ("09:45", "09:45"), ("1d", "1d"), ("1_000", "1_000"),
        ("12", 12), ("-12", -12), ("+3", 3), ("010", 10), ("0o17", 15), ("0x1F", 31), ("0b11", "0b11"),
        ("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("-.inf", float("-inf")), ("1.2.3", "1.2.3"),
        ("'12'", "12"), ('"a\\tb"', "a\tb"), ("!!str 12", "12"), ("[1, a]", [1, "a"]), ("{a: {}}", {"a": {}}),
        ("|\n  a\n  b\n", "a\nb\n"), (">\n  a\n  b\n", "a b\n"),
    ],
)  # fmt: skip
def test_scalars_are_read_by_the_core_schema_of_yaml_1_2(text: str, value: Any) -> None:
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_is_a_number() -> None:
    assert value_of(".nan") != value_of(".nan")


def test_nodes_know_their_characters_lines_and_columns() -> None:
    text = "# é\r\na:\r\n  - x: 'é ü'   # c\r\n    y: [1, {b: 2}]\r\n\r\n# end\r\n"
    log = ProblemLog()
    root = compose(text, "f", log)
    assert isinstance(root, Mapping)
    items = root.get("a")
    assert isinstance(items, Sequence)
    first = items.items[0]
    assert isinstance(first, Mapping)
    quoted = first.entries["x"].value
    assert text[quoted.start : quoted.end] == "'é ü'"
    assert (quoted.place.line, quoted.place.column) == (3, 8)
    flow = first.entries["y"].value
    assert text[flow.start : flow.end] == "[1, {b: 2}]"
    assert text[items.start : items.end].endswith("{b: 2}]")
    assert not items.flow
    assert isinstance(flow, Sequence)
    assert flow.flow


def test_a_byte_order_mark_does_not_shift_places() -> None:
    log = ProblemLog()
    root = compose("\ufeffa: 1\na: 2\n", "f", log)
    assert root is not None
    assert [(p.line, p.column) for p in log.in_order()] == [(2, 1)]


def test_aliases_stand_for_their_anchor() -> None:
    value, problems = read("a: &x {k: [1]}\nb: *x\nc: [*x, 2]\n")
    assert not problems
    assert value == {"a": {"k": [1]}, "b": {"k": [1]}, "c": [{"k": [1]}, 2]}
    value["b"]["k"].append(2)
    assert value["a"] == {"k": [1]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "s.yaml:1:4: error: This is not valid YAML"),
        ("a: 'x", "A quote is not closed"),
        ("a:\n\t- b", "s.yaml:2:1: error: .* Indent with spaces, not tabs"),
        ("a: b: c", "s.yaml:1:5: error: .* Put text that contains ': ' in quotes"),
        ("a: @x", "s.yaml:1:4: error"),
        ("%YAML 9.0\n---\na: 1", "incompatible YAML document"),
        ("a: 1\nb: x\x07", r"s.yaml:2:5: error: The character U\+0007 is not allowed"),
        ("a: \x00", r"The character U\+0000 is not allowed"),
        ("a: \ud800", r"The character U\+D800 is not allowed"),
        ("", "s.yaml:1:1: error: The file is empty"),
        ("# only a comment\n", "The file is empty"),
        ("a: 1\n---\nb: 1\n", "s.yaml:2:1: error: A file holds one document"),
        ("a: 1\nb: 2\na: 3", "s.yaml:3:1: error: The key 'a' occurs twice, first on line 1"),
        ("a: {b: 1, b: 2}", "s.yaml:1:11: error: The key 'b' occurs twice"),
        ("x: &x {a: 1}\ny: {<<: *x}", "s.yaml:2:5: error: Merge keys"),
        ("1: a", "s.yaml:1:1: error: A key must be text, was 1. Put it in quotes"),
        ("true: a", "A key must be text, was true"),
        ("? [a]\n: b", "A key must be text, was an alias, list or mapping"),
        ("x: &x a\n*x : b", "A key must be text"),
        ("a: !foo 1", "s.yaml:1:4: error: Tags are not allowed, found '!foo'"),
        ("a: !!python/object:os.system {}", "Tags are not allowed"),
        ("a: !!binary aGk=", "Tags are not allowed"),
        ("a: *b", "s.yaml:1:4: error: The alias '\\*b' is undefined"),
        ("a: &b [*b]", "s.yaml:1:8: error: The alias '\\*b' is inside its own value"),
        ("a: " + "9" * 19, "A whole number can have at most 18 digits, has 19"),
        ("a: " + "9" * 10_000, "at most 18 digits, has 10000"),
    ],
)
def test_what_a_strategy_file_has_no_use_for_is_refused_at_its_place(text: str, message: str) -> None:
    _, problems = read(text)
    assert len(problems) == 1
    assert re.search(message, problems[0]), problems[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: " + "[" * 40 + "]" * 40, "nested at most 32 levels deep"),
        ("[" * 1_000_000, "nested at most 32 levels deep"),
        ("{a: " * 200_000, "nested at most 32 levels deep"),
        ("- " * 500_000, "nested at most 32 levels deep"),
        ("".join(f"{' ' * n}k:\n" for n in range(1000)), "nested at most 32 levels deep"),
        ("a: [" + "1," * 60_000 + "]", "at most 50,000 values"),
        ("a: " + "x" * 70_000, "at most 65,536 characters"),
        ("#" * (limits.MAX_FILE_BYTES + 1), "at most 1,048,576 bytes"),
        ("n0: &n0 [1]\n" + "".join(f"n{i}: &n{i} [*n{i - 1}, *n{i - 1}]\n" for i in range(1, 26)),
         "at most 50,000 values"),
        ("".join(f"n{i}: &n{i} [{f'*n{i - 1}' if i else 1}]\n" for i in range(200)), "nested at most 32 levels deep"),
        ("&a " * 100_000, "valid YAML"),
        ("? " * 500_000, "nested at most 32 levels deep"),
    ],
)  # fmt: skip
def test_a_hostile_file_is_refused_at_once(text: str, message: str) -> None:
    _, problems = read(text)
    assert message in problems[-1]


def test_the_depth_limit_is_the_documented_one() -> None:
    deep = limits.MAX_DEPTH
    assert not read("a: " + "[" * (deep - 1) + "]" * (deep - 1))[1]
    assert read("a: " + "[" * deep + "]" * deep)[1]


def test_many_problems_are_counted_not_listed() -> None:
    _, problems = read("".join("a: 1\n" for _ in range(5000)))
    assert len(problems) == limits.MAX_PROBLEMS + 1
    assert "4,899 more problems" in problems[-1]


def test_the_pure_python_parser_stands_in_for_the_c_one() -> None:
    code = (
        "import sys; sys.modules['_ruamel_yaml'] = None; sys.modules['_ruamel_yaml_clibz'] = None\n"
        "from quantcrafter.engine.spec.compose import compose\n"
        "from quantcrafter.engine.spec.source import ProblemLog\n"
        "from quantcrafter.engine.spec.tree import plain\n"
        "import ruamel.yaml.main; assert ruamel.yaml.main.CParser is None\n"
        "log = ProblemLog()\n"
        "root = compose('a: [1, {b: *x }]\\n'.replace('*x', \"'é'\") + 'c:\\n- d # x\\n', 'f', log)\n"
        "print(plain(root), log.problems, [(e.value.start, e.value.end) for e in root.entries.values()])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{'a': [1, {'b': 'é'}], 'c': ['d']} [] [(3, 17), (21, 24)]"


def test_importing_the_package_stays_light() -> None:
    code = "import quantcrafter.engine.spec, sys; print({'polars', 'numba', 'talib', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@settings(max_examples=sample(300, of=2_000), deadline=None)
@given(st.text(alphabet="ab1: -{}[],#'\"\n\r\t &*|>!?%@`\\\ufeff\x85\u2028~<=.", max_size=80))
def test_any_text_gives_a_tree_or_problems_with_a_place(text: str) -> None:
    log = ProblemLog()
    root = compose(text, "f", log)
    assert root is not None or log.problems
    assert all(problem.line >= 1 and problem.column >= 1 for problem in log.problems)
    if root is not None:
        assert plain(content(root)) is not NotImplemented


FLOW = [
    ("{use: time_window, start: 09:45, end: 15:30}", {"use": "time_window", "start": "09:45", "end": "15:30"}),
    ("[09:45, 12:30:15]", ["09:45", "12:30:15"]),
    ("{url: http://a.b/c?d=e:f}", {"url": "http://a.b/c?d=e:f"}),
    ("{a: b:c:d, e: ::f}", {"a": "b:c:d", "e": "::f"}),
    ("{a: :b}", {"a": ":b"}),
    ("{a:b, c: d}", {"a:b": None, "c": "d"}),
    ("{'a':1, \"b\":c:d}", {"a": 1, "b": "c:d"}),
    ("{a: 'b:c', d: \"e:f\", g: h}", {"a": "b:c", "d": "e:f", "g": "h"}),
    ("{é: 名:x, b: 🎉:z}", {"é": "名:x", "b": "🎉:z"}),
    ("{a: [x:y, {z: 1:2}]}", {"a": ["x:y", {"z": "1:2"}]}),
    ("{a: \ue000:x}", {"a": "\ue000:x"}),
    ('{a: "\\uE000\\ue001 x:y", b: c:d?e}', {"a": "\ue000\ue001 x:y", "b": "c:d?e"}),
    ("{a: 9:45, b: 1:2} # c:d", {"a": "9:45", "b": "1:2"}),
]


@pytest.mark.parametrize(("text", "value"), FLOW)
def test_a_colon_within_a_word_is_text_in_brackets_as_elsewhere(text: str, value: Any) -> None:
    assert value_of(text) == value


def test_places_behind_such_a_colon_are_right() -> None:
    log = ProblemLog()
    root = compose("h: {start: 09:45, end: 15:30}\nx: y\n", "f", log)
    assert isinstance(root, Mapping)
    window = root.entries["h"].value
    assert isinstance(window, Mapping)
    spans = [(entry.value.start, entry.value.end) for entry in window.entries.values()]
    assert [root.source.text[start:end] for start, end in spans] == ["09:45", "15:30"]
    assert root.entries["x"].value.place.line == 2


@pytest.mark.parametrize("text", ["{a: b:}", "{a: b:, c: d}", "[a:[x], b]", "{a: b: c}"])
def test_a_colon_that_separates_in_brackets_is_no_text(text: str) -> None:
    _, problems = read(f"v: {text}\n")
    assert len(problems) == 1
    assert "not valid YAML" in problems[0]


def test_the_reader_without_compiled_code_agrees() -> None:
    code = (
        "import sys; sys.modules['_ruamel_yaml'] = None\n"
        "from quantcrafter.engine.spec.compose import compose\n"
        "from quantcrafter.engine.spec.source import ProblemLog\n"
        "from quantcrafter.engine.spec.tree import plain\n"
        "import ruamel.yaml.main; assert ruamel.yaml.main.CParser is None\n"
        "for text in eval(sys.argv[1]):\n"
        "    print(plain(compose(text, 'f', ProblemLog())))\n"
    )
    texts = [text for text, _ in FLOW]
    command = [sys.executable, "-X", "utf8", "-c", code, repr(texts)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8")
    assert done.stdout.splitlines() == [str(value) for _, value in FLOW]
