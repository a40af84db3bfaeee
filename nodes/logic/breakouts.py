"""The trades of breakouts as they would have gone: breakout_outcome."""

from __future__ import annotations

import math

import numpy as np

from quantcrafter.engine.api import (
    Bars,
    BarsInput,
    FloatColumn,
    Output,
    PortType,
    SeriesInput,
    StepForm,
    StepOutputs,
    StepValue,
    param,
    port,
)
from quantcrafter.nodes import kernels
from quantcrafter.nodes.logic.base import CATEGORY_MEMORY, WindowedLogic


class BreakoutOutcome(WindowedLogic):
    """Follow the trade of every breakout, whether the strategy takes it or not, and give the result of the last one.

    While there is no such trade, it is entered when a bar reaches `upper` (long) or `lower` (short), at that price or
    at the open beyond it; of both in one bar, at the one nearer to the open. It ends when a bar reaches the exit line
    of its side, or its stop: `stop_multiple` ranges from the entry, with the range of the bar before it. In the bar of
    its entry, it ends where the close is beyond them. All lines apply to the bar after the one at which they are known.

    With it, a strategy skips breakouts after a winning one, as the Turtles did, also after one that was itself
    skipped: compare `last_percent` with 0. Results are without costs. Known at the bar's close; NaN before the first
    result. Depends on the whole history. Source: Faith, The Original Turtle Trading Rules (2003).
    """

    name = "breakout_outcome"
    loops = True
    category = CATEGORY_MEMORY
    outputs = (
        Output("side", PortType.SERIES, "The trade that is followed at the close: 1 long, -1 short, 0 none."),
        Output("last_percent", PortType.SERIES, "Result of the last one that ended, in percent of its entry price."),
    )

    bars: BarsInput = port("The bars.", default="bars")
    upper: SeriesInput | None = port(
        "Where a long trade is entered, such as the highest high of 20 bars.", default=None
    )
    lower: SeriesInput | None = port("Where a short trade is entered.", default=None)
    exit_long: SeriesInput | None = port("Where a long trade is left, such as the lowest low of 10 bars.", default=None)
    exit_short: SeriesInput | None = port("Where a short trade is left.", default=None)
    atr: SeriesInput | None = port("The average true range that the stop is counted in; no stop without.", default=None)
    stop_multiple: float = param("Distance of the stop, in average true ranges.", default=2.0, gt=0, le=1000)

    def warmup(self) -> int:
        return 0

    def lookback(self) -> None:
        return None

    def compute(
        self,
        bars: Bars,
        upper: FloatColumn | None = None,
        lower: FloatColumn | None = None,
        exit_long: FloatColumn | None = None,
        exit_short: FloatColumn | None = None,
        atr: FloatColumn | None = None,
    ) -> tuple[FloatColumn, FloatColumn]:
        none = np.full(len(bars), np.nan)
        side, last = kernels.breakout_outcomes(
            bars.open,
            bars.high,
            bars.low,
            bars.close,
            none if upper is None else upper,
            none if lower is None else lower,
            none if exit_long is None else exit_long,
            none if exit_short is None else exit_short,
            none if atr is None else atr * self.stop_multiple,
        )
        return side, last

    def steps(self, form: StepForm) -> StepOutputs:
        open_, high, low, close = (form.bars("bars", name) for name in ("open", "high", "low", "close"))
        names = ("upper", "lower", "exit_long", "exit_short")
        upper, lower, exit_long, exit_short = (form.lag(_line(form, name), 1) for name in names)
        distance = form.lag(_line(form, "atr") * self.stop_multiple, 1)
        side, entry, stop, last = kept = [form.recall(before) for before in (0.0, math.nan, math.nan, math.nan)]
        long, short = side > 0.0, side < 0.0
        # One that is open ends at its stop or its exit line, whichever comes first.
        below, above = _higher(form, stop, exit_long), _lower(form, stop, exit_short)
        sold, covered = long & (low <= below), short & (high >= above)
        # Without one, the bar may begin the next.
        buys, sells = ~(long | short) & (high >= upper), ~(long | short) & (low <= lower)
        nearer = (upper - open_) <= (open_ - lower)
        buys &= ~sells | (open_ >= upper) | (~(open_ <= lower) & nearer)
        sells &= ~buys
        bought_at, sold_at = form.most(open_, upper), form.least(open_, lower)
        under, over = _higher(form, bought_at - distance, exit_long), _lower(form, sold_at + distance, exit_short)
        fails_long, fails_short = buys & (close <= under), sells & (close >= over)
        for ended, result in (
            (sold, _gain(form, form.least(open_, below) - entry, entry)),
            (covered, _gain(form, entry - form.most(open_, above), entry)),
            (fails_long, _gain(form, under - bought_at, bought_at)),
            (fails_short, _gain(form, sold_at - over, sold_at)),
        ):
            last = form.select(ended, result, last)
        held = form.select((long & ~sold) | (short & ~covered), side, 0.0)
        held = form.select(buys & ~fails_long, 1.0, form.select(sells & ~fails_short, -1.0, held))
        entry = form.select(buys, bought_at, form.select(sells, sold_at, entry))
        stop = form.select(buys, bought_at - distance, form.select(sells, sold_at + distance, stop))
        for before, now in zip(kept, (held, entry, stop, last), strict=True):
            form.keep(before, now)
        return held, last


def _higher(form: StepForm, a: StepValue, b: StepValue) -> StepValue:
    """Return the higher of two prices, or the one that there is."""
    return form.select((a >= b) | ~form.has_value(b), a, b)


def _lower(form: StepForm, a: StepValue, b: StepValue) -> StepValue:
    """Return the lower of two prices, or the one that there is."""
    return form.select((a <= b) | ~form.has_value(b), a, b)


def _gain(form: StepForm, points: StepValue, price: StepValue) -> StepValue:
    """Return a gain in percent of a price."""
    return form.finite(points / abs(price)) * 100.0


def _line(form: StepForm, name: str) -> StepValue:
    """Return an input, NaN where nothing is wired to it."""
    try:
        return form.input(name)
    except LookupError:
        return form.number(math.nan)
