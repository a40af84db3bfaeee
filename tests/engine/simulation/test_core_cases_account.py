"""Small files on bars without volume and on lost accounts, each against arithmetic by hand, as a user would run them.

Each rule has neighbours of its kind: the other side, other kinds of orders, prices met exactly.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.small_cases import (
    SmallCase,
    assert_fills,
    blocked_of,
    equity_of,
    fills_of,
)

FLAT = (100, 101, 99, 100)
LONG = (*FLAT, "enter_long")
SHORT = (*FLAT, "enter_short")
ONE_PERCENT = ("use: percent_stop, percent: 1",)


# ------------------------------------------------------------------ bars without volume


THIN = [(*LONG, "volume=1"), (100, 100, 100, 100, "volume=0"), (105, 106, 104, 105, "volume=1")]


def test_on_a_bar_without_volume_orders_fill_and_the_summary_counts_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from quantcrafter.engine.cli.main import main

    path = SmallCase().write(tmp_path, THIN)
    assert main(["run", str(path), "--no-history"]) == 0
    assert "1 of 1 fills were made on bars without volume." in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("node", "risk", "bars", "fills"),
    [
        ("use: market", (), THIN, [(2, "buy", 10, 105, "entry")]),
        ("use: limit, line: 100", (), [*THIN, FLAT], [(3, "buy", 10, 100, "entry")]),
        ("use: stop_entry, line: 100", (), THIN, [(2, "buy", 10, 105, "entry")]),
        (  # A stop at 99 sleeps through a bar without volume and is gapped over by the next one.
            "use: market",
            ONE_PERCENT,
            [LONG, (100, 101, 99.5, 100), (90, 91, 89, 90, "volume=0"), (80, 81, 79, 80)],
            [(1, "buy", 10, 100, "entry"), (3, "sell", 10, 80, "stop_loss")],
        ),
        (  # Nor does an exit find a buyer.
            "use: market",
            (),
            [LONG, (*FLAT, "exit_long"), (90, 91, 89, 90, "volume=0"), (80, 81, 79, 80)],
            [(1, "buy", 10, 100, "entry"), (3, "sell", 10, 80, "signal")],
        ),
    ],
)
def test_with_zero_volume_none_orders_wait_for_a_bar_with_volume(
    node: str,
    risk: tuple[str, ...],
    bars: list[tuple[object, ...]],
    fills: list[tuple[object, ...]],
    tmp_path: Path,
) -> None:
    case = SmallCase(node, risk=risk, run="{cash: 100000, fills: {zero_volume: none}}")
    result = case.trade(tmp_path, bars)
    assert_fills(result, *fills)
    assert result.fills_without_volume == 0


# ------------------------------------------------------------------ an account without equity


SQUEEZE = [
    SHORT,
    FLAT,
    (150, 160, 140, 150),
    (250, 260, 240, 250),
    (320, 330, 300, 310),
    (90, 95, 85, 90, "enter_short"),
]


def test_a_short_squeeze_ends_the_account_at_the_next_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from quantcrafter.engine.cli.main import main

    case = SmallCase(money="{use: percent_of_equity, percent: 100}", run="{cash: 10000}")
    result = case.trade(tmp_path, [*SQUEEZE, (90, 95, 85, 90)])
    # 100 short at 100. At 150 equity is 5,000, above 30 % of 15,000; at 250 it is -5,000: closed at 320.
    assert_fills(result, (1, "sell", 100, 100, "entry"), (4, "buy", 100, 320, "margin_call"))
    assert equity_of(result) == [10_000, 10_000, 5_000, -5_000, -12_000, -12_000, -12_000]
    assert blocked_of(result) == [(5, "no_equity")]
    assert main(["run", str(tmp_path / "case.yaml"), "--no-history"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "The account was lost on 2024-01-05 00:00 UTC: equity was -5,000.00." in said


def test_a_short_that_rises_in_steps_is_called_before_the_account_is_lost(tmp_path: Path) -> None:
    case = SmallCase(money="{use: percent_of_equity, percent: 100}", run="{cash: 10000}")
    result = case.trade(tmp_path, [SHORT, FLAT, (150, 155, 149, 154), (156, 157, 155, 156)])
    # At 154 equity is 20,000 - 15,400 = 4,600, and 30 % of 15,400 is 4,620.
    assert_fills(result, (1, "sell", 100, 100, "entry"), (3, "buy", 100, 156, "margin_call"))


@pytest.mark.parametrize("close", [80, 80.01])
def test_a_long_position_with_leverage_loses_the_account_at_an_equity_of_zero(close: float, tmp_path: Path) -> None:
    case = SmallCase(
        money="{use: fixed_quantity, quantity: 50}",
        run="{cash: 1000, margin: {initial_percent: 20, maintenance_percent: 0}}",
    )
    fall = (close, close, close, close, "enter_long")
    result = case.trade(tmp_path, [LONG, FLAT, fall, (70, 71, 70, 70, "enter_long"), (70, 71, 70, 70)])
    # 50 at 100 with 1,000: equity is zero at 80. What is left after the sale at 70 is -500.
    if close <= 80:
        assert_fills(result, (1, "buy", 50, 100, "entry"), (3, "sell", 50, 70, "margin_call"))
        assert equity_of(result) == [1000, 1000, 0, -500, -500]
        assert blocked_of(result) == [(3, "no_equity")]
    else:
        # At 80.01 equity is 0.50: the account lives until the next close.
        assert_fills(result, (1, "buy", 50, 100, "entry"), (4, "sell", 50, 70, "margin_call"))


def test_all_positions_of_a_lost_account_are_closed(tmp_path: Path) -> None:
    flat, jump = (100, 100, 100, 100), (250, 250, 250, 250)
    bars = {"A": [(*flat, "enter_short"), flat, jump, jump, jump], "B": [(*flat, "enter_long"), flat, flat, flat, flat]}
    case = SmallCase(money="{use: fixed_quantity, quantity: 8}", run="{cash: 1000, margin: {initial_percent: 50}}")
    for symbols in ("AB", "BA"):
        result = case.trade(tmp_path, {symbol: bars[symbol] for symbol in symbols})
        # Short and long 8 at 100; at 250 equity is 1,000 - 1,200.
        assert {fill[:2] for fill in fills_of(result)[2:]} == {("A", 3), ("B", 3)}
        assert equity_of(result) == [1000, 1000, -200, -200, -200]


def test_no_return_counts_after_the_account_was_lost(tmp_path: Path) -> None:
    prices = [100, 100, 150, 250, 180, *[150] * 40]
    rows = [(price, price, price, price) for price in prices]
    bars = [(*rows[0], "enter_short"), *rows[1:]]
    case = SmallCase(run="{cash: 1000, margin: {maintenance_percent: 0}}")
    result = case.trade(tmp_path, bars)
    assert equity_of(result)[:6] == [1000, 1000, 500, -500, 200, 200]
    # Daily returns: 0, 0, -0.5, and -2 into the loss; then none. Mean -0.625, deviation 0.946485 (n - 1).
    assert result.metrics["sharpe"] == pytest.approx(-0.625 / 0.9464847243 * 365**0.5, rel=1e-6)
