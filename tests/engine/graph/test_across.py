"""Which instruments count at a moment, and what a component that sees them is given."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api import (
    ComponentError,
    ConditionInput,
    FloatColumn,
    Logic,
    Output,
    PortType,
    SeesUniverse,
    SeriesInput,
    SeriesInputs,
    Universe,
    port,
)
from quantcrafter.engine.graph.across import Members, across, joint_moments, moments_of
from quantcrafter.testing import wired

DAY = 86_400_000_000_000
SYMBOLS = ("A", "B", "C")


class Seen(SeesUniverse, Logic):
    """Give the number of instruments that count, and the sum of their values."""

    name = "seen"
    outputs: ClassVar[tuple[Output, ...]] = (Output("count", PortType.SERIES), Output("total", PortType.SERIES))
    input: SeriesInput = port("The value.")

    def across(self, universe: Universe, **inputs: FloatColumn) -> tuple[FloatColumn, FloatColumn]:
        shape = universe.counts.shape
        count = universe.counts.sum(axis=1, keepdims=True)
        total = np.nansum(inputs["input"], axis=1, keepdims=True)
        return np.broadcast_to(count, shape), np.broadcast_to(total, shape)


def days(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64) * DAY


def seen(closes: list[np.ndarray], place: int, values: list[Any] | None = None, **parameters: Any) -> list[list[float]]:
    """Return the rows that an instrument is given at its bars: how many count, and the sum of their values."""
    columns = [{"input": np.array(each, np.float64)} for each in values or [np.ones(len(each)) for each in closes]]
    tables = across(
        wired(Seen, **parameters), "seen", Members(SYMBOLS[: len(closes)]), moments_of(closes[place]), closes, columns
    )
    return [table[:, place].tolist() for table in tables]


def test_an_instrument_counts_from_its_first_bar_to_its_last() -> None:
    closes = [days(1, 2, 3, 4, 5), days(3, 4, 5), days(1, 2)]
    assert seen(closes, 0)[0] == [2, 2, 2, 2, 2]
    assert seen(closes, 1)[0] == [2, 2, 2]
    assert seen(closes, 2)[0] == [2, 2]


def test_the_first_bar_of_an_instrument_sees_those_that_close_with_it() -> None:
    assert seen([days(1, 2), days(2, 3)], 1)[0] == [2, 1]


def test_a_bar_counts_if_it_closed_since_the_bar_before() -> None:
    # The second instrument has no bar on day 3, but the first one has none on days 4 and 5 either.
    assert seen([days(1, 2, 3, 6), days(1, 2, 5)], 0)[0] == [2, 2, 1, 2]


def test_an_older_bar_counts_while_it_is_not_too_old() -> None:
    closes = [days(1, 2, 3, 4, 5, 6), days(1, 2)]
    assert seen(closes, 0, max_age_days=2)[0] == [2, 2, 2, 2, 1, 1]


def test_the_last_value_known_at_the_moment_is_taken() -> None:
    closes, values = [days(2, 4), days(1, 2, 3, 5)], [[1, 1], [10, 20, 30, 99]]
    assert seen(closes, 0, values)[1] == [21, 31]


def test_a_group_is_compared_by_itself() -> None:
    closes = [days(1, 2)] * 3
    members = Members(SYMBOLS, {"kind": ("x", "y", "x")})
    columns = [{"input": np.full(2, value)} for value in (1.0, 10.0, 100.0)]
    moments, rows = joint_moments(closes)
    count, total = across(wired(Seen, within="kind"), "seen", members, moments, closes, columns)
    assert count.tolist() == [[2, 1, 2]] * 2
    assert total.tolist() == [[101, 10, 101]] * 2
    assert [each.tolist() for each in rows] == [[0, 1]] * 3


TIMES = st.lists(st.sets(st.integers(1, 12), max_size=9), min_size=1, max_size=3)


@settings(max_examples=150, deadline=None)
@given(sets=TIMES, age=st.sampled_from([0.0, 1.0, 3.0]))
def test_moments_of_all_instruments_give_each_what_its_own_give(sets: list[set[int]], age: float) -> None:
    closes = [days(*sorted(each)) for each in sets]
    random = np.random.default_rng(len(sets))
    values = [random.normal(size=len(each)) for each in closes]
    members = Members(SYMBOLS[: len(closes)])
    columns = [{"input": each} for each in values]
    moments, rows = joint_moments(closes)
    assert (np.diff(moments.close_ns) >= 0).all()
    together = across(wired(Seen, max_age_days=age), "seen", members, moments, closes, columns)
    for place, own in enumerate(closes):
        alone = seen(closes, place, values, max_age_days=age)
        assert [table[rows[place], place].tolist() for table in together] == alone
        for number, now in enumerate(own):  # by hand
            before = own[number - 1] if number else now - 1
            counted = [
                each[each <= now][-1] > before or (age > 0 and now - each[each <= now][-1] <= age * DAY)
                for each in closes
                if (each <= now).any()
            ]
            assert alone[0][number] == sum(counted)


class Several(SeesUniverse, Logic):
    """Add up several values where a condition holds."""

    name = "several"
    outputs = (Output("value", PortType.SERIES),)
    values: SeriesInputs = port("The values.")
    when: ConditionInput = port("The condition.")

    def across(self, universe: Universe, **inputs: Any) -> FloatColumn:
        assert inputs["when"].dtype == np.bool_
        assert not inputs["when"][~universe.counts].any()
        return np.where(inputs["when"], np.add(*inputs["values"]), -1.0)


def test_a_port_may_take_a_list_and_a_condition() -> None:
    closes = [days(1, 2), days(2)]
    columns: list[dict[str, Any]] = [
        {"values": (np.array([1.0, 2.0]), np.array([10.0, 20.0])), "when": np.array([True, False])},
        {"values": (np.array([5.0]), np.array([50.0])), "when": np.array([True])},
    ]
    component = Several(values=("a", "b"), when="c")
    (table,) = across(component, "several", Members(("A", "B")), moments_of(closes[0]), closes, columns)
    assert table.tolist() == [[11, -1], [-1, 55]]


class Wrong(Seen):
    """Give what is no table."""

    name = "wrong"
    outputs = (Output("value", PortType.SERIES),)
    kind: str = "shape"

    def across(self, universe: Universe, **inputs: FloatColumn) -> Any:
        if self.kind == "raise":
            raise ValueError("out of order")
        if self.kind == "many":
            return inputs["input"], inputs["input"]
        return inputs["input"][0] if self.kind == "shape" else universe.counts


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("shape", "float64 of shape"),
        ("type", "returned bool"),
        ("many", "must return 1 array"),
        ("raise", "failed on 1 instruments: ValueError: out of order"),
    ],
)
def test_a_wrong_answer_is_an_error_with_the_node(kind: str, said: str) -> None:
    with pytest.raises(ComponentError, match=said) as raised:
        across(
            wired(Wrong, kind=kind), "mine", Members(("A",)), moments_of(days(1)), [days(1)], [{"input": np.ones(1)}]
        )
    assert raised.value.node == "mine"
