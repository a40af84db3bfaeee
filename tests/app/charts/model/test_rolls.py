"""Rolls on the chart: one by one from near, together from afar."""

from __future__ import annotations

from quantcrafter.app.charts.model.rolls import RollMarks
from quantcrafter.engine.api.engine import Roll


def rolls(*bars: int) -> RollMarks:
    return RollMarks([Roll(bar, 10.0, 12.0, f"C{n}", f"C{n + 1}") for n, bar in enumerate(bars)])


def bars_of(marks: RollMarks, left: float, right: float, distance: float) -> list[list[int]]:
    return [[roll.bar for roll in group.rolls] for group in marks.groups(left, right, distance)]


def test_rolls_in_view_are_given_and_those_that_are_close_together() -> None:
    marks = rolls(50, 110, 170, 400)
    assert bars_of(marks, 0, 500, 10) == [[50], [110], [170], [400]]
    assert bars_of(marks, 0, 500, 100) == [[50, 110], [170], [400]]
    assert bars_of(marks, 110, 170, 10) == [[110], [170]]
    assert bars_of(marks, 171.5, 380, 10) == []
    assert [group.place for group in marks.groups(0, 200, 100)] == [79.5, 169.5]


def test_a_roll_is_found_by_its_first_bar() -> None:
    marks = rolls(50, 110)
    assert marks.at(110) is marks.all[1]
    assert marks.at(109) is None
    assert rolls().at(0) is None
