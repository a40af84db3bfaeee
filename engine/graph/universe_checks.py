"""Problems of nodes that see the universe: what they compare within must be said of every instrument."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from quantcrafter.engine.api import Problem, RiskManager, SeesUniverse, Severity
from quantcrafter.engine.api.message import Message, joined
from quantcrafter.engine.api.universe import UniverseNode
from quantcrafter.engine.api.wording import did_you_mean, listed
from quantcrafter.engine.graph.bound import BoundGraph, BoundNode
from quantcrafter.engine.spec import InstrumentSpec

_MOST_NAMES = 3


def _strange(
    node: BoundNode, component: UniverseNode, specs: Sequence[InstrumentSpec], names: Sequence[str]
) -> Iterator[Problem]:
    """Yield a warning for each symbol, and name of a value, that no instrument has."""
    symbols = [spec.symbol for spec in specs]
    for asked, known, code in zip(
        component.names(), (symbols, names), ("unknown_symbol", "unknown_value"), strict=True
    ):
        for each in asked:
            if each not in known:
                text = Message("Node '{node}' names '{name}', which no instrument has.", node=node.spec.id, name=each)
                hint = did_you_mean(each, known) or Message("There are {names}.", names=listed(list(known), 6))
                yield node.spec.problem(code, text, hint if known else "", severity=Severity.WARNING)


def universe_problems(graph: BoundGraph) -> Iterator[Problem]:
    """Yield what is wrong with nodes that see the universe, and a warning where there is only one instrument."""
    specs = [each.spec for each in graph.instruments]
    names = list(dict.fromkeys(name for spec in specs for name in spec.values))
    for node in graph.nodes.values():
        component = node.component
        if isinstance(component, UniverseNode) and specs:
            yield from _strange(node, component, specs, names)
        within = getattr(component, "within", "") if isinstance(component, (SeesUniverse, RiskManager)) else ""
        if not specs or (not within and not isinstance(component, SeesUniverse)):
            continue
        if len(specs) == 1 and isinstance(component, SeesUniverse):
            text = Message(
                "Node '{node}' ({use}) compares instruments, and there is only one.",
                node=node.spec.id,
                use=node.spec.use,
            )
            remedy = Message("Add instruments.")
            yield node.spec.problem("one_instrument", text, remedy, severity=Severity.WARNING)
        lacking = [spec.symbol for spec in specs if within not in spec.values]
        if within and lacking:
            hint = did_you_mean(within, names)
            example = Message("Write it under 'values' of the instrument.")
            text = Message(
                "Node '{node}' compares within '{within}', which is not said of {symbols}.",
                node=node.spec.id,
                within=within,
                symbols=listed(lacking, _MOST_NAMES),
            )
            yield node.spec.problem("unknown_value", text, joined([hint, example]), field="within")
            continue
        group = getattr(component, "group", "") if isinstance(component, RiskManager) else ""
        said = dict.fromkeys(str(spec.values.get(within, "")) for spec in specs)
        if within and group and group not in said:
            text = Message(
                "'group' of '{node}' is '{group}', which is the '{within}' of no instrument.",
                node=node.spec.id,
                group=group,
                within=within,
            )
            remedy = joined([did_you_mean(group, said), Message("There are {names}.", names=listed(list(said), 6))])
            yield node.spec.problem("unknown_value", text, remedy, field="group")
