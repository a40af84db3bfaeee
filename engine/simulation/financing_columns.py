"""When positions are funded or pay swap: how often from the last close to a bar's open, and from there to its close.

A funding is due at 00:00, 08:00 and 16:00 UTC, swap at 17:00 in New York from Monday to Friday. What falls on
the open of a bar belongs to the position held before it; what falls on its close, to the next bar.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.bars import DatedAmounts
from quantcrafter.engine.api.engine import InstrumentJob
from quantcrafter.engine.api.ports import FloatColumn, TimeColumn
from quantcrafter.engine.trading_calendar.rollovers import (
    EPOCH_WEEKDAY,
    ROLLOVER_NS,
    ROLLOVER_ZONE,
    WEEK_DAYS,
    WORK_DAYS,
)
from quantcrafter.engine.trading_calendar.zones import DAY_NS, to_local

FUNDING_COLUMNS = ("funding_open", "funding_inside")
NIGHT_COLUMNS = ("nights_open", "nights_inside")
FUNDING_NS = DAY_NS // 3
Until = Callable[[TimeColumn], TimeColumn]


class Due(NamedTuple):
    """The fundings, and what nights earn, that are due at a bar; None if their rates don't change."""

    funding: DatedAmounts | None = None
    swap: DatedAmounts | None = None


class TimesOfBar(NamedTuple):
    """The close before a bar, its open, and its close, in UTC ns; for a first bar, the first two are the same."""

    last_close_ns: int
    open_ns: int
    close_ns: int


def is_funded(instrument: InstrumentJob) -> bool:
    """Return whether positions pay or get funding."""
    return instrument.funding_percent != 0.0 or instrument.funding is not None


def has_funding_column(instrument: InstrumentJob) -> bool:
    """Return whether columns of fundings are needed: a swap that changes has in them what short positions earn."""
    return is_funded(instrument) or (instrument.swap is not None and instrument.swap.dated is not None)


def funding_counts(instrument: InstrumentJob) -> tuple[FloatColumn, FloatColumn]:
    """Return how many fundings are due up to the open of each bar, and inside it.

    If the rate changes, it is the sum of the rates; if the swap does, what short positions earn.
    """
    dated = _dated(instrument)
    if dated is not None:
        return _sums(dated.times_ns, dated.short, *_spans(instrument))
    return _counts(_fundings_until, *_spans(instrument))


def night_counts(instrument: InstrumentJob) -> tuple[FloatColumn, FloatColumn]:
    """Return for how many nights swap is due up to the open of each bar, and inside it; none without a swap.

    If the swap changes, it is the sum of what long positions earn.
    """
    spans = _spans(instrument)
    if instrument.swap is None:
        return np.zeros(len(spans[0])), np.zeros(len(spans[0]))
    if instrument.swap.dated is not None:
        return _sums(instrument.swap.dated.times_ns, instrument.swap.dated.long, *spans)
    triple = instrument.swap.triple_day
    return _counts(lambda times: _nights_until(times, triple), *spans)


def fundings_in(instrument: InstrumentJob, times: TimesOfBar, due: Due) -> tuple[float, float]:
    """Return `funding_counts` of a single bar: of its `times`, and with what is `due` of rates that change."""
    spans, amounts = _single(times), due.swap if instrument.funding is None else due.funding
    found = _counts(_fundings_until, *spans) if amounts is None else _sums(amounts.times_ns, amounts.short, *spans)
    return float(found[0][0]), float(found[1][0])


def nights_in(instrument: InstrumentJob, times: TimesOfBar, due: Due) -> tuple[float, float]:
    """Return `night_counts` of a single bar: of its `times`, and with what is `due` of rates that change."""
    swap, spans = instrument.swap, _single(times)
    if swap is None:
        return 0.0, 0.0
    if due.swap is not None:
        found = _sums(due.swap.times_ns, due.swap.long, *spans)
    else:
        found = _counts(lambda moments: _nights_until(moments, swap.triple_day), *spans)
    return float(found[0][0]), float(found[1][0])


def due_at(instrument: InstrumentJob, bar: int) -> Due:
    """Return what is due from the close of the bar before up to a bar's close."""
    bars, swap = instrument.bars, instrument.swap
    span = int(bars.close_ns[bar - 1] if bar else bars.open_ns[0]), int(bars.close_ns[bar])
    funding = None if instrument.funding is None else instrument.funding.within(*span)
    return Due(funding, None if swap is None or swap.dated is None else swap.dated.within(*span))


def _dated(instrument: InstrumentJob) -> DatedAmounts | None:
    """Return the amounts of the columns of fundings where they change."""
    return instrument.funding if instrument.swap is None else instrument.funding or instrument.swap.dated


def _single(times: TimesOfBar) -> tuple[TimeColumn, TimeColumn, TimeColumn]:
    moments = (times.last_close_ns, times.open_ns, times.close_ns)
    last, open_, close = (np.array([each], np.int64) for each in moments)
    return last, open_, close


def _sums(
    times_ns: TimeColumn, amounts: FloatColumn, last: TimeColumn, open_ns: TimeColumn, close_ns: TimeColumn
) -> tuple[FloatColumn, FloatColumn]:
    """Return the sums of the amounts due from the last close to the open, both included, and between open and close.

    They are added one by one in their order, so that the sums of a single bar are those of many.
    """
    before, inside = np.zeros(len(open_ns)), np.zeros(len(open_ns))
    bar = np.searchsorted(close_ns, times_ns, side="right")
    known = bar < len(open_ns)
    at, moment, amount = bar[known], times_ns[known], amounts[known]
    known = moment >= last[at]
    at, moment, amount = at[known], moment[known], amount[known]
    early = moment <= open_ns[at]
    np.add.at(before, at[early], amount[early])
    np.add.at(inside, at[~early], amount[~early])
    return before, inside


def _spans(instrument: InstrumentJob) -> tuple[TimeColumn, TimeColumn, TimeColumn]:
    """Return the close before each bar, its open and its close; before the first bar there is no position."""
    open_ns, close_ns = instrument.bars.open_ns, instrument.bars.close_ns
    return np.concatenate((open_ns[:1], close_ns[:-1])), open_ns, close_ns


def _counts(
    until: Until, last: TimeColumn, open_ns: TimeColumn, close_ns: TimeColumn
) -> tuple[FloatColumn, FloatColumn]:
    """Return how many moments lie from the last close to the open, both included, and between open and close."""
    at_open = until(open_ns)
    before = at_open - until(last - 1)
    return before.astype(np.float64), (until(close_ns - 1) - at_open).astype(np.float64)


def _fundings_until(times: TimeColumn) -> TimeColumn:
    fundings: TimeColumn = times // FUNDING_NS
    return fundings


def _nights_until(times: TimeColumn, triple_day: int | None) -> TimeColumn:
    """Return how many nights have begun up to each moment, counted from some Monday."""
    nights: npt.NDArray[np.int64] = np.array([1] * WORK_DAYS + [0] * (WEEK_DAYS - WORK_DAYS), np.int64)
    if triple_day is not None:
        nights[triple_day] = 3
    day = (to_local(times, ROLLOVER_ZONE) - ROLLOVER_NS) // DAY_NS + EPOCH_WEEKDAY
    weeks, weekday = day // WEEK_DAYS, day % WEEK_DAYS
    counted: TimeColumn = weeks * nights.sum() + np.cumsum(nights)[weekday]
    return counted
