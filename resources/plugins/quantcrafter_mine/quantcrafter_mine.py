"""A plugin for QuantCrafter: one component of each style, to be replaced by your own."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from quantcrafter import Filter, FloatColumn, Indicator, SeriesInput, StrategyContext, hookimpl, param, port

QUANTCRAFTER_API = 1


class Change(Indicator):
    """Measure the distance of a line from its own past, in percent.

    Known at the close of each bar; the first value comes once `bars` bars lie before it.
    """

    name = "mine.change"
    formula_source = "100 (x[t] / x[t - bars] - 1)"

    input: SeriesInput = port("The line to measure.", default="bars.close")
    bars: int = param("How far back.", default=10, unit="bars", ge=1, le=10_000)

    def warmup(self) -> int:
        """Return how many leading bars have no value."""
        return self.bars

    def lookback(self) -> int:
        """Return how many bars before the newest one its value depends on."""
        return self.bars

    def compute(self, input: FloatColumn) -> FloatColumn:  # noqa: A002 - the name of the port
        """Return the change, shape (n,): NaN during the warm-up."""
        value = np.full(len(input), np.nan)
        value[self.bars :] = 100 * (input[self.bars :] / input[: -self.bars] - 1)
        return value


class AfterShock(Filter):
    """Hold for some bars after a bar whose range was large, in percent of its close.

    Written in the event style: `on_bar` is asked at the close of each bar, and keeps what it needs in `ctx.state`.
    """

    name = "mine.after_shock"
    percent: float = param("From which range on.", default=3.0, unit="%", gt=0, le=1000)
    bars: int = param("For how many bars.", default=5, unit="bars", ge=1, le=10_000)

    def on_bar(self, ctx: StrategyContext) -> bool:
        """Return whether the filter holds at the bar that just closed."""
        market = ctx.market
        is_shock = market.high.now - market.low.now > self.percent / 100 * market.close.now
        ctx.state["left"] = self.bars if is_shock else max(0, ctx.state.get("left", 0) - 1)
        return bool(ctx.state["left"] > 0)


@hookimpl
def register_indicators() -> Iterable[type[Indicator]]:
    """Return the indicators."""
    return [Change]


@hookimpl
def register_filters() -> Iterable[type[Filter]]:
    """Return the filters."""
    return [AfterShock]
