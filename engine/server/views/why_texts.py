"""Why a worker traded or not at a bar, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator

from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from quantcrafter.engine.api.reasons import Operator
from quantcrafter.engine.runtime.explain import (
    AccountBlock,
    ComparedSides,
    Crossing,
    Facts,
    Obstacle,
    Side,
    Way,
    Why,
    Words,
)

_FLAGS = {
    ENTER_LONG: "long entry",
    ENTER_SHORT: "short entry",
    EXIT_LONG: "exit of a long position",
    EXIT_SHORT: "exit of a short position",
}
_OPPOSITE: dict[Operator, Operator] = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "==": "!=", "!=": "=="}
_ACCOUNT = {
    "warmup": "the indicators are still warming up",
    "long": "a long position is held",
    "short": "a short position is held",
    "opposite": "a position in the other direction is held",
    "other_execution": "another execution node holds a position",
}


def sentences(why: Why, facts: Facts) -> list[str]:
    """Return what happened at a bar and why, most important first."""
    return list(_sentences(why, facts)) or ["Nothing was due."]


def _sentences(why: Why, facts: Facts) -> Iterator[str]:
    lot = facts.run.instruments[facts.instrument].lot_size
    for fill in why.filled:
        yield f"Filled: {_side(fill.side)} {fill.quantity:g} at {fill.price:g} ({_plain(fill.reason)})."
    because = ", ".join(filter(None, (_condition(each, met=True) for each in why.causes)))
    for order in why.ordered:
        yield f"Ordered: {_side(order.side)} {order.quantity:g} ({_plain(order.reason)}){because and f': {because}'}."
    for blocked in why.blocked:
        nodes = f" by {', '.join(blocked.nodes)}" if blocked.nodes else ""
        yield f"The signal {flags_text(blocked.flags)} was blocked{nodes}: {_plain(blocked.reason)}."
    if why.position is not None and why.position.lots:
        yield f"Position at the close: {why.position.lots * lot:g} since {why.position.price:g}."
    for way in why.ways:
        yield from _of_way(way)


def _of_way(way: Way) -> Iterator[str]:
    if not way.sets:
        return
    missing = ", ".join(filter(None, (_condition(each, met=False) for each in way.sets[0])))
    yield f"No {flags_text(way.flag)}{f' ({way.node})' if way.node else ''}: {missing or 'no signal'}."


def _condition(found: Obstacle, *, met: bool) -> str:
    """Return a condition with its numbers: one that led to an order, or one that stood in the way."""
    test = found.test
    if isinstance(test, ComparedSides):
        op = test.op if met == found.wanted else _OPPOSITE[test.op]
        return f"{_named(test.left)} {op} {_named(test.right)}"
    if isinstance(test, Crossing):
        crossed = "crossed" if met == found.wanted else "did not cross"
        return f"{_named(test.left)} {crossed} {'above' if test.above else 'below'} {_named(test.right)}"
    if isinstance(test, Words):
        return f"{found.node} is {test.now}" + ("" if met else f", needs {test.wanted}")
    if isinstance(test, AccountBlock):
        return _ACCOUNT[test.kind]
    said = flags_text(found.flag) if found.flag else "true"
    return f"{found.node} was {'' if met == found.wanted else 'not '}{said}"


def flags_text(flags: int) -> str:
    """Return what a signal asks for."""
    return " and ".join(text for flag, text in _FLAGS.items() if flags & flag) or "none"


def _named(side: Side) -> str:
    name = side.label or (side.output if side.node == "bars" else side.node)
    if side.node and side.node != "bars" and side.output not in ("", "value"):
        name = f"{side.node}.{side.output}"
    value = f"{side.value:.6g}" if math.isfinite(side.value) else "unknown"
    return f"{name} {value}".strip()


def _side(side: int) -> str:
    return "buy" if side > 0 else "sell"


def _plain(name: str) -> str:
    return name.replace("_", " ")
