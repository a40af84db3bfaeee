"""The RSI2 example on MSFT against a plain script: one, two, three and four units, day by day."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

import quantcrafter
from tests.e2e.test_golden_cross_oracle import adjusted_rows

EXAMPLE = Path(__file__).parents[2] / "resources" / "examples" / "rsi2_scale_in.yaml"
CASH, FEE = 100_000.0, 0.0005


def rsi2(close: list[float]) -> list[float]:
    """Return the RSI of two days after Wilder; NaN for the first two."""
    out, up, down = [math.nan] * len(close), 0.0, 0.0
    for t in range(1, len(close)):
        change = close[t] - close[t - 1]
        gain, loss = max(change, 0.0), max(-change, 0.0)
        up, down = (up + gain / 2, down + loss / 2) if t <= 2 else ((up + gain) / 2, (down + loss) / 2)
        if t >= 2 and up + down > 0.0:
            out[t] = 100.0 * up / (up + down)
    return out


def plain_fills(rows: list[tuple[datetime, float, float, float, float, float]]) -> list[tuple[int, int, float]]:
    """Return bar, units and price of each fill."""
    close = [row[4] for row in rows]
    rsi, average = rsi2(close), np.convolve(close, np.ones(200) / 200, "valid")
    cash, held, entries, first, last, fills = CASH, 0, 0, 0, 0.0, []
    order = 0
    for t, row in enumerate(rows):
        price = row[1]
        if order > 0:
            bought = min(order, math.floor(cash / (price * (1.0 + FEE))))
            first = bought if entries == 0 else first
            cash, held, entries, last = cash - bought * price * (1.0 + FEE), held + bought, entries + 1, price
            fills.append((t, bought, price))
        elif order < 0:
            cash, fills = cash + held * price * (1.0 - FEE), [*fills, (t, -held, price)]
            held = entries = 0
        order = 0
        if t < 199 or t == len(rows) - 1:
            continue
        if held and rsi[t] > 70.0:
            order = -held
        elif held and entries < 4 and close[t] <= last - 0.01 + 1e-9 * last:
            order = first * (entries + 1)
        elif not held and rsi[t] < 25.0 and rsi[t - 1] < 25.0 and close[t] > average[t - 199]:
            order = math.floor(cash * 0.1 / close[t])
    return fills


def test_every_fill_is_that_of_a_plain_script() -> None:
    expected = plain_fills(adjusted_rows("MSFT"))
    fills = quantcrafter.run(EXAMPLE).ledger.fills
    found = [(int(f["bar"]), int(f["side"] * f["lots"]), float(f["price"])) for f in fills]
    assert [fill[:2] for fill in found] == [fill[:2] for fill in expected]
    assert [fill[2] for fill in found] == pytest.approx([fill[2] for fill in expected], abs=1e-9)
    assert len(found) > 200
