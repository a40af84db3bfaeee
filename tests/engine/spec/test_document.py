from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.errors import SpecError
from quantcrafter.engine.spec.document import StrategyFile
from tests.support.counts import sample

TEXT = """\
# The golden cross.
quantcrafter: 1
name:   "Golden cross"   # quoted
instruments:
  - {symbol: AAPL, data: sample}   # the one

indicators:
  # the quick one
  fast:  {use: ta.SMA,  input: bars.close, timeperiod: 50 }   # fifty
  slow:
    use: ta.SMA      # aligned
    input: bars.close
    timeperiod: 200
  # nothing below

filters:   # none yet
execution:
  entry: {use: market, signals: [cross], filters: [a, b]}
"""


def edited(text: str, **changes: Any) -> str:
    document = StrategyFile.loads(text)
    for action, (path, *values) in changes.items():
        getattr(document, action)(path, *values)
    return document.dumps()


def test_a_text_without_an_edit_comes_back_byte_for_byte() -> None:
    for text in (TEXT, TEXT.replace("\n", "\r\n"), "\ufeff" + TEXT, TEXT.rstrip(), TEXT + "   \n\n#end"):
        assert StrategyFile.loads(text).dumps() == text


def test_setting_a_number_changes_that_number_only() -> None:
    assert edited(TEXT, set=(("indicators", "fast", "timeperiod"), 7)) == TEXT.replace(": 50 }", ": 7 }")


def test_setting_a_mapping_touches_only_what_differs() -> None:
    new = {"use": "ta.SMA", "input": "bars.high", "timeperiod": 200}
    assert edited(TEXT, set=(("indicators", "slow"), new)) == TEXT.replace(
        "    input: bars.close\n", "    input: bars.high\n"
    )


def test_a_new_node_is_one_line_after_the_last_of_its_section() -> None:
    node = {"use": "time_window", "start": "09:45", "note": "a: b"}
    text = edited(TEXT, add=(("indicators", "third"), node))
    line = """  third: {use: time_window, start: "09:45", note: 'a: b'}\n"""
    assert text == TEXT.replace("    timeperiod: 200\n", "    timeperiod: 200\n" + line)


def test_a_node_goes_below_the_name_of_an_empty_section() -> None:
    text = edited(TEXT, add=(("filters", "hours"), {"use": "time_window"}))
    assert text == TEXT.replace("# none yet\n", "# none yet\n  hours: {use: time_window}\n")


def test_a_missing_section_is_made_at_its_usual_place() -> None:
    text = edited(TEXT, add=(("risk", "stop"), {"use": "atr_stop"}))
    assert text == TEXT.replace("# none yet\n", "# none yet\n\nrisk:\n  stop: {use: atr_stop}\n")
    text = edited(TEXT, add=(("description",), "It crosses."))
    assert text == TEXT.replace("# quoted\n", "# quoted\ndescription: It crosses.\n")
    text = edited(TEXT, set=(("run", "commission", "percent"), 0.1))
    assert text == TEXT + "run: {commission: {percent: 0.1}}\n"


def test_a_section_before_all_others_goes_first() -> None:
    assert edited("# top\nname: x\n", set=(("quantcrafter",), 1)) == "# top\nquantcrafter: 1\nname: x\n"


def test_line_ends_and_a_missing_last_one_stay_as_they_are() -> None:
    text = TEXT.rstrip().replace("\n", "\r\n")
    assert edited(text, add=(("execution", "exit"), {"use": "market"})) == text + "\r\n  exit: {use: market}"
    assert edited(text, remove=(("filters",),)) == text.replace("filters:   # none yet\r\n", "")


def test_the_byte_order_mark_survives_an_edit() -> None:
    assert edited("\ufeffname: a\n", set=(("name",), "b")) == "\ufeffname: b\n"


def test_removing_a_node_takes_its_line_and_leaves_the_comments_around() -> None:
    text = edited(TEXT, remove=(("indicators", "fast"),))
    assert text == "".join(line for line in TEXT.splitlines(keepends=True) if "# fifty" not in line)
    assert "# the quick one" in text


@pytest.mark.parametrize(
    ("path", "left"),
    [
        (("use",), "{signals: [cross], filters: [a, b]}"),
        (("signals",), "{use: market, filters: [a, b]}"),
        (("filters",), "{use: market, signals: [cross]}"),
        (("filters", 0), "{use: market, signals: [cross], filters: [b]}"),
        (("filters", 1), "{use: market, signals: [cross], filters: [a]}"),
        (("signals", 0), "{use: market, signals: [], filters: [a, b]}"),
    ],
)
def test_removing_from_brackets_takes_the_comma_along(path: tuple[str | int, ...], left: str) -> None:
    text = edited(TEXT, remove=(("execution", "entry", *path),))
    assert text == TEXT.replace("{use: market, signals: [cross], filters: [a, b]}", left)


def test_comments_inside_brackets_stay_when_a_neighbour_goes() -> None:
    text = "a: {x: 1, # one\n    y: 2, # two\n    z: 3 # three\n    }\n"
    for key in "xyz":
        left = edited(text, remove=(("a", key),))
        assert sum(comment in left for comment in ("# one", "# two", "# three")) >= 2, left
    assert edited(text, remove=(("a", "z"),)).count("#") == 3


def test_removing_the_last_child_leaves_an_empty_mapping() -> None:
    assert edited("a: # c\n  b: 1 # d\nz: 0\n", remove=(("a", "b"),)) == "a: # c\n  {} # d\nz: 0\n"
    assert edited("a:\n- 1\nz: 0\n", remove=(("a", 0),)) == "a: []\nz: 0\n"


def test_items_of_a_list_with_dashes_can_be_added_changed_and_removed() -> None:
    text = "a:\n- x: 1 # one\n  y: 2\n-  two # two\n-\n  # inner\n  z: 3\nb: 0\n"
    assert edited(text, add=(("a", 3), {"q": 1})) == text.replace("  z: 3\n", "  z: 3\n- {q: 1}\n")
    assert edited(text, remove=(("a", 1),)) == text.replace("-  two # two\n", "")
    assert edited(text, remove=(("a", 0),)) == text.replace("- x: 1 # one\n  y: 2\n", "")
    assert edited(text, remove=(("a", 2),)) == text.replace("-\n  # inner\n  z: 3\n", "")
    assert edited(text, remove=(("a", 0, "x"),)) == text.replace("- x: 1 # one\n  y", "-  # one\n  y")
    assert edited(text, set=(("a",), [{"x": 1, "y": 2}])) == "a:\n- x: 1 # one\n  y: 2\nb: 0\n"


def test_a_key_with_a_colon_in_it_is_quoted() -> None:
    assert edited("a: 1\n", add=(("b",), {"0:;": "x:y"})) == "a: 1\nb: {'0:;': 'x:y'}\n"


def test_a_rename_changes_the_key_only() -> None:
    assert edited(TEXT, rename=(("indicators", "fast"), "quick")) == TEXT.replace("  fast:  {", "  quick:  {")
    with pytest.raises(SpecError, match="'slow' is there already"):
        edited(TEXT, rename=(("indicators", "fast"), "slow"))


def test_values_without_text_can_be_given_one() -> None:
    assert edited("a:   # c\nb: 1\n", set=(("a",), "x")) == "a: x   # c\nb: 1\n"
    assert edited("a: {b, c: , d: 1}\n", set=(("a", "b"), 5)) == "a: {b: 5, c: , d: 1}\n"
    assert edited("a: {b, c: , d: 1}\n", set=(("a", "c"), 5)) == "a: {b, c: 5, d: 1}\n"
    assert edited("a:\n-\n- 1\n", set=(("a", 0), "x")) == "a:\n- x\n- 1\n"


def test_a_block_scalar_is_replaced_and_its_comment_kept() -> None:
    text = "a: |  # why\n  one\n  two\n\nb: 1\n"
    assert edited(text, set=(("a",), "x")) == "a: x  # why\n\nb: 1\n"


def test_editing_what_an_alias_shares_is_refused_and_changes_nothing() -> None:
    document = StrategyFile.loads("a: &x {k: 1}\nb: *x\nc: 1\n")
    for path in (("a", "k"), ("b", "k")):
        with pytest.raises(SpecError, match="can't be edited"):
            document.set(path, 2)
    with pytest.raises(SpecError, match="can't be edited"):
        document.remove(("a",))
    assert document.text == "a: &x {k: 1}\nb: *x\nc: 1\n"
    document.set(("b",), 3)
    assert document.text == "a: &x {k: 1}\nb: 3\nc: 1\n"


def test_what_cannot_be_edited_is_said() -> None:
    document = StrategyFile.loads(TEXT)
    with pytest.raises(SpecError, match="it is not there"):
        document.remove(("indicators", "none"))
    with pytest.raises(SpecError, match="it is there already"):
        document.add(("name",), "x")
    with pytest.raises(SpecError, match="nothing to put it into"):
        document.set(("name", "x"), 1)
    with pytest.raises(SpecError, match="not <object"):
        document.set(("name",), object())
    with pytest.raises(SpecError, match="must be a mapping"):
        StrategyFile.loads("- a\n")
    assert document.text == TEXT


@pytest.mark.skipif(sys.platform == "win32", reason="files have no mode there")
def test_a_save_keeps_bytes_and_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: a\r\n")
    path.chmod(0o640)
    document = StrategyFile.load(path)
    document.save()
    assert path.read_bytes() == b"\xef\xbb\xbfname: a\r\n"
    document.set(("name",), "b")
    document.save()
    assert path.read_bytes() == b"\xef\xbb\xbfname: b\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["a.yaml"]


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("name: a\n")
    document = StrategyFile.load(path)
    document.set(("name",), "b")

    def fail(_handle: int) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="no space"):
        document.save()
    assert path.read_text() == "name: a\n"
    assert [p.name for p in tmp_path.iterdir()] == ["a.yaml"]


def test_a_new_file_can_be_read_by_those_whom_the_mask_allows(tmp_path: Path) -> None:
    document = StrategyFile.loads("name: a\n")
    (tmp_path / "plain").touch()
    document.save(tmp_path / "a.yaml")
    assert (tmp_path / "a.yaml").stat().st_mode == (tmp_path / "plain").stat().st_mode


# --- properties ------------------------------------------------------------------------------------------------------

texts = st.text(max_size=12)
keys = st.one_of(st.sampled_from(["a", "b", "fast", "use", "on", "09:45", "x y"]), st.text(max_size=6))
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**17), 10**17), st.floats(allow_nan=False), texts, st.just("bars.close")
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=6,
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Draw a file in mixed styles, with a numbered comment wherever one may stand."""
    count = iter(range(1000))
    newline = draw(st.sampled_from(["\n", "\r\n"]))

    def comment() -> str:
        return draw(st.sampled_from(["", f" # c{next(count)}."]))

    def block(depth: int, indent: int) -> list[str]:
        lines: list[str] = []
        for name in draw(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=4, unique=True)):
            lines += draw(st.sampled_from([[], [], [" " * indent + f"# c{next(count)}."], [""]]))
            pad = " " * indent
            style = draw(st.sampled_from(["plain", "flow", "block", "list", "empty", "literal", "quoted"]))
            if depth > 2 and style in ("block", "list"):
                style = "flow"
            if style == "block":
                lines += [f"{pad}{name}:{comment()}", *block(depth + 1, indent + draw(st.sampled_from([1, 2, 4])))]
            elif style == "list":
                dash = indent + draw(st.sampled_from([0, 2]))
                items = [
                    f"{' ' * dash}- {draw(st.sampled_from(['1', 'x', '{a: 1, b: [2]}', '[]', 'k: 1']))}{comment()}"
                ]
                lines += [f"{pad}{name}:{comment()}", *(items * draw(st.integers(1, 3)))]
            elif style == "literal":
                lines += [f"{pad}{name}: |{comment()}", f"{pad}  some", f"{pad}   text"]
            else:
                value = {"plain": " 12", "quoted": ' "q # no comment" ', "empty": "", "flow": ""}[style]
                if style == "flow":
                    value = draw(
                        st.sampled_from([" {x: 1, y: [1, 2] , z: {q: w}}", " [a, 'b', c]", " {}", " []", " {p, q: }"])
                    )
                lines.append(f"{pad}{name}:{value}{comment()}")
        return lines

    lines = block(0, 0)
    ends_in_a_literal = lines[-1].endswith("  text")
    return newline.join(lines) + (newline if ends_in_a_literal else draw(st.sampled_from(["", newline])))


def paths_of(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner: list[tuple[str | int, ...]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        inner += [(*path, key), *paths_of(item, (*path, key))]
    return inner


def comments_of(text: str) -> list[str]:
    return [f"# c{part.partition('.')[0]}." for part in text.split("# c")[1:]]


@settings(max_examples=sample(80, of=2_000), deadline=None)
@given(st.one_of(documents(), st.text(alphabet="ab: -{}[],#'\"\n\r &*|>!1", max_size=60)))
def test_any_text_that_parses_comes_back_as_it_was(text: str) -> None:
    try:
        document = StrategyFile.loads(text)
    except SpecError:
        assume(False)
    assert document.dumps() == text


@settings(max_examples=sample(80, of=2_000), deadline=None)
@given(documents(), values, st.data())
def test_setting_a_value_gives_that_value_and_keeps_the_comments_outside(
    text: str, value: Any, data: st.DataObject
) -> None:
    document = StrategyFile.loads(text)
    path = data.draw(st.sampled_from(paths_of(document.value)))
    expected = document.value
    parent: Any = expected
    for key in path[:-1]:
        parent = parent[key]
    old = parent[path[-1]]
    parent[path[-1]] = value
    document.set(path, value)
    assert document.value == expected
    if not isinstance(old, (dict, list)):
        assert comments_of(document.text) == comments_of(text)
        head = next((i for i, (x, y) in enumerate(zip(text, document.text, strict=False)) if x != y), len(text))
        tail = next(
            (i for i, (x, y) in enumerate(zip(reversed(text), reversed(document.text), strict=False)) if x != y),
            len(text),
        )
        assert len(text) - head - tail <= 40


@settings(max_examples=sample(80, of=2_000), deadline=None)
@given(documents(), keys, values, st.data())
def test_adding_a_key_only_inserts(text: str, key: str, value: Any, data: st.DataObject) -> None:
    document = StrategyFile.loads(text)
    mappings = [()] + [path for path in paths_of(document.value) if isinstance(document.get(path), dict)]
    path = (*data.draw(st.sampled_from(mappings)), key)
    assume(path not in document)
    expected = document.value
    parent: Any = expected
    for step in path[:-1]:
        parent = parent[step]
    parent[key] = value
    document.add(path, value)
    assert document.value == expected
    assert comments_of(document.text) == comments_of(text)
    head = next((i for i, (x, y) in enumerate(zip(text, document.text, strict=False)) if x != y), len(text))
    assert document.text.endswith(text[head:])


@settings(max_examples=sample(80, of=2_000), deadline=None)
@given(documents(), st.data())
def test_removing_and_renaming_keep_every_other_line(text: str, data: st.DataObject) -> None:
    document = StrategyFile.loads(text)
    paths = paths_of(document.value)
    assume(len(document.value) > 1)
    path = data.draw(st.sampled_from(paths))
    expected = document.value
    parent: Any = expected
    for key in path[:-1]:
        parent = parent[key]
    gone = parent.pop(path[-1])
    document.remove(path)
    assert document.value == expected
    lost = set(comments_of(text)) - set(comments_of(document.text))
    assert len(lost) <= 1 or isinstance(gone, (dict, list))
    renamed = StrategyFile.loads(text)
    if isinstance(path[-1], str):
        renamed.rename(path, "renamed key")
        assert comments_of(renamed.text) == comments_of(text)
        assert renamed.get((*path[:-1], "renamed key")) == gone


def test_bare_times_in_brackets_survive_edits_around_them() -> None:
    text = "filters:\n  h: {use: time_window, start: 09:45, end: 15:30}  # hours\n"
    document = StrategyFile.loads(text)
    assert document.dumps() == text
    document.set(("filters", "h", "end"), "16:00")
    document.set(("filters", "h", "group"), "block")
    changed = document.dumps()
    assert "start: 09:45" in changed
    assert changed.endswith("# hours\n")
    again = StrategyFile.loads(changed).value["filters"]["h"]
    assert again == {"use": "time_window", "start": "09:45", "end": "16:00", "group": "block"}
