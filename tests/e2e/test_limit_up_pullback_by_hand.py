"""Limit-up pullback against a plain loop: a close at the limit, a quiet pullback, T+1, stamp duty."""

from __future__ import annotations

import csv
import math
from itertools import pairwise
from pathlib import Path

import pytest

import quantcrafter
from quantcrafter.app.dialogs.templates import self_contained
from tests.support import limit_up_data

EXAMPLE = Path(__file__).parents[2] / "resources" / "examples" / "limit_up_pullback.yaml"


def cents(value: float) -> float:
    """Return a price rounded to whole cents, half up."""
    return math.floor(value * 100 + 0.5 + 1e-7) / 100


def test_the_file_is_what_the_generator_writes_and_keeps_the_limits() -> None:
    lines = limit_up_data.FILE.read_text(encoding="utf-8").splitlines()
    assert lines == limit_up_data.rows()
    closes = [float(line.split(",")[4]) for line in lines[1:]]
    assert all(cents(last * 0.9) <= close <= cents(last * 1.1) for last, close in pairwise(closes))


def test_every_trade_is_the_one_that_a_plain_loop_finds() -> None:
    with limit_up_data.FILE.open(encoding="utf-8") as file:
        bars = [
            {name: float(row[name]) for name in ("open", "high", "low", "close", "volume")}
            for row in csv.DictReader(file)
        ]
    cash, expected, entry = 100_000.0, [], -1
    lots = stop = target = 0.0
    sell_at_open = False
    limit_ups: list[int] = []
    for number, bar in enumerate(bars):
        if entry >= 0 and number > entry:
            price, why = sale(bar, stop, target, at_open=sell_at_open)
            if why:
                value = lots * price
                cash += value - max(value * 0.00025, 5) - value * 0.0005  # stamp duty on sales alone
                expected.append((entry, number, lots, price, why))
                entry = -1
        if number > 0 and bar["close"] >= cents(bars[number - 1]["close"] * 1.1):
            limit_ups.append(number)
        if entry < 0 and expected_entry(bars, number, limit_ups) and number + 1 < len(bars):
            entry, following = number + 1, bars[number + 1]
            lots = math.floor(cash * 0.9 / bar["close"] / 100 * (1 + 1e-12)) * 100
            paid = lots * following["open"]
            cash -= paid + max(paid * 0.00025, 5)
            stop, target = cents(following["open"] * 0.95), cents(following["open"] * 1.08)
        sell_at_open = entry >= 0 and number - entry + 1 == 8
    result = quantcrafter.run(EXAMPLE)
    found = [(row["entry_bar"], row["exit_bar"], row["quantity"], row["exit_reason"]) for row in result.trades]
    assert found == [(first, last, quantity, why) for first, last, quantity, _, why in expected]
    assert result.trades["exit_price"] == pytest.approx([price for *_, price, _ in expected], abs=1e-9)
    assert result.metrics["final_equity"] == pytest.approx(cash, abs=0.01)
    assert any(row["kind"] == "exit_held_back" for row in result.interventions)


def sale(bar: dict[str, float], stop: float, target: float, *, at_open: bool) -> tuple[float, str]:
    """Return at what price a position is sold, and why; nothing on the day on which it was bought."""
    if at_open:
        return bar["open"], "time_stop"
    if bar["open"] <= stop:
        return bar["open"], "stop_loss"
    if bar["open"] >= target:
        return bar["open"], "take_profit"
    if bar["low"] <= stop:
        return stop, "stop_loss"
    return (target, "take_profit") if bar["high"] >= target else (0.0, "")


def expected_entry(bars: list[dict[str, float]], number: int, limit_ups: list[int]) -> bool:
    """Return whether a bar is a quiet pullback, at most nine bars after a close at the limit."""
    if number < 10 or not limit_ups or number - limit_ups[-1] > 9:
        return False
    average = sum(bars[place]["close"] for place in range(number - 4, number + 1)) / 5
    return bars[number]["close"] <= average + 1e-12 and bars[number]["volume"] < 0.7 * bars[limit_ups[-1]]["volume"]


def test_as_a_strategy_of_no_folder_it_reads_the_same_file(tmp_path: Path) -> None:
    copy = tmp_path / "copy.yaml"
    copy.write_text(self_contained(EXAMPLE.read_text(encoding="utf-8"), EXAMPLE.parent), encoding="utf-8")
    assert "/examples/files/limit_up.csv" in copy.read_text(encoding="utf-8").replace("\\", "/")
    assert quantcrafter.run(copy).fills == quantcrafter.run(EXAMPLE).fills
