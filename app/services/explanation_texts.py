"""Explanations as text: obstacles with their distances, what happened at a bar, and why nodes changed nothing. No Qt.

The engine finds, in plain values; every sentence is made here, in the language in use.
"""

from __future__ import annotations

import math

from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.services.value_texts import flags_text, number_text
from quantcrafter.engine.api.reasons import Operator
from quantcrafter.engine.data.labels import close_label
from quantcrafter.engine.data.labels import moment_text as local_text
from quantcrafter.engine.runtime.explain import (
    AccountBlock,
    ComparedSides,
    Crossing,
    Facts,
    Obstacle,
    Side,
    Words,
)

_OPPOSITE: dict[Operator, Operator] = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "==": "!=", "!=": "=="}
_SIGNS: dict[Operator, str] = {
    ">": ">",
    ">=": "\N{GREATER-THAN OR EQUAL TO}",
    "<": "<",
    "<=": "\N{LESS-THAN OR EQUAL TO}",
    "==": "=",
    "!=": "\N{NOT EQUAL TO}",
}


def moment_text(facts: Facts, bar: int, *, named: bool = False) -> str:
    """Return when a bar closed, in the exchange's own time; the trading day for daily and longer bars.

    `named` puts the zone behind a time.
    """
    bars = facts.bars
    open_ns, close_ns = int(bars.open_ns[bar]), int(bars.close_ns[bar])
    if named or not bars.timeframe.is_intraday:
        return close_label(open_ns, close_ns, bars.timeframe, bars.session)
    return local_text(close_ns, bars.session.timezone)


# ---------------------------------------------------------------------- obstacles


def obstacle_brief(obstacle: Obstacle) -> str:
    """Return what is needed alone, where there is no room for more; empty where words would not fit."""
    test = obstacle.test
    if isinstance(test, ComparedSides):
        op = _SIGNS[test.op if obstacle.wanted else _OPPOSITE[test.op]]
        return tr("needs {op} {right}", op=op, right=number_text(test.right.value))
    if isinstance(test, Crossing) and obstacle.wanted:
        other = side_name(test.right) or number_text(test.right.value)
        return tr("cross above {other}", other=other) if test.above else tr("cross below {other}", other=other)
    return ""


def side_name(side: Side) -> str:
    """Return what a side of a comparison is called, empty for a plain number."""
    if side.label:
        return _labels().get(side.label, side.label)
    if side.node == "bars":
        return _prices().get(side.output, side.output)
    if side.node and side.output not in ("value", ""):
        return f"{side.node}.{side.output}"
    return side.node


def obstacle_text(obstacle: Obstacle, facts: Facts) -> str:
    """Return what an obstacle is and how far it is from what it would have to be, such as "adx 19.7, needs > 20"."""
    test = obstacle.test
    if isinstance(test, ComparedSides):
        return _comparison_text(test, wanted=obstacle.wanted)
    if isinstance(test, Crossing):
        return _crossing_text(test, facts, wanted=obstacle.wanted)
    if isinstance(test, Words):
        return _words_text(test, wanted=obstacle.wanted)
    return _account_text(test, facts) if isinstance(test, AccountBlock) else _plain_text(obstacle)


def _plain_text(obstacle: Obstacle) -> str:
    """Return that a node that says nothing of itself was, or was not, true."""
    if not obstacle.flag:
        return tr("was false") if obstacle.wanted else tr("was true, but must not be")
    gave = flags_text(obstacle.flag)
    if obstacle.wanted:
        return tr("didn't signal: {signal}", signal=gave)
    return tr("signalled: {signal}, but must not", signal=gave)


def cause_text(cause: Obstacle) -> str:
    """Return how a test that led to a decision turned out, such as "close 84.5 > average 78.3"."""
    test = cause.test
    if isinstance(test, ComparedSides):
        op = _SIGNS[test.op if cause.wanted else _OPPOSITE[test.op]]
        return f"{_named(test.left)} {op} {_named(test.right)}"
    if isinstance(test, Crossing):
        return _crossed_text(test, crossed=cause.wanted)
    if isinstance(test, Words):
        return tr("is {now}", now=_word(test.now or test.wanted))
    if cause.flag:
        return flags_text(cause.flag) if cause.wanted else tr("no signal")
    return tr("was true") if cause.wanted else tr("was false")


def _crossed_text(test: Crossing, *, crossed: bool) -> str:
    left, right = _named(test.left), _named(test.right)
    if not crossed:
        return tr("{left} didn't cross {right}", left=left, right=right)
    if test.above:
        return tr("{left} crossed above {right}", left=left, right=right)
    return tr("{left} crossed below {right}", left=left, right=right)


def obstacle_short(obstacle: Obstacle) -> str:
    """Return what an obstacle needs, in the few letters that a node has room for; empty where words would not fit."""
    test = obstacle.test
    if isinstance(test, ComparedSides):
        op = _SIGNS[test.op if obstacle.wanted else _OPPOSITE[test.op]]
        left, right = number_text(test.left.value), number_text(test.right.value)
        return tr("{left}, needs {op} {right}", left=left, op=op, right=right)
    if isinstance(test, Crossing) and obstacle.wanted:
        left = number_text(test.left.value)
        other = side_name(test.right) or number_text(test.right.value)
        if test.above:
            return tr("{left}, must cross above {other}", left=left, other=other)
        return tr("{left}, must cross below {other}", left=left, other=other)
    return ""


def _comparison_text(test: ComparedSides, *, wanted: bool) -> str:
    left = _named(test.left)
    if math.isnan(test.left.value) or math.isnan(test.right.value):
        missing = test.left if math.isnan(test.left.value) else test.right
        return tr("{name} has no value yet", name=side_name(missing) or left)
    op = _SIGNS[test.op if wanted else _OPPOSITE[test.op]]
    return tr("{left}, needs {op} {right}", left=left, op=op, right=_named(test.right))


def _named(side: Side) -> str:
    name, value = side_name(side), number_text(side.value)
    return f"{name} {value}" if name else value


def _crossing_text(test: Crossing, facts: Facts, *, wanted: bool) -> str:
    left, right = _named(test.left), _named(test.right)
    if math.isnan(test.left.value) or math.isnan(test.right.value):
        missing = test.left if math.isnan(test.left.value) else test.right
        return tr("{name} has no value yet", name=side_name(missing) or left)
    if not wanted:
        if test.above:
            return tr("{left} crosses above {right}, but must not", left=left, right=right)
        return tr("{left} crosses below {right}, but must not", left=left, right=right)
    gap = number_text(abs(test.left.value - test.right.value))
    if test.stands_right:
        since = moment_text(facts, test.since) if test.since is not None else ""
        if not since:
            text = tr("{left} has never been on the other side of {right}", left=left, right=right)
        elif test.above:
            text = tr("{left} has been above {right} since {since}: it must fall below and cross again",
                      left=left, right=right, since=since)  # fmt: skip
        else:
            text = tr("{left} has been below {right} since {since}: it must rise above and cross again",
                      left=left, right=right, since=since)  # fmt: skip
        return text
    if test.above:
        return tr("{left} is {gap} below {right}, needs to cross above", left=left, right=right, gap=gap)
    return tr("{left} is {gap} above {right}, needs to cross below", left=left, right=right, gap=gap)


def _words_text(test: Words, *, wanted: bool) -> str:
    if not wanted:
        return tr("is {now}, but must not be", now=_word(test.wanted or test.now))
    if not test.now:
        return tr("needs {wanted}", wanted=_word(test.wanted))
    return tr("is {now}, needs {wanted}", now=_word(test.now), wanted=_word(test.wanted))


def _word(text: str) -> str:
    return _labels().get(text) or translated(text)


def _account_text(test: AccountBlock, facts: Facts) -> str:
    when = moment_text(facts, min(test.bar, len(facts.bars) - 1))
    if test.kind == "warmup":
        if test.bar >= len(facts.bars):
            return tr("Still in the warm-up, which needs all available bars")
        return tr("Still in the warm-up: decisions start on {when}, at bar {bar}", when=when, bar=test.bar)
    texts = {
        "long": tr("Long since {when}", when=when),
        "short": tr("Short since {when}", when=when),
        "opposite": tr("Has held the opposite position since {when}, and keeps it", when=when),
        "other_execution": tr("Another execution node has held a position since {when}", when=when),
    }
    return texts[test.kind]


def _prices() -> dict[str, str]:
    return {
        "open": tr("open"),
        "high": tr("high"),
        "low": tr("low"),
        "close": tr("close"),
        "volume": tr("volume"),
    }


def _labels() -> dict[str, str]:
    """Return the words that the built-in components use of themselves."""
    return {
        **_prices(),
        "average before": tr("average before"),
        "highest high of the channel": tr("highest high of the channel"),
        "lowest low of the channel": tr("lowest low of the channel"),
        "long": tr("long"),
        "short": tr("short"),
        "out": tr("out"),
        "long at the bar before": tr("long at the bar before"),
        "short at the bar before": tr("short at the bar before"),
    }
