"""When a night begins that swap is due for: at 17:00 in New York from Monday to Friday."""

from __future__ import annotations

import numpy as np

from quantcrafter.engine.api import FloatColumn, TimeColumn
from quantcrafter.engine.trading_calendar.zones import DAY_NS, to_utc

ROLLOVER_NS = 17 * (DAY_NS // 24)
ROLLOVER_ZONE = "America/New_York"
WEEK_DAYS, WORK_DAYS, EPOCH_WEEKDAY = 7, 5, 3


def rollovers(first_ns: int, last_ns: int, triple_day: int | None) -> tuple[TimeColumn, FloatColumn, TimeColumn]:
    """Return the rollovers from one moment to another: when (UTC ns), for how many nights, and the day (since 1970)."""
    days = np.arange(first_ns // DAY_NS - 2, last_ns // DAY_NS + 3, dtype=np.int64)
    days = days[(days + EPOCH_WEEKDAY) % WEEK_DAYS < WORK_DAYS]
    nights = np.where((days + EPOCH_WEEKDAY) % WEEK_DAYS == triple_day, 3.0, 1.0)
    times = to_utc(days * DAY_NS + ROLLOVER_NS, ROLLOVER_ZONE)
    inside = (times >= first_ns) & (times <= last_ns)
    return times[inside], nights[inside], days[inside]
