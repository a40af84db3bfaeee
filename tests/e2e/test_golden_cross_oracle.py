"""Golden cross on AAPL against a script for backtrader that shares no code with us: same fills, bar for bar."""

from __future__ import annotations

import csv
import gzip
import math
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

import quantcrafter

EXAMPLE = Path(__file__).parents[2] / "resources" / "examples" / "golden_cross.yaml"
CASH = 100_000.0


def adjusted_rows(symbol: str) -> list[tuple[datetime, float, float, float, float, float]]:
    """Read the sample prices by the standard library alone, adjusted by adjusted close over close."""
    file = resources.files("bokeh_sampledata").joinpath("_data/stocks.csv.gz")
    rows = []
    for row in csv.DictReader(gzip.decompress(file.read_bytes()).decode().splitlines()):
        if row["Ticker"] == symbol:
            factor = float(row["Adj Close"]) / float(row["Close"])
            open_, high, low, close = (float(row[name]) * factor for name in ("Open", "High", "Low", "Close"))
            day = datetime.fromisoformat(row["Date"])
            rows.append((day, open_, high, low, close, float(row["Volume"]) / factor))
    return rows


def feed_of(bt: Any, rows: list[tuple[datetime, float, float, float, float, float]]) -> Any:
    """Return a backtrader feed over rows."""

    class Feed(bt.feed.DataBase):  # type: ignore[misc] # backtrader has no types
        def start(self) -> None:
            super().start()
            self.rows = iter(rows)

        def _load(self) -> bool:
            row = next(self.rows, None)
            if row is None:
                return False
            self.lines.datetime[0] = bt.date2num(row[0])
            for line, value in zip(("open", "high", "low", "close", "volume"), row[1:], strict=True):
                getattr(self.lines, line)[0] = value
            self.lines.openinterest[0] = 0.0
            return True

    return Feed()


def golden_cross(bt: Any, fills: list[tuple[int, int, float, float]]) -> Any:
    """Return a plain backtrader strategy that notes its fills."""

    class GoldenCross(bt.Strategy):  # type: ignore[misc] # backtrader has no types
        def __init__(self) -> None:
            self.fast = bt.ind.SMA(self.data.close, period=50)
            self.slow = bt.ind.SMA(self.data.close, period=200)
            self.was_above: bool | None = None

        def next(self) -> None:
            if self.fast[0] == self.slow[0]:
                return
            above = self.fast[0] > self.slow[0]
            turned = self.was_above is not None and above != self.was_above
            self.was_above = above
            if turned and above and not self.position:
                self.buy(size=math.floor(0.95 * self.broker.getvalue() / self.data.close[0]))
            elif turned and not above and self.position:
                self.close()

        def notify_order(self, order: Any) -> None:
            if order.status == order.Completed:
                done = order.executed
                fills.append((len(self) - 1, int(done.size), done.price, done.comm))

    return GoldenCross


def backtrader_fills(symbol: str) -> list[tuple[int, int, float, float]]:
    """Return (bar, signed quantity, price, commission) of each fill of the backtrader script."""
    bt = pytest.importorskip("backtrader")
    fills: list[tuple[int, int, float, float]] = []
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(feed_of(bt, adjusted_rows(symbol)))
    cerebro.addstrategy(golden_cross(bt, fills))
    cerebro.broker.setcash(CASH)
    cerebro.broker.setcommission(commission=0.001)
    cerebro.run()
    return fills


@pytest.mark.slow
@pytest.mark.parametrize("symbol", ["AAPL", "IBM", "MSFT"])
def test_the_fills_are_those_of_an_independent_backtrader_script(symbol: str) -> None:
    theirs = backtrader_fills(symbol)
    changed: dict[str, Any] = {"run.slippage.bps": 0, "instruments.0.symbol": symbol}
    result = quantcrafter.run(EXAMPLE, **changed)
    ours = result.to_json()["fills"]
    assert len(ours) == len(theirs) > 10
    for fill, (bar, quantity, price, commission) in zip(ours, theirs, strict=True):
        assert fill["bar"] == bar
        assert (1 if fill["side"] == "buy" else -1) * fill["quantity"] == quantity
        assert fill["price"] == pytest.approx(price, abs=1e-9)
        assert fill["commission"] == pytest.approx(commission, rel=1e-9)


def test_slippage_changes_the_money_and_not_the_matched_prices() -> None:
    with_costs = quantcrafter.run(EXAMPLE).to_json()
    without = quantcrafter.run(EXAMPLE, run__slippage__bps=0).to_json()
    assert [fill["bar"] for fill in with_costs["fills"]] == [fill["bar"] for fill in without["fills"]]
    assert [fill["price"] for fill in with_costs["fills"]] == [fill["price"] for fill in without["fills"]]
    assert with_costs["equity"]["value"][-1] < without["equity"]["value"][-1]
