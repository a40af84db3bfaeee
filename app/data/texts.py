"""Prices, counts, sizes and spans as the data's views write them. No Qt."""

from __future__ import annotations

import math

from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.api import Session, Timeframe
from quantcrafter.engine.data.labels import bar_label

_DIGITS = 7
_SMALL = 100_000


def price_text(value: float) -> str:
    """Return a price with the digits that it has, up to seven."""
    if not math.isfinite(value):
        return _odd(value)
    text = f"{value:,.{max(_DIGITS - len(f'{abs(value):.0f}'), 2)}f}"
    whole, _, part = text.partition(".")
    part = part.rstrip("0")
    return f"{whole}.{part:0<2}"


def _odd(value: float) -> str:
    return "NaN" if math.isnan(value) else "\N{INFINITY}" if value > 0 else "-\N{INFINITY}"


def volume_text(value: float) -> str:
    """Return a volume, whole where it is."""
    if not math.isfinite(value):
        return _odd(value)
    return f"{value:,.0f}" if value == round(value) else f"{value:,.10g}"


def size_text(size: int) -> str:
    """Return a number of bytes."""
    if size < _SMALL:
        return tr("{count} kB", count=f"{size / 1e3:.0f}")
    return tr("{count} MB", count=f"{size / 1e6:,.1f}")


def span_text(first_ns: int, last_ns: int, timeframe: str, session: Session) -> str:
    """Return the first and the last bar."""
    frame = Timeframe.parse(timeframe)
    return f"{bar_label(first_ns, frame, session)} \N{EN DASH} {bar_label(last_ns, frame, session, named=True)}"
