"""The part of a graph that led to a decision: nodes and wires."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wire:
    """A wire of a run. `index` is the position in a list port; `output` is `bars` for whole bars."""

    source: str
    output: str
    target: str
    port: str
    index: int | None = None


@dataclass(frozen=True)
class Path:
    """Nodes and wires that led to a decision; `blocking` are the nodes that prevented it."""

    nodes: frozenset[str] = frozenset()
    wires: frozenset[Wire] = frozenset()
    blocking: frozenset[str] = frozenset()

    def joined(self, other: Path) -> Path:
        """Return both paths as one."""
        return Path(self.nodes | other.nodes, self.wires | other.wires, self.blocking | other.blocking)


def with_sources(
    nodes: Iterable[str], wires: Iterable[Wire], inputs: Callable[[str], Iterable[Wire]], whole: Iterable[str] = ()
) -> Path:
    """Return a path with all of its inputs: the source of each wire and everything upstream of it.

    Of `nodes` only the given wires count; of the nodes in `whole`, and of all that is behind the wires, every input.
    """
    decided = set(nodes)
    found = dict.fromkeys(wires)
    queue = list(whole)
    queue += [wire.source for wire in found if wire.source not in decided]
    seen: set[str] = set()
    while queue:
        node = queue.pop()
        if node in seen:
            continue
        seen.add(node)
        for wire in inputs(node):
            found[wire] = None
            if wire.source not in decided:
                queue.append(wire.source)
    ends = {wire.source for wire in found} | {wire.target for wire in found}
    return Path(frozenset(decided | seen | ends), frozenset(found))
