"""Conditions at which a replay stops.

A breakpoint is a text: `fill`, `trade`, `loss` or `blocked`; a node or its output (`cross`, `macd.macdhist`), which
stops where a condition becomes true or a signal occurs; a comparison of a node's output, a column of the bars,
`equity`, `cash` or `drawdown` (percent) with a number (`rsi < 30`, `bars.close >= 100`), which stops where it becomes
true; or a date. With the prefix `AAPL: `, it applies only to that instrument.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from quantcrafter.engine.api import BAR_COLUMNS, RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import did_you_mean

if TYPE_CHECKING:
    from quantcrafter.engine.runtime.replay.moment import Moment
    from quantcrafter.engine.runtime.replay.replay import Replay

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
}
_COMPARISON = re.compile(r"^(\S+?)\s*(<=|>=|==|<|>)\s*(-?[0-9.]+(?:[eE][-+]?[0-9]+)?)$")
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?$")
_ACCOUNT = ("equity", "cash", "drawdown")
_BOOKS = ("fill", "trade", "loss", "blocked")


class Breakpoint(Protocol):
    """A condition on a step that was just done."""

    @property
    def text(self) -> str:
        """The condition as it was written."""
        ...

    def is_hit(self, replay: Replay, moment: Moment) -> bool:
        """Return whether the step meets it."""
        ...


@dataclass(frozen=True, slots=True)
class InBooks:
    """Stops at a fill, a closed trade, a losing trade, or a blocked signal."""

    text: str
    what: str
    instrument: int | None = None

    def is_hit(self, replay: Replay, moment: Moment) -> bool:
        rows = {"fill": moment.fills, "blocked": moment.blocked}.get(self.what)
        if rows is None:
            ended = int((moment.parts["left"] == 0).sum())
            rows = replay.ledger().trades[-ended:] if ended else moment.parts[:0]
        if self.what == "loss":
            rows = rows[rows["pnl"] < 0]
        if self.instrument is not None:
            rows = rows[rows["instrument"] == self.instrument]
        return len(rows) > 0


@dataclass(frozen=True, slots=True)
class OnAccount:
    """Stops where a comparison of equity, cash or drawdown with a number becomes true."""

    text: str
    what: str
    sign: str
    number: float

    def is_hit(self, replay: Replay, moment: Moment) -> bool:
        del moment
        now, before = (replay.account(self.what, steps_ago) for steps_ago in (0, 1))
        compare = _COMPARE[self.sign]
        return compare(now, self.number) and not compare(before, self.number)


@dataclass(frozen=True, slots=True)
class OnNode:
    """Stops where an output fires (no number) or its comparison becomes true, for any instrument or one."""

    text: str
    node: str
    output: str
    sign: str = ""
    number: float = 0.0
    instrument: int | None = None

    def is_hit(self, replay: Replay, moment: Moment) -> bool:
        chosen = [each for each in moment.bars if self.instrument in (None, each[0])]
        return any(self._true(replay, i, bar) and not self._true(replay, i, bar - 1) for i, bar in chosen)

    def _true(self, replay: Replay, instrument: int, bar: int) -> bool:
        if bar < 0:
            return False
        value = replay.value_at(self.node, self.output, instrument, bar)
        if self.sign:
            return _COMPARE[self.sign](value, self.number)
        return value != 0.0 and not math.isnan(value)


@dataclass(frozen=True, slots=True)
class AtTime:
    """Stops at the first close at or after a time (UTC)."""

    text: str
    ts_ns: int

    def is_hit(self, replay: Replay, moment: Moment) -> bool:
        before = replay.close_ns(moment.index - 2) if moment.index > 1 else self.ts_ns - 1
        return moment.ts_ns >= self.ts_ns > before


def parse_breakpoint(text: str, replay: Replay) -> Breakpoint:
    """Return the breakpoint for a text.

    Raises:
        RunError: it is not a breakpoint; the message lists what is allowed.
    """
    symbol, colon, rest = text.partition(": ")
    instrument = replay.instrument_number(symbol.strip()) if colon else None
    condition = (rest if colon else text).strip()
    if _DATE.match(condition):
        return AtTime(text, _time(condition))
    if condition in _BOOKS:
        return InBooks(text, condition, instrument)
    found = _COMPARISON.match(condition)
    name, sign, number = found.groups() if found else (condition, "", "0")
    if sign and name in _ACCOUNT:
        return OnAccount(text, name, sign, float(number))
    node, _, output = name.partition(".")
    if node == "bars" and output in BAR_COLUMNS and sign:
        return OnNode(text, "bars", output, sign, float(number), instrument)
    known = replay.outputs()
    if node not in known or (output and output not in known[node]):
        offered = [*_BOOKS, *_ACCOUNT, *known, *(f"bars.{column}" for column in BAR_COLUMNS)]
        remedy = did_you_mean(name, offered) or Message("Nodes are: {known}.", known=", ".join(known))
        raise RunError(
            Message(
                "The breakpoint '{text}' names nothing that can be watched: '{name}'. {remedy}",
                text=text,
                name=name,
                remedy=remedy,
            )
        )
    return OnNode(text, node, output or known[node][0], sign, float(number), instrument)


def _time(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise RunError(
            Message(
                "The breakpoint '{text}' is no date: {error}. Write it as 2024-01-31 or 2024-01-31 15:30.",
                text=text,
                error=error,
            )
        ) from error
    return int(moment.timestamp()) * 1_000_000_000
