"""Time zones for whole columns: local wall time to UTC and back, without a data frame library."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from quantcrafter.engine.api import BoolColumn, TimeColumn

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS

FIRST_YEAR = 1900
LAST_YEAR = 2200
EARLIEST_NS = int(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp()) * SECOND_NS
LATEST_NS = int(datetime(LAST_YEAR, 1, 1, tzinfo=UTC).timestamp()) * SECOND_NS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP_S = 7 * 86_400  # no zone changes its offset twice within a week


class LocalTimes(NamedTuple):
    """Wall times put on the UTC axis; `missing` marks those that the zone's clocks skipped."""

    utc_ns: TimeColumn
    missing: BoolColumn


def to_local(utc_ns: TimeColumn, zone: str) -> TimeColumn:
    """Return the wall time of each moment, as nanoseconds since 1970-01-01 00:00 on the wall."""
    if zone == "UTC" or not len(utc_ns):
        return utc_ns
    starts, offsets = _offsets(zone, *_years(utc_ns))
    return utc_ns + offsets[np.searchsorted(starts, utc_ns, side="right") - 1]


def to_utc(local_ns: TimeColumn, zone: str) -> TimeColumn:
    """Return the moment of each wall time; the earlier one where the clocks were set back."""
    return localize(local_ns, zone, ordered=False).utc_ns


def localize(local_ns: TimeColumn, zone: str, *, ordered: bool = True) -> LocalTimes:
    """Return the moment of each wall time of `zone`.

    An hour that the clocks went through twice is told apart by the order of the rows when `ordered`: once a wall time
    within it falls back behind the row before (or repeats it, for bars of an hour), the rest of that hour is the
    second passage.
    """
    if zone == "UTC" or not len(local_ns):
        return LocalTimes(local_ns, np.zeros(len(local_ns), dtype=np.bool_))
    starts, offsets = _offsets(zone, *_years(local_ns))
    before, after = offsets[:-1], offsets[1:]
    # The new offset holds from the later of the two wall times that the change shows, see PEP 495 (fold=0).
    changes = starts[1:] + np.maximum(before, after)
    index = np.searchsorted(changes, local_ns, side="right")
    utc = local_ns - offsets[index]
    missing = np.zeros(len(local_ns), dtype=np.bool_)
    if len(changes):
        coming = np.minimum(index, len(changes) - 1)
        inside = (index < len(changes)) & (local_ns >= changes[coming] - np.abs(after - before)[coming])
        forward = (after > before)[coming]
        missing = inside & forward
        if ordered:
            _second_passage(utc, local_ns, np.flatnonzero(inside & ~forward), (before - after)[coming])
    return LocalTimes(utc, missing)


def _second_passage(utc: TimeColumn, local: TimeColumn, rows: TimeColumn, shift: TimeColumn) -> None:
    previous, second = -2, False
    for row in rows.tolist():
        if row != previous + 1:
            second = False
        elif local[row] < local[row - 1]:
            second = True
        elif local[row] == local[row - 1]:
            # Bars of an hour repeat the hour's time; of shorter bars the same time twice is a duplicate.
            second = second or row == 1 or local[row - 1] - local[row - 2] >= shift[row]
        if second:
            utc[row] += shift[row]
        previous = row


def _years(times_ns: TimeColumn) -> tuple[int, int]:
    year_ns = 365.2425 * DAY_NS
    first = 1970 + int(times_ns.min() // year_ns) - 1
    last = 1970 + int(times_ns.max() // year_ns) + 2
    return max(first, FIRST_YEAR - 2), min(last, LAST_YEAR + 2)


@functools.lru_cache(maxsize=64)
def _offsets(zone: str, first_year: int, last_year: int) -> tuple[TimeColumn, TimeColumn]:
    """Return from when (UTC ns) which offset (ns) holds; the first entry holds from the beginning."""
    info = ZoneInfo(zone)

    def offset(second: int) -> int:
        delta = (_EPOCH + timedelta(seconds=second)).astimezone(info).utcoffset()
        return int(delta.total_seconds()) if delta is not None else 0

    start = int(datetime(first_year, 1, 1, tzinfo=UTC).timestamp())
    end = int(datetime(last_year, 1, 1, tzinfo=UTC).timestamp())
    starts, offsets = [start], [offset(start)]
    for left in range(start, end, _STEP_S):
        right = left + _STEP_S
        if offset(right) != offsets[-1]:
            low, high = left, right
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
            starts.append(high)
            offsets.append(offset(right))
    return np.array(starts, dtype=np.int64) * SECOND_NS, np.array(offsets, dtype=np.int64) * SECOND_NS
