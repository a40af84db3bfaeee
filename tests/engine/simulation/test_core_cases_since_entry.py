"""Small files on what counts from the moment of an entry, each against arithmetic by hand, as a user would run them.

Each rule has neighbours of its kind: the other side, other kinds of orders, prices met exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.small_cases import (
    Row,
    SmallCase,
    assert_fills,
    assert_rows,
    orders_of,
    trades_of,
)

FLAT = (100, 101, 99, 100)
LONG = (*FLAT, "enter_long")
SHORT = (*FLAT, "enter_short")


def test_a_trailing_stop_knows_no_price_from_before_the_entry(tmp_path: Path) -> None:
    case = SmallCase("use: limit, offset_ticks: 100", risk=["use: trailing_stop, percent: 5"])
    calm = (98.5, 99, 98, 98.5)
    result = case.trade(tmp_path, [LONG, (110, 110, 98, 98.5), calm, calm])
    # Best price since the entry at 99: 99. The stop stays at 94.05.
    assert_fills(result, (1, "buy", 10, 99, "entry"))
    assert_rows(orders_of(result, "order_type", "price")[1:], [("stop", 94.05)])
    assert not result.interventions.rows()


def test_a_trailing_stop_of_a_short_knows_no_price_from_before_the_entry(tmp_path: Path) -> None:
    case = SmallCase("use: limit, offset_ticks: 100", risk=["use: trailing_stop, percent: 5"])
    calm = (101.5, 102, 101, 101.5)
    result = case.trade(tmp_path, [SHORT, (90, 102, 90, 101.5), calm, calm])
    assert_fills(result, (1, "sell", 10, 101, "entry"))
    assert_rows(orders_of(result, "order_type", "price")[1:], [("stop", 106.05)])


def test_a_trailing_stop_follows_the_extreme_that_came_after_a_stop_entry(tmp_path: Path) -> None:
    case = SmallCase("use: stop_entry, line: 102", risk=["use: trailing_stop, percent: 5"])
    result = case.trade(tmp_path, [LONG, (100, 110, 99, 104), (105, 106, 104, 105)])
    # A buy stop was reached on the way up, so the high of 110 is after it: 110 - 5 % = 104.5, from the next bar on.
    assert_fills(result, (1, "buy", 10, 102, "entry"), (2, "sell", 10, 104.5, "trailing_stop"))


def test_breaking_even_knows_no_price_from_before_the_entry(tmp_path: Path) -> None:
    case = SmallCase("use: limit, offset_ticks: 100", risk=["use: break_even, percent: 5"])
    bars = [LONG, (110, 110, 98, 98.5), (98.5, 98.8, 98, 98.2), (98.5, 99, 98, 98.5)]
    assert_fills(case.trade(tmp_path, bars), (1, "buy", 10, 99, "entry"))
    # The same for a short at 101 in a bar that opened at its low of 90.
    bars = [SHORT, (90, 102, 90, 101.5), (101.5, 102, 101.2, 101.8), (101.5, 102, 101, 101.5)]
    assert_fills(case.trade(tmp_path, bars), (1, "sell", 10, 101, "entry"))


def test_breaking_even_counts_the_close_of_the_bar_of_the_entry(tmp_path: Path) -> None:
    case = SmallCase("use: limit, offset_ticks: 100", risk=["use: break_even, percent: 5"])
    result = case.trade(tmp_path, [LONG, (100, 105, 98, 103.95), (103, 104, 99, 99.5)])
    # 99 + 5 % = 103.95 was the close, after the entry for certain: the stop is at 99 from the next bar on.
    assert_fills(result, (1, "buy", 10, 99, "entry"), (2, "sell", 10, 99, "break_even"))


@pytest.mark.parametrize(
    ("node", "entry", "bar", "against", "favour"),
    [
        # Sell limit 101 in a bar from 94, low 90, high 101.5, close 101. Later 101.5 and 100.5, then out at 101.
        ("use: limit, line: 101", SHORT, (94, 101.5, 90, 101), 0.5, 0.5),
        # Buy limit 99 from 110: of 110 nothing counts, the low of 98 does.
        ("use: limit, line: 99", LONG, (110, 110, 98, 101), 1, 2.5),
        # Buy stop 102: the low may have come before, the high of 110 came after.
        ("use: stop_entry, line: 102", LONG, (100, 110, 90, 101), 1.5, 8),
        # Sell stop 98: the low of 90 came after it, the high of 103 may not have.
        ("use: stop_entry, line: 98", SHORT, (100, 103, 90, 101), 3.5, 8),
    ],
)
def test_excursions_count_from_the_entry_inside_a_bar(
    node: str, entry: tuple[object, ...], bar: tuple[float, ...], against: float, favour: float, tmp_path: Path
) -> None:
    calm = (101, 101.5, 100.5, 101)
    leave = (*calm, "exit_long exit_short")
    result = SmallCase(node).trade(tmp_path, [entry, bar, leave, calm])
    assert_rows(trades_of(result, "exit_bar", "mae", "mfe"), [(3, against, favour)])


@pytest.mark.parametrize(("held", "place"), [(held, place) for held in range(1, 7) for place in range(held)])
def test_excursions_count_at_each_bar_on_which_nothing_happens(held: int, place: int, tmp_path: Path) -> None:
    calm = (101, 101.5, 100.5, 101)
    bars = [calm] * held
    bars[place] = (101, 105, 99, 101)
    result = SmallCase("use: market").trade(tmp_path, [LONG, calm, *bars, (*calm, "exit_long"), calm])
    # In at 101, later between 99 and 105.
    assert_rows(trades_of(result, "exit_bar", "mae", "mfe"), [(held + 3, 2, 4)])


@pytest.mark.parametrize("side", ["long", "short"])
@pytest.mark.parametrize(
    "risk",
    [["use: trailing_stop, percent: 5"], ["use: trailing_stop, percent: 5", "use: break_even, percent: 50"]],
    ids=["one rule", "several rules"],
)
@pytest.mark.parametrize("place", range(4))
def test_excursions_count_while_a_stop_follows(place: int, risk: list[str], side: str, tmp_path: Path) -> None:
    calm = (101, 101.5, 100.5, 101)
    bars = [calm] * 4
    bars[place] = (101, 103, 99, 101)
    result = SmallCase("use: market", risk=risk).trade(
        tmp_path, [LONG if side == "long" else SHORT, calm, *bars, (*calm, f"exit_{side}"), calm]
    )
    # In at 101, later between 99 and 103; the stop stays 5 % away from the best price.
    assert_rows(trades_of(result, "exit_bar", "mae", "mfe"), [(7, 2, 2)])


RISEN = [(100, 101, 99, 100), (100, 120, 99, 118), (118, 119, 110, 117), (117, 118, 108, 112), FLAT]
FALLEN = [(100, 101, 99, 100), (100, 101, 80, 82), (82, 86, 81, 83), (83, 88, 82, 84), FLAT]


def test_a_trailing_stop_that_has_moved_is_reached_by_a_price_that_equals_it(tmp_path: Path) -> None:
    case = SmallCase(risk=["use: trailing_stop, percent: 10"])
    # The best prices are 120 and 80, the stops 108 and 88.
    result = case.trade(tmp_path, [LONG, *RISEN])
    assert_fills(result, (1, "buy", 10, 100, "entry"), (4, "sell", 10, 108, "trailing_stop"))
    result = case.trade(tmp_path, [SHORT, *FALLEN])
    assert_fills(result, (1, "sell", 10, 100, "entry"), (4, "buy", 10, 88, "trailing_stop"))


def test_trailing_stops_move_beside_an_instrument_on_which_nothing_happens(tmp_path: Path) -> None:
    case = SmallCase(risk=["use: trailing_stop, percent: 10"], run="{cash: 100000, margin: {maintenance_percent: 0}}")
    bars: dict[str, Sequence[Row]] = {"A": [SHORT, *FALLEN], "B": [FLAT] * 6, "C": [LONG, *RISEN]}
    assert_fills(
        case.trade(tmp_path, bars),
        ("A", 1, "sell", 10, 100, "entry"),
        ("C", 1, "buy", 10, 100, "entry"),
        ("A", 4, "buy", 10, 88, "trailing_stop"),
        ("C", 4, "sell", 10, 108, "trailing_stop"),
    )


def test_the_best_move_of_a_short_by_a_limit_is_one(tmp_path: Path) -> None:
    bars = [SHORT, (94, 101.5, 90, 101), (101, 101.5, 100.5, 101), (101, 102, 100, 101, "exit_short"), FLAT]
    result = SmallCase("use: limit, offset_ticks: 100").trade(tmp_path, bars)
    # Short at 101: afterwards between 100 and 102.
    assert_rows(trades_of(result, "entry_price", "mae", "mfe"), [(101, 1, 1)])
