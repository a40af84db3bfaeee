"""Bollinger squeeze on IBM against bands, squeezes and stops that numpy computes from the prices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import quantcrafter
from tests.e2e.test_golden_cross_oracle import adjusted_rows

EXAMPLE = Path(__file__).parents[2] / "resources" / "examples" / "bollinger_squeeze.yaml"
PERIOD, HALF_YEAR, RECENT = 20, 125, 10


def test_every_trade_follows_a_squeeze_and_ends_at_the_middle_or_the_lower_band() -> None:
    rows = adjusted_rows("IBM")
    opens, lows, closes = (np.array([row[place] for row in rows]) for place in (1, 3, 4))
    windows = np.lib.stride_tricks.sliding_window_view(closes, PERIOD)
    middle, deviation = np.full((2, len(rows)), np.nan)
    middle[PERIOD - 1 :], deviation[PERIOD - 1 :] = windows.mean(1), windows.std(1)
    upper, lower = middle + 2 * deviation, middle - 2 * deviation
    width = (upper - lower) / middle
    squeeze = [
        bar >= PERIOD - 1 + HALF_YEAR - 1 and width[bar] <= width[bar - HALF_YEAR + 1 : bar + 1].min()
        for bar in range(len(rows))
    ]
    first = PERIOD + HALF_YEAR + RECENT - 3
    expected, entry, stop, leaving = [], -1, 0.0, False
    for bar in range(first + 1, len(rows)):
        if entry < 0 and closes[bar - 1] > upper[bar - 1] and any(squeeze[bar - RECENT : bar]):
            entry, stop = bar, lower[bar - 1]
        elif entry >= 0 and leaving:
            expected.append((entry, bar, "signal"))
            entry = -1
        if entry >= 0 and lows[bar] <= stop:
            expected.append((entry, bar, "stop_loss"))
            entry = -1
        leaving = entry >= 0 and bool(closes[bar] < middle[bar])
    result = quantcrafter.run(EXAMPLE)
    found = [(row["entry_bar"], row["exit_bar"], row["exit_reason"]) for row in result.trades]
    assert found == expected
    assert len(found) == 18
    entries = [entry for entry, _, _ in expected]
    assert result.trades["entry_price"] == pytest.approx(opens[entries], rel=1e-12)
