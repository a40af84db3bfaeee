"""Small files on what happens inside a bar, each against arithmetic by hand, as a user would run them.

Each rule has neighbours of its kind: the other side, other kinds of orders, prices met exactly.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.small_cases import (
    SmallCase,
    assert_fills,
    equity_of,
    fills_of,
)

FLAT = (100, 101, 99, 100)
LONG = (*FLAT, "enter_long")
SHORT = (*FLAT, "enter_short")
STOP_TARGET = ("use: percent_stop, percent: 5", "use: percent_target, percent: 5")
ONE_PERCENT = ("use: percent_stop, percent: 1",)


# ------------------------------------------------------------------ the open comes first


@pytest.mark.parametrize(
    ("entry", "last", "price", "reason"),
    [
        # Entered at 100: target 105, stop 95. The open at 110 is beyond the target: + 10 a unit, whatever came later.
        (LONG, (110, 120, 89, 110), 110, "take_profit"),
        (LONG, (105, 106, 94, 96), 105, "take_profit"),  # at the target exactly
        (LONG, (104.99, 106, 94, 96), 95, "stop_loss"),  # a tick below: the bar touches both, the stop is taken
        (LONG, (94, 106, 93, 100), 94, "stop_loss"),  # beyond the stop, then up through the target
        (LONG, (95, 106, 94, 100), 95, "stop_loss"),
        # Short: target 95, stop 105.
        (SHORT, (90, 111, 80, 90), 90, "take_profit"),
        (SHORT, (95, 106, 94, 104), 95, "take_profit"),
        (SHORT, (95.01, 106, 94, 104), 105, "stop_loss"),
        (SHORT, (106, 107, 94, 100), 106, "stop_loss"),
    ],
)
def test_what_the_open_satisfies_wins_against_what_the_bar_touched_later(
    entry: tuple[object, ...], last: tuple[object, ...], price: float, reason: str, tmp_path: Path
) -> None:
    result = SmallCase(risk=STOP_TARGET).trade(tmp_path, [entry, FLAT, last])
    assert fills_of(result)[-1][2:] == (10, pytest.approx(price), reason)
    side = 1 if entry is LONG else -1
    assert equity_of(result)[-1] == 100_000 + side * 10 * (price - 100)


def test_both_parts_of_a_target_fill_at_an_open_beyond_them(tmp_path: Path) -> None:
    parts = [f"use: partial_target, share: 50, percent: {percent}" for percent in (2, 4)]
    case = SmallCase(risk=[*parts, "use: percent_stop, percent: 5"])
    result = case.trade(tmp_path, [LONG, FLAT, (103, 106, 90, 91)])
    # The open satisfies 102 alone: 5 leave at 103. Then the bar touches the stop at 95 before the rest's 104.
    assert_fills(
        result, (1, "buy", 10, 100, "entry"), (2, "sell", 5, 103, "take_profit"), (2, "sell", 5, 95, "stop_loss")
    )


def test_a_market_exit_at_the_open_goes_before_a_stop_that_the_open_gapped_over(tmp_path: Path) -> None:
    result = SmallCase(risk=STOP_TARGET).trade(tmp_path, [LONG, (*FLAT, "exit_long"), (90, 91, 80, 85)])
    assert_fills(result, (1, "buy", 10, 100, "entry"), (2, "sell", 10, 90, "signal"))


# ------------------------------------------------------------------ entries inside the bar


@pytest.mark.parametrize(
    ("node", "entry", "bar", "fills"),
    [
        # A buy stop at 102 is protected at 100.98. The close of 96 came after the entry: out, - 1.02 a unit.
        ("use: stop_entry, line: 102", LONG, (100, 103, 95, 96), [("buy", 102), ("sell", 100.98)]),
        ("use: stop_entry, line: 102", LONG, (100, 103, 95, 100.98), [("buy", 102), ("sell", 100.98)]),
        ("use: stop_entry, line: 102", LONG, (100, 103, 95, 100.99), [("buy", 102)]),
        # A sell stop at 98 is protected at 98.98.
        ("use: stop_entry, line: 98", SHORT, (100, 104, 97, 103), [("sell", 98), ("buy", 98.98)]),
        ("use: stop_entry, line: 98", SHORT, (100, 104, 97, 98.98), [("sell", 98), ("buy", 98.98)]),
        ("use: stop_entry, line: 98", SHORT, (100, 104, 97, 98.97), [("sell", 98)]),
        # A buy limit at 99 was reached on the way down: the low came after it. Its stop is 98.01.
        ("use: limit, line: 99", LONG, (100, 101, 98.01, 100), [("buy", 99), ("sell", 98.01)]),
        ("use: limit, line: 99", LONG, (100, 101, 98.02, 100), [("buy", 99)]),
        # A sell limit at 101 was reached on the way up: the high came after it. Its stop is 102.01.
        ("use: limit, line: 101", SHORT, (100, 102.01, 99, 100), [("sell", 101), ("buy", 102.01)]),
        ("use: limit, line: 101", SHORT, (100, 102, 99, 100), [("sell", 101)]),
        # At the open: a whole bar that is protected as after a market order.
        ("use: stop_entry, line: 102", LONG, (103, 104, 101.97, 103), [("buy", 103), ("sell", 101.97)]),
        ("use: stop_entry, line: 102", LONG, (102, 104, 100.98, 103), [("buy", 102), ("sell", 100.98)]),
        ("use: limit, line: 99", LONG, (99, 101, 98.01, 100), [("buy", 99), ("sell", 98.01)]),
        # A stop-limit that was triggered at 102 in the bar and closes beyond its stop.
        ("use: stop_limit, line: 102, limit_ticks: 50", LONG, (100, 103, 95, 96), [("buy", 102), ("sell", 100.98)]),
        ("use: stop_limit, line: 98, limit_ticks: 50", SHORT, (100, 104, 97, 103), [("sell", 98), ("buy", 98.98)]),
    ],
)
def test_an_entry_inside_the_bar_is_out_where_its_bar_certainly_reached_the_stop(
    node: str, entry: tuple[object, ...], bar: tuple[float, ...], fills: list[tuple[str, float]], tmp_path: Path
) -> None:
    result = SmallCase(node, risk=ONE_PERCENT).trade(tmp_path, [entry, bar, (bar[3],) * 4])
    found = [(side, price) for number, side, _, price, _ in fills_of(result) if number == 1]
    assert found == [(side, pytest.approx(price)) for side, price in fills]


def test_an_entry_inside_a_bar_that_closes_beyond_its_stop_loses_what_was_at_risk(tmp_path: Path) -> None:
    case = SmallCase("use: stop_entry, line: 102", risk=ONE_PERCENT)
    bars = [LONG, (100, 103, 95, 96), (104, 110, 103.5, 109, "exit_long"), (110, 111, 109, 110)]
    result = case.trade(tmp_path, bars)
    assert_fills(result, (1, "buy", 10, 102, "entry"), (1, "sell", 10, 100.98, "stop_loss"))
    assert equity_of(result)[-1] == 100_000 - 10.20
    # From the next bar on: the stop is gapped over by nothing, and the exit signal takes 8 a unit.
    case.run = "{cash: 100000, fills: {arm: next_bar}}"
    assert_fills(case.trade(tmp_path, bars), (1, "buy", 10, 102, "entry"), (3, "sell", 10, 110, "signal"))


@pytest.mark.parametrize(
    ("node", "entry", "bar", "price", "reason"),
    [
        # Sell stop 98: target 93.1, stop 102.9. The bar closes at 92: out at 93.1, + 4.9 a unit.
        ("use: stop_entry, line: 98", SHORT, (100, 100.5, 88, 92), 93.1, "take_profit"),
        ("use: stop_entry, line: 98", SHORT, (100, 100.5, 88, 93.1), 93.1, "take_profit"),
        # The low came after the entry, whatever the close.
        ("use: stop_entry, line: 98", SHORT, (100, 100.5, 93.1, 97), 93.1, "take_profit"),
        # The high of 103 reaches the stop, and the bar did not open there: the stop is taken.
        ("use: stop_entry, line: 98", SHORT, (100, 103, 88, 92), 102.9, "stop_loss"),
        ("use: stop_entry, line: 98", SHORT, (102.9, 103, 88, 92), 93.1, "take_profit"),
        # Buy stop 102: target 107.1, stop 96.9.
        ("use: stop_entry, line: 102", LONG, (100, 108, 99, 107.5), 107.1, "take_profit"),
        ("use: stop_entry, line: 102", LONG, (100, 108, 96, 107.5), 96.9, "stop_loss"),
        ("use: stop_entry, line: 102", LONG, (96.9, 108, 96, 107.5), 107.1, "take_profit"),
        # Buy limit 99: target 103.95, stop 94.05. The high may have come before; the close did not.
        ("use: limit, line: 99", LONG, (100, 105, 98, 104), 103.95, "take_profit"),
        ("use: limit, line: 99", LONG, (100, 105, 94, 104), 94.05, "stop_loss"),
        # Sell limit 101: target 95.95, stop 106.05.
        ("use: limit, line: 101", SHORT, (100, 102, 95, 95.5), 95.95, "take_profit"),
        ("use: limit, line: 101", SHORT, (100, 107, 95, 95.5), 106.05, "stop_loss"),
    ],
)
def test_an_entry_inside_the_bar_is_out_where_its_bar_certainly_reached_the_target(
    node: str, entry: tuple[object, ...], bar: tuple[float, ...], price: float, reason: str, tmp_path: Path
) -> None:
    result = SmallCase(node, risk=STOP_TARGET).trade(tmp_path, [entry, bar, (bar[3],) * 4])
    assert [(fill[0], fill[3], fill[4]) for fill in fills_of(result)][1:] == [(1, pytest.approx(price), reason)]


def test_a_high_before_a_limit_entry_is_no_target(tmp_path: Path) -> None:
    case = SmallCase("use: limit, line: 99", risk=STOP_TARGET)
    result = case.trade(tmp_path, [LONG, (100, 110, 98, 100), (100, 101, 99, 100)])
    assert_fills(result, (1, "buy", 10, 99, "entry"))
