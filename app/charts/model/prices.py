"""The scale of values: round numbers as ticks, and values as short texts. No Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence

from quantcrafter.app.charts.model.scales import Scale

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_SHORT = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_MOST_DIGITS = 10
_LEAST_SHORT = 1e5


def round_step(span: float, most: float) -> float:
    """Return the smallest round step (1, 2, 2.5 or 5 times a power of ten) that cuts `span` into at most `most`."""
    raw = span / max(most, 1.0)
    if not raw > 0 or not math.isfinite(raw):
        return 1.0
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in _STEPS if step * power >= raw * (1 - 1e-9))


def value_ticks(scale: Scale, most: float) -> tuple[list[float], float]:
    """Return round values within a scale, at most about `most`, and how far they are apart."""
    if scale.log:
        ratio = (scale.high / scale.low) ** (1.0 / max(most, 1.0))
        if ratio > 1.5:  # noqa: PLR2004 - below it, even steps read better
            found = _log_ticks(scale, ratio)
            return found, found[0] if found else 1.0
    step = round_step(scale.high - scale.low, most)
    first = math.ceil(scale.low / step)
    return [number * step for number in range(first, math.floor(scale.high / step) + 1)], step


def _log_ticks(scale: Scale, ratio: float) -> list[float]:
    found: list[float] = []
    power = 10.0 ** math.floor(math.log10(scale.low))
    while power <= scale.high:
        for lead in (1.0, 2.0, 5.0):
            value = lead * power
            if scale.low <= value <= scale.high and (not found or value / found[-1] >= ratio * 0.99):
                found.append(value)
        power *= 10.0
    return found


def decimals_of(step: float) -> int:
    """Return how many decimals it takes to tell values apart that are `step` from each other."""
    for digits in range(_MOST_DIGITS):
        if abs(step - round(step, digits)) <= step * 1e-6:
            return digits
    return _MOST_DIGITS


def number_text(value: float, decimals: int) -> str:
    """Return a number with thousands set apart; a dash if it is none."""
    if not math.isfinite(value):
        return "\N{EN DASH}"
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def short_text(value: float) -> str:
    """Return a large number in short, such as 12.3M; of a small one four digits that count."""
    if not math.isfinite(value):
        return "\N{EN DASH}"
    for size, sign in _SHORT:
        if abs(value) >= max(size, 1e4):
            return f"{value / size:,.4g}{sign}"
    if value and abs(value) < 1e-4:  # noqa: PLR2004 - four decimals are the shortest before it
        return f"{value:.3g}"
    return number_text(value, sensible_decimals(abs(value)))


def sensible_decimals(size: float) -> int:
    """Return how many decimals a value of this size is told with: about five digits that count."""
    if not size or not math.isfinite(size):
        return 2
    return min(max(4 - math.floor(math.log10(size)), 0), 8) if size < 1000 else 2  # noqa: PLR2004 - digits


def axis_texts(values: Sequence[float], step: float) -> list[str]:
    """Return the texts of an axis of round values `step` apart: all in thousands, or more, where they are large."""
    largest = max((abs(value) for value in values), default=0.0)
    size, sign = next(((size, sign) for size, sign in _SHORT if largest >= max(size, _LEAST_SHORT)), (1.0, ""))
    decimals = decimals_of(step / size)
    return [f"{number_text(value / size, decimals)}{sign}" for value in values]
