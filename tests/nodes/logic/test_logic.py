from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from quantcrafter.engine.api import ROUND_THE_CLOCK, Session
from quantcrafter.nodes import logic
from quantcrafter.testing import make_bars, random_series, wired
from tests.support.columns import NAN, conditions, series

HOUR_NS = 3_600_000_000_000
BY_NAME = {cls.name: cls for cls in logic.COMPONENTS}


def run(name: str, columns: dict[str, Any], **values: Any) -> np.ndarray:
    column: np.ndarray = wired(BY_NAME[name], **values).compute(**columns)
    return column


def check(result: np.ndarray, *expected: float) -> None:
    np.testing.assert_array_equal(result, np.array(expected, result.dtype))


def check_conditions(result: np.ndarray, expected: str) -> None:
    assert result.dtype == np.bool_
    assert "".join("x" if value else "." for value in result) == expected


def test_a_constant_is_as_long_as_the_bars() -> None:
    check(run("constant", {"bars": make_bars([1, 2, 3])}, value=2.5), 2.5, 2.5, 2.5)


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        ("+", (5, 2, NAN)),
        ("-", (3, 2, NAN)),
        ("*", (4, 0, NAN)),
        ("/", (4, NAN, NAN)),
        ("min", (1, 0, NAN)),
        ("max", (4, 2, NAN)),
    ],
)
def test_arithmetic_has_no_value_where_an_operand_or_the_result_has_none(op: str, expected: tuple[float, ...]) -> None:
    check(run("arithmetic", {"left": series(4, 2, 1), "right": series(1, 0, NAN)}, op=op), *expected)


def test_an_absolute_value_has_no_sign() -> None:
    check(run("absolute", {"input": series(-1, 2, NAN)}), 1, 2, NAN)


def test_a_lag_looks_back() -> None:
    check(run("lag", {"input": series(1, 2, 3)}, bars=2), NAN, NAN, 1)
    check(run("lag", {"input": series(1, 2)}, bars=5), NAN, NAN)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("difference", (NAN, 2, -4, 5)),
        ("percent", (NAN, 100, -100, NAN)),
        ("ratio", (NAN, 2, 0, NAN)),
    ],
)
def test_a_change_is_measured_in_three_ways(kind: str, expected: tuple[float, ...]) -> None:
    check(run("change", {"input": series(2, 4, 0, 5)}, kind=kind), *expected)


@pytest.mark.parametrize(
    ("op", "expected"), [(">", "..x."), (">=", ".xx."), ("<", "x..."), ("<=", "xx.."), ("==", ".x.."), ("!=", "x.x.")]
)
def test_a_comparison_without_a_value_is_false(op: str, expected: str) -> None:
    check_conditions(run("compare", {"left": series(1, 2, 3, NAN), "right": series(2, 2, 2, 2)}, op=op), expected)


def test_between_includes_both_ends() -> None:
    columns = {"input": series(1, 2, 3, 4, NAN), "lower": np.full(5, 2.0), "upper": np.full(5, 3.0)}
    check_conditions(run("between", columns), ".xx..")


@pytest.mark.parametrize(
    ("left", "above", "below"),
    [
        ((1, 3, 1, 3), ".x.x", "..x."),
        ((1, 2, 3, 3), "..x.", "...."),  # a touch on the way up: one cross, when it has left the level
        ((1, 2, 1, 3), "...x", "...."),  # a touch from below is no cross
        ((3, 2, 2, 3), "....", "...."),  # a touch from above is none either
        ((3, 2, 2, 1), "....", "...x"),
        ((NAN, 3, 1, 3), "...x", "..x."),  # nothing is crossed by appearing
        ((1, NAN, NAN, 3), "...x", "...."),
        ((2, 2, 3, 1), "....", "...x"),
    ],
)
def test_a_crossing_is_a_change_of_sides(left: tuple[float, ...], above: str, below: str) -> None:
    columns = {"left": series(*left), "right": np.full(4, 2.0)}
    check_conditions(run("crosses_above", columns), above)
    check_conditions(run("crosses_below", columns), below)


@pytest.mark.parametrize(("touching", "crosses"), [(999, 1), (1000, 0)])
def test_a_side_is_forgotten_after_a_thousand_bars_of_touching(touching: int, crosses: int) -> None:
    left = series(1, *[2] * touching, 3)
    assert run("crosses_above", {"left": left, "right": np.full(len(left), 2.0)}).sum() == crosses


@given(st.lists(st.sampled_from([1.0, 2.0, 3.0, NAN]), max_size=30))
def test_crossings_alternate(values: list[float]) -> None:
    columns = {"left": np.array(values, np.float64), "right": np.full(len(values), 2.0)}
    turns = run("crosses_above", columns).astype(int) - run("crosses_below", columns).astype(int)
    turns = turns[turns != 0]
    assert (np.abs(np.diff(turns)) == 2).all()


def test_conditions_combine() -> None:
    three = {"conditions": (conditions("xx.."), conditions("x.x."), conditions("xxx."))}
    check_conditions(run("and", three), "x...")
    check_conditions(run("or", three), "xxx.")
    check_conditions(run("not", {"input": conditions("x.")}), ".x")


@pytest.mark.parametrize("name", ["and", "or"])
def test_a_combination_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="at least 1"):
        wired(BY_NAME[name], conditions=())


def test_bars_since_counts_from_the_last_time() -> None:
    check(run("bars_since", {"condition": conditions("..x..xx.")}), NAN, NAN, 0, 1, 2, 0, 0, 1)


def test_a_rolling_count_covers_its_window() -> None:
    check(run("rolling_count", {"condition": conditions("xx.xx")}, bars=3), NAN, NAN, 2, 2, 2)
    check(run("rolling_count", {"condition": conditions("xx")}, bars=3), NAN, NAN)
    check(run("rolling_count", {"condition": conditions("x.")}, bars=1), 1, 0)


def test_the_highest_since_starts_anew_with_the_bar_of_the_condition() -> None:
    columns = {"input": series(9, 3, 5, 4, 2, NAN, 8), "condition": conditions(".x..x..")}
    check(run("highest_since", columns), NAN, 3, 5, 5, 2, 2, 8)
    check(run("lowest_since", columns), NAN, 3, 3, 3, 2, 2, 2)


def test_the_highest_since_a_bar_without_a_value_waits_for_the_next() -> None:
    columns = {"input": series(9, NAN, 5), "condition": conditions(".x.")}
    check(run("highest_since", columns), NAN, NAN, 5)


def test_a_rank_tells_the_share_of_lower_values() -> None:
    check(run("rank", {"input": series(1, 3, 2, 2, 9, NAN, 1)}, bars=3), NAN, NAN, 50, 25, 100, NAN, NAN)


def test_a_zscore_is_the_distance_from_the_mean_in_deviations() -> None:
    result = run("zscore", {"input": series(1, 2, 3, 3, 3)}, bars=3)
    np.testing.assert_allclose(result[2:4], [1.5**0.5, 0.5**0.5], rtol=1e-14)
    assert np.isnan(result[[0, 1, 4]]).all()


def test_a_zscore_survives_a_spike_and_a_large_offset() -> None:
    line = random_series(400, 3, flat=0.0)
    plain = run("zscore", {"input": line}, bars=20)
    spiked = line.copy()
    spiked[50] = 1e200
    np.testing.assert_array_equal(run("zscore", {"input": spiked}, bars=20)[71:], plain[71:])
    np.testing.assert_allclose(run("zscore", {"input": line + 1e6}, bars=20)[20:], plain[20:], atol=1e-8)


@given(st.floats(1e-3, 1e6), st.integers(2, 30))
def test_a_line_that_stands_still_has_no_zscore(price: float, bars: int) -> None:
    assert np.isnan(run("zscore", {"input": np.full(40, price)}, bars=bars)).all()


def test_the_time_of_day_is_that_of_the_close_in_the_sessions_zone() -> None:
    check(run("time_of_day", {"bars": make_bars([1, 1])}), 571, 572)


def test_the_time_of_day_follows_daylight_saving() -> None:
    # Berlin, 31 March 2024: 02:00 does not exist. 26 October ends summer time. Bars close hourly from 00:00 UTC.
    session = Session("Europe/Berlin")
    spring = make_bars([1.0] * 3, first_open_ns=1_711_839_600_000_000_000, step_ns=HOUR_NS, session=session)
    check(run("time_of_day", {"bars": spring}), 60, 180, 240)
    autumn = make_bars([1.0] * 3, first_open_ns=1_729_983_600_000_000_000, step_ns=HOUR_NS, session=session)
    check(run("time_of_day", {"bars": autumn}), 120, 120, 180)


def test_the_weekday_is_that_of_the_close() -> None:
    # 2024-01-07 is a Sunday; the bar from 23:00 to midnight closes on Monday.
    bars = make_bars([1.0] * 2, first_open_ns=1_704_664_800_000_000_000, step_ns=HOUR_NS, session=ROUND_THE_CLOCK)
    check(run("weekday", {"bars": bars}), 6, 0)


@pytest.mark.parametrize("cls", logic.COMPONENTS, ids=lambda cls: cls.name)
def test_every_node_explains_itself(cls: Any) -> None:
    assert cls.category
    assert "Known at" in cls.help()
    assert all(port.description for port in cls.inputs())
    assert all(cls.model_fields[name].description for name in cls.parameters())


def test_volatility_is_the_deviation_of_log_returns_a_year_and_waits_out_a_missing_price() -> None:
    prices = 100 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.01, 60)))
    result = run("volatility", {"input": prices}, bars=10, bars_per_year=252)
    returns = np.diff(np.log(prices))
    assert np.isnan(result[:10]).all()
    for bar in range(10, 60):
        assert result[bar] == pytest.approx(100 * returns[bar - 10 : bar].std(ddof=1) * np.sqrt(252))
    prices[20] = np.nan
    gap = run("volatility", {"input": prices}, bars=10, bars_per_year=252)
    assert np.isnan(gap[20:31]).all()
    assert not np.isnan(gap[31])
