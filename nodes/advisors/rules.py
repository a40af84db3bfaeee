"""Advisors made from conditions, patterns and other advisors: rule, candlestick, vote."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from engine.api import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    BoolColumn,
    ConditionInputs,
    FlagColumn,
    FloatColumn,
    SeriesInput,
    SignalInputs,
    Signals,
    param,
    port,
)
from nodes.advisors.base import LEGS, DirectedAdvisor, SignalAdvisor, flag_column
from nodes.advisors.kernels import pattern_flags, stances


class Rule(SignalAdvisor):
    """Turn any conditions into entries and exits.

    A leg signals at every bar at which its conditions hold: for entries all of them or any, as `combine` says; for
    exits as `combine_exits` says. A leg without conditions never signals. Known at the bar's close, no warm-up.
    """

    name = "rule"
    category = "Rules"

    enter_long: ConditionInputs = port("Conditions to buy.", default=())
    exit_long: ConditionInputs = port("Conditions to sell what was bought.", default=())
    enter_short: ConditionInputs = port("Conditions to sell short.", default=())
    exit_short: ConditionInputs = port("Conditions to buy back what was sold short.", default=())
    combine: Literal["all", "any"] = param("Whether an entry needs all its conditions or any one.", default="all")
    combine_exits: Literal["all", "any"] = param("Whether an exit needs all its conditions or any one.", default="any")

    @model_validator(mode="after")
    def _has_an_entry(self) -> Self:
        if not (self.enter_long or self.enter_short):
            raise ValueError("a rule needs conditions in enter_long or in enter_short, both were empty")
        return self

    def compute(
        self,
        enter_long: tuple[BoolColumn, ...] = (),
        exit_long: tuple[BoolColumn, ...] = (),
        enter_short: tuple[BoolColumn, ...] = (),
        exit_short: tuple[BoolColumn, ...] = (),
    ) -> FlagColumn:
        none = np.zeros(len((*enter_long, *enter_short)[0]), np.bool_)
        legs = (
            _combined(enter_long, self.combine, none),
            _combined(exit_long, self.combine_exits, none),
            _combined(enter_short, self.combine, none),
            _combined(exit_short, self.combine_exits, none),
        )
        return flag_column(legs, sum(LEGS))


class Candlestick(DirectedAdvisor):
    """Enter on a candlestick pattern, exit on the opposite one or after some bars.

    `pattern` is a column such as ta.CDLENGULFING gives: a value of at least `threshold` is bullish, one of at most
    -`threshold` bearish. Bullish enters long and ends shorts; bearish enters short and ends longs. With `hold` above
    0 a position is also left that many bars after the latest pattern in its direction. Patterns that only come one
    way need `hold` or a risk manager to get out. Known at the bar's close, no warm-up of its own.
    """

    name = "candlestick"
    category = "Patterns"

    pattern: SeriesInput = port("The pattern, such as a node of ta.CDLENGULFING.")
    threshold: float = param("Strength from which a pattern counts; weaker forms have 80.", default=1.0, gt=0, le=200)
    hold: int = param("Bars after which to leave; 0 to wait for the opposite.", default=0, unit="bars", ge=0, le=10_000)

    def lookback(self) -> int:
        return self.hold

    def compute(self, pattern: FloatColumn) -> FlagColumn:
        mask = self.mask
        return pattern_flags(
            pattern >= self.threshold,
            pattern <= -self.threshold,
            self.hold,
            (ENTER_LONG & mask, EXIT_LONG & mask),
            (ENTER_SHORT & mask, EXIT_SHORT & mask),
        )


class Vote(SignalAdvisor):
    """Enter when enough advisors agree, exit when they no longer do.

    Each advisor stands where its latest signal put it: long after a long entry, short after a short entry, out after
    the exit of that side. (At a bar with an exit and an entry the exit counts first; entries both ways at one bar count
    as none.) The vote is long while at least `need` advisors stand long and more than stand short, and short likewise.
    It enters at the bar at which the vote begins and exits at the bar at which it ends. Known at the bar's close, no
    warm-up; depends on the whole history.
    """

    name = "vote"
    category = "Rules"

    signals: SignalInputs = port("The advisors that vote.", min_length=1)
    need: int = param("How many must agree.", default=2, ge=1)

    @model_validator(mode="after")
    def _enough_voters(self) -> Self:
        if self.need > len(self.signals):
            raise ValueError(f"need must be at most the number of signals, {len(self.signals)}, was {self.need}")
        return self

    def lookback(self) -> None:
        return None

    def compute(self, signals: tuple[Signals, ...]) -> FlagColumn:
        length = len(signals[0].flags)
        longs, shorts = np.zeros(length, np.int64), np.zeros(length, np.int64)
        for signal in signals:
            stance = stances(signal.flags)
            longs += stance == ENTER_LONG
            shorts += stance == ENTER_SHORT
        is_long = (longs >= self.need) & (longs > shorts)
        is_short = (shorts >= self.need) & (shorts > longs)
        return flag_column((*_edges(is_long), *_edges(is_short)), sum(LEGS))


def _combined(conditions: tuple[BoolColumn, ...], combine: str, none: BoolColumn) -> BoolColumn:
    if not conditions:
        return none
    held: BoolColumn = (np.logical_and if combine == "all" else np.logical_or).reduce(conditions)
    return held


def _edges(state: BoolColumn) -> tuple[BoolColumn, BoolColumn]:
    """Return where a state begins and where it has ended."""
    before = np.concatenate((np.zeros(min(1, len(state)), np.bool_), state[:-1]))
    return state & ~before, before & ~state
