"""Values are written with about five digits, and as words where they are no numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.app.services.value_texts import flags_text, number_text, position_text, value_text
from quantcrafter.engine.runtime.explain import Value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (19.7, "19.7"),
        (84.46512, "84.465"),
        (0.0, "0"),
        (-0.0125, "-0.0125"),
        (1147.0, "1147"),
        (1234567.8, "1,234,568"),
        (1.23456e-7, "1.2346e-07"),
        (3.2e12, "3.2e+12"),
        (math.nan, "\N{EN DASH}"),
        (math.inf, "\N{EN DASH}"),
        (99999.96, "100000"),
    ],
)
def test_numbers_have_five_digits(value: float, text: str) -> None:
    assert number_text(value) == text


@given(st.floats(-1e300, 1e300))
def test_a_number_is_near_what_is_written(value: float) -> None:
    written = float(number_text(value).replace(",", ""))
    assert written == pytest.approx(value, rel=1e-4)


def test_conditions_filters_signals_and_positions_are_words() -> None:
    assert value_text(Value("condition", "value", 1.0)) == "true"
    assert value_text(Value("filter", "filter", 1.0, passes=False)) == "blocks"
    assert value_text(Value("signal", "signal", 0.0)) == "no signal"
    assert flags_text(1 | 8) == "enter long, exit short"
    assert [position_text(quantity) for quantity in (0, 12, -0.5)] == ["flat", "long 12", "short 0.5"]
