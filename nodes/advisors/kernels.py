"""Loops of the advisors, compiled on first use."""

from __future__ import annotations

import numpy as np

from quantcrafter.engine.api import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, BoolColumn, FlagColumn, compiled


@compiled
def pattern_flags(
    bullish: BoolColumn, bearish: BoolColumn, hold: int, long_legs: tuple[int, int], short_legs: tuple[int, int]
) -> FlagColumn:
    """Return the flags of pattern entries that end at the opposite pattern, or `hold` bars after the last one.

    The legs are (enter, exit) flags; `hold` 0 means that only the opposite pattern ends a position.
    """
    flags = np.zeros(len(bullish), np.uint8)
    enter_long, exit_long = long_legs
    enter_short, exit_short = short_legs
    up, down = -1, -1
    for i in range(len(bullish)):
        if bullish[i]:
            flags[i] |= enter_long | exit_short
            up, down = i, -1
        if bearish[i]:
            flags[i] |= enter_short | exit_long
            up, down = -1, i
        if hold > 0 and up >= 0 and i - up == hold:
            flags[i] |= exit_long
        if hold > 0 and down >= 0 and i - down == hold:
            flags[i] |= exit_short
    return flags


@compiled
def stances(flags: FlagColumn) -> FlagColumn:
    """Return the stance after each bar: ENTER_LONG while long, ENTER_SHORT while short, 0 while out.

    Exits count before entries; an entry both ways at one bar is none.
    """
    out = np.empty(len(flags), np.uint8)
    stance = 0
    for i in range(len(flags)):
        now = flags[i]
        if (stance == ENTER_LONG and now & EXIT_LONG) or (stance == ENTER_SHORT and now & EXIT_SHORT):
            stance = 0
        entry = now & (ENTER_LONG | ENTER_SHORT)
        if entry in (ENTER_LONG, ENTER_SHORT):
            stance = entry
        out[i] = stance
    return out
