"""Microsoft against IBM against regressions, signals, sizes and opens that numpy works out from the prices alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import quantcrafter
from quantcrafter.engine.api import FloatColumn
from quantcrafter.engine.api.ledger import Ledger, Reason
from tests.e2e.test_golden_cross_oracle import adjusted_rows

EXAMPLE = Path(__file__).parents[2] / "resources" / "examples" / "pairs_by_zscore.yaml"
REGRESSION, SCORE, HELD, ENTRY, MOST_HALF_LIFE = 120, 60, 40, 2.0, 20.0
FIRST_BAR = REGRESSION + SCORE - 1
"""The half-life looks at 60 changes of residuals, which begin with the first regression."""


@dataclass
class Pair:
    """A pair as it was traded: the bars of its fills, its side, and why it was closed."""

    entry: int
    exit: int
    side: int
    reason: str


def residuals(first: FloatColumn, second: FloatColumn) -> tuple[FloatColumn, FloatColumn]:
    """Return the slope of each window's regression of log prices, and how far the newest price lies off its line."""
    ratio, residual = np.full(len(first), np.nan), np.full(len(first), np.nan)
    y, x = np.log(first), np.log(second)
    for bar in range(REGRESSION - 1, len(first)):
        window = slice(bar - REGRESSION + 1, bar + 1)
        slope, level = np.polyfit(x[window], y[window], 1)
        ratio[bar], residual[bar] = slope, y[bar] - level - slope * x[bar]
    return ratio, residual


def scores(values: FloatColumn) -> FloatColumn:
    """Return the standard score of each value in its window, with the deviation of the population."""
    found = np.full(len(values), np.nan)
    for bar in range(SCORE - 1, len(values)):
        window = values[bar - SCORE + 1 : bar + 1]
        found[bar] = (values[bar] - window.mean()) / window.std()
    return found


def half_lives(values: FloatColumn) -> FloatColumn:
    """Return ln 2 over the speed of return, by a regression of 60 changes on the values before them."""
    found = np.full(len(values), np.nan)
    for bar in range(FIRST_BAR, len(values)):
        window = values[bar - SCORE : bar + 1]
        slope = np.polyfit(window[:-1], np.diff(window), 1)[0]
        if -1.0 < slope < 0.0:
            found[bar] = -np.log(2.0) / np.log(1.0 + slope)
    return found


def traded(
    z: FloatColumn, half_life: FloatColumn, ratio: FloatColumn, opens: FloatColumn, closes: FloatColumn
) -> list[Pair]:
    """Return the pairs that the rules of the file trade; `opens` and `closes` have a row for each leg."""
    pairs, side, entry = [], 0, -1
    for bar in range(FIRST_BAR, len(z) - 1):
        # At the close of a bar; what was decided at the last one has filled at its open.
        leaving = ""
        if side:
            # For one of the first leg's money at the decision, and the costs of both entries: 7 of 10,000.
            weights = np.array([1.0, ratio[entry - 1]]) / closes[:, entry - 1]
            gains = side * weights * (closes[:, bar] - opens[:, entry]) * [1.0, -1.0]
            profit = gains.sum() / (weights * opens[:, entry]).sum() - 0.0007
            if bar - entry + 1 >= HELD:
                leaving = "TIME_STOP"
            elif profit <= -0.06:
                leaving = "STOP_LOSS"
            elif side * z[bar] >= 0.0:
                leaving = "SIGNAL"
        if leaving:
            pairs.append(Pair(entry, bar + 1, side, leaving))
        wanted = -int(np.sign(z[bar])) if abs(z[bar]) > ENTRY else 0
        free = not side or (leaving == "SIGNAL" and wanted == -side)  # a signal that closes and enters reverses
        if leaving:
            side = 0
        if wanted and free and 0.0 <= half_life[bar] <= MOST_HALF_LIFE and ratio[bar] > 0.0:
            side, entry = wanted, bar + 1
    return pairs


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return quantcrafter.run(EXAMPLE).ledger


def test_every_pair_is_the_one_that_numpy_trades(ledger: Ledger) -> None:
    rows = [adjusted_rows(symbol) for symbol in ("MSFT", "IBM")]
    opens, closes = (np.array([[row[place] for row in leg] for leg in rows]) for place in (1, 4))
    ratio, residual = residuals(*closes)
    expected = traded(scores(residual), half_lives(residual), ratio, opens, closes)
    trades = ledger.trades
    for leg, sign in ((0, 1), (1, -1)):
        own = trades[trades["instrument"] == leg]
        found = [
            Pair(int(row["entry_bar"]), int(row["exit_bar"]), sign * int(row["side"]), Reason(row["exit_reason"]).name)
            for row in own
        ]
        assert found == expected
        assert own["entry_price"] == pytest.approx(opens[leg][own["entry_bar"]], rel=1e-12)
        assert own["exit_price"] == pytest.approx(opens[leg][own["exit_bar"]], rel=1e-12)
    ordered = [ledger.orders[trades["entry_order"][trades["instrument"] == leg]] for leg in (0, 1)]
    decided = ordered[0]["created_bar"]
    # 40 percent of the equity at the decision, and what is worth the ratio times that, to the nearest share.
    lots = np.floor(0.4 * ledger.equity[decided] / closes[0][decided])
    assert ordered[0]["lots"].tolist() == lots.tolist()
    wanted = ratio[decided] * lots * closes[0][decided] / closes[1][decided]
    assert ordered[1]["lots"].tolist() == np.floor(wanted + 0.5).tolist()


BY_HAND = [
    ("2001-04-12", "2001-05-21", "short", 2001, 419),
    ("2001-07-02", "2001-07-06", "short", 1661, 502),
    ("2001-07-13", "2001-07-27", "short", 1710, 523),
    ("2001-08-16", "2001-10-18", "long", 1982, 607),
]
"""The first pairs: Microsoft's side, and the shares of both."""


def test_the_first_pairs_are_as_worked_out_by_hand(ledger: Ledger) -> None:
    days = [row[0].date().isoformat() for row in adjusted_rows("MSFT")]
    first, second = (ledger.trades[ledger.trades["instrument"] == leg][:4] for leg in (0, 1))
    told = [
        (
            days[one["entry_bar"]],
            days[one["exit_bar"]],
            "long" if one["side"] > 0 else "short",
            one["lots"],
            two["lots"],
        )
        for one, two in zip(first, second, strict=True)
    ]
    assert told == BY_HAND
    # On 11 April 2001 Microsoft closed at 20.0, four tenths of 100,000 are 2,001 shares of it.
    assert 0.4 * 100_000 / 2_002 < adjusted_rows("MSFT")[281][4] <= 0.4 * 100_000 / 2_001


def test_a_pair_is_one_trade_with_two_legs() -> None:
    result = quantcrafter.run(EXAMPLE)
    trades = result.trades
    legs = [trades["pair"] == number for number in np.unique(trades["pair"])]
    assert all(sorted(trades["instrument"][both]) == ["IBM", "MSFT"] for both in legs)
    assert result.metrics["trades"] == len(legs) == len(trades) / 2
    profits = np.array([trades["pnl"][both].sum() for both in legs])
    assert result.metrics["win_rate_pct"] == pytest.approx(100.0 * np.mean(profits > 0))
    assert result.metrics["expectancy"] == pytest.approx(profits.mean())
    values = np.array([trades["entry_value"][both].sum() for both in legs])
    assert result.metrics["average_trade_pct"] == pytest.approx(100.0 * np.mean(profits / values))
