"""Draft: the values of a document while edits are executed on them; the text follows when all are done."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from quantcrafter.app.document.errors import EditError
from quantcrafter.app.document.level import FindBlock, Level, Values, level_of
from quantcrafter.app.document.ports import references_in, split_reference
from quantcrafter.app.document.view import BARS, Scope
from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.api import Catalog, Role
from quantcrafter.engine.spec import SECTIONS
from quantcrafter.engine.spec.edits import DocumentPath

Swap = Callable[[str], Any]
"""Returns what a reference becomes: another one, a number, or None when it goes."""


class Draft:
    """Plain values that edits change; `renamed` maps keys so that they keep their position."""

    def __init__(self, values: Values, scope: Scope, catalog: Catalog, find_block: FindBlock) -> None:
        self.values: Values = copied(values)
        self.scope = scope
        self.catalog = catalog
        self.find_block = find_block
        self.renamed: dict[DocumentPath, str] = {}
        if scope and not level_of(self.values, scope):
            raise EditError(tr("There is no block '{name}' in this file.", name=scope[-1]))

    @property
    def level(self) -> Values:
        """Return the values of the level being edited."""
        return level_of(self.values, self.scope)

    def view(self) -> Level:
        """Return the level as a graph; good until the next change."""
        return Level(self.values, self.scope, self.catalog, self.find_block)

    def role_of(self, node_id: str) -> Role:
        """Return the section of a node.

        Raises:
            EditError: there is no such node, or it is the bars or a block's input.
        """
        for section in SECTIONS:
            nodes = self.level.get(section)
            if isinstance(nodes, dict) and isinstance(nodes.get(node_id), dict):
                return Role(section)
        if node_id == BARS:
            raise EditError(tr("The instrument's bars can't be changed this way."), node=node_id)
        raise EditError(tr("There is no node '{name}'.", name=node_id), node=node_id)

    def node(self, node_id: str) -> Values:
        """Return the values of a node, to be changed in place; raise EditError where there is none."""
        found: Values = self.level[self.role_of(node_id)][node_id]
        return found

    def part(self, name: str) -> Values:
        """Return a part of the level such as `layout`, made when it is missing."""
        found = self.level.get(name)
        if isinstance(found, dict):
            return found
        if found is not None:
            raise EditError(tr("'{name}' in the file is not a mapping; fix it in the text first.", name=name))
        made: Values = {}
        self.level[name] = made
        return made

    def drop(self, name: str, key: str) -> None:
        """Remove a key from a part of the level, and the part when nothing is left in it."""
        found = self.level.get(name)
        if isinstance(found, dict) and key in found:
            del found[key]
            if not found:
                del self.level[name]

    def taken(self) -> set[str]:
        """Return every name of the level that a new node cannot have."""
        names = {BARS}
        for part in (*SECTIONS, *(("inputs",) if self.scope else ())):
            found = self.level.get(part)
            names.update(found if isinstance(found, dict) else ())
        return names

    def free_id(self, wish: str) -> str:
        """Return `wish`, or with a number behind it the first name that is free."""
        return free_name(wish, self.taken())

    def place(self, node_id: str, x: float, y: float) -> None:
        """Write a node's position."""
        self.part("layout")[node_id] = [whole(x), whole(y)]

    def rename_key(self, path: DocumentPath, new: str) -> None:
        """Rename a key where it stands."""
        parent: Any = self.values
        for key in path[:-1]:
            parent = parent[key]
        old = str(path[-1])
        items = [(new if key == old else key, value) for key, value in parent.items()]
        parent.clear()
        parent.update(items)
        origin = next((known for known, name in self.renamed.items() if (*known[:-1], name) == path), path)
        self.renamed[origin] = new

    def references(self, leave: set[str] | None = None) -> Iterator[tuple[Values, str]]:
        """Yield each mapping and key of the level whose value holds references: ports, and a block's outputs.

        The nodes in `leave` are left out.
        """
        view = self.view()
        for node_id, (_, values) in view.written.items():
            if leave and node_id in leave:
                continue
            for port in view.ports(node_id).inputs:
                if port.name in values:
                    yield values, port.name
        outputs = self.level.get("outputs")
        if self.scope and isinstance(outputs, dict):
            for name in outputs:
                yield outputs, name

    def swap_inside(self, ids: Iterable[str], wanted: Mapping[str, str]) -> None:
        """Replace references that the nodes `ids` write, text for text."""
        view = self.view()
        heads = {_heads(text) for text in wanted}
        others = set(view.written) - set(ids)
        self.swap_references(heads, lambda text: wanted.get(text, text), leave=others)

    def swap_references(self, names: set[str], swap: Swap, leave: set[str] | None = None) -> None:
        """Replace every reference to one of `names`; list items and fields that become None go."""
        for values, key in list(self.references(leave)):
            value = values[key]
            if not any(_heads(text) in names for _, text in references_in(value)):
                continue
            if isinstance(value, list):
                items = [_swapped(item, names, swap) for item in value]
                new: Any = [item for item in items if item is not None] or None
            else:
                new = _swapped(value, names, swap)
            if new is None:
                del values[key]
            else:
                values[key] = new


def _heads(text: str) -> str:
    parts = split_reference(text)
    return parts[0] if parts else ""


def _swapped(item: Any, names: set[str], swap: Swap) -> Any:
    return swap(item) if isinstance(item, str) and _heads(item) in names else item


def copied(value: Any) -> Any:
    """Return plain values as fresh lists and mappings."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, (list, tuple)) else value


def whole(number: float) -> int:
    """Return a scene coordinate as the file keeps it."""
    return round(number)


def free_name(wish: str, taken: set[str]) -> str:
    """Return `wish`, or with a number behind it the first name that is not taken."""
    wish = re.sub(r"\W+", "_", wish, flags=re.ASCII).lstrip("0123456789") or "node"
    if wish not in taken:
        return wish
    stem = wish.rstrip("0123456789") or wish
    return next(name for number in range(2, len(taken) + 3) if (name := f"{stem}{number}") not in taken)
