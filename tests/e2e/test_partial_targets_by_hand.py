"""Trend with partial targets on AAPL against a plain loop over the prices: entries, parts, trailing stop."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import quantcrafter
from tests.e2e.test_golden_cross_oracle import adjusted_rows

EXAMPLE = Path(__file__).parents[2] / "resources" / "examples" / "trend_with_partial_targets.yaml"
CHECKED = 12


def average_true_range(high: np.ndarray, low: np.ndarray, close: np.ndarray, period: int) -> np.ndarray:
    """Return Wilder's average: the mean of the first true ranges, then a part of each next one."""
    true = np.maximum(high[1:], close[:-1]) - np.minimum(low[1:], close[:-1])
    found = np.full(len(high), np.nan)
    value = found[period] = float(true[:period].mean())
    for bar in range(period + 1, len(high)):
        value = found[bar] = (value * (period - 1) + true[bar - 1]) / period
    return found


def test_the_first_trades_are_closed_in_the_parts_that_a_plain_loop_finds() -> None:
    rows = adjusted_rows("AAPL")
    opens, high, low, close = (np.array([row[place] for row in rows]) for place in (1, 2, 3, 4))
    atr = average_true_range(high, low, close, 20)
    cash, expected, entry = 100_000.0, [], -1
    held = first = best = stop = 0.0
    targets: list[list[float]] = []
    for bar in range(200, len(rows)):
        was = bar - 1
        if (
            entry < 0
            and close[was] >= close[was - 49 : was + 1].max()
            and close[was] > close[was - 199 : was + 1].mean()
        ):
            # Sized by the close, at a distance of three ranges; at most what can be paid for with its commission.
            wanted = math.floor(cash * 0.02 / (3 * atr[was]) * (1 + 1e-12))
            first = held = min(wanted, math.floor(cash / (opens[bar] * 1.001)))
            entry, best, cash = bar, opens[bar], cash - held * opens[bar] * 1.001
            stop = round(opens[bar] - 3 * atr[was], 2)
            shares = math.floor(first * 0.33 * (1 + 1e-12)), math.floor(first * 0.66 * (1 + 1e-12))
            sizes = shares[0], shares[1] - shares[0]
            targets = [
                [round(opens[bar] + times * atr[was], 2), lots] for times, lots in zip((2, 4), sizes, strict=True)
            ]
        if entry < 0:
            continue
        if low[bar] <= stop:
            price = min(stop, opens[bar])
            expected.append((entry, bar, held, price, "trailing_stop"))
            cash, entry = cash + held * price * 0.999, -1
            if len({each[0] for each in expected}) == CHECKED:
                break
            continue
        for target in list(targets):
            if high[bar] >= target[0]:
                price = max(target[0], opens[bar])
                expected.append((entry, bar, target[1], price, "take_profit"))
                cash, held = cash + target[1] * price * 0.999, held - target[1]
                targets.remove(target)
        best = max(best, high[bar])
        stop = max(stop, math.floor((best - 3 * atr[bar]) / 0.01 + 0.5) * 0.01)
    result = quantcrafter.run(EXAMPLE)
    parts = [row for row in result.parts if 0 <= row["trade"] < CHECKED]
    assert [(row["entry_bar"], row["exit_bar"], row["quantity"], row["exit_reason"]) for row in parts] == [
        (entry, leave, lots, reason) for entry, leave, lots, _, reason in expected
    ]
    assert [row["exit_price"] for row in parts] == pytest.approx([price for *_, price, _ in expected], abs=0.011)
    assert max(row["parts"] for row in result.trades[:CHECKED]) == 3
