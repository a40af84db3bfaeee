"""The names that the file's words are checked against: nodes, components, blocks. No Qt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from quantcrafter.app.document.document import DocumentLike
from quantcrafter.app.document.view import GraphView, Scope
from quantcrafter.app.theme.colors import family_of
from quantcrafter.engine.api import Catalog, Role

_MOST_BLOCKS = 64
_OWN_KEYS = frozenset(
    (
        "name", "description", "symbol", "data", "timeframe", "type", "path", "mode", "engine", "start", "end",
        "currency", "use", "on_bad_bars",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is known: `families` of nodes by id, what `use` may say, and `values`, the keys that hold no reference."""

    families: Mapping[str, str] = field(default_factory=dict)
    uses: frozenset[str] = frozenset()
    values: frozenset[str] = _OWN_KEYS

    def reference(self, key: str, word: str) -> str:
        """Return the family of the node that `word` refers to under `key`, "" when it is no reference."""
        if key in self.values:
            return ""
        return self.families.get(word.partition(".")[0], "")

    def knows_use(self, word: str) -> bool:
        """Return whether `use` may say that; a path of a block file is left to validation."""
        return word in self.uses or "/" in word or word.endswith((".yaml", ".yml"))

    def differing(self, other: Vocabulary) -> re.Pattern[str] | None:
        """Return what finds the words that another vocabulary sees differently, None when there are none."""
        words = {name for name, _ in self.families.items() ^ other.families.items()}
        words |= (self.uses ^ other.uses) | (self.values ^ other.values)
        return re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(words)))})\b") if words else None


def names_of(catalog: Catalog) -> frozenset[str]:
    """Return what `use` may say in any section, blocks apart."""
    return frozenset(name for role in Role for name in catalog.component_names(role))


def levels(document: DocumentLike) -> dict[Scope, GraphView]:
    """Return the graphs of the strategy and of the blocks it uses, however deep."""
    found: dict[Scope, GraphView] = {}
    waiting: list[Scope] = [()]
    while waiting and len(found) < _MOST_BLOCKS:
        scope = waiting.pop()
        if scope in found:
            continue
        graph = document.graph(scope)
        found[scope] = graph
        inside = {node.use for node in graph.nodes.values() if node.block and "/" not in node.use}
        waiting += [("blocks", name) for name in inside]
    return found


def vocabulary(document: DocumentLike, uses: frozenset[str]) -> Vocabulary:
    """Return the names of a document as it is now; `uses` is what `names_of` its catalog gave."""
    families: dict[str, str] = {}
    blocks: set[str] = set()
    used: set[tuple[Role, str]] = set()
    ports: set[str] = set()
    for scope, graph in levels(document).items():
        blocks |= {scope[1]} if scope else set()
        for node in graph.nodes.values():
            families.setdefault(node.id, family_of(node.role, node.id))
            ports.update(port.name for port in node.inputs)
            if node.role is not None and node.known and not node.block:
                used.add((node.role, node.use))
    components = [document.catalog.component(role, use) for role, use in used]
    values = {name for component in components if component is not None for name in component.parameters()}
    return Vocabulary(families, uses | blocks, frozenset((values | _OWN_KEYS) - ports))
