"""How the nodes and wires of one level of the document are called in a run, where blocks are unfolded. No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.view import BARS, GraphView, Scope, WireView
from quantcrafter.engine.runtime.explain import Facts, Ref, Wire

DEEPEST = 12


@dataclass(frozen=True)
class RunLevel:
    """A level of the document as it is in a run.

    `prefix` is what the run puts before the names of this level: nothing for the strategy's own, `week/` inside the
    block that the node `week` uses.
    """

    graph: GraphView
    facts: Facts
    prefix: str = ""

    def name(self, node: str) -> str:
        """Return what a node of this level is called in the run."""
        return BARS if node == BARS else f"{self.prefix}{node}"

    def node(self, name: str) -> str | None:
        """Return the node of this level that a name of the run belongs to, the block for one inside; None for none."""
        if name == BARS:
            return BARS if BARS in self.graph.nodes else None
        if not name.startswith(self.prefix):
            return None
        found = name[len(self.prefix) :].partition("/")[0]
        return found if found in self.graph.nodes else None

    def output(self, wire: WireView) -> tuple[str, str] | None:
        """Return the run's node and output behind a wire of this level, None if it did not run."""
        known = self.facts.run.nodes
        source = self.name(wire.source)
        if wire.source == BARS:
            return BARS, wire.output
        if source in known:
            return source, wire.output
        return next(self._read_by(wire), None)

    def _read_by(self, wire: WireView) -> Iterator[tuple[str, str]]:
        """Yield what the target of a wire read: of a block's output, the node inside that gave it."""
        inside = f"{self.name(wire.source)}/"
        target = self.name(wire.target)
        readers = [target] if target in self.facts.run.nodes else self._inside(target)
        for reader in readers:
            for port, sources in self.facts.run.nodes[reader].inputs.items():
                for source in sources:
                    if source.node.startswith(inside) and (reader != target or port == wire.port):
                        yield source.node, source.output

    def _inside(self, block: str) -> list[str]:
        return [node for node in self.facts.run.nodes if node.startswith(f"{block}/")]

    def lit(self, wires: Iterable[Wire]) -> frozenset[WireView]:
        """Return the wires of this level that stand for any of the run's wires.

        Between plain nodes that is the very wire; from a block any wire from inside it into that port, and into a
        block any wire from that node into it.
        """
        exact, into, between = set(), set(), set()
        for wire in wires:
            source, target = self.node(wire.source), self.node(wire.target)
            exact.add((wire.source, wire.output, wire.target, wire.port))
            into.add((source, wire.target, wire.port))
            between.add((source, target))
        found = set()
        for view in self.graph.wires:
            source, target = self.name(view.source), self.name(view.target)
            if target not in self.facts.run.nodes:
                is_lit = (view.source, view.target) in between
            elif view.source == BARS or source in self.facts.run.nodes:
                is_lit = (source, view.output, target, view.port) in exact
            else:
                is_lit = (view.source, target, view.port) in into
            if is_lit:
                found.add(view)
        return frozenset(found)

    def refs(self, node: str) -> tuple[Ref, ...]:
        """Return the outputs of the run that a node of this level gives: its own, or those of a block that are read."""
        name = self.name(node)
        if name in self.facts.run.nodes:
            return tuple(Ref(name, output.name) for output in self.facts.run.nodes[name].outputs)
        outputs = (self.output(wire) for wire in self.graph.wires if wire.source == node)
        return tuple(Ref(*pair) for pair in dict.fromkeys(pair for pair in outputs if pair is not None))


def prefix_of(document: Document, scope: Scope) -> str | None:
    """Return the prefix of a level in a run: of a block, that of the first node that uses it; None if none does."""
    if not scope:
        return ""
    return _search(document, (), scope[-1], "", 0)


def names_in_run(document: Document, scope: Scope, nodes: Iterable[str]) -> tuple[str, ...]:
    """Return nodes of a level as a run knows them: inside a block by the block's name and theirs."""
    prefix = prefix_of(document, scope)
    return () if prefix is None else tuple(f"{prefix}{node}" for node in nodes)


def _search(document: Document, scope: Scope, block: str, prefix: str, depth: int) -> str | None:
    uses = [node for node in document.graph(scope).nodes.values() if node.block]
    for node in uses:
        if node.use == block:
            return f"{prefix}{node.id}/"
    for node in uses if depth < DEEPEST else ():
        if isinstance(document.values.get("blocks"), dict) and node.use in document.values["blocks"]:
            found = _search(document, ("blocks", node.use), block, f"{prefix}{node.id}/", depth + 1)
            if found is not None:
                return found
    return None
