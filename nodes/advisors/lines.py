"""Advisors over lines: crossover, levels, band_reversal, breakout."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from quantcrafter.engine.api import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    AllOf,
    Bars,
    BarsInput,
    BoolColumn,
    Compared,
    Crossed,
    FlagColumn,
    FloatColumn,
    Message,
    Quantity,
    Question,
    Reason,
    SeriesInput,
    StepForm,
    StepOutputs,
    StepValue,
    param,
    port,
)
from quantcrafter.nodes.advisors.base import DirectedAdvisor, flag_column, flag_value
from quantcrafter.nodes.indicators.talib_import import functions
from quantcrafter.nodes.kernels import SIDE_MEMORY, crosses

_MAX_CHANNEL = 10_000


class Crossover(DirectedAdvisor):
    """Enter when the fast line crosses above the slow one, exit when it crosses back.

    long: enters long at a cross above, exits at a cross below. short: enters short at a cross below, exits at a cross
    above. both: does both, and so reverses from one side to the other.

    A cross is a bar at which the order of the lines is the opposite of that at the last bar before at which they
    differed, so a touch in between doesn't hide or repeat a cross; none before both lines have a value, and a side is
    forgotten after 1,000 bars of touching. Known at the bar's close; warm-up one bar.
    """

    name = "crossover"
    loops = True
    category = "Trend"

    fast: SeriesInput = port("The quicker line.")
    slow: SeriesInput = port("The slower line.")

    def warmup(self) -> int:
        return 1

    def lookback(self) -> int:
        return SIDE_MEMORY

    def compute(self, fast: FloatColumn, slow: FloatColumn) -> FlagColumn:
        above = self.mask & (ENTER_LONG | EXIT_SHORT)
        below = self.mask & (ENTER_SHORT | EXIT_LONG)
        return crosses(fast, slow, above, below, SIDE_MEMORY)

    def steps(self, form: StepForm) -> StepOutputs:
        above = self.mask & (ENTER_LONG | EXIT_SHORT)
        below = self.mask & (ENTER_SHORT | EXIT_LONG)
        return form.cross(form.input("fast"), form.input("slow"), SIDE_MEMORY, above=above, below=below)

    def leg(self, question: Question) -> Reason:
        above = question.flag in (ENTER_LONG, EXIT_SHORT)
        return Crossed("fast", "slow", above=above, memory=SIDE_MEMORY)


class Levels(DirectedAdvisor):
    """Enter and exit where an oscillator passes levels; by default, buy RSI below 30 and sell it above 70.

    Long entries are beyond `long_entry`, long exits beyond `long_exit`. Beyond means away from each other: with the
    entry below the exit (30, 70), enter below 30 and exit above 70, which buys weakness; with the entry above the exit
    (60, 40), enter above 60 and exit below 40, which buys strength. The same applies to shorts: (70, 30) enters above
    70 and exits below 30; (40, 60) enters below 40 and exits above 60.

    `mode` determines when. cross: at the bar at which the line passes the level. return: enter at the bar at which it
    crosses back over the entry level, exit as in cross. inside: at every bar at which it is beyond. A line exactly on a
    level is not beyond it; crosses are those of `crosses_above`. Known at the bar's close; warm-up one bar.
    """

    name = "levels"
    loops = True
    category = "Reversal"

    input: SeriesInput = port("The oscillator.")
    long_entry: float = param("Level at which long positions are entered.", default=30.0)
    long_exit: float = param("Level at which they are left.", default=70.0)
    short_entry: float = param("Level at which short positions are entered.", default=70.0)
    short_exit: float = param("Level at which they are left.", default=30.0)
    mode: Literal["cross", "return", "inside"] = param(
        "cross: on passing a level. return: enter on coming back over it. inside: while beyond it.", default="cross"
    )

    @model_validator(mode="after")
    def _levels_differ(self) -> Self:
        for side in ("long", "short"):
            entry, leave = getattr(self, f"{side}_entry"), getattr(self, f"{side}_exit")
            if entry == leave and self.direction in (side, "both"):
                raise ValueError(
                    Message("{side}_entry and {side}_exit must differ, both were {entry:g}", side=side, entry=entry)
                )
        return self

    def warmup(self) -> int:
        return 0 if self.mode == "inside" else 1

    def lookback(self) -> int:
        return 0 if self.mode == "inside" else SIDE_MEMORY

    def compute(self, **inputs: FloatColumn) -> FlagColumn:
        line = inputs["input"]
        mask = self.mask
        legs = tuple(self._leg(line, *leg) if flag & mask else None for flag, leg in self._legs().items())
        return flag_column(legs, mask)

    def steps(self, form: StepForm) -> StepOutputs:
        line = form.input("input")
        legs = {flag: leg for flag, leg in self._legs().items() if flag & self.mask}
        return form.flags({flag: self._leg_value(form, line, *leg) for flag, leg in legs.items()})

    def leg(self, question: Question) -> Reason:
        level, above, back = self._legs()[question.flag]
        if self.mode == "inside":
            return Compared("input", ">" if above else "<", level)
        return Crossed("input", level, above=above != back, memory=SIDE_MEMORY)

    def _legs(self) -> dict[int, tuple[float, bool, bool]]:
        """Return of each flag its level, whether above it is beyond, and whether the line must come back over it."""
        buy_low = self.long_entry < self.long_exit
        sell_high = self.short_entry > self.short_exit
        returns = self.mode == "return"
        return {
            ENTER_LONG: (self.long_entry, not buy_low, returns),
            EXIT_LONG: (self.long_exit, buy_low, False),
            ENTER_SHORT: (self.short_entry, sell_high, returns),
            EXIT_SHORT: (self.short_exit, not sell_high, False),
        }

    def _leg(self, line: FloatColumn, level: float, above: bool, back: bool) -> BoolColumn:  # noqa: FBT001 - of a leg
        if self.mode == "inside":
            return line > level if above else line < level
        upward = above != back
        column = np.full(len(line), level)
        return crosses(line, column, int(upward), int(not upward), SIDE_MEMORY).view(np.bool_)

    def _leg_value(self, form: StepForm, line: StepValue, level: float, above: bool, back: bool) -> StepValue:  # noqa: FBT001
        if self.mode == "inside":
            return line > level if above else line < level
        upward = above != back
        return form.cross(line, level, SIDE_MEMORY, above=int(upward), below=int(not upward))


class BandReversal(DirectedAdvisor):
    """Enter when a price that left its band comes back inside, exit at the middle.

    Enters long at the bar at which the line crosses above the lower band, unless it has reached the middle by then;
    exits at every bar at which it is at or above the middle. Shorts are mirrored at the upper band. Crosses are those
    of `crosses_above`. Known at the bar's close; warm-up one bar.
    """

    name = "band_reversal"
    loops = True
    category = "Reversal"

    input: SeriesInput = port("The price.", default="bars.close")
    upper: SeriesInput = port("The upper band.")
    middle: SeriesInput = port("The middle of the band, where positions are left.")
    lower: SeriesInput = port("The lower band.")

    def warmup(self) -> int:
        return 1

    def lookback(self) -> int:
        return SIDE_MEMORY

    def compute(self, **inputs: FloatColumn) -> FlagColumn:
        line, middle = inputs["input"], inputs["middle"]
        over, under = line >= middle, line <= middle
        from_below = crosses(line, inputs["lower"], 1, 0, SIDE_MEMORY).view(np.bool_)
        from_above = crosses(line, inputs["upper"], 0, 1, SIDE_MEMORY).view(np.bool_)
        return flag_column((from_below & ~over, over, from_above & ~under, under), self.mask)

    def steps(self, form: StepForm) -> StepOutputs:
        line, middle = form.input("input"), form.input("middle")
        over, under = line >= middle, line <= middle
        from_below = form.cross(line, form.input("lower"), SIDE_MEMORY, above=1)
        from_above = form.cross(line, form.input("upper"), SIDE_MEMORY, below=1)
        return flag_value(form, (from_below & ~over, over, from_above & ~under, under), self.mask)

    def leg(self, question: Question) -> Reason:
        if question.flag == EXIT_LONG:
            return Compared("input", ">=", "middle")
        if question.flag == EXIT_SHORT:
            return Compared("input", "<=", "middle")
        if question.flag == ENTER_LONG:
            back = Crossed("input", "lower", above=True, memory=SIDE_MEMORY)
            return AllOf((back, Compared("input", "<", "middle")))
        back = Crossed("input", "upper", above=False, memory=SIDE_MEMORY)
        return AllOf((back, Compared("input", ">", "middle")))


class Breakout(DirectedAdvisor):
    """Enter when the close leaves the channel of previous bars, exit when it leaves a shorter one on the other side.

    Enters long at every bar whose close is above the highest high of the `entry_bars` bars before it; exits where the
    close is below the lowest low of the `exit_bars` bars before. Shorts are mirrored. Known at the bar's close; no
    signal of a leg before its channel is complete. Source: Donchian channel breakout, as the Turtle rules use it.
    """

    name = "breakout"
    category = "Trend"

    bars: BarsInput = port("The bars.", default="bars")
    entry_bars: int = param("Length of the entry channel.", default=20, unit="bars", ge=1, le=_MAX_CHANNEL)
    exit_bars: int = param("Length of the exit channel.", default=10, unit="bars", ge=1, le=_MAX_CHANNEL)

    def warmup(self) -> int:
        return max(self.entry_bars, self.exit_bars)

    def compute(self, bars: Bars) -> FlagColumn:
        flags = np.zeros(len(bars), np.uint8)
        if not len(bars):
            return flags
        if self.direction != "short":
            flags |= _flag(_above(bars, self.entry_bars), ENTER_LONG) | _flag(_below(bars, self.exit_bars), EXIT_LONG)
        if self.direction != "long":
            flags |= _flag(_below(bars, self.entry_bars), ENTER_SHORT) | _flag(_above(bars, self.exit_bars), EXIT_SHORT)
        return flags

    def leg(self, question: Question) -> Reason:
        bars = question.bars("bars")
        channel = self.entry_bars if question.flag in (ENTER_LONG, ENTER_SHORT) else self.exit_bars
        before = slice(-1 - channel, -1)
        close = Quantity("close", float(bars.close[-1]))
        complete = len(bars) > channel
        if question.flag in (ENTER_LONG, EXIT_SHORT):
            highest = float(bars.high[before].max()) if complete else np.nan
            return Compared(close, ">", Quantity("highest high of the channel", highest))
        lowest = float(bars.low[before].min()) if complete else np.nan
        return Compared(close, "<", Quantity("lowest low of the channel", lowest))


def _above(bars: Bars, channel: int) -> BoolColumn:
    """Return where the close lies above the highest high of the `channel` bars before."""
    highest = functions().MAX(bars.high, channel) if channel > 1 else bars.high
    return _later(bars.close[1:] > highest[:-1])


def _below(bars: Bars, channel: int) -> BoolColumn:
    """Return where the close lies below the lowest low of the `channel` bars before."""
    lowest = functions().MIN(bars.low, channel) if channel > 1 else bars.low
    return _later(bars.close[1:] < lowest[:-1])


def _later(held: BoolColumn) -> BoolColumn:
    """Return the column with a first bar before it, at which nothing is known."""
    return np.concatenate((np.zeros(1, np.bool_), held))


def _flag(leg: BoolColumn, flag: int) -> FlagColumn:
    return leg.view(np.uint8) * np.uint8(flag)
