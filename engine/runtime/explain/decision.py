"""The decision stage as expressions: the signals, filters and account state that an entry or an exit requires."""

from __future__ import annotations

from dataclasses import dataclass, field

from quantcrafter.engine.api import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from quantcrafter.engine.runtime.explain.findings import AccountBlock, Test
from quantcrafter.engine.runtime.explain.logic import Gate, Inverse, Leaf, Via, both, either
from quantcrafter.engine.runtime.explain.path import Wire
from quantcrafter.engine.runtime.explain.run_facts import Facts, Ref
from quantcrafter.engine.runtime.explain.tree import About, Node, Tree
from quantcrafter.engine.runtime.results.run_view import RunDecision, RunSource

ENTRIES = (ENTER_LONG, ENTER_SHORT)
EXIT_OF = {ENTER_LONG: EXIT_LONG, ENTER_SHORT: EXIT_SHORT}
SIDE_OF = {ENTER_LONG: 1, EXIT_LONG: 1, ENTER_SHORT: -1, EXIT_SHORT: -1}


@dataclass
class Stage:
    """The decision stage of a run at one bar."""

    facts: Facts
    decision: RunDecision
    bar: int
    tree: Tree = field(init=False)

    def __post_init__(self) -> None:
        self.tree = Tree(self.facts, self.bar)

    def signal(self, flag: int) -> Node:
        """Return the combined signals: an entry according to `combine`, an exit of any signal."""
        parts = tuple(self._from(source, flag) for source in self.decision.signals)
        return both(*parts) if flag in ENTRIES and self.decision.combine == "all" else either(*parts)

    def filters(self) -> dict[str, Node]:
        """Return of each filter the expression that is true while it lets entries pass."""
        return {node: self._passing(node, blocks=blocks) for node, blocks in self.decision.filters.items()}

    def entry(self, flag: int) -> Node:
        """Return the graph's conditions for an entry: the signal, and all filters passing."""
        return both(self.signal(flag), *self.filters().values())

    def whole_entry(self, flag: int) -> Node:
        """Return all conditions for an entry: the graph, no contrary signal at the same bar, and the account."""
        two_sided = self.facts.run.nodes[self.decision.node].parameters.get("two_sided", False)
        contrary = () if two_sided else (other for other in ENTRIES if other != flag)
        others = [self.signal(EXIT_OF[flag]), *map(self.signal, contrary)]
        against = [Inverse(other) for other in others]
        return both(*self._account(flag), self.entry(flag), *against)

    def _from(self, source: RunSource, flag: int) -> Node:
        return self._wired(source.node, source.output, self.tree.of(Ref(source.node, source.output, flag)))

    def _passing(self, node: str, *, blocks: bool) -> Node:
        output = self.facts.run.nodes[node].outputs[0].name
        part = self._wired(node, output, self.tree.of(Ref(node, output)))
        return Inverse(part) if blocks else part

    def _wired(self, node: str, output: str, part: Node) -> Node:
        wire = wire_between(self.facts, node, output, self.decision.node)
        return part if wire is None else Via(wire, part)

    def _account(self, flag: int) -> list[Node]:
        found: list[Test] = []
        first = self.facts.first_bar(self.decision)
        if self.bar < first:
            found.append(AccountBlock("warmup", first))
        held = self.facts.positions.after(self.bar)
        if held is not None and self.facts.run.decisions[held.execution].node != self.decision.node:
            found.append(AccountBlock("other_execution", held.since))
        elif held is not None:
            same = (held.lots > 0) == (SIDE_OF[flag] > 0)
            if same:
                found.append(AccountBlock("long" if held.lots > 0 else "short", held.since))
            elif self.facts.run.nodes[self.decision.node].parameters.get("on_opposite") == "ignore":
                found.append(AccountBlock("opposite", held.since))
        return [Leaf(About(Ref(self.decision.node, "", flag), test, ()), held=False) for test in found]


def wire_between(facts: Facts, source: str, output: str, target: str) -> Wire | None:
    """Return the wire from an output to a node, or None."""
    wires = facts.wires(target)
    return next((wire for wire in wires if wire.source == source and wire.output == output), None)


def is_possible(root: Node) -> bool:
    """Return whether an expression could be true with suitable results of all tests."""
    known: dict[tuple[int, bool], bool] = {}

    def can_be(part: Node, value: bool) -> bool:  # noqa: FBT001 - the value asked for
        key = (id(part), value)
        if key not in known:
            known[key] = work_out(part, value)
        return known[key]

    def work_out(part: Node, value: bool) -> bool:  # noqa: FBT001 - the value asked for
        if isinstance(part, Leaf):
            return part.held == value or not part.fixed
        if isinstance(part, Inverse):
            return can_be(part.part, not value)
        if isinstance(part, Gate):
            count = sum(can_be(each, value) for each in part.parts)
            return count >= (part.need if value else len(part.parts) - part.need + 1)
        return can_be(part.part, value)

    return can_be(root, True)
