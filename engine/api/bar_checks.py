"""Checks of a bar that is passed to a session: the types of its values, and its length."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from quantcrafter.engine.api.bars import Session
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.timeframe import Timeframe

_FAR_NS = 2**63 - 1
_DAY_NS = 86_400_000_000_000
_MONTH_DAYS = 31
_WEEK_DAYS = 7
_INTS = (int, np.integer)
_REALS = (float, int, np.floating, np.integer)
TIMES = ("open_ns", "close_ns")
PRICES = ("open", "high", "low", "close", "volume")


def type_fault(name: str, bar: Any, kind: type, numbers: Sequence[str] = PRICES) -> str:
    """Return what is wrong with the types of a bar, as an error's message, or nothing.

    `kind` is the expected class, `numbers` are the fields that must be numbers.
    """
    if not isinstance(bar, kind):
        return Message(
            "A bar of {name} must be a {kind_class}, was {said}. Make one of its times and prices.",
            name=name,
            kind_class=kind.__name__,
            said=_said(bar),
        )
    for field in TIMES:
        value = getattr(bar, field)
        if isinstance(value, bool) or not isinstance(value, _INTS) or not -_FAR_NS < value < _FAR_NS:
            return Message(
                "'{field}' of a bar of {name} must be a whole number of nanoseconds since 1970 in UTC, was {said}. "
                "Convert the time first.",
                field=field,
                name=name,
                said=_said(value),
            )
    for field in numbers:
        value = getattr(bar, field)
        if isinstance(value, bool) or not isinstance(value, _REALS):
            return Message(
                "'{field}' of a bar of {name} must be a number, was {said}. Convert it first.",
                field=field,
                name=name,
                said=_said(value),
            )
        try:
            math.isfinite(value)
        except OverflowError:
            return Message(
                "'{field}' of a bar of {name} must be a finite number, was a larger one. Leave the bar out.",
                field=field,
                name=name,
            )
    return ""


def longest_bar_ns(timeframe: Timeframe, session: Session) -> int:
    """Return how long a bar may be, in nanoseconds.

    Intraday, it may be one and a half times the timeframe: a bar made from shorter ones that don't start on its hour
    ends with the last of them. From a day on the calendar decides: a day on which there is no session belongs to the
    next one that has one, and clocks may be set back by an hour.
    """
    if timeframe.is_intraday:
        return timeframe.nominal_ns * 3 // 2
    closed, longest = 0, 0
    for day in range(2 * _WEEK_DAYS):
        closed = 0 if day % _WEEK_DAYS in session.weekdays else closed + 1
        longest = max(longest, min(closed, _WEEK_DAYS))
    months = timeframe.count * _MONTH_DAYS * _DAY_NS if timeframe.unit == "mo" else timeframe.nominal_ns
    return months + (longest + 1) * _DAY_NS


def _said(value: object) -> str:
    text = repr(value)
    most = 60
    return f"{text if len(text) <= most else text[:most] + '...'} ({type(value).__name__})"
