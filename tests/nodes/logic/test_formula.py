from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from quantcrafter.nodes.logic.expression import NAMES
from quantcrafter.nodes.logic.formula import Formula
from quantcrafter.testing import wired
from tests.support.columns import NAN, series


def formula(text: str, used: str = "ab") -> Formula:
    return wired(Formula, formula=text, **{name: None for name in NAMES if name not in used})


def value(text: str, **inputs: Any) -> float:
    columns = {name: series(number) for name, number in inputs.items()}
    return float(formula(text, "".join(inputs)).compute(**columns)[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * 2", 16.0),
        ("(a + b) * 2", 22.0),
        ("a - b - 1", 0.0),
        ("-a ** 2 + 0 * b", -36.0),
        ("a / b", 1.2),
        ("a / (b - 5)", NAN),
        ("1 / (a / (b - 5))", NAN),
        ("a ** 3 - b", 211.0),
        ("min(a, b, 2) + max(a, b)", 8.0),
        ("a > b", 1.0),
        ("4 < b < a", 1.0),
        ("a < b or not b", 0.0),
        ("a > b and b > 4", 1.0),
        ("a == 6 and b != 5", 0.0),
        ("where(a > b, a, b) * 10", 60.0),
        ("sqrt(b - a)", NAN),
        ("sqrt(a * a) + b", 11.0),
        ("log(a - 6) + b", NAN),
        ("exp(a * 1000) + b", NAN),
        ("log(exp(b)) + a", 11.0),
        ("floor(a / b) + ceil(a / b)", 3.0),
        ("floor(-a / b) + ceil(-a / b)", -3.0),
        ("abs(b - a)", 1.0),
        ("+a - -b", 11.0),
    ],
)
def test_an_expression_is_calculated(text: str, expected: float) -> None:
    np.testing.assert_allclose(value(text, a=6.0, b=5.0), expected, rtol=1e-15)


def test_a_comparison_with_nan_is_0_and_nan_is_not_true() -> None:
    assert value("(a > b) + (a <= b) + (a == b) + (a != b)", a=NAN, b=1.0) == 0.0
    assert value("where(a, 1, 2) * b", a=NAN, b=1.0) == 2.0
    assert value("not a and b", a=NAN, b=1.0) == 1.0
    assert math.isnan(value("min(a, b)", a=NAN, b=1.0))


def test_brackets_look_back() -> None:
    node = formula("a - a[2]", "a")
    np.testing.assert_array_equal(node.compute(a=series(1, 2, 4, 8)), [NAN, NAN, 3, 6])
    assert (node.warmup(), node.lookback()) == (2, 2)


@given(st.floats(allow_nan=True, allow_infinity=False), st.floats(allow_nan=True, allow_infinity=False))
def test_python_calculates_the_same(a: float, b: float) -> None:
    result = value("(a + b) * a - b / 3", a=a, b=b)
    expected = (a + b) * a - b / 3
    np.testing.assert_equal(result, expected if math.isfinite(expected) else NAN)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the formula is empty"),
        ("a +", "is not an expression, at character"),
        ("a + x", "'x' is not known: series are called a to h"),
        ("a.real + b", "'a.real' can't be used in a formula"),
        ("__import__('os').system('true')", "can't be used in a formula"),
        ("[a, b]", "can't be used in a formula"),
        ("lambda: a", "can't be used in a formula"),
        ("a if b else a", "can't be used in a formula"),
        ("a + 'text'", "can't be used in a formula"),
        ("a + True", "can't be used in a formula"),
        ("a + 1e999", "can't be used in a formula"),
        ("a ^ b", "a power is written"),
        ("a ** b", "takes a whole number from 2 to 8"),
        ("a ** 0.5", "for a root, use sqrt"),
        ("a % b", "can't be used in a formula"),
        ("a is b", "can't be used in a formula"),
        ("a[0] + b", "a number of bars from 1"),
        ("a[b]", "a number of bars from 1"),
        ("a[-1] + b", "a number of bars from 1"),
        ("pow(a, b)", "'pow' is not a function"),
        ("sqrt(a, b)", "sqrt takes 1 arguments, was given 2"),
        ("min(a)", "min takes 2 - 8 arguments, was given 1"),
        ("min(a, *b)", "can't be used in a formula"),
        ("max(a, b, key=a)", "can't be used in a formula"),
        ("a + " * 200 + "b", "at most 500 characters"),
        ("a", "'b' is connected, but the formula doesn't use it"),
        ("a + b + c", "the formula uses 'c', which is not connected"),
    ],
)
def test_anything_else_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        formula(text)
    assert message in str(caught.value)


def test_a_formula_of_numbers_alone_is_refused() -> None:
    with pytest.raises(ValidationError, match="'a' is connected, but the formula doesn't use it"):
        formula("1 + 2", "a")


@given(st.text(max_size=60) | st.text(alphabet="abc+-*/()[]<>=,. 019minot", max_size=40))
def test_any_text_is_an_expression_or_refused_in_words(text: str) -> None:
    try:
        node = wired(Formula, formula=text)
    except ValidationError as error:
        assert "formula" in str(error) or "'" in str(error)  # noqa: PT017 - either may happen
    else:
        assert len(node.compute(**{name: series(1, 2, 3) for name in NAMES})) == 3
