"""A small QuantCrafter plugin: one component of each role that decides, an indicator and a data provider."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np

from quantcrafter import (
    API_VERSION,
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    Advisor,
    Bars,
    BarsInput,
    BoolColumn,
    CancelOrder,
    DataError,
    DataProvider,
    DataRequest,
    ExecutionLogic,
    Filter,
    FilterInputs,
    FloatColumn,
    Indicator,
    MoneyInput,
    MoneyManager,
    PlaceOrder,
    Protection,
    RawBars,
    RiskInputs,
    RiskManager,
    SeriesInput,
    SignalInputs,
    StrategyContext,
    hookimpl,
    param,
    port,
)

QUANTCRAFTER_API = API_VERSION
DAY_NS = 86_400_000_000_000


class VolumeWeightedAverage(Indicator):
    """Average the close of the last bars, each weighted by its volume.

    Known at the close of each bar; the first value comes once `length` bars are there. NaN while there was no volume.
    """

    name = "demo.vwma"
    category = "Averages"
    formula_source = "sum(close x volume) / sum(volume), over the last `length` bars"

    bars: BarsInput = port("The bars to average.", default="bars")
    length: int = param("Number of bars.", default=20, unit="bars", ge=1, le=10_000)

    def warmup(self) -> int:
        return self.length - 1

    def compute(self, bars: Bars) -> FloatColumn:
        """Return the weighted average, shape (n,)."""
        value = np.full(len(bars), np.nan)
        if len(bars) >= self.length:
            windows = np.lib.stride_tricks.sliding_window_view
            volume = windows(bars.volume, self.length)
            total = volume.sum(axis=1)
            weighted = (windows(bars.close, self.length) * volume).sum(axis=1)
            np.divide(weighted, total, out=value[self.length - 1 :], where=total > 0)
        return value


class Streak(Advisor):
    """Enter after several closes in a row on one side of a line, leave at the first close on the other.

    Written in the event style: `on_bar` is asked at the close of each bar and sees nothing later.
    """

    name = "demo.streak"
    line: SeriesInput = port("The line to compare the close with.")
    closes: int = param("How many closes in a row.", default=3, unit="bars", ge=1, le=100)
    side: Literal["above", "below"] = param("On which side of the line.", default="above")

    def warmup(self) -> int:
        return self.closes - 1

    def on_bar(self, ctx: StrategyContext) -> int:
        """Return the signal flags for the bar that just closed."""
        close = ctx.market.close[-self.closes :]
        line = ctx.indicators.line[-self.closes :]
        beyond = close > line if self.side == "above" else close < line
        if len(beyond) == self.closes and beyond.all():
            return ENTER_LONG
        return 0 if beyond[-1] else EXIT_LONG


class Quiet(Filter):
    """Hold while the bar's range, in percent of its close, stays below a limit."""

    name = "demo.quiet"
    bars: BarsInput = port("The bars to watch.", default="bars")
    limit: float = param("The largest range.", default=5.0, unit="%", gt=0, le=1000)

    def compute(self, bars: Bars) -> BoolColumn:
        """Return whether each bar is quiet, shape (n,)."""
        quiet: BoolColumn = (bars.high - bars.low) <= self.limit / 100 * bars.close
        return quiet


class HalfRange(ExecutionLogic):
    """Enter by a limit order half a bar's range better than the close, good for one bar; leave at the next open.

    The quantity is the money manager's. One entry waits at a time.
    """

    name = "demo.half_range"
    category = "Orders"
    signals: SignalInputs = port("The advisors whose signals are traded.", min_length=1)
    filters: FilterInputs = port("Filters that hold back entries.", default=())
    risk: RiskInputs = port("Stops and targets that protect the position.", default=())
    money: MoneyInput = port("The money manager that sizes entries.")
    patience: int = param("How many bars an entry waits.", default=1, unit="bars", ge=1, le=100)

    def on_bar(self, ctx: StrategyContext) -> list[PlaceOrder | CancelOrder]:
        """Return the orders to place and to cancel after the bar that just closed."""
        flags = 0
        for signal in ctx.signals.values():
            flags |= int(signal.now)
        held = ctx.positions[ctx.market.symbol]
        if held.side == "long" and flags & (EXIT_LONG | ENTER_SHORT):
            return [PlaceOrder("sell", held.quantity, only_close=True)]
        if held.side == "short" and flags & (EXIT_SHORT | ENTER_LONG):
            return [PlaceOrder("buy", held.quantity, only_close=True)]
        if held.side != "flat" or not flags & (ENTER_LONG | ENTER_SHORT):
            return []
        side: Literal["long", "short"] = "long" if flags & ENTER_LONG else "short"
        half = (ctx.market.high.now - ctx.market.low.now) / 2
        better = -half if side == "long" else half
        word: Literal["buy", "sell"] = "buy" if side == "long" else "sell"
        entry = PlaceOrder(word, ctx.size(side), "limit", price=ctx.market.close.now + better, bars=self.patience)
        return [CancelOrder(), entry]


class LowestLow(RiskManager):
    """Keep the stop of a long position at the lowest low of the last bars; the highest high for a short one."""

    name = "demo.lowest_low"
    category = "Stop-loss"
    bars: int = param("How many bars back.", default=5, unit="bars", ge=1, le=1000)

    def warmup(self) -> int:
        return self.bars - 1

    def on_bar(self, ctx: StrategyContext) -> Protection | None:
        """Return where the stop belongs after the bar that just closed."""
        held = ctx.positions[ctx.market.symbol]
        if held.side == "flat":
            return None
        if held.side == "long":
            return Protection(stop=float(ctx.market.low[-self.bars :].min()))
        return Protection(stop=float(ctx.market.high[-self.bars :].max()))


class WholeHundreds(MoneyManager):
    """Trade a part of the equity, in units of a hundred, or ten where that is nothing."""

    name = "demo.round_lots"
    category = "Account"
    percent: float = param("Part of the equity.", default=50.0, unit="%", gt=0, le=100)

    def on_bar(self, ctx: StrategyContext) -> float:
        """Return the quantity of an entry at the close of the bar."""
        quantity = ctx.portfolio.equity * self.percent / 100 / ctx.market.close.now
        whole = quantity // 100 * 100
        return float(whole) if whole else float(quantity // 10 * 10)


class Waves(DataProvider):
    """Daily bars on a sine wave: the same at every run, and plainly not a market."""

    name = "demo.waves"
    count: int = param("Number of bars.", default=500, unit="bars", ge=2, le=100_000)
    period: float = param("Length of a wave.", default=60.0, unit="bars", gt=1)
    height: float = param("How far it swings around 100.", default=20.0, unit="currency", gt=0, lt=90)

    def load(self, request: DataRequest) -> RawBars:
        """Return `count` daily bars from 2015 on.

        Raises:
            DataError: another timeframe than 1d is asked for.
        """
        if str(request.timeframe) != "1d":
            raise DataError(f"demo.waves has daily bars only, was asked for {request.timeframe}. Use timeframe 1d.")
        index = np.arange(self.count, dtype=np.int64)
        edges = 100 + self.height * np.sin(2 * np.pi * np.arange(self.count + 1) / self.period)
        opens, closes = np.round(edges[:-1], 2), np.round(edges[1:], 2)
        return RawBars(
            time_ns=np.datetime64("2015-01-01", "ns").astype(np.int64) + index * DAY_NS,
            open=opens,
            high=np.maximum(opens, closes) + 0.5,
            low=np.minimum(opens, closes) - 0.5,
            close=closes,
            volume=(1000 + 100 * (index % 7)).astype(np.float64),
            rows=index + 1,
            stamp="date",
            source="demo.waves",
            synthetic=True,
        )


@hookimpl
def register_indicators() -> Iterable[type[Indicator]]:
    """Return the indicator."""
    return [VolumeWeightedAverage]


@hookimpl
def register_advisors() -> Iterable[type[Advisor]]:
    """Return the advisor."""
    return [Streak]


@hookimpl
def register_filters() -> Iterable[type[Filter]]:
    """Return the filter."""
    return [Quiet]


@hookimpl
def register_executors() -> Iterable[type[ExecutionLogic]]:
    """Return the execution logic."""
    return [HalfRange]


@hookimpl
def register_risk_managers() -> Iterable[type[RiskManager]]:
    """Return the risk manager."""
    return [LowestLow]


@hookimpl
def register_money_managers() -> Iterable[type[MoneyManager]]:
    """Return the money manager."""
    return [WholeHundreds]


@hookimpl
def register_data_providers() -> Iterable[type[DataProvider]]:
    """Return the source of bars."""
    return [Waves]
