"""How times are shown to people: in the time zone of the exchange, which is named. All that shows a time uses this.

A zone is named by its place: `New York` for America/New_York. Times of one table or chart have one zone, named in a
heading or a corner; a time that stands alone, or among others of other zones, has the name behind it. Files for other
programs have the zone's full name, and moments in UTC nanoseconds beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from quantcrafter.engine.api import Session, TimeColumn, Timeframe
from quantcrafter.engine.trading_calendar.trading_days import trading_days
from quantcrafter.engine.trading_calendar.zones import MINUTE_NS, SECOND_NS, to_local

DEFAULT_ZONE = "UTC"
"""The zone of what belongs to exchanges of several zones, or to none."""
_DAY, _MINUTE, _SECOND = "%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"


def common_zone(zones: Iterable[str]) -> str:
    """Return the one zone of all, UTC where there are several or none."""
    found = {_zone(zone)[0] for zone in zones}
    return found.pop() if len(found) == 1 else DEFAULT_ZONE


def zone_name(zone: str) -> str:
    """Return what a zone is called: `New York` for America/New_York."""
    return _zone(zone)[0].rpartition("/")[2].replace("_", " ")


def with_zone(text: str, zone: str) -> str:
    """Return a heading with the zone of the times below it: `Entry time (New York)`."""
    return f"{text} ({zone_name(zone)})"


def local_time(ts_ns: int, zone: str) -> datetime:
    """Return a moment (UTC ns) as the clocks of a zone show it; UTC where there is no such zone."""
    return datetime.fromtimestamp(ts_ns // SECOND_NS, _zone(zone)[1])


def day_text(ts_ns: int, zone: str) -> str:
    """Return the day of a moment (UTC ns) in a zone: `2024-05-31`."""
    return local_time(ts_ns, zone).strftime(_DAY)


def moment_text(ts_ns: int, zone: str, *, seconds: bool = False) -> str:
    """Return a moment (UTC ns) in a zone: `2024-05-31 14:30`, with seconds where asked for."""
    return local_time(ts_ns, zone).strftime(_SECOND if seconds else _MINUTE)


def named_moment(ts_ns: int, zone: str) -> str:
    """Return a moment (UTC ns) in a zone that is named: `2024-05-31 09:30 New York`; seconds where there are some."""
    return f"{moment_text(ts_ns, zone, seconds=ts_ns % MINUTE_NS != 0)} {zone_name(zone)}"


def bar_label(ts_ns: int, timeframe: Timeframe, session: Session, *, named: bool = False) -> str:
    """Return what a bar that opens then is called.

    `2024-05-31` for bars of a day or longer: the trading day of the session. `2024-05-31 14:30` for shorter ones, in
    the session's zone, and with its name where `named`.
    """
    if not timeframe.is_intraday:
        day = trading_days(np.array([ts_ns], np.int64), session)[0]
        return str(np.datetime64(int(day), "D"))
    text = moment_text(ts_ns, session.timezone, seconds=ts_ns % MINUTE_NS != 0)
    return f"{text} {zone_name(session.timezone)}" if named else text


def close_label(open_ns: int, close_ns: int, timeframe: Timeframe, session: Session) -> str:
    """Return when a bar closed: the trading day for bars of a day or longer, else the moment with its zone."""
    if timeframe.is_intraday:
        return named_moment(close_ns, session.timezone)
    return bar_label(open_ns, timeframe, session)


def bar_head(text: str, timeframe: Timeframe, session: Session) -> str:
    """Return the heading of a column of bars' labels: with the zone, if they have one."""
    return with_zone(text, session.timezone) if timeframe.is_intraday else text


def wall_ns(ts_ns: TimeColumn, zone: str) -> TimeColumn:
    """Return moments (UTC ns) as the clocks of a zone show them, in ns since 1970-01-01 00:00 on the clock."""
    return to_local(np.asarray(ts_ns, np.int64), _zone(zone)[0])


@lru_cache(maxsize=256)
def _zone(name: str) -> tuple[str, tzinfo]:
    try:
        return (DEFAULT_ZONE, UTC) if name == DEFAULT_ZONE else (name, ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return DEFAULT_ZONE, UTC
