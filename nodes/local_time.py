"""Clock and calendar of a time zone, for whole columns of UTC times."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from pydantic import AfterValidator

from quantcrafter.engine.api import Message, TimeColumn

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
DAY_NS = 86_400 * SECOND_NS


def check_zone(name: str) -> str:
    """Return `name` if it is a time zone of the IANA database.

    Raises:
        ValueError: it is not.
    """
    zone(name)
    return name


ZoneName = Annotated[str, AfterValidator(check_zone)]


def zone(name: str) -> tzinfo:
    """Return the time zone of that name, such as `America/New_York`.

    Raises:
        ValueError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            Message("a time zone is a name such as America/New_York or UTC, was {name}", name=repr(name))
        ) from None


def local_ns(utc_ns: TimeColumn, name: str) -> TimeColumn:
    """Return the local clock in nanoseconds since 1970 of each UTC time, shape (n,).

    The offset is looked up once for each UTC day, and for each bar of the few days on which it changes.
    """
    there = zone(name)
    day = utc_ns // DAY_NS
    if not len(day):
        return utc_ns
    first = np.flatnonzero(np.diff(day, prepend=day[0] - 1))
    counts = np.diff(first, append=len(day))
    starts = [_offset_ns(int(d) * DAY_NS, there) for d in day[first]]
    ends = [_offset_ns(int(d + 1) * DAY_NS, there) for d in day[first]]
    offset = np.repeat(np.array(starts, np.int64), counts)
    for begin, count, a, b in zip(first.tolist(), counts.tolist(), starts, ends, strict=True):
        if a != b:
            offset[begin : begin + count] = [_offset_ns(int(t), there) for t in utc_ns[begin : begin + count]]
    return utc_ns + offset


def time_of_day_ns(utc_ns: TimeColumn, name: str) -> TimeColumn:
    """Return the nanoseconds after local midnight of each UTC time, shape (n,)."""
    return local_ns(utc_ns, name) % DAY_NS


def weekday(utc_ns: TimeColumn, name: str) -> TimeColumn:
    """Return the local weekday of each UTC time, Monday as 0, shape (n,)."""
    return (local_ns(utc_ns, name) // DAY_NS + 3) % 7


def _offset_ns(utc_ns: int, there: tzinfo) -> int:
    moment = datetime.fromtimestamp(utc_ns // SECOND_NS, UTC).astimezone(there)
    offset = moment.utcoffset()
    return 0 if offset is None else round(offset.total_seconds()) * SECOND_NS
