"""How values of a run are written: numbers with five digits, conditions, signals, positions. No Qt."""

from __future__ import annotations

import math

from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.api import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from quantcrafter.engine.runtime.explain import Value

DIGITS = 5
_SMALL, _GROUPED, _LARGE = 1e-4, 1e5, 1e9
NOTHING = "\N{EN DASH}"


def number_text(value: float) -> str:
    """Return a number with about five significant digits; a dash for none."""
    if not math.isfinite(value):
        return NOTHING
    size = abs(value)
    if size == 0:
        return "0"
    if size < _SMALL or size >= _LARGE:
        return f"{value:.{DIGITS}g}"
    if size >= _GROUPED:
        return f"{value:,.0f}"
    places = max(0, DIGITS - 1 - math.floor(math.log10(size)))
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def flags_text(flags: int) -> str:
    """Return the flags of a signal as text; a dash for none."""
    words = {
        ENTER_LONG: tr("enter long"),
        EXIT_LONG: tr("exit long"),
        ENTER_SHORT: tr("enter short"),
        EXIT_SHORT: tr("exit short"),
    }
    return ", ".join(text for flag, text in words.items() if flags & flag) or NOTHING


def value_text(value: Value) -> str:
    """Return a value as a node shows it."""
    if value.passes is not None:
        return tr("passes") if value.passes else tr("blocks")
    if value.kind in ("condition", "filter"):
        return tr("true") if value.value else tr("false")
    if value.kind == "signal":
        return flags_text(int(value.value)) if value.value else tr("no signal")
    if value.kind == "position":
        return position_text(value.value)
    return number_text(value.value)


def position_text(quantity: float) -> str:
    """Return a signed quantity as text."""
    if not quantity:
        return tr("flat")
    text = number_text(abs(quantity))
    return tr("long {quantity}", quantity=text) if quantity > 0 else tr("short {quantity}", quantity=text)
