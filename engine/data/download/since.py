"""Since when to download: a year, a month, a day or a time, as people write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from quantcrafter.engine.api import DataError
from quantcrafter.engine.api.message import Message

_SHORT = ((re.compile(r"\d{4}"), "-01-01"), (re.compile(r"\d{4}-\d{2}"), "-01"))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def since_ns(text: str) -> int:
    """Return when a year, month, day or time (UTC unless it says otherwise) begins, in UTC ns.

    Raises:
        DataError: the text is none of them.
    """
    whole = text.strip()
    for pattern, rest in _SHORT:
        if pattern.fullmatch(whole):
            whole += rest
            break
    try:
        moment = datetime.fromisoformat(whole)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        delta = aware - _EPOCH
    except (ValueError, OverflowError):
        raise DataError(
            Message(
                "A download begins with a year, month, day or time such as 2020, 2020-06, 2020-06-30 or "
                "'2020-06-30 14:30', was {text}. Correct it.",
                text=repr(text),
            ),
            field="since",
        ) from None
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000
