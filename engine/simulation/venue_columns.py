"""The session of each bar, and the highest and lowest price that the exchange allows in it."""

from __future__ import annotations

import math

import numpy as np

from quantcrafter.engine.api.engine import InstrumentJob
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.ports import FloatColumn, TimeColumn
from quantcrafter.engine.simulation.primitives import round_to_tick, whole_inverse
from quantcrafter.engine.trading_calendar.trading_days import bounds, trading_days_in_order

NO_DAY = int(np.iinfo(np.int64).min)
"""No trading day: that of a bar that there was not."""

DAY_NS = 86_400_000_000_000
NO_LIMITS = (math.inf, -math.inf)


def has_limits(instrument: InstrumentJob) -> bool:
    """Return whether the prices of an instrument have limits: its bars must not be longer than a day."""
    is_limited = any(percent > 0.0 for _, percent in instrument.price_limits)
    return is_limited and instrument.bars.timeframe.nominal_ns <= DAY_NS


def offsets_of(instrument: InstrumentJob) -> tuple[float, float]:
    """Return how far the ask lies above the prices of the bars, and the bid below them."""
    spread = instrument.spread
    if instrument.quotes == "mid":
        return spread / 2.0, spread / 2.0
    return (spread, 0.0) if instrument.quotes == "bid" else (0.0, spread)


def expiry_ns(instrument: InstrumentJob) -> int | None:
    """Return when the session ends with which an instrument expires, in UTC ns; None if it doesn't."""
    if instrument.expiry_day is None:
        return None
    return int(bounds(np.array([instrument.expiry_day], np.int64), instrument.bars.session)[1][0])


def expires_at_end(instrument: InstrumentJob) -> bool:
    """Return whether the last bar of an instrument is that of its expiry.

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
    return bool(bars.close_ns[-1] >= end_ns)


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
    if not has_limits(instrument) or percent <= 0.0 or math.isnan(reference):
        return NO_LIMITS
    tick = instrument.tick_size
    inverse = whole_inverse(tick)
    middle = round_to_tick(reference, tick, inverse)
    up = round_to_tick(middle * (100.0 + percent) / 100.0, tick, inverse)
    down = round_to_tick(middle * (100.0 - percent) / 100.0, tick, inverse)
    least, most = (round_to_tick(middle + side * tick, tick, inverse) for side in (1, -1))
    return max(float(up), float(least)), min(float(down), float(most))
