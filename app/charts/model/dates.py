"""What a user types to go to a date. No Qt."""

from __future__ import annotations

import re
from datetime import datetime

_PATTERN = re.compile(r"^\s*(\d{4})(?:[-./](\d{1,2})(?:[-./](\d{1,2}))?)?(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?\s*$")


def parse_date(text: str) -> datetime | None:
    """Return the moment that a text such as 2012, 2012-05, 2012-05-03 or 2012-05-03 14:30 names, None if it names none.

    What is left out is the first: the first of January, midnight.
    """
    match = _PATTERN.match(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) if part else None for part in match.groups())
    try:
        return datetime(year or 0, month or 1, day or 1, hour or 0, minute or 0, second or 0)  # noqa: DTZ001 - local
    except ValueError:
        return None
