from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from quantcrafter.nodes import logic
from quantcrafter.testing import wired
from tests.support.columns import NAN, conditions, series

BY_NAME = {cls.name: cls for cls in logic.COMPONENTS}


def run(name: str, columns: dict[str, Any], **values: Any) -> Any:
    return wired(BY_NAME[name], **values).compute(**columns)


def text(column: np.ndarray) -> str:
    return "".join("x" if value else "." for value in column)


def test_a_value_is_held_from_the_bar_of_the_condition_on() -> None:
    columns = {"input": series(1, 2, 3, NAN, 5, 6), "condition": conditions(".x.xx.")}
    np.testing.assert_array_equal(run("value_when", columns), [NAN, 2, 2, NAN, 5, 5])
    np.testing.assert_array_equal(run("value_when", columns, occurrence=1), [NAN, NAN, NAN, 2, NAN, NAN])
    np.testing.assert_array_equal(run("value_when", columns, occurrence=2), [NAN, NAN, NAN, NAN, 2, 2])


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 4))
def test_a_value_is_that_of_the_bar_found_by_looking_back(held: list[bool], occurrence: int) -> None:
    columns = {"input": np.arange(float(len(held))), "condition": np.array(held, np.bool_)}
    result = run("value_when", columns, occurrence=occurrence)
    for bar in range(len(held)):
        times = [at for at in range(bar, -1, -1) if held[at]]
        expected = times[occurrence] if len(times) > occurrence else NAN
        np.testing.assert_equal(result[bar], float(expected))


def test_a_latch_holds_between_set_and_reset() -> None:
    columns = {"set": conditions(".x...xx.x"), "reset": conditions("...x..x..")}
    assert text(run("latch", columns)) == ".xx..x..x"
    assert text(run("latch", columns, priority="set")) == ".xx..xxxx"


def test_a_counter_begins_again_at_its_restart_and_counts_that_bar() -> None:
    columns = {"condition": conditions("xx.xx.x"), "restart": conditions("....xx.")}
    np.testing.assert_array_equal(run("counter", columns), [1, 2, 2, 3, 1, 0, 1])
    np.testing.assert_array_equal(run("counter", {"condition": columns["condition"]}), [1, 2, 2, 3, 4, 4, 5])


def test_once_holds_at_the_first_time_since_the_restart() -> None:
    columns = {"condition": conditions(".xx.xx.x"), "restart": conditions("x..x.x..")}
    assert text(run("once", columns)) == ".x..xx.."
    assert text(run("once", {"condition": columns["condition"]})) == ".x......"


def test_phases_follow_one_another_at_later_bars() -> None:
    first, second, third = conditions("xx....x.x"), conditions("x.x....x."), conditions("..x.x...x")
    phase, done = run("phases", {"conditions": (first, second, third)})
    # Bar 0 has the first two, but counts one; bar 2 has the last two, but counts the second one only.
    np.testing.assert_array_equal(phase, [1, 1, 2, 2, 3, 0, 1, 2, 3])
    assert text(done) == "....x...x"


def test_phases_begin_again_at_a_restart_and_after_the_last_one() -> None:
    columns = {"conditions": (conditions("x.x.x"), conditions(".x..x")), "restart": conditions("...x.")}
    phase, done = run("phases", columns)
    np.testing.assert_array_equal(phase, [1, 2, 1, 0, 1])
    assert text(done) == ".x..."


def test_more_phases_than_a_number_has_bits_are_refused() -> None:
    with pytest.raises(ValidationError, match="conditions must be at most 32, were 33"):
        wired(BY_NAME["phases"], conditions=("x.a",) * 33)


def test_where_takes_one_series_or_the_other() -> None:
    columns = {"condition": conditions("x.x."), "then": series(1, 2, NAN, 4), "otherwise": series(5, 6, 7, NAN)}
    np.testing.assert_array_equal(run("where", columns), [1, 6, NAN, NAN])


def test_select_takes_the_first_condition_that_holds() -> None:
    columns = {
        "conditions": (conditions("x.x."), conditions("xx..")),
        "values": (series(1, 1, 1, 1), series(2, 2, 2, 2)),
        "otherwise": series(0, 0, 0, 0),
    }
    np.testing.assert_array_equal(run("select", columns), [1, 2, 1, 0])


def test_select_needs_a_value_for_each_condition() -> None:
    with pytest.raises(ValidationError, match="values must be as many as conditions, 2, were 1"):
        wired(BY_NAME["select"], conditions=("x.a", "x.b"), values=("x.c",))
