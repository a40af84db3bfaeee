"""When a bar is, as other engines count it: naive wall time of the venue."""

from __future__ import annotations

import numpy as np

from quantcrafter.engine.api.bars import Bars
from quantcrafter.engine.api.ports import TimeColumn
from quantcrafter.engine.trading_calendar.zones import DAY_NS, to_local


def closed_at(bars: Bars) -> TimeColumn:
    """Return the venue's wall time at which each bar closed; UTC where clocks set back would break the order.

    Bars of a day and longer have the last 10 microseconds of the day on which they closed.
    """
    local = _ordered(to_local(bars.close_ns, bars.session.timezone), bars.close_ns)
    if bars.timeframe.is_intraday:
        return local
    days = (local - 1) // DAY_NS
    ends: TimeColumn = (days + 1) * DAY_NS - 10_000
    return ends if _rises(ends) else local


def _ordered(local: TimeColumn, utc: TimeColumn) -> TimeColumn:
    return local if _rises(local) else utc


def _rises(times: TimeColumn) -> bool:
    return bool((np.diff(times) > 0).all())
