"""Bring a text from what it means to what it should mean, all differences at once.

1. Keys that make way for a renamed one are cut.
2. Values that differ are replaced, and keys renamed, in their places.
3. What is new is added at the end of its mapping or list; a new section goes to its usual place.
4. What is gone is cut.

Every step is one pass over the tree and, where it changes anything, one reading of the text. Removing several entries
of one bracket takes a pass each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as ReadOnly
from typing import Any

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.spec.edits import DocumentPath, TreeEdit, same
from quantcrafter.engine.spec.emit import fragment
from quantcrafter.engine.spec.splices import Splice, add_entries, add_items, remove_entry, remove_item
from quantcrafter.engine.spec.tree import Alias, Mapping, Node, Sequence, plain

Renamed = ReadOnly[DocumentPath, str]
_Place = tuple[DocumentPath, Node, Any]


def rewrite(editor: TreeEdit, intended: dict[str, Any], renamed: Renamed, *, write_out: bool = False) -> None:
    """Change the text so that it means `intended`; `renamed` gives new keys by the old path of the key.

    With `write_out`, aliases are replaced by what they stand for.

    Raises:
        SpecError: a step breaks the text.
        LookupError, TypeError, ValueError: a step cannot be made.
    """
    work = _Rewriting(editor, renamed, write_out=write_out)
    work.apply_step(intended, work.make_way)
    work.apply_step(intended, work.replace)
    work.renamed = {}
    work.apply_step(intended, work.add)
    while work.apply_step(intended, work.cut):
        pass


class _Rewriting:
    def __init__(self, editor: TreeEdit, renamed: Renamed, *, write_out: bool) -> None:
        self.editor = editor
        self.renamed = renamed
        self.write_out = write_out

    def apply_step(self, intended: dict[str, Any], step: Callable[[_Place], list[Splice]]) -> bool:
        """Make the splices of one step at all places, the inner before the outer; return whether there were any."""
        places = sorted(self._places((), self.editor.root, intended), key=lambda place: -len(place[0]))
        splices = [splice for place in places for splice in step(place)]
        if splices:
            self.editor.apply(splices)
        return bool(splices)

    def _places(self, path: DocumentPath, node: Node, value: Any) -> Iterator[_Place]:
        """Yield each place that differs; of mappings and lists that stay such, also what differs inside."""
        if isinstance(node, Alias):
            if self.write_out or not same(plain(node), value):
                yield path, node, value
        elif isinstance(node, Mapping) and isinstance(value, dict) and node.entries and value:
            yield path, node, value
            for key, entry in node.entries.items():
                name = self._name(path, key)
                if name in value and not self._makes_way(path, key):
                    yield from self._places((*path, key), entry.value, value[name])
        elif isinstance(node, Sequence) and isinstance(value, list) and node.items and value:
            yield path, node, value
            if _kept(node, value) is None:
                for index, (item, wanted) in enumerate(zip(node.items, value, strict=False)):
                    yield from self._places((*path, index), item, wanted)
        elif not same(plain(node), value):
            yield path, node, value

    def _name(self, path: DocumentPath, key: str) -> str:
        return self.renamed.get((*path, key), key)

    def _makes_way(self, path: DocumentPath, key: str) -> bool:
        """Return whether another key of the same mapping takes this one's name."""
        return (*path, key) not in self.renamed and any(
            old[:-1] == path and old[-1] != key and new == key for old, new in self.renamed.items()
        )

    def make_way(self, place: _Place) -> list[Splice]:
        path, node, _ = place
        if not self.renamed or not isinstance(node, Mapping):
            return []
        gone = [key for key in node.entries if self._makes_way(path, key)]
        return [splice for key in gone[:1] for splice in remove_entry(self.editor.body, node, key)]

    def replace(self, place: _Place) -> list[Splice]:
        path, node, value = place
        if isinstance(node, Mapping) and isinstance(value, dict) and node.entries and value:
            keys = [(entry.key, self._name(path, key)) for key, entry in node.entries.items()]
            return [Splice(key.start, key.end, fragment(name)) for key, name in keys if name != key.value]
        if isinstance(node, Sequence) and isinstance(value, list) and node.items and value:
            return []
        if not path:
            raise LookupError(Message("the whole file can't be replaced"))
        return self.editor.replacements(path, value)

    def add(self, place: _Place) -> list[Splice]:
        path, node, value = place
        body = self.editor.body
        if isinstance(node, Mapping):
            new = {key: item for key, item in value.items() if key not in node.entries}
            if not new:
                return []
            if not path and not node.flow:
                return self.editor.new_sections(new)
            if node.flow:
                return [add_entries(body, node, [f"{fragment(key)}: {fragment(item)}" for key, item in new.items()])]
            lines = [line for key, item in new.items() for line in self.editor.lines((*path, key), item)]
            return [add_entries(body, node, lines)]
        if isinstance(node, Sequence) and len(value) > len(node.items):
            return [add_items(body, node, [fragment(item) for item in value[len(node.items) :]])]
        return []

    def cut(self, place: _Place) -> list[Splice]:
        path, node, value = place
        body = self.editor.body
        if isinstance(node, Mapping):
            gone = [key for key in node.entries if key not in value]
            cuts = [s for key in (gone[:1] if node.flow else gone) for s in remove_entry(body, node, key)]
            return cuts if path else [_with_empty_line(body, cut) for cut in cuts]
        if isinstance(node, Sequence):
            kept = _kept(node, value)
            gone_items = [index for index in range(len(node.items)) if index not in (kept or range(len(value)))]
            chosen = gone_items[-1:] if node.flow else gone_items
            return [s for index in chosen for s in remove_item(body, node, index)]
        return []


def _with_empty_line(body: str, cut: Splice) -> Splice:
    """Take along the empty line before a section that goes, where another one or nothing follows."""
    before = re.search(r"(?:\r\n|\n|\r)[ \t]*(\r\n|\n|\r)\Z", body[: cut.start])
    if before is None or body[cut.end :].split("\n", 1)[0].strip():
        return cut
    return Splice(before.start(1), cut.end, cut.text)


def _kept(node: Sequence, value: list[Any]) -> list[int] | None:
    """Return which items stay where the new list is the old one with some left out, else None."""
    if len(value) >= len(node.items):
        return None
    kept: list[int] = []
    for index, item in enumerate(node.items):
        if len(kept) < len(value) and same(plain(item), value[len(kept)]):
            kept.append(index)
    return kept if len(kept) == len(value) else None
