"""The opening range breakout and dual thrust against plain scripts that were written by hand, in numpy and backtrader.

The scripts get the bars alone. They know nothing of the engine: levels, sizes, fills and the account are their own.
"""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import quantcrafter
from quantcrafter.engine.api import Bars

EXAMPLES = Path(__file__).parents[2] / "resources" / "examples"
FIVE_MINUTES, HALF_HOURS = 78, 13
"""How many bars a session from 09:30 to 16:00 has."""

SHARE = 0.005
"""The commission of a share."""


class HandTrade(NamedTuple):
    """A round trip: side, lots, bar and price of its entry, and of its exit."""

    side: int
    lots: int
    entry_bar: int
    entry: float
    exit_bar: int
    exit: float


def tick(price: float) -> float:
    """Round to cents, halves away from zero."""
    return math.floor(price * 100 * (1 + 1e-12) + 0.5) / 100


def days_of(bars: Bars, per_day: int) -> Any:
    """Return high, low, open and close of each day, one row for each of them."""
    shape = (-1, per_day)
    high, low = bars.high.reshape(shape).max(1), bars.low.reshape(shape).min(1)
    return high, low, bars.open.reshape(shape)[:, 0], bars.close.reshape(shape)[:, -1]


# ---------------------------------------------------------------------- opening range breakout


class Levels(NamedTuple):
    """What is known half an hour after the open of a day: both triggers, and their distance before rounding."""

    upper: float
    lower: float
    width: float


def levels_of(bars: Bars) -> dict[int, Levels]:
    """Return the levels by the bar at whose close they are known: the sixth of each day from the eleventh on."""
    high, low, open_, _ = days_of(bars, FIVE_MINUTES)
    noise = np.minimum(high - open_, open_ - low)
    found = {}
    for day in range(10, len(high)):
        first = day * FIVE_MINUTES
        stretch = noise[day - 10 : day].mean()
        upper = bars.high[first : first + 6].max() + stretch
        lower = bars.low[first : first + 6].min() - stretch
        found[first + 5] = Levels(tick(upper), tick(lower), upper - lower)
    return found


def breakouts(bars: Bars, cash: float) -> tuple[list[HandTrade], float]:
    """Trade the opening range breakout bar by bar; return its trades and the cash in the end."""
    trades = []
    for known, (upper, lower, width) in levels_of(bars).items():
        lots = math.floor(cash * 0.01 / width)
        side, entry, began = 0, 0.0, 0
        for bar in range(known + 1, known + 67):
            open_, high, low = bars.open[bar], bars.high[bar], bars.low[bar]
            assert not (lower < open_ < upper and high >= upper and low <= lower), "a bar that reaches both"
            if high >= upper or low <= lower:
                side = 1 if open_ >= upper or (high >= upper and open_ > lower) else -1
                entry, began = (max(open_, upper) if side > 0 else min(open_, lower)), bar
                break
        if side == 0:
            continue
        stop, last = tick(entry - side * width), known - 5 + FIVE_MINUTES - 1
        assert (bars.close[began] - stop) * side > 0, "stopped out in the bar of the entry"
        for bar in range(began + 1, last + 1):
            open_, worst = bars.open[bar], bars.low[bar] if side > 0 else bars.high[bar]
            if bar == last or (worst - stop) * side <= 0:
                price = open_ if bar == last or (open_ - stop) * side <= 0 else stop
                trades.append(HandTrade(side, lots, began, entry, bar, price))
                cash += lots * (side * (price - entry) - 2 * SHARE)
                break
    return trades, cash


def breakouts_by_backtrader(bars: Bars, cash: float) -> tuple[list[HandTrade], float]:
    """Trade the opening range breakout as a backtrader strategy with its own broker."""
    import backtrader as bt
    import pandas as pd

    known = levels_of(bars)

    class OpeningRange(bt.Strategy):  # type: ignore[misc]
        def __init__(self) -> None:
            self.trades: list[HandTrade] = []
            self.entries: list[Any] = []
            self.guard: Any = None
            self.width = 0.0
            self.began: tuple[int, int, int, float] = (0, 0, 0, 0.0)

        def next(self) -> None:
            bar = len(self) - 1
            if bar in known:
                self.width = known[bar].width
                size = math.floor(self.broker.getvalue() * 0.01 / self.width)
                stop = bt.Order.Stop
                buy = self.buy(size=size, exectype=stop, price=known[bar].upper)
                self.entries = [buy, self.sell(size=size, exectype=stop, price=known[bar].lower, oco=buy)]
            elif bar % FIVE_MINUTES == 71:
                for order in self.entries:
                    self.cancel(order)
            elif bar % FIVE_MINUTES == 76 and self.position:
                self.cancel(self.guard)
                self.close()

        def notify_order(self, order: Any) -> None:
            if order.status != order.Completed:
                return
            bar, price, side = len(self) - 1, order.executed.price, 1 if order.isbuy() else -1
            if order in self.entries:
                self.began = (side, abs(int(order.executed.size)), bar, price)
                send = self.sell if side > 0 else self.buy
                level = tick(price - side * self.width)
                self.guard = send(size=self.began[1], exectype=bt.Order.Stop, price=level)
            else:
                self.trades.append(HandTrade(*self.began, bar, price))

    names = ("open", "high", "low", "close", "volume")
    frame = pd.DataFrame({name: bars.column(name) for name in names}, index=pd.to_datetime(bars.open_ns))
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame))
    cerebro.broker.setcash(cash)
    cerebro.broker.setcommission(commission=SHARE, commtype=bt.CommInfoBase.COMM_FIXED, stocklike=True)
    cerebro.addstrategy(OpeningRange)
    (done,) = cerebro.run()
    return done.trades, float(cerebro.broker.getcash())


def traded(result: Any) -> list[HandTrade]:
    """Return the trades of a run as the scripts write them."""
    return [
        HandTrade(
            int(each["side"]),
            int(each["lots"]),
            int(each["entry_bar"]),
            float(each["entry_price"]),
            int(each["exit_bar"]),
            float(each["exit_price"]),
        )
        for each in result.ledger.trades
    ]


def assert_alike(mine: list[HandTrade], theirs: list[HandTrade]) -> None:
    """Compare trades, prices but for the last bits."""
    assert [(*each[:3], each.exit_bar) for each in mine] == [(*each[:3], each.exit_bar) for each in theirs]
    assert [each.entry for each in mine] == pytest.approx([each.entry for each in theirs], abs=1e-9)
    assert [each.exit for each in mine] == pytest.approx([each.exit for each in theirs], abs=1e-9)


@pytest.mark.parametrize("seed", [3, 8, 21])
def test_the_opening_range_is_traded_as_by_hand(seed: int) -> None:
    result = quantcrafter.run(EXAMPLES / "opening_range_breakout.yaml", instruments__0__seed=seed)
    trades, cash = breakouts(result.instruments[0].bars, 100_000.0)
    assert {each.side for each in trades} == {1, -1}
    assert len(trades) > 80
    assert_alike(traded(result), trades)
    assert result.ledger.cash[-1] == pytest.approx(cash, abs=1e-6)


def test_the_opening_range_is_traded_as_by_a_script_for_backtrader() -> None:
    result = quantcrafter.run(EXAMPLES / "opening_range_breakout.yaml")
    trades, cash = breakouts_by_backtrader(result.instruments[0].bars, 100_000.0)
    assert_alike(traded(result), trades)
    assert result.ledger.cash[-1] == pytest.approx(cash, abs=1e-6)


def test_the_first_trades_of_the_opening_range_are_those_worked_out_by_hand() -> None:
    bars = quantcrafter.run(EXAMPLES / "opening_range_breakout.yaml").instruments[0].bars
    first = 10 * FIVE_MINUTES
    # The range of 18 January 2010, from 09:30 to 10:00, and the prices around the first trade.
    assert str(np.datetime64(int(bars.open_ns[first]), "ns"))[:16] == "2010-01-18T14:30"
    result = quantcrafter.run(EXAMPLES / "opening_range_breakout.yaml")
    trade = traded(result)[0]
    assert trade[:4] == (1, 525, 802, 102.08)
    assert bars.high[801] < 102.08 <= bars.high[802]
    assert trade[4:] == (853, 100.18)
    assert bars.low[852] > 100.18 >= bars.low[853]


# ---------------------------------------------------------------------- dual thrust


class Account:
    """Cash and a position, with a commission of 0.01 % and a cent of slippage for each unit."""

    def __init__(self, cash: float) -> None:
        self.cash, self.side, self.lots = cash, 0, 0
        self.began: tuple[int, float] = (0, 0.0)
        self.trades: list[HandTrade] = []

    def trade(self, side: int, lots: int, price: float, *, slips: bool = True) -> None:
        """Pay, or get, what so many units cost."""
        self.cash -= side * lots * price + lots * price * 0.0001 + (lots * 0.01 if slips else 0.0)

    def turn(self, side: int, lots: int, bar: int, price: float) -> None:
        """Close a position of the other side, and enter."""
        self.close(bar, price)
        self.trade(side, lots, price)
        self.side, self.lots, self.began = side, lots, (bar, price)

    def close(self, bar: int, price: float) -> None:
        """Close the position, if there is one."""
        if self.side:
            self.trade(-self.side, self.lots, price)
            self.trades.append(HandTrade(self.side, self.lots, *self.began, bar, price))

    def equity(self, close: float) -> float:
        """Return cash and the value of the position."""
        return self.cash + self.side * self.lots * close


def thrusts(bars: Bars, cash: float) -> Account:
    """Trade dual thrust bar by bar, and close at the last close."""
    high, low, open_, close = days_of(bars, HALF_HOURS)
    account = Account(cash)
    for day in range(4, len(high)):
        first, past = day * HALF_HOURS, slice(day - 4, day)
        reach = max(high[past].max() - close[past].min(), close[past].max() - low[past].min())
        levels = {1: tick(open_[day] + 0.5 * reach), -1: tick(open_[day] - 0.5 * reach)}
        equity = account.equity(bars.close[first])
        # With a position only the other side is ordered. Without one both are, and the one that is left reverses.
        orders = {side: math.floor(equity * 0.9 / level) for side, level in levels.items() if side != account.side}
        for bar in range(first + 1, first + HALF_HOURS):
            reached = [side for side in orders if (_extreme(bars, bar, side) - levels[side]) * side >= 0]
            assert len(reached) < 2 or account.side, "a bar that reaches both"
            for side in reached:
                price = bars.open[bar] if (bars.open[bar] - levels[side]) * side >= 0 else levels[side]
                account.turn(side, orders.pop(side), bar, price)
    account.close(len(bars) - 1, bars.close[-1])
    return account


def _extreme(bars: Bars, bar: int, side: int) -> float:
    return float(bars.high[bar] if side > 0 else bars.low[bar])


@pytest.mark.parametrize("seed", [5, 6, 13])
def test_dual_thrust_is_traded_as_by_hand(seed: int) -> None:
    result = quantcrafter.run(EXAMPLES / "dual_thrust.yaml", instruments__0__seed=seed)
    account = thrusts(result.instruments[0].bars, 100_000.0)
    assert len(account.trades) > 40
    assert all(one.side == -other.side for one, other in pairwise(account.trades))
    assert_alike(traded(result), account.trades)
    assert result.ledger.cash[-1] == pytest.approx(account.cash, abs=1e-6)
