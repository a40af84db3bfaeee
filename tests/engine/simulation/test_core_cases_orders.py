"""Small files on orders that wait, follow and end, each against arithmetic by hand, as a user would run them.

Each rule has neighbours of its kind: the other side, other kinds of orders, prices met exactly.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.small_cases import (
    SmallCase,
    assert_fills,
    assert_rows,
    blocked_of,
    equity_of,
    fills_of,
    orders_of,
)

FLAT = (100, 101, 99, 100)
LONG = (*FLAT, "enter_long")
SHORT = (*FLAT, "enter_short")
TWO_RANGES = ("use: atr_stop, atr: v, multiple: 2",)


# ------------------------------------------------------------------ orders that follow


def test_an_order_that_follows_is_protected_by_the_range_of_its_signal(tmp_path: Path) -> None:
    case = SmallCase("use: limit, offset_ticks: 150, follow: true", risk=TWO_RANGES)
    bars = [
        (*LONG, "value=1"),
        (100, 101, 99, 100.5),
        (99, 100, 98, 99, "value=1"),
        (99, 99, 88, 89, "value=1"),
        (50, 51, 49, 50, "value=1"),
    ]
    # Put up at 98.5, moved to 99. The signal's range was 1: the stop lies 2 below 99, and costs 20.
    assert_fills(case.trade(tmp_path, bars), (2, "buy", 10, 99, "entry"), (3, "sell", 10, 97, "stop_loss"))
    mirrored = [
        (*SHORT, "value=1"),
        (100, 101, 99, 99.5),
        (101, 102, 100, 101, "value=1"),
        (101, 112, 101, 111, "value=1"),
        FLAT,
    ]
    assert_fills(case.trade(tmp_path, mirrored), (2, "sell", 10, 101, "entry"), (3, "buy", 10, 103, "stop_loss"))


@pytest.mark.parametrize("node", ["use: stop_entry, line: v, follow: true", "use: limit, line: v, follow: true"])
def test_an_order_that_follows_a_line_is_sized_for_the_price_at_which_it_lies(node: str, tmp_path: Path) -> None:
    case = SmallCase(
        node, money="{use: percent_of_equity, percent: 100}", run="{cash: 1000, margin: {initial_percent: 25}}"
    )
    first, later = ("value=50", "value=100") if "limit" in node else ("value=200", "value=101")
    bars = [(*LONG, first), (100, 100.9, 99.9, 100.5, later), (*FLAT, later), (*FLAT, later)]
    # 1,000 buy 20 at 50 or 5 at 200, but 10 at 100 and 9 at 101.
    size, price = (10, 100) if "limit" in node else (9, 101)
    assert_fills(case.trade(tmp_path, bars), (2, "buy", size, price, "entry"))


def test_an_order_that_follows_is_sized_and_protected_by_one_range(tmp_path: Path) -> None:
    case = SmallCase(
        "use: limit, offset_ticks: 150, follow: true",
        risk=["use: atr_stop, atr: v, multiple: 1"],
        money="{use: risk_percent, percent: 1}",
    )
    bars = [
        (*LONG, "value=1"),
        (100, 101, 99, 100.5, "value=10"),
        (99, 100, 98.5, 99, "value=10"),
        (99, 99, 88, 89, "value=10"),
        (89, 90, 88, 89, "value=10"),
    ]
    # 1 % of 100,000 over a range of 1 is 1,000 units; the stop at 98 costs 1,000.
    result = case.trade(tmp_path, bars)
    assert_fills(result, (2, "buy", 1000, 99, "entry"), (3, "sell", 1000, 98, "stop_loss"))
    assert equity_of(result)[-1] == 99_000


def test_an_order_that_can_no_longer_be_sized_where_it_would_follow_ends(tmp_path: Path) -> None:
    case = SmallCase("use: limit, line: v, follow: true", money="{use: fixed_cash, cash: 99}", run="{cash: 1000}")
    bars = [(*LONG, "value=50"), (*FLAT, "value=100"), (*FLAT, "value=100"), (*FLAT, "value=100")]
    result = case.trade(tmp_path, bars)
    assert not fills_of(result)
    assert_rows(orders_of(result, "status", "status_reason", "closed_bar"), [("cancelled", "no_size", 1)])


@pytest.mark.parametrize("entry", [LONG, SHORT])
@pytest.mark.parametrize("node", ["limit_atr: 0.5", "limit_atr: 0.5, follow: true"])
def test_a_stop_limit_without_a_distance_for_its_limit_is_not_made(
    entry: tuple[object, ...], node: str, tmp_path: Path
) -> None:
    case = SmallCase(f"use: stop_limit, offset_ticks: 200, atr: v, {node}")
    result = case.trade(tmp_path, [entry, (100, 100, 99, 99.5, "value=1"), (80, 120, 79, 80, "value=1"), FLAT])
    assert blocked_of(result) == [(0, "no_price")]
    assert not result.orders.rows()


@pytest.mark.parametrize("node", ["use: limit, offset_atr: 0.5, atr: v", "use: stop_entry, line: v"])
def test_an_order_without_a_price_is_not_made(node: str, tmp_path: Path) -> None:
    result = SmallCase(node).trade(tmp_path, [LONG, (*FLAT, "value=1"), (100, 200, 1, 100), FLAT])
    assert blocked_of(result) == [(0, "no_price")]


# ------------------------------------------------------------------ sizes, distances, time


def test_kelly_keeps_its_starting_share_until_enough_trades_are_closed(tmp_path: Path) -> None:
    kelly = "use: kelly, window: 2, start_percent: 5, maximum_percent: 100, fraction: 1"
    prices = [100, 100, 110, 110, 121, 121, 120, 121, 121]
    words = ["enter_long", "exit_long"] * 4
    bars = [(price, price, price, price, word) for price, word in zip(prices, [*words, ""], strict=True)]
    result = SmallCase(money=f"{{{kelly}, trades: 30}}").trade(tmp_path, bars)
    # 5 % of 100,000 / 100; of 100,500 / 110 = 45.7; of 100,995 / 121 = 41.7; of 100,954 / 120 = 42.06.
    assert [fill[2] for fill in fills_of(result)][::2] == [50, 45, 41, 42]
    # With two trades: both won, so everything from the third entry on: 100,995 / 121 = 834.
    result = SmallCase(money=f"{{{kelly}, trades: 2}}").trade(tmp_path, bars)
    assert [fill[2] for fill in fills_of(result)][::2][:3] == [50, 45, 834]


@pytest.mark.parametrize(
    ("entry", "price", "levels"),
    [
        (LONG, 18.33, [18.25, 18.40]),  # 18.35 and 18.30 are less than a tick away
        (SHORT, 18.33, [18.40, 18.25]),
        (LONG, 18.35, [18.30, 18.40]),
        (SHORT, 18.35, [18.40, 18.30]),
        (LONG, 18.349, [18.25, 18.40]),
    ],
)
def test_stop_and_target_lie_a_whole_tick_from_an_entry_off_the_tick(
    entry: tuple[object, ...], price: float, levels: list[float], tmp_path: Path
) -> None:
    tiny = ["use: percent_target, percent: 0.01", "use: percent_stop, percent: 0.01"]
    result = SmallCase(risk=tiny, instrument="tick_size: 0.05").trade(
        tmp_path, [(18, 18, 18, 18, entry[4]), (price,) * 4, (price,) * 4]
    )
    found = {kind: level for kind, level in orders_of(result, "order_type", "price") if level is not None}
    assert found == {"stop": pytest.approx(levels[0]), "limit": pytest.approx(levels[1])}


@pytest.mark.parametrize(("entry", "opposite"), [("enter_long", "enter_short"), ("enter_short", "enter_long")])
@pytest.mark.parametrize("stance", ["close", "reverse", "ignore"])
def test_a_time_stop_and_an_opposite_signal_on_one_bar_go_by_on_opposite(
    entry: str, opposite: str, stance: str, tmp_path: Path
) -> None:
    case = SmallCase(f"use: market, on_opposite: {stance}", risk=["use: time_stop, bars: 2"], run="{cash: 10000}")
    result = case.trade(tmp_path, [(*FLAT, entry), FLAT, (*FLAT, opposite), FLAT, FLAT])
    reasons = [fill[4] for fill in fills_of(result) if fill[0] == 3]
    assert reasons == ["time_stop", "entry"] if stance == "reverse" else reasons == ["time_stop"]


# ------------------------------------------------------------------ volume


def test_an_exit_signal_ends_an_entry_that_is_still_filling(tmp_path: Path) -> None:
    case = SmallCase(money="{use: fixed_quantity, quantity: 40}", run="{cash: 100000, slippage: {volume_percent: 10}}")
    thin = (*FLAT, "volume=100")
    for enter, leave in (("enter_long", "exit_long"), ("enter_short", "exit_short")):
        bars = [(*thin, enter), thin, (*thin, leave), thin, thin, thin, thin]
        result = case.trade(tmp_path, bars)
        ways = ("buy", "sell") if enter == "enter_long" else ("sell", "buy")
        assert_fills(
            result,
            (1, ways[0], 10, 100, "entry"),
            (2, ways[0], 10, 100, "entry"),
            (3, ways[1], 10, 100, "signal"),
            (4, ways[1], 10, 100, "signal"),
        )
        assert not result.ledger.open_positions


def test_an_opposite_signal_ends_an_entry_that_is_still_filling(tmp_path: Path) -> None:
    case = SmallCase(money="{use: fixed_quantity, quantity: 40}", run="{cash: 100000, slippage: {volume_percent: 10}}")
    thin = (*FLAT, "volume=100")
    result = case.trade(tmp_path, [(*thin, "enter_long"), thin, (*thin, "enter_short"), thin, thin, thin])
    assert [(fill[1], fill[4]) for fill in fills_of(result)] == [("buy", "entry")] * 2 + [("sell", "opposite")] * 2


def test_a_stop_ends_an_entry_that_is_still_filling(tmp_path: Path) -> None:
    case = SmallCase(
        risk=["use: percent_stop, percent: 5"],
        money="{use: fixed_quantity, quantity: 40}",
        run="{cash: 100000, slippage: {volume_percent: 10}}",
    )
    thin = (*FLAT, "volume=100")
    result = case.trade(tmp_path, [(*thin, "enter_long"), thin, (100, 101, 94, 95, "volume=100"), thin, thin])
    # 10 on bar 1 and 10 on bar 2, whose volume is spent: the stop at 95 is triggered and sells at the next opens.
    assert_fills(
        result,
        (1, "buy", 10, 100, "entry"),
        (2, "buy", 10, 100, "entry"),
        (3, "sell", 10, 100, "stop_loss"),
        (4, "sell", 10, 100, "stop_loss"),
    )
