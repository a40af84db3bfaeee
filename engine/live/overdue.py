"""When the next bar of a name should have come at the latest, by the hours of its market.

1. Of bars within a day: as long after the last one, in trading time, as a bar is long, and half of that more (10 s to
   5 minutes).
2. Of daily bars: six hours after the next session's close. Longer bars are never overdue.

A market without trades may have no bar. It then counts as overdue until the next one; no entry is lost by that, as none
could be decided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from quantcrafter.engine.api import Session, Subscription, Timeframe
from quantcrafter.engine.trading_calendar.trading_days import bounds, breaks, is_session_day, trading_days
from quantcrafter.engine.trading_calendar.zones import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS

_LEAST_NS, _MOST_NS = 10 * SECOND_NS, 5 * MINUTE_NS
_DAILY_NS = 6 * HOUR_NS
_DAYS = 15
"""How many days after the last bar are looked at: no market is closed for longer."""


class BarWatch:
    """Remembers until when the next bar of each name may come.

    Args:
        subscriptions: what bars are brought of.
    """

    def __init__(self, subscriptions: Sequence[Subscription]) -> None:
        self._of = {each.name: each for each in subscriptions}
        self._until: dict[str, tuple[int, int | None]] = {}

    def overdue(self, newest: Mapping[str, int], now_ns: int) -> tuple[str, ...]:
        """Return the names whose next bar is overdue; `newest` is when the last bar of each closed."""
        return tuple(name for name, closed in newest.items() if self._is_overdue(name, closed, now_ns))

    def _is_overdue(self, name: str, closed_ns: int, now_ns: int) -> bool:
        known = self._until.get(name)
        if known is None or known[0] != closed_ns:
            each = self._of[name]
            known = self._until[name] = closed_ns, latest_ns(each.timeframe, each.session, closed_ns)
        return known[1] is not None and now_ns > known[1]


def ends_a_session(session: Session, closed_ns: int) -> bool:
    """Return whether a bar that closed at `closed_ns` is the last of its trading session."""
    day = trading_days(np.array([closed_ns - 1]), session)
    return closed_ns >= int(bounds(day, session)[1][0])


def latest_ns(timeframe: Timeframe, session: Session, closed_ns: int) -> int | None:
    """Return when the bar after one that closed at `closed_ns` should have come at the latest; None: there is no limit.

    Times are UTC nanoseconds.
    """
    if closed_ns <= 0 or timeframe.nominal_ns > DAY_NS:
        return None
    first = int(trading_days(np.array([closed_ns]), session)[0])
    days = np.arange(first, first + _DAYS)
    days = days[is_session_day(days, session)]
    opens, closes = bounds(days, session)
    if not timeframe.is_intraday:
        coming = closes[closes > closed_ns]
        return int(coming[0]) + _DAILY_NS if len(coming) else None
    length = timeframe.nominal_ns
    left = length + min(max(length // 2, _LEAST_NS), _MOST_NS)
    begins, ends, pauses = breaks(days, session)
    for row in range(len(days)):
        spans = [(opens[row], closes[row])]
        if pauses[row]:
            spans = [(opens[row], begins[row]), (ends[row], closes[row])]
        for begin, end in spans:
            since = max(int(begin), closed_ns)
            if int(end) - since >= left:
                return since + left
            left -= max(0, int(end) - since)
    return None
