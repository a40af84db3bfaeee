"""When positions are funded or pay swap: how often from the last close to a bar's open, and from there to its close.

A funding is due at 00:00, 08:00 and 16:00 UTC, swap at 17:00 in New York from Monday to Friday. What falls on
the open of a bar belongs to the position held before it; what falls on its close, to the next bar.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.engine import InstrumentJob
from quantcrafter.engine.api.ports import FloatColumn, TimeColumn
from quantcrafter.engine.trading_calendar.zones import DAY_NS, to_local

FUNDING_COLUMNS = ("funding_open", "funding_inside")
NIGHT_COLUMNS = ("nights_open", "nights_inside")
FUNDING_NS = DAY_NS // 3
ROLLOVER_NS = 17 * (DAY_NS // 24)
ROLLOVER_ZONE = "America/New_York"
Until = Callable[[TimeColumn], TimeColumn]
WEEK_DAYS, WORK_DAYS, EPOCH_WEEKDAY = 7, 5, 3


def funding_counts(instrument: InstrumentJob) -> tuple[FloatColumn, FloatColumn]:
    """Return how many fundings are due up to the open of each bar, and inside it."""
    return _counts(_fundings_until, *_spans(instrument))


def night_counts(instrument: InstrumentJob) -> tuple[FloatColumn, FloatColumn]:
    """Return for how many nights swap is due up to the open of each bar, and inside it; none without a swap."""
    spans = _spans(instrument)
    if instrument.swap is None:
        return np.zeros(len(spans[0])), np.zeros(len(spans[0]))
    triple = instrument.swap.triple_day
    return _counts(lambda times: _nights_until(times, triple), *spans)


def fundings_in(last_close_ns: int, open_ns: int, close_ns: int) -> tuple[float, float]:
    """Return `funding_counts` of a single bar; `last_close_ns` is the close before it."""
    before, inside = _counts(
        _fundings_until, *(np.array([each], np.int64) for each in (last_close_ns, open_ns, close_ns))
    )
    return float(before[0]), float(inside[0])


def nights_in(instrument: InstrumentJob, last_close_ns: int, open_ns: int, close_ns: int) -> tuple[float, float]:
    """Return `night_counts` of a single bar; `last_close_ns` is the close before it."""
    if instrument.swap is None:
        return 0.0, 0.0
    triple = instrument.swap.triple_day
    spans = (np.array([each], np.int64) for each in (last_close_ns, open_ns, close_ns))
    before, inside = _counts(lambda times: _nights_until(times, triple), *spans)
    return float(before[0]), float(inside[0])


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
