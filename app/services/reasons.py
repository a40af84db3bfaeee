"""Explanations in words: obstacles with their distances, what happened at a bar, and why nodes changed nothing. No Qt.

The engine finds, in plain values; every sentence is made here, in the language in use.
"""

from __future__ import annotations

import math

from app.services.i18n import tr
from app.services.values import flags_text, number_text, position_text
from engine.api import ENTER_LONG, ENTER_SHORT, EXIT_LONG, PortType
from engine.api.reasons import Operator
from engine.runtime.explain import (
    Account,
    Blocked,
    Comparison,
    Crossing,
    Facts,
    Filled,
    NodeCensus,
    Obstacle,
    Ordered,
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


def moment_text(facts: Facts, bar: int) -> str:
    """Return when a bar closed, in the session's own time: the date alone for daily and longer bars."""
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    bars = facts.bars
    moment = datetime.fromtimestamp(int(bars.close_ns[bar]) / 1e9, UTC).astimezone(ZoneInfo(bars.session.timezone))
    if str(bars.timeframe)[-1] in "dwoM" or str(bars.timeframe).endswith("mo"):
        opened = datetime.fromtimestamp(int(bars.open_ns[bar]) / 1e9, UTC).astimezone(ZoneInfo(bars.session.timezone))
        return opened.strftime("%Y-%m-%d")
    return moment.strftime("%Y-%m-%d %H:%M")


# ---------------------------------------------------------------------- obstacles


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
    if isinstance(test, Comparison):
        return _comparison_text(test, wanted=obstacle.wanted)
    if isinstance(test, Crossing):
        return _crossing_text(test, facts, wanted=obstacle.wanted)
    if isinstance(test, Words):
        return _words_text(test, wanted=obstacle.wanted)
    return _account_text(test, facts) if isinstance(test, Account) else _plain_text(obstacle)


def _plain_text(obstacle: Obstacle) -> str:
    """Return that a node that says nothing of itself was, or was not, true."""
    if not obstacle.flag:
        return tr("was false") if obstacle.wanted else tr("was true, and must not be")
    gave = flags_text(obstacle.flag)
    if obstacle.wanted:
        return tr("did not say: {signal}", signal=gave)
    return tr("said: {signal}, and must not", signal=gave)


def obstacle_short(obstacle: Obstacle) -> str:
    """Return what an obstacle needs, in the few letters that a node has room for; empty where words would not fit."""
    test = obstacle.test
    if isinstance(test, Comparison):
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


def _comparison_text(test: Comparison, *, wanted: bool) -> str:
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
            return tr("{left} crosses above {right}, and must not", left=left, right=right)
        return tr("{left} crosses below {right}, and must not", left=left, right=right)
    gap = number_text(abs(test.left.value - test.right.value))
    if test.stands_right:
        since = moment_text(facts, test.since) if test.since is not None else ""
        if not since:
            text = tr("{left} has never been on the other side of {right}", left=left, right=right)
        elif test.above:
            text = tr("{left} is above {right} since {since}: it has to fall below and cross again",
                      left=left, right=right, since=since)  # fmt: skip
        else:
            text = tr("{left} is below {right} since {since}: it has to rise above and cross again",
                      left=left, right=right, since=since)  # fmt: skip
        return text
    if test.above:
        return tr("{left} is {gap} below {right}, needs to cross above", left=left, right=right, gap=gap)
    return tr("{left} is {gap} above {right}, needs to cross below", left=left, right=right, gap=gap)


def _words_text(test: Words, *, wanted: bool) -> str:
    if not wanted:
        return tr("is {now}, and must not be", now=_word(test.wanted or test.now))
    if not test.now:
        return tr("needs {wanted}", wanted=_word(test.wanted))
    return tr("is {now}, needs {wanted}", now=_word(test.now), wanted=_word(test.wanted))


def _word(text: str) -> str:
    return _labels().get(text, text)


def _account_text(test: Account, facts: Facts) -> str:
    when = moment_text(facts, min(test.bar, len(facts.bars) - 1))
    if test.kind == "warmup":
        if test.bar >= len(facts.bars):
            return tr("Still in the warm-up, which takes all the bars there are")
        return tr("Still in the warm-up: decisions begin on {when}, with bar {bar}", when=when, bar=test.bar)
    texts = {
        "long": tr("Already long since {when}", when=when),
        "short": tr("Already short since {when}", when=when),
        "opposite": tr("Holds the opposite position since {when}, and keeps it", when=when),
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


# ---------------------------------------------------------------------- what happened


def way_title(flag: int) -> str:
    """Return the question that a way answers."""
    titles = {
        ENTER_LONG: tr("Why no long entry"),
        ENTER_SHORT: tr("Why no short entry"),
        EXIT_LONG: tr("Why no exit of the long position"),
    }
    return titles.get(flag, tr("Why no exit of the short position"))


def ordered_text(order: Ordered) -> str:
    """Return that an order was decided, and for what."""
    quantity = number_text(order.quantity)
    if order.reason == "entry":
        if order.side > 0:
            return tr("Ordered to enter long, {quantity}, at the next open", quantity=quantity)
        return tr("Ordered to enter short, {quantity}, at the next open", quantity=quantity)
    if order.reason == "signal":
        if order.side < 0:
            return tr("Ordered to leave the long position, {quantity}, by an exit signal", quantity=quantity)
        return tr("Ordered to leave the short position, {quantity}, by an exit signal", quantity=quantity)
    return tr("Ordered to leave the position, {quantity}, by an entry signal the other way", quantity=quantity)


def filled_text(fill: Filled, facts: Facts) -> str:
    """Return that an order filled, at what price and why."""
    verb = tr("Bought") if fill.side > 0 else tr("Sold")
    quantity, price = number_text(fill.quantity), number_text(fill.price)
    reasons = {
        "entry": tr("an entry decided on {when}", when=moment_text(facts, fill.decided)),
        "signal": tr("an exit decided on {when}", when=moment_text(facts, fill.decided)),
        "opposite": tr("an exit decided on {when}", when=moment_text(facts, fill.decided)),
        "stop_loss": tr("the stop-loss of '{node}'", node=fill.node),
        "take_profit": tr("the take-profit of '{node}'", node=fill.node),
        "end_of_data": tr("the end of the data"),
    }
    why = reasons.get(fill.reason, fill.reason.replace("_", " "))
    return tr("{verb} {quantity} at {price}: {why}", verb=verb, quantity=quantity, price=price, why=why)


def blocked_text(blocked: Blocked) -> str:
    """Return that an entry signal became no order, and for what reason."""
    reasons = {
        "filter": tr("blocked by {nodes}", nodes=", ".join(f"'{node}'" for node in blocked.nodes)),
        "warmup": tr("still in the warm-up"),
        "opposite_ignored": tr("the opposite position is held, and kept"),
        "contradiction": tr("contrary signals at the same bar"),
        "size_zero": tr("the size came to less than one lot"),
        "no_stop_distance": tr("a stop or target had no distance from the price"),
        "no_equity": tr("no equity was left"),
        "halted": tr("trading was halted by a risk rule"),
        "no_cash": tr("not enough cash"),
    }
    why = reasons.get(blocked.reason, blocked.reason.replace("_", " "))
    return tr("Signal to {signal}, no order: {why}", signal=flags_text(blocked.flags), why=why)


def held_text(quantity: float, when: str, price: float) -> str:
    """Return what is held since when."""
    return tr("Position at the close: {position}, since {when} at {price}",
              position=position_text(quantity), when=when, price=number_text(price))  # fmt: skip


# ---------------------------------------------------------------------- the census


def fired_text(count: int) -> str:
    """Return a count of firings as a node shows it."""
    text = f"{count:,}" if count < 10_000 else f"{count / 1000:,.0f}k"  # noqa: PLR2004 - room for four digits
    return f"{text}\N{MULTIPLICATION SIGN}"


def idle_text(census: NodeCensus, kind: PortType) -> str:
    """Return why a node changed no decision, empty if it did."""
    if not census.idle:
        return ""
    if kind is PortType.FILTER:
        if census.blocked:
            return tr("Changed no decision: it held back {count} entries, but never one that another filter would have "
                      "let pass", count=census.blocked)  # fmt: skip
        return tr("Changed no decision: it never held back an entry")
    if kind is PortType.SIGNAL:
        if census.idle == "silent":
            return tr("Changed no decision: it never gave a signal")
        return tr("Changed no decision: no order came from its signals alone")
    texts = {
        "always": tr("Changed no decision: it was always true"),
        "never": tr("Changed no decision: it was never true"),
    }
    return texts.get(census.idle, tr("Changed no decision: whenever it changed, the outcome was the same without it"))
