"""How much of the past a value depends on, clock by clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Window = Mapping[str, int | None]
"""How many bars before the newest one a value depends on, by clock; None for the whole history.

Bars of a feed count from the one that had closed at the first of the instrument's own bars, or at the newest bar where
none of those counts.
"""


def longest(windows: Iterable[Window]) -> dict[str, int | None]:
    """Return the longest of several windows, clock by clock."""
    found: dict[str, int | None] = {}
    for window in windows:
        for clock, bars in window.items():
            known = found.get(clock, 0)
            found[clock] = None if bars is None or known is None else max(bars, known)
    return found


def lengthened(window: Window, clock: str, lookback: int | None) -> dict[str, int | None]:
    """Return the window of a component that looks back so far over inputs of such a window."""
    if lookback is None:
        return dict.fromkeys([*window, clock])
    bars = window.get(clock, 0)
    return {**window, clock: None if bars is None else bars + lookback}
