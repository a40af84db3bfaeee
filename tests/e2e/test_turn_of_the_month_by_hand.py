"""Turn of the month on AAPL against dates and opens that are picked from the prices alone, month by month."""

from __future__ import annotations

from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pytest

import quantcrafter
from tests.e2e.test_golden_cross_oracle import adjusted_rows

EXAMPLE = Path(__file__).parents[2] / "resources" / "examples" / "turn_of_the_month.yaml"


def test_every_trade_is_from_the_last_session_of_a_month_to_the_fourth_of_the_next() -> None:
    rows = adjusted_rows("AAPL")
    months = [list(days) for _, days in groupby(range(len(rows)), key=lambda row: rows[row][0].timetuple()[:2])]
    # March 2000 is the first month whose last session but one can be seen, March 2013 ends with the first of its days.
    expected = [(month[-1], following[3] if len(following) > 3 else -1) for month, following in pairwise(months)]
    result = quantcrafter.run(EXAMPLE)
    trades = result.ledger.trades
    closed = [pair for pair in expected if pair[1] >= 0]
    assert list(zip(trades["entry_bar"].tolist(), trades["exit_bar"].tolist(), strict=True)) == closed
    assert [position.entry_bar for position in result.ledger.open_positions] == [expected[-1][0]]
    assert len(closed) == 155
    opens = np.array([row[1] for row in rows])
    # One basis point of slippage, then whole ticks against the trader.
    assert trades["entry_price"] == pytest.approx(opens[trades["entry_bar"]] * 1.0001, abs=0.011)
    assert trades["exit_price"] == pytest.approx(opens[trades["exit_bar"]] * 0.9999, abs=0.011)
