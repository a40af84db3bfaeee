"""The session of each bar, and the highest and lowest price that the exchange allows in it."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from quantcrafter.engine.api.bars import Bars
from quantcrafter.engine.api.engine import EngineJob, InstrumentJob
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.market import TickTables
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.ports import FloatColumn, TimeColumn
from quantcrafter.engine.simulation.primitives import TOLERANCE, round_to_tick, whole_inverse
from quantcrafter.engine.trading_calendar.trading_days import bounds, trading_days_in_order

NO_DAY = int(np.iinfo(np.int64).min)
"""No trading day: that of a bar that there was not."""

DAY_NS = 86_400_000_000_000
NO_LIMITS = (math.inf, -math.inf)


def has_limits(instrument: InstrumentJob) -> bool:
    """Return whether the prices of an instrument have limits: its bars must not be longer than a day."""
    is_limited = any(percent > 0.0 for _, percent in instrument.price_limits)
    return (is_limited or bool(instrument.limit_amounts)) and instrument.bars.timeframe.nominal_ns <= DAY_NS


def spread_parts(instrument: InstrumentJob) -> tuple[float, float]:
    """Return which parts of the spread lie above the prices of the bars, to the ask, and below them, to the bid."""
    if instrument.quotes == "mid":
        return 0.5, 0.5
    return (1.0, 0.0) if instrument.quotes == "bid" else (0.0, 1.0)


def has_spreads(job: EngineJob) -> bool:
    """Return whether the spread of any instrument changes from bar to bar."""
    return any(each.spreads is not None for each in job.instruments)


def spreads_of(instrument: InstrumentJob) -> FloatColumn:
    """Return the spread of each bar, as a difference of prices."""
    if instrument.spreads is None:
        return np.full(len(instrument.bars), instrument.spread)
    return instrument.spreads


def has_rolls(job: EngineJob) -> bool:
    """Return whether any instrument changes from contract to contract."""
    return any(each.roll is not None for each in job.instruments)


def expiry_ns(instrument: InstrumentJob) -> int | None:
    """Return when the session ends with which an instrument expires, in UTC ns; None if it doesn't."""
    if instrument.expiry_day is None:
        return None
    return int(bounds(np.array([instrument.expiry_day], np.int64), instrument.bars.session)[1][0])


def expires_at_end(instrument: InstrumentJob) -> bool:
    """Return whether an instrument expires with its last bar.

    Raises:
        RunError: there are bars after it.
    """
    end_ns, bars = expiry_ns(instrument), instrument.bars
    if end_ns is None or not len(bars):
        return False
    if bars.open_ns[-1] >= end_ns:
        raise RunError(
            Message(
                "{symbol} has bars after its expiry. Leave them out, or correct 'expiry'.", symbol=instrument.symbol
            )
        )
    return instrument.expires or bool(bars.close_ns[-1] >= end_ns)


def is_on_last_day(instrument: InstrumentJob) -> bool:
    """Return whether the last bar of an instrument, which has bars, is of the day on which it expires."""
    bars = instrument.bars
    return instrument.expiry_day == int(trading_days_in_order(bars.open_ns[-1:], bars.session)[0])


def session_days(instrument: InstrumentJob) -> TimeColumn:
    """Return the trading day of each bar, which is that of its open."""
    return trading_days_in_order(instrument.bars.open_ns, instrument.bars.session)


def limits_of(instrument: InstrumentJob) -> tuple[FloatColumn, FloatColumn]:
    """Return the highest and the lowest price of each bar's session, infinite where there is none.

    The close before the first session is that of the bars before the run, where there are any.
    """
    seen, bars = instrument.seen, instrument.bars
    n, before = len(seen), len(seen) - len(bars)
    up, down = np.full(n, math.inf), np.full(n, -math.inf)
    if not has_limits(instrument) or not n:
        return up, down
    days, close = trading_days_in_order(seen.open_ns, seen.session), seen.close
    starts = np.flatnonzero(np.diff(days, prepend=days[0] - 1))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), n], strict=True):
        known = start >= before
        split = float(instrument.split[start - before]) if known and instrument.split is not None else 1.0
        dividend = float(instrument.dividend[start - before]) if known and instrument.dividend is not None else 0.0
        reference = reference_price(float(close[start - 1]) if start else math.nan, split, dividend)
        up[start:end], down[start:end] = limits_at(instrument, int(days[start]), reference)
    return up[before:], down[before:]


def reference_price(last_close: float, split: float, dividend: float) -> float:
    """Return the price that the limits of a session are counted from: the last close, less what happened since."""
    return last_close / split - dividend


def limits_at(instrument: InstrumentJob, day: int, reference: float) -> tuple[float, float]:
    """Return the highest and the lowest price of a session, on the tick, at least one away from the reference.

    NaN as the reference says that there is none, and so no limit: before the first bar there is no session.
    """
    percent = 0.0
    for since, each in instrument.price_limits:
        percent = each if day >= since else percent
    amount = next((amount for below, amount in instrument.limit_amounts if reference < below), 0.0)
    is_limited = percent > 0.0 or (amount > 0.0 and not instrument.price_limits)
    if not has_limits(instrument) or not is_limited or math.isnan(reference):
        return NO_LIMITS
    middle = _on_tick(instrument, day, reference, 0)
    inward = 1 if instrument.limit_rounding == "inward" else 0
    if percent > 0.0:
        up, down = middle * (100.0 + percent) / 100.0, middle * (100.0 - percent) / 100.0
    else:
        up, down = middle + amount, middle - amount
    up, down = _on_tick(instrument, day, up, -inward), _on_tick(instrument, day, down, inward)
    least, most = (
        _on_tick(instrument, day, middle + side * tick_of(instrument, day, middle, side), 0) for side in (1, -1)
    )
    return max(up, least), min(down, most)


def tick_of(instrument: InstrumentJob, day: int, price: float, side: int = 0) -> float:
    """Return the tick at a price in the session of a day; at a bound for a step up, or with `side` -1 down."""
    tables = instrument.tick_tables
    if not tables:
        return instrument.tick_size
    bands = next((bands for since, bands in reversed(tables) if since <= day), tables[0][1])
    size = abs(price)
    reached = [tick for low, tick in bands if low < size or (low == size and side >= 0)]
    return reached[-1] if reached else bands[0][1]


def ticks_at_opens(tables: TickTables, bars: Bars) -> FloatColumn:
    """Return the tick at the open of each bar, by the table of its session; at a bound that for a step up."""
    ticks = np.empty(len(bars))
    if not len(bars):
        return ticks
    days, sizes = trading_days_in_order(bars.open_ns, bars.session), np.abs(bars.open)
    begins = [0, *np.searchsorted(days, [since for since, _ in tables[1:]]).tolist(), len(bars)]
    for (_, bands), (begin, end) in zip(tables, pairwise(begins), strict=True):
        lows, steps = (np.array(each) for each in zip(*bands, strict=True))
        row = np.searchsorted(lows, sizes[begin:end], side="right") - 1
        ticks[begin:end] = steps[np.maximum(row, 0)]
    return ticks


def _on_tick(instrument: InstrumentJob, day: int, price: float, side: int) -> float:
    """Return the nearest multiple of the tick at a price, or the next one above (1) or below it (-1)."""
    tick = tick_of(instrument, day, price)
    inverse = whole_inverse(tick)
    if side == 0:
        return float(round_to_tick(price, tick, inverse))
    scaled = price * inverse if inverse > 0.0 else price / tick
    near = abs(scaled) * TOLERANCE
    ticks = math.floor(scaled + near) if side < 0 else math.ceil(scaled - near)
    return ticks / inverse if inverse > 0.0 else ticks * tick
