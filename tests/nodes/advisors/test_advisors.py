from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from quantcrafter.engine.api import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, Signals
from quantcrafter.nodes import advisors
from quantcrafter.testing import make_bars, wired
from tests.support.columns import NAN, conditions, series

BY_NAME = {cls.name: cls for cls in advisors.COMPONENTS}
NAMES = {"L": ENTER_LONG, "l": EXIT_LONG, "S": ENTER_SHORT, "s": EXIT_SHORT, ".": 0}


def flags(text: str) -> np.ndarray:
    """Return flags from a text of bars such as `L . l Sl`: capitals enter, small letters leave."""
    return np.array([sum(NAMES[letter] for letter in bar) for bar in text.split()], np.uint8)


def text_of(column: np.ndarray) -> str:
    bars = ("".join(name for name, flag in NAMES.items() if value & flag) or "." for value in column)
    return " ".join(bars)


def check(name: str, columns: dict[str, Any], expected: str, **values: Any) -> None:
    result = wired(BY_NAME[name], **values).compute(**columns)
    assert result.dtype == np.uint8
    assert text_of(result) == text_of(flags(expected))


@pytest.mark.parametrize(
    ("direction", "expected"),
    [("long", ". L . . l . L"), ("short", ". s . . S . s"), ("both", ". Ls . . Sl . Ls")],
)
def test_a_crossover_enters_at_one_cross_and_leaves_at_the_other(direction: str, expected: str) -> None:
    columns = {"fast": series(1, 3, 2, 3, 1, 2, 3), "slow": np.full(7, 2.0)}
    check("crossover", columns, expected, direction=direction)


def test_a_crossover_waits_for_both_lines() -> None:
    check("crossover", {"fast": series(3, 3, 1, 3), "slow": series(NAN, 2, 2, 2)}, ". . l L")


RSI = series(50, 28, 25, 32, 71, 75, 65, 29)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("cross", ". L . . l . . L"), ("return", ". . . L l . . ."), ("inside", ". L L . l l . L")],
)
def test_levels_buy_weakness_and_sell_strength(mode: str, expected: str) -> None:
    check("levels", {"input": RSI}, expected, mode=mode)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("cross", ". s . . S . . s"), ("return", ". s . . . . S s"), ("inside", ". s s . S S . s")],
)
def test_levels_for_shorts_are_the_mirror(mode: str, expected: str) -> None:
    check("levels", {"input": RSI}, expected, mode=mode, direction="short")


def test_levels_with_the_entry_above_the_exit_buy_strength() -> None:
    line = series(50, 61, 55, 39, 62)
    check("levels", {"input": line}, ". L . l L", long_entry=60, long_exit=40)
    mirrored = 100 - line
    check("levels", {"input": mirrored}, ". S . s S", short_entry=40, short_exit=60, direction="short")


def test_a_line_on_a_level_is_not_beyond_it() -> None:
    check("levels", {"input": series(50, 30, 29.9, 70, 70.1)}, ". . L . l")


def test_equal_levels_are_refused_where_they_are_used() -> None:
    with pytest.raises(ValidationError, match="long_entry and long_exit must differ, both were 50"):
        wired(BY_NAME["levels"], long_entry=50, long_exit=50)
    wired(BY_NAME["levels"], short_entry=50, short_exit=50)


def test_a_breakout_compares_with_the_bars_before_only() -> None:
    bars = make_bars([5, 6, 5, 7, 7, 4, 3, 8], high=[6, 6, 6, 7, 9, 7, 4, 8], low=[4, 5, 5, 5, 6, 4, 3, 3])
    check("breakout", {"bars": bars}, ". . . L . l l L", entry_bars=2, exit_bars=1)
    check("breakout", {"bars": bars}, ". . . Ls . Sl Sl Ls", entry_bars=2, exit_bars=1, direction="both")


def test_a_breakout_needs_its_channel() -> None:
    check("breakout", {"bars": make_bars([1, 2, 3, 4])}, ". . . L", entry_bars=3, exit_bars=2)
    check("breakout", {"bars": make_bars([])}, "")


BAND = {"upper": np.full(8, 3.0), "middle": np.full(8, 2.0), "lower": np.full(8, 1.0)}


@pytest.mark.parametrize(
    ("direction", "expected"),
    [("long", ". . . L l l l ."), ("short", "s s s s s . S s"), ("both", "s s s Ls ls l Sl s")],
)
def test_a_band_reversal_enters_on_the_way_back_and_leaves_at_the_middle(direction: str, expected: str) -> None:
    line = series(1.5, 0.5, 0.5, 1.2, 2, 3.5, 2.5, 1.5)
    check("band_reversal", {"input": line, **BAND}, expected, direction=direction)


def test_a_band_reversal_that_jumps_to_the_middle_is_no_entry() -> None:
    columns = {"input": series(0.5, 2.5), **{name: band[:2] for name, band in BAND.items()}}
    check("band_reversal", columns, ". l")


def test_a_rule_needs_all_for_an_entry_and_any_for_an_exit() -> None:
    columns = {
        "enter_long": (conditions("xx.."), conditions("x.x.")),
        "exit_long": (conditions(".x.."), conditions("...x")),
        "enter_short": (conditions("..x."),),
        "exit_short": (),
    }
    check("rule", columns, "L l S l")
    check("rule", columns, "L L LS .", combine="any", combine_exits="all")


def test_a_rule_leaves_out_legs_that_are_not_wired() -> None:
    component = BY_NAME["rule"].model_validate({"enter_short": ["a"]})
    assert text_of(component.compute(enter_short=(conditions("x."),))) == "S ."


def test_a_rule_may_have_exits_alone() -> None:
    component = BY_NAME["rule"].model_validate({"exit_long": ["a"]})
    assert text_of(component.compute(exit_long=(conditions("x."),))) == "l ."


def test_a_rule_without_a_condition_is_refused() -> None:
    with pytest.raises(ValidationError, match="one of enter_long, exit_long, enter_short and exit_short"):
        BY_NAME["rule"].model_validate({})


PATTERN = series(0, 100, 0, 80, 0, 0, -100, 0, 0, 0)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ". L . L . . l . . ."),
        ({"direction": "both"}, ". Ls . Ls . . Sl . . ."),
        ({"direction": "short"}, ". s . s . . S . . ."),
        ({"threshold": 100}, ". L . . . . l . . ."),
        ({"hold": 2}, ". L . L . l l . . ."),
        ({"hold": 2, "direction": "both"}, ". Ls . Ls . l Sl . s ."),
    ],
)
def test_a_candlestick_pattern_opens_and_its_opposite_or_time_closes(values: dict[str, Any], expected: str) -> None:
    check("candlestick", {"pattern": PATTERN}, expected, **values)


def vote(need: int, *voters: str) -> str:
    component = BY_NAME["vote"].model_validate({"signals": [f"a{i}" for i in range(len(voters))], "need": need})
    return text_of(component.compute(signals=tuple(Signals(flags(voter)) for voter in voters)))


def test_a_vote_enters_when_enough_stand_together_and_leaves_when_they_do_not() -> None:
    assert vote(2, "L . . l .", ". L . . .", ". . L . l") == ". L . . l"


def test_a_vote_counts_stances_not_signals() -> None:
    assert vote(2, "L s . .", ". . . L") == ". . . L"


def test_a_vote_that_turns_leaves_and_enters_at_one_bar() -> None:
    assert vote(1, "L . Sl . s") == "L . lS . s"


def test_a_tie_of_both_sides_is_no_vote() -> None:
    assert vote(1, "L . .", ". S .") == "L l ."


def test_an_entry_both_ways_at_one_bar_is_no_stance() -> None:
    assert vote(1, "LS . L") == ". . L"


def test_a_vote_cannot_need_more_than_there_are() -> None:
    with pytest.raises(ValidationError, match="need must be at most the number of signals, 1, was 2"):
        BY_NAME["vote"].model_validate({"signals": ["a"]})


@given(st.lists(st.integers(0, 15), max_size=40))
def test_a_vote_of_one_never_enters_twice_without_leaving(values: list[int]) -> None:
    component = BY_NAME["vote"].model_validate({"signals": ["a"], "need": 1})
    result = component.compute(signals=(Signals(np.array(values, np.uint8)),))
    for enter, leave in ((ENTER_LONG, EXIT_LONG), (ENTER_SHORT, EXIT_SHORT)):
        legs = [int(value) & (enter | leave) for value in result if int(value) & (enter | leave)]
        assert legs == [enter, leave] * (len(legs) // 2) + [enter] * (len(legs) % 2)


@pytest.mark.parametrize("cls", advisors.COMPONENTS, ids=lambda cls: cls.name)
def test_every_advisor_explains_itself(cls: Any) -> None:
    assert cls.category
    assert "Known at the bar's close" in " ".join(cls.help().split())
    assert all(port.description for port in cls.inputs())
    assert all(cls.model_fields[name].description for name in cls.parameters())
