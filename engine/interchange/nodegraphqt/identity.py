"""Which node of a session is which node of the strategy, and what each is called."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping

from quantcrafter.engine.interchange.nodegraphqt.graph import StrategyGraph
from quantcrafter.engine.interchange.nodegraphqt.saved_graph import (
    BACKDROP,
    BARS_TYPE,
    FOREIGN,
    NODE_ID,
    STRATEGY,
    SavedGraph,
    SessionNode,
)
from quantcrafter.engine.spec import BARS
from quantcrafter.engine.spec.limits import MAX_NAME_CHARS

_NO_WORD = re.compile(r"\W+", re.ASCII)


class Identities:
    """The nodes of a session by their keys.

    `known` has the ids that nodes have in the strategy which the session was exported from; `ids` those that they get.
    """

    def __init__(self, session: SavedGraph, before: StrategyGraph) -> None:
        self.nodes = [node for node in session.nodes.values() if node.type not in (STRATEGY, BACKDROP)]
        self.known = _known(self.nodes, before)
        self.ids = _ids(self.nodes, self.known)
        self.renamed: Mapping[str, str] = {old: self.ids[key] for key, old in self.known.items()}


def _known(nodes: list[SessionNode], before: StrategyGraph) -> dict[str, str]:
    """Match nodes by their property; of copies, that is the one that kept its name, or else the first."""
    bars = {node.key: BARS for node in nodes if node.type == BARS_TYPE}
    chosen: dict[str, SessionNode] = {}
    for node in nodes:
        declared = _declared_id(node, before)
        if node.key in bars or declared not in before.nodes or declared == BARS:
            continue
        if declared not in chosen or (node.name == declared and chosen[declared].name != declared):
            chosen[declared] = node
    return bars | {node.key: declared for declared, node in chosen.items()}


def _declared_id(node: SessionNode, before: StrategyGraph) -> str:
    declared = node.custom.get(NODE_ID)
    if isinstance(declared, str) and declared:
        return declared
    old = before.nodes.get(node.name)
    return node.name if old is not None and FOREIGN in old.fields else ""  # it has no property of ours


def _ids(nodes: list[SessionNode], known: Mapping[str, str]) -> dict[str, str]:
    """Take a node's name for its id, made such that a file can have it, once each; kept names come first."""
    found = {node.key: known[node.key] for node in nodes if known.get(node.key) in (node.name, BARS)}
    taken = {BARS, *found.values()}
    for node in nodes:
        if node.key not in found:
            found[node.key] = free(identifier(node.name, "node"), taken)
            taken.add(found[node.key])
    return found


def identifier(text: str, otherwise: str) -> str:
    """Return a text as a name that a strategy file can have."""
    made = _NO_WORD.sub("_", text).strip("_")[: MAX_NAME_CHARS - 5] or otherwise
    return f"{otherwise}_{made}" if made[0].isdigit() else made


def free(name: str, taken: Container[str]) -> str:
    """Return a name, with a number if it is taken."""
    number, made = 2, name
    while made in taken:
        made, number = f"{name}_{number}", number + 1
    return made
