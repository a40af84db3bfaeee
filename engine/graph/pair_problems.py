"""Checks of execution nodes that trade two instruments as one position."""

from __future__ import annotations

from collections.abc import Iterator

from quantcrafter.engine.api import (
    ExecutionLogic,
    MoneyManager,
    Problem,
    ProtectiveRule,
    RiskManager,
    SizeKind,
)
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import did_you_mean
from quantcrafter.engine.graph.bound import BoundGraph, BoundNode, rule_of


def pair_problems(graph: BoundGraph, node: BoundNode, parts: list[BoundNode]) -> Iterator[Problem]:
    """Yield why a pair can't be traded: its legs, and the `parts` that are connected to it."""
    component = node.component
    if not isinstance(component, ExecutionLogic) or component.overrides("on_bar"):
        return
    rule = component.rule()
    if rule is None or rule.pair is None:
        return
    symbols = [instrument.symbol for instrument in graph.spec.instruments]
    yield from _leg_problems(node, (rule.pair.first, rule.pair.second), symbols)
    for part in parts:
        yield from _part_problems(node, part)


def _leg_problems(node: BoundNode, legs: tuple[str, str], symbols: list[str]) -> Iterator[Problem]:
    name = node.spec.id
    if len(symbols) < 2:  # noqa: PLR2004 - two legs
        text = Message("'{id}' trades two instruments, and the strategy has {count}.", id=name, count=len(symbols))
        yield node.spec.problem("pair_legs", text, Message("Add the other one under 'instruments'."))
        return
    for field, symbol in zip(("first", "second"), legs, strict=True):
        if symbol and symbol not in symbols:
            text = Message(
                "'{field}' of '{id}' must be an instrument of the strategy, was '{symbol}'.",
                field=field,
                id=name,
                symbol=symbol,
            )
            remedy = did_you_mean(symbol, symbols) or Message("Available: {symbols}.", symbols=", ".join(symbols))
            yield node.spec.problem("unknown_symbol", text, remedy, field=field)
    first, second = legs[0] or symbols[0], legs[1] or symbols[1]
    if first == second:
        text = Message("Both legs of '{id}' are {symbol}.", id=name, symbol=first)
        remedy = Message("Name two different instruments by 'first' and 'second'.")
        yield node.spec.problem("pair_legs", text, remedy, field="second")


def _part_problems(node: BoundNode, part: BoundNode) -> Iterator[Problem]:
    component, name = part.component, part.spec.id
    if not isinstance(component, (RiskManager, MoneyManager)):
        return
    if component.overrides("on_bar"):
        text = Message("'{id}' decides bar by bar in Python, which can't be combined with a pair.", id=name)
        yield part.spec.problem("pair_part", text, Message("Remove it from '{id}'.", id=node.spec.id))
        return
    rule = rule_of(part)
    if isinstance(rule, ProtectiveRule):
        text = Message("'{id}' would close one leg of '{pair}' alone.", id=name, pair=node.spec.id)
        remedy = Message(
            "Use 'stop_percent', 'stop_cash', 'target_percent' or 'target_cash' of '{id}'.", id=node.spec.id
        )
        yield part.spec.problem("pair_part", text, remedy)
    elif isinstance(component, MoneyManager) and getattr(rule, "kind", None) is SizeKind.RISK_PERCENT:
        text = Message(
            "'{id}' sizes by the distance of a stop-loss, which a leg of '{pair}' doesn't have.",
            id=name,
            pair=node.spec.id,
        )
        yield part.spec.problem("pair_part", text, Message("Use another money manager, such as percent_of_equity."))
