from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.app.panes.yaml_view.texts import carried, characters, patch, patches, shown, units

LINES = st.lists(st.sampled_from(["a", "b", "ab", "", "  x: 1", "é", "😀"]), max_size=12)
ENDS = st.sampled_from(["\n", "\r\n", "\r", "\u2029"])


@given(LINES, LINES)
def test_patches_make_the_new_text_of_the_old(old_lines: list[str], new_lines: list[str]) -> None:
    old, new = "\n".join(old_lines), "\n".join(new_lines)
    made = old
    found = patches(old, new)
    for change in reversed(found):
        made = made[: change.start] + change.text + made[change.end :]
    assert made == new
    assert all(one.end <= other.start for one, other in pairwise(found))


def test_changes_far_apart_are_patches_of_their_own() -> None:
    old = "\n".join(f"line {number}" for number in range(100))
    new = old.replace("line 3\n", "line three\n").replace("line 90\n", "line ninety\n").replace("line 50\n", "")
    found = patches(old, new)
    assert len(found) == 3
    assert sum(len(one.text) + one.end - one.start for one in found) < 40


def test_equal_texts_need_no_patch() -> None:
    assert patch("a\nb", "a\nb") is None
    assert patches("", "") == []


@given(lines=st.lists(st.tuples(st.sampled_from(["a", "bb", "", "x: é"]), ENDS), max_size=10), marked=st.booleans())
def test_a_text_that_is_not_typed_into_comes_back_as_it_was(*, lines: list[tuple[str, str]], marked: bool) -> None:
    raw = ("\ufeff" if marked else "") + "".join(line + end for line, end in lines)
    assert carried(raw, shown(raw)) == raw
    assert "\r" not in shown(raw)
    assert not shown(raw).startswith("\ufeff")


def test_a_typed_line_gets_the_files_own_end_and_others_keep_theirs() -> None:
    raw = "\ufeffa: 1\r\nb: 2\nc: 3\r\n"
    typed = shown(raw).replace("b: 2\n", "b: 2\nnew: 5\n")
    assert carried(raw, typed) == "\ufeffa: 1\r\nb: 2\nnew: 5\r\nc: 3\r\n"
    assert carried(raw, shown(raw).replace("a: 1\nb", "a: 1, b")) == "\ufeffa: 1, b: 2\nc: 3\r\n"


def test_a_joined_line_loses_its_whole_end() -> None:
    assert carried("a\r\nb\r\n", "ab\n") == "ab\r\n"


@given(st.text(alphabet="aé😀", max_size=8))
def test_qt_counts_utf16_units(text: str) -> None:
    assert characters(text, units(text)) == len(text)
