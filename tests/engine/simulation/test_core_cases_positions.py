"""Small files on positions that grow, grids and several instruments, each by hand, as a user would run them.

Each rule has neighbours of its kind: the other side, other kinds of orders, prices met exactly.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.small_cases import (
    Row,
    SmallCase,
    assert_fills,
    assert_rows,
    blocked_of,
    equity_of,
    fills_of,
    orders_of,
    trades_of,
)

FLAT = (100, 101, 99, 100)
LONG = (*FLAT, "enter_long")
SHORT = (*FLAT, "enter_short")
TWO_RANGES = ("use: atr_stop, atr: v, multiple: 2",)


# ------------------------------------------------------------------ positions that grow


def test_a_further_entry_without_a_range_is_not_made_and_the_stop_stays(tmp_path: Path) -> None:
    case = SmallCase("use: scale_in, spacing_percent: 2, max_entries: 2", risk=TWO_RANGES)
    bars = [(*LONG, "value=1"), (100, 103, 99.5, 102), (103, 104, 97, 103)]
    result = case.trade(tmp_path, bars)
    assert_fills(result, (1, "buy", 10, 100, "entry"), (2, "sell", 10, 98, "stop_loss"))
    assert blocked_of(result) == [(1, "no_stop_distance")]
    bars = [(*SHORT, "value=1"), (100, 100.5, 97, 98), (97, 103, 96, 97)]
    result = case.trade(tmp_path, bars)
    assert_fills(result, (1, "sell", 10, 100, "entry"), (2, "buy", 10, 102, "stop_loss"))


def test_a_further_entry_with_a_range_moves_the_stop_to_the_average(tmp_path: Path) -> None:
    case = SmallCase("use: scale_in, spacing_percent: 2, max_entries: 2", risk=TWO_RANGES)
    known = "value=1"
    bars = [
        (*LONG, known),
        (100, 103, 99.5, 102),
        (103, 104, 102, 103, known),
        (103, 104, 102, 103, known),
        (90, 91, 50, 51, known),
        (51, 52, 50, 51, known),
    ]
    # 20 at 101.5, stop 99.5, gapped over at 90.
    assert_fills(
        case.trade(tmp_path, bars),
        (1, "buy", 10, 100, "entry"),
        (3, "buy", 10, 103, "scale_in"),
        (4, "sell", 20, 90, "stop_loss"),
    )


@pytest.mark.parametrize("entry", ["enter_long", "enter_short"])
@pytest.mark.parametrize("on_signal", ["true", "false"])
def test_a_bar_that_asks_for_both_sides_adds_nothing(entry: str, on_signal: str, tmp_path: Path) -> None:
    case = SmallCase(f"use: scale_in, spacing_percent: 2, max_entries: 3, on_signal: {on_signal}")
    price = 104 if entry == "enter_long" else 96
    both = (price, price, price, price, "enter_long enter_short")
    result = case.trade(tmp_path, [(*FLAT, entry), FLAT, both])
    assert len(fills_of(result)) == 1
    assert blocked_of(result) == [(2, "contradiction")]


@pytest.mark.parametrize("words", ["enter_long enter_short", "enter_long exit_long", "enter_short exit_short"])
def test_a_contradiction_enters_nothing(words: str, tmp_path: Path) -> None:
    result = SmallCase().trade(tmp_path, [(*FLAT, words), FLAT, FLAT])
    assert not fills_of(result)
    assert blocked_of(result) == [(0, "contradiction")]


# ------------------------------------------------------------------ grids


def test_a_line_of_a_grid_that_was_sold_is_bought_again(tmp_path: Path) -> None:
    case = SmallCase("use: grid, levels: 1, spacing_percent: 5, cap_percent: 1000")
    bars = [LONG, (100, 101, 95, 96), (96, 101, 96, 100), (100, 101, 94, 96), (96, 101, 96, 100), (100, 101, 94, 96)]
    result = case.trade(tmp_path, bars)
    wanted = [(1, "buy", 95), (2, "sell", 100), (3, "buy", 95), (4, "sell", 100), (5, "buy", 95)]
    assert_rows([(bar, side, price) for bar, side, _, price, _ in fills_of(result)], wanted)
    assert_rows(trades_of(result, "exit_bar", "pnl"), [(2, 50), (4, 50)])


def test_a_line_of_a_short_grid_that_was_bought_back_is_sold_again(tmp_path: Path) -> None:
    case = SmallCase("use: grid, levels: 1, spacing_percent: 5, cap_percent: 1000")
    bars = [SHORT, (100, 105, 99, 104), (104, 104, 100, 101), (100, 106, 99, 104), (104, 104, 100, 100), FLAT]
    result = case.trade(tmp_path, bars)
    wanted = [(1, "sell", 105), (2, "buy", 100), (3, "sell", 105), (4, "buy", 100)]
    assert_rows([(bar, side, price) for bar, side, _, price, _ in fills_of(result)], wanted)


@pytest.mark.parametrize("bar", [(96, 101, 96, 100, "exit_long"), (96, 96, 88, 90)])
def test_a_grid_that_has_ended_buys_nothing_again(bar: tuple[object, ...], tmp_path: Path) -> None:
    case = SmallCase(
        "use: grid, levels: 1, spacing_percent: 5, cap_percent: 1000", risk=["use: percent_stop, percent: 5"]
    )
    result = case.trade(tmp_path, [LONG, (100, 101, 95, 96), bar, (100, 101, 94, 96), (96, 101, 94, 100)])
    # It ends with the exit signal, or with the stop at 90.25: after one purchase and one sale nothing follows.
    assert [fill[1] for fill in fills_of(result)] == ["buy", "sell"]


# ------------------------------------------------------------------ several instruments


@pytest.mark.parametrize("order", ["AB", "BA"])
def test_stops_of_all_instruments_come_before_limits_of_any(order: str, tmp_path: Path) -> None:
    bars = {
        "A": [FLAT, LONG, (100, 101, 97, 100), FLAT],
        "B": [LONG, FLAT, (100, 101, 97, 99), (99, 100, 98, 99)],
    }
    case = SmallCase(
        "use: limit, offset_percent: 1, time_in_force: gtc",
        risk=["use: percent_stop, percent: 2"],
        run="{cash: 1000}",
    )
    result = case.trade(tmp_path, {symbol: bars[symbol] for symbol in order})
    # B: 10 at 99, out at 97.02: 980.20 buy 9 of A at 99, whose bar goes on through 97.02.
    assert_rows(
        fills_of(result),
        [
            ("B", 1, "buy", 10, 99, "entry"),
            ("B", 2, "sell", 10, 97.02, "stop_loss"),
            ("A", 2, "buy", 9, 99, "entry"),
            ("A", 2, "sell", 9, 97.02, "stop_loss"),
        ],
    )
    assert equity_of(result)[-1] == 962.38


@pytest.mark.parametrize("order", ["AB", "BA"])
def test_what_an_entry_inside_the_bar_brings_back_pays_for_nothing_in_that_bar(order: str, tmp_path: Path) -> None:
    bars = {"A": [LONG, (100, 101, 97, 100), FLAT], "B": [LONG, (100, 101, 97, 100), FLAT]}
    case = SmallCase("use: limit, offset_percent: 1", risk=["use: percent_stop, percent: 2"], run="{cash: 1000}")
    result = case.trade(tmp_path, {symbol: bars[symbol] for symbol in order})
    # The first takes 990 of 1,000; the second could only be paid with the 970.20 that come back after it.
    assert [(fill[0], fill[5]) for fill in fills_of(result)] == [(order[0], "entry"), (order[0], "stop_loss")]
    assert (order[1], "rejected", "no_cash") in orders_of(result, "instrument", "status", "status_reason")


@pytest.mark.parametrize("order", ["AB", "BA"])
def test_a_target_at_the_open_pays_for_an_entry_inside_the_bar(order: str, tmp_path: Path) -> None:
    bars: dict[str, list[Row]] = {
        "A": [FLAT, LONG, (100, 101, 98.9, 100), FLAT],
        "B": [LONG, FLAT, (104, 105, 103, 104), FLAT],
    }
    risk = ["use: percent_target, percent: 4"]
    case = SmallCase("use: limit, offset_percent: 1", risk=risk, run="{cash: 1000}")
    result = case.trade(tmp_path, {symbol: bars[symbol] for symbol in order})
    # B: 10 at 99 on bar 1, target 102.96, beyond which bar 2 opens: 1,050 buy all 10 of A at 99.
    assert_rows(
        fills_of(result),
        [
            ("B", 1, "buy", 10, 99, "entry"),
            ("B", 2, "sell", 10, 104, "take_profit"),
            ("A", 2, "buy", 10, 99, "entry"),
        ],
    )


def test_a_stop_is_cut_to_what_a_target_has_left_of_the_position(tmp_path: Path) -> None:
    case = SmallCase(risk=["use: partial_target, share: 50, percent: 2", "use: percent_stop, percent: 5"])
    result = case.trade(tmp_path, [LONG, FLAT, (101, 102, 100, 101), (101, 102, 94, 95)])
    assert_rows(
        orders_of(result, "order_type", "quantity", "status"),
        [("market", 10, "filled"), ("stop", 5, "filled"), ("limit", 5, "filled")],
    )


@pytest.mark.parametrize("most", [2, 3])
def test_there_are_no_more_entries_than_allowed(most: int, tmp_path: Path) -> None:
    rising = [
        (100, 105, 99, 104),
        (104, 110, 103, 109),
        (109, 115, 108, 114),
        (114, 120, 113, 119),
        (119, 120, 118, 119),
    ]
    case = SmallCase(f"use: scale_in, max_entries: {most}, spacing_percent: 4")
    result = case.trade(tmp_path, [(100, 101, 99, 100, "enter_long"), *rising])
    further = [(2, "buy", 10, 104, "scale_in"), (3, "buy", 10, 109, "scale_in")]
    assert_fills(result, (1, "buy", 10, 100, "entry"), *further[: most - 1])
