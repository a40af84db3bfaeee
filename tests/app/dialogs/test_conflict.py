"""The comparison of a strategy with its changed file, line beside line."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.conflict import ConflictAnswer, ConflictDialog
from quantcrafter.app.dialogs.conflict_text import Pair, places, side_by_side, span

LINES = st.lists(st.sampled_from(["a", "b", "c", "", "  d: 1"]), max_size=12).map("\n".join)


@given(LINES, LINES)
def test_each_side_holds_its_whole_text_and_only_equal_lines_are_equal(ours: str, theirs: str) -> None:
    pairs = side_by_side(ours, theirs)
    assert [pair.ours for pair in pairs if pair.ours is not None] == ours.splitlines()
    assert [pair.theirs for pair in pairs if pair.theirs is not None] == theirs.splitlines()
    assert (not places(pairs)) is (ours.splitlines() == theirs.splitlines())


def test_an_added_line_stands_beside_a_gap() -> None:
    assert side_by_side("a\nb", "a\nnew\nb") == [Pair("a", "a"), Pair(None, "new"), Pair("b", "b")]


def test_a_changed_line_stands_beside_its_other_version_though_lines_were_added_before_it() -> None:
    ours = "fast: {use: ta.SMA, timeperiod: 21}\nslow: {use: ta.SMA, timeperiod: 200}"
    theirs = f"# more\nexit: 1\n{ours.replace('21', '50').replace('200', '150')}"
    assert [pair.ours for pair in side_by_side(ours, theirs)] == [None, None, *ours.splitlines()]


def test_two_differences_are_two_places() -> None:
    assert places(side_by_side("a\nb\nc\nd", "x\nb\nc\ny")) == [0, 3]


def test_only_the_piece_of_a_line_that_differs_is_marked() -> None:
    assert span("fast: 21 days", "fast: 50 days") == (6, 8)
    assert span("aa", "a") == (1, 2)


def test_files_of_many_thousand_lines_are_compared_at_once() -> None:
    ours = "\n".join(f"row: {n}" for n in range(20_000))
    theirs = ours.replace("row: 7777\n", "row: 0\n")
    assert places(side_by_side(ours, theirs)) == [7777]
    assert len(places(side_by_side(ours, ours.replace("row", "line")))) == 1


def test_the_dialog_goes_from_difference_to_difference_and_around(qtbot: QtBot) -> None:
    dialog = ConflictDialog(Path("s.yaml"), "a\nb\nc\nd", "x\nb\nc\ny")
    qtbot.addWidget(dialog)
    assert dialog.place.text() == "Difference 1 of 2"
    dialog.next_button.click()
    assert dialog.place.text() == "Difference 2 of 2"
    assert dialog.theirs.editor.textCursor().blockNumber() == 3
    dialog.next_button.click()
    assert dialog.place.text() == "Difference 1 of 2"
    assert dialog.answer is ConflictAnswer.CANCEL


def test_line_ends_alone_are_named_as_the_difference(qtbot: QtBot) -> None:
    dialog = ConflictDialog(Path("s.yaml"), "a\nb\n", "a\r\nb\r\n")
    qtbot.addWidget(dialog)
    assert dialog.place.text() == "They differ only in line endings."
