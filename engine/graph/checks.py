"""Checks of the whole graph: no cycles, and a complete decision stage."""

from __future__ import annotations

from collections.abc import Iterator

from quantcrafter.engine.api import (
    ExecutionLogic,
    Filter,
    GuardRule,
    MoneyManager,
    Problem,
    ProtectiveKind,
    ProtectiveRule,
    RiskManager,
    Role,
    Severity,
    SizeKind,
    unit_fault,
)
from quantcrafter.engine.api.engine import MOST_EXECUTIONS
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.rules import STREAK_SIZES
from quantcrafter.engine.graph.account_problems import account_problems
from quantcrafter.engine.graph.bound import BoundGraph, BoundNode, NodeColumn
from quantcrafter.engine.graph.loop import loop_problems
from quantcrafter.engine.graph.pair_problems import pair_problems


def find_cycles(graph: BoundGraph) -> list[Problem]:
    """Return one problem for each cycle met by a depth-first walk, naming its nodes in order."""
    problems: list[Problem] = []
    done: set[str] = set()
    for start in graph.nodes:
        if start not in done:
            problems += _walk(graph, start, done)
    return problems


def _walk(graph: BoundGraph, start: str, done: set[str]) -> list[Problem]:
    problems: list[Problem] = []
    path: list[str] = [start]
    pending: list[Iterator[str]] = [_upstream(graph, start)]
    while pending:
        name = next(pending[-1], None)
        if name is None:
            pending.pop()
            done.add(path.pop())
        elif name in path:
            problems.append(_problem(graph.nodes[name], "cycle", _cycle(path[path.index(name) :]), _CUT))
        elif name not in done and name in graph.nodes:
            path.append(name)
            pending.append(_upstream(graph, name))
    return problems


def _cycle(names: list[str]) -> str:
    """Return the message about a cycle; for a long one, with its ends."""
    if len(names) <= _SHOWN:
        return Message("The nodes {names} form a cycle.", names=" <- ".join([*names, names[0]]))
    half = _SHOWN // 2
    ends = [*names[:half], "...", *names[-half:], names[0]]
    return Message("The nodes {ends} form a cycle of {count:,} nodes.", ends=" <- ".join(ends), count=len(names))


_SHOWN = 8
"""Nodes of a cycle that are named."""
_CUT = Message(
    "A node can't depend on itself; remove one of these wires, or put a 'lag' of past bars where you meant one."
)


def _upstream(graph: BoundGraph, name: str) -> Iterator[str]:
    return iter([source.node for source in graph.nodes[name].sources() if isinstance(source, NodeColumn)])


def decision_problems(graph: BoundGraph) -> list[Problem]:
    """Return the problems of the decision stage."""
    written = [node for node in graph.spec.nodes.values() if node.role is Role.EXECUTION]
    executions = [node for node in graph.nodes.values() if isinstance(node.component, ExecutionLogic)]
    problems: list[Problem] = []
    if not written:
        text = Message("The strategy has no execution node, so it can never trade.")
        remedy = Message("Add a section such as 'execution: {entry: {use: market, signals: [...], money: ...}}'.")
        problems.append(Problem("no_execution", text, remedy, graph.spec.file, 1, 1))
    problems += _combination_problems(executions)
    for node in executions:
        problems += _execution_problems(graph, node)
    return [*problems, *account_problems(graph), *loop_problems(graph)]


def _combination_problems(executions: list[BoundNode]) -> list[Problem]:
    """Return why several execution nodes can't be combined, said at each one that must be alone."""
    problems: list[Problem] = []
    if len(executions) > MOST_EXECUTIONS:
        text = Message(
            "A strategy has at most {most} execution nodes, had {count}.", most=MOST_EXECUTIONS, count=len(executions)
        )
        remedy = Message("Combine the signals of some of them in one node.")
        problems.append(_problem(executions[MOST_EXECUTIONS], "many_executions", text, remedy))
    for node in executions if len(executions) > 1 else ():
        component = node.component
        rule = component.rule() if isinstance(component, ExecutionLogic) else None
        remedy = Message("Remove one of them, or make two strategies.")
        if component.overrides("on_bar"):
            text = Message(
                "'{id}' decides bar by bar in Python, so it can't be combined with another execution node.",
                id=node.spec.id,
            )
            problems.append(_problem(node, "one_execution", text, remedy))
        elif rule is not None and rule.rebalance is not None:
            text = Message(
                "'{id}' sets whole positions, so it can't be combined with another execution node.", id=node.spec.id
            )
            problems.append(_problem(node, "one_execution", text, remedy))
    return problems


def _execution_problems(graph: BoundGraph, node: BoundNode) -> list[Problem]:
    problems = []
    parts = [graph.nodes[source.node] for source in node.sources() if isinstance(source, NodeColumn)]
    for part in (node, *parts):
        component = part.component
        if not isinstance(component, (ExecutionLogic, RiskManager, MoneyManager)) or component.overrides("on_bar"):
            continue
        if component.rule() is None:
            text = Message("'{use}' has neither a rule nor 'on_bar', so it can't decide.", use=part.spec.use)
            problems.append(
                _problem(part, "no_decision", text, Message("Use another component, or report it to its author."))
            )
    has_stop = any(isinstance(part.component, RiskManager) and _is_stop(part.component.rule()) for part in parts)
    problems += _unit_problems(node, parts)
    problems += _reset_problems(node, parts)
    problems += pair_problems(graph, node, parts)
    for part in parts:
        rule_of_size = part.component.rule() if isinstance(part.component, MoneyManager) else None
        if rule_of_size is not None and rule_of_size.kind is SizeKind.RISK_PERCENT and not has_stop:
            text = Message(
                "'{id}' sizes by the distance of a stop-loss, but '{id_2}' has none.",
                id=part.spec.id,
                id_2=node.spec.id,
            )
            problems.append(
                _problem(
                    part,
                    "no_stop",
                    text,
                    Message("Add a stop such as percent_stop to 'risk' of '{id}'.", id=node.spec.id),
                )
            )
    return problems


def _reset_problems(node: BoundNode, parts: list[BoundNode]) -> list[Problem]:
    """Return why a filter can't start a martingale over: there is none, or another filter does."""
    resets = [part for part in parts if isinstance(part.component, Filter) and part.component.group == "reset_volume"]
    sizes = [rule for part in parts if isinstance(part.component, MoneyManager) and (rule := part.component.rule())]
    problems = []
    if resets and not any(rule.kind in STREAK_SIZES for rule in sizes):
        text = Message(
            "'{id}' starts a martingale over, and '{execution}' has none.", id=resets[0].spec.id, execution=node.spec.id
        )
        remedy = Message("Set another 'group', or size by 'martingale' or 'anti_martingale'.")
        problems.append(_problem(resets[0], "reset_volume", text, remedy))
    for extra in resets[1:]:
        text = Message(
            "'{execution}' has several filters of the group reset_volume: '{first}' and '{id}'.",
            execution=node.spec.id,
            first=resets[0].spec.id,
            id=extra.spec.id,
        )
        problems.append(
            _problem(extra, "reset_volume", text, Message("Combine their conditions in one filter 'condition'."))
        )
    return problems


def _unit_problems(node: BoundNode, parts: list[BoundNode]) -> list[Problem]:
    """Return why stops and targets of the units of a position can't be executed, said at the first of them."""
    rules: list[tuple[BoundNode, ProtectiveRule]] = []
    for part in parts:
        rule = part.component.rule() if isinstance(part.component, RiskManager) else None
        if isinstance(part.component, RiskManager) and rule is None:
            rule = ProtectiveRule(ProtectiveKind.COMPONENT)
        if isinstance(rule, ProtectiveRule):
            rules.append((part, rule))
    execution = node.component.rule() if isinstance(node.component, ExecutionLogic) else None
    fault = unit_fault(execution, [rule for _, rule in rules])
    if fault is None:
        return []
    first = next(part for part, rule in rules if rule.scope == "unit")
    return [_problem(first, "unit_scope", *fault)]


def _is_stop(rule: ProtectiveRule | GuardRule | None) -> bool:
    """Return whether a rule gives a stop with a distance that is known before the size is."""
    if not isinstance(rule, ProtectiveRule):
        return False
    return rule.kind in (ProtectiveKind.STOP_LOSS, ProtectiveKind.TRAILING_STOP) and rule.cash <= 0.0


def idle_nodes(graph: BoundGraph) -> list[Problem]:
    """Return warnings for advisors, filters, risk and money nodes that no execution node depends on."""
    executions = [node for node in graph.nodes.values() if isinstance(node.component, ExecutionLogic)]
    used: set[str] = set()
    pending = [node.spec.id for node in executions]
    while pending:
        name = pending.pop()
        if name not in used and name in graph.nodes:
            used.add(name)
            pending += [source.node for source in graph.nodes[name].sources() if isinstance(source, NodeColumn)]
    roles = (Role.ADVISOR, Role.FILTER, Role.RISK, Role.MONEY)
    return [
        _problem(
            node,
            "idle",
            Message("Node '{name}' has no effect: no execution node uses it.", name=name),
            Message("Wire it or remove it."),
            warn=True,
        )
        for name, node in graph.nodes.items()
        if node.spec.role in roles and name not in used and executions and "/" not in name
    ]


def _problem(node: BoundNode, code: str, message: str, remedy: str, *, warn: bool = False) -> Problem:
    return node.spec.problem(code, message, remedy, severity=Severity.WARNING if warn else Severity.ERROR)
