"""Advisors made from conditions, patterns and other advisors: rule, candlestick, vote."""

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
    AnyOf,
    AtLeast,
    BoolColumn,
    Compared,
    ConditionInputs,
    FlagColumn,
    FloatColumn,
    Holds,
    Message,
    Negated,
    Never,
    Question,
    Reason,
    Said,
    SeriesInput,
    SignalInputs,
    Signals,
    StepForm,
    StepOutputs,
    StepValue,
    param,
    port,
    word,
)
from quantcrafter.nodes.advisors.base import LEGS, DirectedAdvisor, SignalAdvisor, flag_column, flag_value
from quantcrafter.nodes.advisors.kernels import pattern_flags, stances


class Rule(SignalAdvisor):
    """Turn any conditions into entries and exits.

    A leg signals at every bar at which its conditions are true: for entries all of them or any, according to `combine`;
    for exits according to `combine_exits`. A leg without conditions never signals. Known at the bar's close, no
    warm-up.
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
    def _has_conditions(self) -> Self:
        if not (self.enter_long or self.exit_long or self.enter_short or self.exit_short):
            raise ValueError(
                Message(
                    "a rule needs conditions in one of enter_long, exit_long, enter_short and exit_short, all "
                    "were empty"
                )
            )
        return self

    def compute(
        self,
        enter_long: tuple[BoolColumn, ...] = (),
        exit_long: tuple[BoolColumn, ...] = (),
        enter_short: tuple[BoolColumn, ...] = (),
        exit_short: tuple[BoolColumn, ...] = (),
    ) -> FlagColumn:
        none = np.zeros(len((*enter_long, *exit_long, *enter_short, *exit_short)[0]), np.bool_)
        legs = (
            _combined(enter_long, self.combine, none),
            _combined(exit_long, self.combine_exits, none),
            _combined(enter_short, self.combine, none),
            _combined(exit_short, self.combine_exits, none),
        )
        return flag_column(legs, sum(LEGS))

    def steps(self, form: StepForm) -> StepOutputs:
        legs = (
            _combined_values(form, "enter_long", self.combine),
            _combined_values(form, "exit_long", self.combine_exits),
            _combined_values(form, "enter_short", self.combine),
            _combined_values(form, "exit_short", self.combine_exits),
        )
        return flag_value(form, legs, sum(LEGS))

    def explain(self, question: Question) -> Reason:
        name, combine = {
            ENTER_LONG: ("enter_long", self.combine),
            EXIT_LONG: ("exit_long", self.combine_exits),
            ENTER_SHORT: ("enter_short", self.combine),
            EXIT_SHORT: ("exit_short", self.combine_exits),
        }[question.flag]
        parts = tuple(Holds(name, index) for index in range(question.count(name)))
        if not parts:
            return Never()
        return AllOf(parts) if combine == "all" else AnyOf(parts)


class Candlestick(DirectedAdvisor):
    """Enter on a candlestick pattern, exit on the opposite one or after some bars.

    `pattern` is a column such as ta.CDLENGULFING gives: a value of at least `threshold` is bullish, one of at most
    -`threshold` bearish. Bullish enters long and ends shorts; bearish enters short and ends longs. With `hold` above 0,
    a position is also closed that many bars after the latest pattern in its direction. Patterns that occur only in one
    direction need `hold` or a risk manager for the exit. Known at the bar's close, no warm-up of its own.
    """

    name = "candlestick"
    loops = True
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

    def steps(self, form: StepForm) -> StepOutputs:
        pattern = form.input("pattern")
        bullish, bearish = pattern >= self.threshold, pattern <= -self.threshold
        exit_long, exit_short = bearish, bullish
        if self.hold:
            exit_long |= form.age(bullish, bearish).equal(self.hold)
            exit_short |= form.age(bearish, bullish).equal(self.hold)
        return flag_value(form, (bullish, exit_long, bearish, exit_short), self.mask)

    def leg(self, question: Question) -> Reason:
        bullish = question.flag in (ENTER_LONG, EXIT_SHORT)
        shown = Compared("pattern", ">=", self.threshold) if bullish else Compared("pattern", "<=", -self.threshold)
        if question.flag in (ENTER_LONG, ENTER_SHORT) or not self.hold:
            return shown
        pattern = question.column("pattern")[-1 - self.hold :]
        up, down = pattern >= self.threshold, pattern <= -self.threshold
        own, other = (up, down) if question.flag == EXIT_LONG else (down, up)
        over = len(pattern) > self.hold and bool(own[0] and not own[1:].any() and not other.any())
        return AnyOf((shown, Said(over, "", Message("{hold} bars after the pattern", hold=self.hold), "pattern")))


class Vote(SignalAdvisor):
    """Enter when enough advisors agree, exit when they no longer do.

    The state of each advisor follows from its latest signal: long after a long entry, short after a short entry, out
    after the exit of that side. (At a bar with an exit and an entry the exit counts first; entries both ways at one bar
    count as none.) The vote is long while at least `need` advisors are long and more are long than short, and vice
    versa. It enters at the bar at which the vote begins and exits at the bar at which it ends. Known at the bar's
    close, no warm-up; depends on the whole history.
    """

    name = "vote"
    loops = True
    category = "Rules"

    signals: SignalInputs = port("The advisors that vote.", min_length=1)
    need: int = param("How many must agree.", default=2, ge=1)

    @model_validator(mode="after")
    def _enough_voters(self) -> Self:
        if self.need > len(self.signals):
            raise ValueError(
                Message(
                    "need must be at most the number of signals, {count}, was {need}",
                    count=len(self.signals),
                    need=self.need,
                )
            )
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

    def steps(self, form: StepForm) -> StepOutputs:
        stances = [form.stance(signal) for signal in form.inputs("signals")]
        longs, shorts = form.number(0.0), form.number(0.0)
        for stance in stances:
            longs += stance.equal(ENTER_LONG)
            shorts += stance.equal(ENTER_SHORT)
        legs: list[StepValue] = []
        for state in ((longs >= self.need) & (longs > shorts), (shorts >= self.need) & (shorts > longs)):
            before = form.lag(state, 1, before=0.0)
            legs += [state & ~before, before & ~state]
        return flag_value(form, tuple(legs), sum(LEGS))

    def explain(self, question: Question) -> Reason:
        side, other = ENTER_LONG, ENTER_SHORT
        if question.flag in (ENTER_SHORT, EXIT_SHORT):
            side, other = other, side
        now, before = _standing(question, 0), _standing(question, 1)
        standing, against = before.count(side), before.count(other)
        wanted = Message("{stances} at the bar before", stances=word(_STANCES[side]))
        began = Said(standing >= self.need and standing > against, f"{standing} of {len(before)}", wanted)
        wins = self._wins(now, side, other)
        return AllOf((wins, Negated(began))) if question.flag == side else AllOf((Negated(wins), began))

    def _wins(self, now: list[int], side: int, other: int) -> Reason:
        """Return what it takes that enough advisors stand on a side, and more than on the other.

        One that changes sides counts twice in the balance of the two: it is one more, and one less against.
        """
        on_side = [
            Said(stance == side, _STANCES[stance], _STANCES[side], "signals", index) for index, stance in enumerate(now)
        ]
        turning = [part for part, stance in zip(on_side, now, strict=True) if stance == other]
        enough = AtLeast(self.need, tuple(on_side))
        return AllOf((enough, AtLeast(len(turning) + 1, (*on_side, *turning))))


def _combined(conditions: tuple[BoolColumn, ...], combine: str, none: BoolColumn) -> BoolColumn:
    if not conditions:
        return none
    held = conditions[0]
    for each in conditions[1:]:
        held = held & each if combine == "all" else held | each
    return held


def _combined_values(form: StepForm, name: str, combine: str) -> StepValue | None:
    conditions = form.inputs(name)
    if not conditions:
        return None
    return form.all(conditions) if combine == "all" else form.any(conditions)


def _edges(state: BoolColumn) -> tuple[BoolColumn, BoolColumn]:
    """Return where a state begins and where it has ended."""
    before = np.concatenate((np.zeros(min(1, len(state)), np.bool_), state[:-1]))
    return state & ~before, before & ~state


_STANCES = {ENTER_LONG: "long", ENTER_SHORT: "short", 0: "out"}


def _standing(question: Question, ago: int) -> list[int]:
    """Return where each voting advisor stood some bars ago; out before the first bar."""
    columns = (question.column("signals", index) for index in range(question.count("signals")))
    return [_stance(np.asarray(column[: len(column) - ago], np.uint8)) for column in columns]


def _stance(flags: FlagColumn) -> int:
    """Return what `stances` says of the last bar, by looking back to the latest entry."""
    left = 0
    for now in flags[np.flatnonzero(flags)][::-1]:
        entry = int(now) & (ENTER_LONG | ENTER_SHORT)
        if entry in (ENTER_LONG, ENTER_SHORT):
            ending = EXIT_LONG if entry == ENTER_LONG else EXIT_SHORT
            return 0 if left & ending else entry
        left |= int(now)
    return 0
