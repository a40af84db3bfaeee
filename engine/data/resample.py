"""Longer bars from shorter ones, causally.

1. Each bar is assigned to a slot of the longer timeframe by its open time; missing bars don't shift other bars.
2. A slot opens at its nominal start and closes at its nominal end (cut at the session's close), regardless of its bars,
   but never before its last bar has closed: its values are final from then on.
3. The last slot is returned only if the data reaches its nominal end.
4. Where no bar can follow, as after the expiry of a contract, the last slot ends there.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from quantcrafter.engine.api import Bars, DataError, TimeColumn, Timeframe
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.resample_slots import slots
from quantcrafter.engine.trading_calendar.zones import DAY_NS


def resample(bars: Bars, timeframe: Timeframe, ends_ns: int | None = None) -> Bars:
    """Return `bars` in a longer timeframe: first open, highest high, lowest low, last close, summed volume.

    A further column has the value of the last bar, which may be missing.
    Bars outside the session's hours are not included in bars of a day or longer. The result may be empty: incomplete
    bars are not returned.

    Args:
        bars: with times in UTC ns.
        timeframe: that of the bars to return.
        ends_ns: the end of the data, after which no bar counts, in UTC ns; None if there is none. The slot in
            which it falls closes then.

    Raises:
        DataError: `timeframe` is no multiple of the bars' own.
    """
    check_multiple(bars.timeframe, timeframe, bars.symbol)
    if same_length(bars.timeframe, timeframe) or not len(bars):
        return replace(bars, timeframe=timeframe)
    slot = slots(bars.open_ns, timeframe, bars.session)
    reached_ns = bars.close_ns[-1]
    if ends_ns is not None:
        used = int(np.searchsorted(bars.open_ns, ends_ns))
        bars = bars.slice(0, used)
        slot = slot._replace(
            start_ns=slot.start_ns[:used], end_ns=np.minimum(slot.end_ns[:used], ends_ns), inside=slot.inside[:used]
        )
        if not used:
            return replace(bars, timeframe=timeframe)
    if not timeframe.is_intraday and not slot.inside.all():
        bars = take_bars(bars, np.flatnonzero(slot.inside))
        slot = slot._replace(start_ns=slot.start_ns[slot.inside], end_ns=slot.end_ns[slot.inside])
        if not len(bars):
            return replace(bars, timeframe=timeframe)
    first = np.flatnonzero(np.concatenate(([True], slot.start_ns[1:] != slot.start_ns[:-1])))
    last = np.append(first[1:], len(bars)) - 1
    close_ns = np.maximum(slot.end_ns[last], bars.close_ns[last])
    open_ns = slot.start_ns[first]
    np.maximum(open_ns[1:], close_ns[:-1], out=open_ns[1:])
    made = replace(
        bars,
        timeframe=timeframe,
        open_ns=open_ns,
        close_ns=close_ns,
        open=bars.open[first],
        high=np.maximum.reduceat(bars.high, first),
        low=np.minimum.reduceat(bars.low, first),
        close=bars.close[last],
        volume=np.add.reduceat(bars.volume, first),
        traded=None,
        actions=None,
        extra={name: column[last] for name, column in bars.extra.items()},
        # The widest spread counts: it is not known when in the bar an order is filled.
        spread=None if bars.spread is None else np.maximum.reduceat(bars.spread, first),
        open_interest=None if bars.open_interest is None else bars.open_interest[last],
    )
    complete = len(made) if reached_ns >= slot.end_ns[-1] else len(made) - 1
    return made.slice(0, complete)


def slot_begins(bars: Bars, timeframe: Timeframe) -> TimeColumn:
    """Return at which rows of `bars` the bars begin that `resample` makes of them, the incomplete last one included."""
    if same_length(bars.timeframe, timeframe):
        return np.arange(len(bars), dtype=np.int64)
    slot = slots(bars.open_ns, timeframe, bars.session)
    rows = np.arange(len(bars)) if timeframe.is_intraday else np.flatnonzero(slot.inside)
    start_ns = slot.start_ns[rows]
    begins = np.concatenate((np.ones(min(1, len(rows)), np.bool_), start_ns[1:] != start_ns[:-1]))
    found: TimeColumn = rows[begins]
    return found


def same_length(first: Timeframe, second: Timeframe) -> bool:
    """Return whether two timeframes mean the same bars, such as 60m and 1h."""
    if (first.unit == "mo") != (second.unit == "mo"):
        return False
    return first.nominal_ns == second.nominal_ns and (first.is_intraday == second.is_intraday)


def is_multiple(source: Timeframe, target: Timeframe) -> bool:
    """Return whether bars of `target` can be made from whole bars of `source`."""
    try:
        check_multiple(source, target, "")
    except DataError:
        return False
    return True


def check_multiple(source: Timeframe, target: Timeframe, symbol: str) -> None:
    """Refuse a timeframe into which bars of `source` do not fit as whole bars.

    Raises:
        DataError: `target` is shorter than `source`, or no multiple of it.
    """
    shorter = target.nominal_ns < source.nominal_ns or (target.is_intraday and not source.is_intraday)
    if shorter:
        raise DataError(
            Message(
                "{symbol}: bars of {target} can't be made from longer ones, the source has {source}. Ask for "
                "{source} or longer, or give finer data.",
                symbol=symbol,
                target=target,
                source=source,
            )
        )
    if not _fits(source, target):
        raise DataError(
            Message(
                "{symbol}: bars of {target} can't be made from bars of {source}, which don't fit into them "
                "evenly. Ask for a multiple of {source}.",
                symbol=symbol,
                target=target,
                source=source,
            )
        )


def _fits(source: Timeframe, target: Timeframe) -> bool:
    if not target.is_intraday and (source.nominal_ns == DAY_NS or source.is_intraday):
        return True
    if (source.unit == "mo") != (target.unit == "mo"):
        return False
    if not source.is_intraday and not target.is_intraday and (source.unit == "d") != (target.unit == "d"):
        return same_length(source, target)
    return target.nominal_ns % source.nominal_ns == 0


def take_bars(bars: Bars, rows: TimeColumn) -> Bars:
    """Return the bars at these positions, without prices as traded and corporate actions."""
    names = ("open_ns", "close_ns", "open", "high", "low", "close", "volume")
    columns = {name: getattr(bars, name)[rows] for name in names}
    extra = {name: column[rows] for name, column in bars.extra.items()}
    columns |= {
        name: column[rows] for name in ("spread", "open_interest") if (column := getattr(bars, name)) is not None
    }
    return replace(bars, traded=None, actions=None, extra=extra, **columns)
