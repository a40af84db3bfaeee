"""Parses dates and times."""

from __future__ import annotations

from datetime import UTC, datetime


def moment_ns(text: str | None) -> int | None:
    """Return a day or time such as `2024-05-31` or `2024-05-31 14:30` (UTC unless it says otherwise) in UTC ns.

    Raises:
        DataError: the text is neither.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        from quantcrafter.engine.api import DataError, Message

        raise DataError(
            Message("A time is written 2024-05-31 or '2024-05-31 14:30', was {text}. Correct it.", text=repr(text))
        ) from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    delta = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1_000
