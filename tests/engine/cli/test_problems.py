"""Problems as the terminal shows them."""

from __future__ import annotations

import json
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.engine.api import Problem, Severity
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.cli.problems import as_json, count, excerpt, has_errors
from tests.support.codes import ROOT, codes


def at(column: int, *, file: str = "s.yaml", line: int = 1) -> Problem:
    return Problem("code", "Message.", file=file, line=line, column=column)


def shown(text: str, column: int, width: int = 40) -> list[str]:
    return excerpt(at(column), {"s.yaml": text.split("\n")}, width).split("\n")[:-1]


def test_the_caret_stands_under_the_column() -> None:
    assert shown("  fast: {use: ta.SMAA}", 15) == ["      fast: {use: ta.SMAA}", " " * (4 + 14) + "^"]


def test_tabs_count_as_one_column() -> None:
    assert shown("\ta: 1", 2) == ["     a: 1", "     ^"]


def test_wide_letters_take_two_columns() -> None:
    assert shown("名: x", 4) == ["    名: x", "        ^"]


def test_a_long_line_is_cut_around_the_caret() -> None:
    line, caret = shown("a" * 200 + "HERE" + "b" * 200, 201, width=40)

    assert len(line) <= 40
    assert line[caret.index("^") :].startswith("HERE")


def test_control_characters_are_made_visible() -> None:
    assert "\x1b" not in "".join(shown("a: \x1b[31mred", 4))


def test_a_place_beyond_the_file_has_no_excerpt(tmp_path: Path) -> None:
    assert shown("one line", 3)
    assert excerpt(at(1, line=9), {"s.yaml": ["one"]}, 80) == ""
    assert excerpt(at(1, file=str(tmp_path / "gone.yaml")), {}, 80) == ""
    assert excerpt(at(0), {"s.yaml": ["one"]}, 80) == ""


def test_a_file_is_read_for_its_line(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")

    assert excerpt(at(4, file=str(tmp_path / "s.yaml"), line=2), {}, 80) == "    b: 2\n       ^\n"


@given(st.text(), st.integers(1, 300), st.integers(10, 200))
def test_any_line_at_any_width_is_two_lines(text: str, column: int, width: int) -> None:
    lines = excerpt(at(column), {"s.yaml": [text.replace("\n", " ")]}, width).split("\n")

    assert len(lines) == 3
    assert lines[1].strip() == "^"


def test_problems_are_counted_by_severity() -> None:
    warning = Problem("w", "Careful.", severity=Severity.WARNING)

    assert count([at(1), warning, at(2)]) == "2 errors, 1 warning"
    assert count([]) == ""
    assert has_errors([warning, at(1)])
    assert not has_errors([warning])


def test_a_problem_in_json_is_all_of_its_facts() -> None:
    assert as_json(at(3)) == {
        "code": "code",
        "message": "Message.",
        "remedy": "",
        "file": "s.yaml",
        "line": 1,
        "column": 3,
        "path": "",
        "node": "",
        "field": "",
        "severity": "error",
        "more": 0,
        "parameters": {},
    }


def test_json_has_the_parameters_of_messages_within_messages() -> None:
    inner = Message("'{subject}' must {wish}, was {actual}.", subject="cash", wish="be a number", actual="x")
    found = as_json(Problem("run", Message("run: {message}", message=inner, subject="run")))
    assert found["parameters"] == {"subject": "run", "wish": "be a number", "actual": "x"}


def test_json_has_the_parameters_of_the_texts_beside_them() -> None:
    message = Message("'{name}' must be above {least}, was {value:g}.", name=Message("the tick"), least=0, value=-1.5)
    remedy = Message("Raise {name}, at most to {most}.", name="it", most=float("inf"))
    found = as_json(Problem("tick", message, remedy))

    assert found["message"] == "'the tick' must be above 0, was -1.5."
    assert found["parameters"] == {"name": "the tick", "least": 0, "value": -1.5, "most": None}
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_every_code_of_a_problem_is_documented_and_each_stands_for_something() -> None:
    page = (ROOT / "docs/cli.md").read_text(encoding="utf-8").partition("### Problem codes")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| `([^`]+)` \| (.+) \|$", page, re.MULTILINE)
    names = [code for code, _ in documented]

    assert names == sorted(set(names))
    assert len({meaning for _, meaning in documented}) == len(documented)
    assert [code for code in names if not re.fullmatch(r"[a-z]+(_[a-z]+)*", code)] == []
    assert set(names) == {*codes(), "block_file", "folder", "path"}
