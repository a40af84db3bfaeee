"""The editor behind StrategyFile: turns an intended change into splices of the text."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

from quantcrafter.engine.api.errors import Problem, SpecError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.spec.compose import compose
from quantcrafter.engine.spec.emit import fragment
from quantcrafter.engine.spec.model import SECTIONS
from quantcrafter.engine.spec.parse import TOP_LEVEL_KEYS
from quantcrafter.engine.spec.source import ProblemLog, shown
from quantcrafter.engine.spec.splices import (
    Splice,
    add_entries,
    add_items,
    column,
    line_end,
    line_start,
    newline_of,
    parent_start,
    remove_entry,
    remove_item,
    replace_item,
    replace_value,
    spliced,
)
from quantcrafter.engine.spec.tree import Alias, Mapping, Node, Scalar, Sequence, plain

PathKey = str | int
DocumentPath = tuple[PathKey, ...]
BOM = "\ufeff"
_DEFAULT_INDENT = 2
_ONE_LINE_A_CHILD = frozenset({*SECTIONS, "layout", "frames", "blocks"})


def compose_mapping(text: str, file: str) -> Mapping:
    """Return the tree of a text.

    Raises:
        SpecError: it is not valid YAML mapping.
    """
    log = ProblemLog()
    root = compose(text, file, log)
    log.raise_if_any()
    if not isinstance(root, Mapping):
        raise SpecError([Problem("shape", Message("A strategy file must be a mapping."), file=file, line=1, column=1)])
    return root


class TreeEdit:
    """A text and its tree, changed step by step; errors leave it half way, so the owner keeps the text from before.

    Its methods raise SpecError when a step breaks the text, LookupError or TypeError when it cannot be made.
    """

    def __init__(self, text: str, root: Mapping) -> None:
        self.text = text
        self.root = root

    @property
    def body(self) -> str:
        """Return the text that the tree's positions count in: without a byte order mark."""
        return self.root.source.text

    def apply(self, splices: list[Splice]) -> None:
        """Make the splices and read the text again."""
        mark = BOM if self.text.startswith(BOM) else ""
        text = mark + spliced(self.body, splices)
        self.root, self.text = compose_mapping(text, self.root.source.file), text

    def rename(self, path: DocumentPath, new_key: str) -> None:
        """Write another key in the place of the last one of `path`."""
        mapping = self.node(path[:-1])
        if isinstance(mapping, Alias):
            raise LookupError(Message("it is in the alias of another place"))  # noqa: TRY004 - nothing is of a wrong type
        key = cast("Mapping", mapping).entries[str(path[-1])].key
        self.apply([Splice(key.start, key.end, fragment(new_key))])

    def _has(self, path: DocumentPath) -> bool:
        node: Node = self.root
        for key in path:
            if isinstance(node, Mapping) and key in node.entries:
                node = node.entries[str(key)].value
            elif isinstance(node, Sequence) and isinstance(key, int) and key < len(node.items):
                node = node.items[key]
            else:
                return False
        return True

    def node(self, path: DocumentPath) -> Node:
        """Return the node at `path`, not going through aliases.

        Raises:
            LookupError: there is none.
        """
        node: Node = self.root
        for key in path:
            if isinstance(node, Mapping) and isinstance(key, str):
                node = node.entries[key].value
            elif isinstance(node, Sequence) and isinstance(key, int):
                node = node.items[key]
            else:
                what = Message("the alias of another place") if isinstance(node, Alias) else Message("a single value")
                raise LookupError(Message("{key} would be inside {what}", key=shown(key), what=what))  # noqa: TRY004 - a path that leads nowhere
        return node

    def assign(self, path: DocumentPath, value: Any) -> None:
        """Bring the value at `path` to `value`: replacements first, in one go, then what is new or gone."""
        replaced: list[Splice] = []
        structural: list[Callable[[], None]] = []
        self._compare(path, value, replaced, structural)
        if replaced:
            self.apply(replaced)
        for change in structural:
            change()

    def _compare(
        self, path: DocumentPath, value: Any, replaced: list[Splice], structural: list[Callable[[], None]]
    ) -> None:
        if path and not self._has(path):
            structural.append(lambda: self._create(path, value))
            return
        node = self.node(path)
        if not isinstance(node, Alias) and same(plain(node), value):
            return
        if isinstance(node, Mapping) and isinstance(value, dict) and node.entries and value:
            for key, item in value.items():
                self._compare((*path, key), item, replaced, structural)
            gone = [key for key in node.entries if key not in value]
            structural.extend((lambda key=key: self.cut((*path, key))) for key in gone)  # type: ignore[misc]
        elif isinstance(node, Sequence) and isinstance(value, list) and node.items and value:
            for index, item in enumerate(value):
                self._compare((*path, index), item, replaced, structural)
            gone_items = range(len(node.items) - 1, len(value) - 1, -1)
            structural.extend((lambda index=index: self.cut((*path, index))) for index in gone_items)  # type: ignore[misc]
        elif path:
            replaced.append(self._replacement(path, fragment(value)))
        else:
            raise LookupError(Message("the whole file can't be replaced"))

    def replacements(self, path: DocumentPath, value: Any) -> list[Splice]:
        """Return the splices that put `value` in the place of another; an empty section opens up into lines."""
        node, parent = self.node(path), self.node(path[:-1])
        bare = isinstance(parent, Mapping) and not parent.flow and _is_empty(node)
        if not (bare and isinstance(value, dict) and value and _opens(path)):
            return [self._replacement(path, fragment(value))]
        start = cast("Mapping", parent).entries[str(path[-1])].key.start
        at = line_end(self.body, node.end)
        margin = newline_of(self.body) + " " * column(self.body, start)
        inner = self.lines(path, value)[1:]
        blank = len(self.body[: node.start].rstrip(" ")) if self.body[node.end : at].strip() == "" else node.start
        return [Splice(blank, node.end), Splice(at, at, "".join(margin + line for line in inner))]

    def _replacement(self, path: DocumentPath, text: str) -> Splice:
        parent, key = self.node(path[:-1]), path[-1]
        if isinstance(parent, Mapping):
            return replace_value(self.body, parent.entries[str(key)], parent, text)
        return replace_item(self.body, self.node(path), text)

    def _create(self, path: DocumentPath, value: Any) -> None:
        """Put `value` where nothing is, making what is missing on the way."""
        known = next(length for length in range(len(path) - 1, -1, -1) if self._has(path[:length]))
        parent, key = self.node(path[:known]), path[known]
        for step in reversed(path[known + 1 :]):
            value = {step: value} if isinstance(step, str) else [value]
        if isinstance(parent, Mapping) and isinstance(key, str):
            if known == 0 and not parent.flow:
                self.apply([self._new_section(key, value)])
            else:
                self.apply([add_entries(self.body, parent, [f"{fragment(key)}: {fragment(value)}"])])
        elif isinstance(parent, Sequence):
            self.apply([add_items(self.body, parent, [fragment(value)])])
        elif isinstance(parent, Scalar) and parent.value is None:
            self._fill_empty(path[:known], key, value)
        else:
            self.node(path[: known + 1])

    def _fill_empty(self, path: DocumentPath, key: PathKey, value: Any) -> None:
        """Give an empty value its first child: on a separate line below a section's name, else in brackets."""
        node, parent = self.node(path), self.node(path[:-1])
        if isinstance(key, int):
            self.apply([self._replacement(path, fragment([value]))])
        elif (
            node.start == node.end and isinstance(parent, Mapping) and not parent.flow and path[0] in _ONE_LINE_A_CHILD
        ):
            start = parent.entries[str(path[-1])].key.start
            at = line_end(self.body, node.start)
            indent = " " * (column(self.body, start) + self._indent())
            self.apply([Splice(at, at, f"{newline_of(self.body)}{indent}{fragment(key)}: {fragment(value)}")])
        else:
            self.apply([self._replacement(path, fragment({key: value}))])

    def _indent(self) -> int:
        """Return how far the file indents the lines of its sections."""
        for entry in self.root.entries.values():
            if isinstance(entry.value, Mapping) and not entry.value.flow and entry.value.entries:
                inner = column(self.body, parent_start(entry.value)) - column(self.body, entry.key.start)
                return inner if inner > 0 else _DEFAULT_INDENT
        return _DEFAULT_INDENT

    def new_sections(self, sections: dict[str, Any]) -> list[Splice]:
        """Return the splices that put top-level keys at their usual places."""
        ranked = sorted(
            sections, key=lambda key: TOP_LEVEL_KEYS.index(key) if key in TOP_LEVEL_KEYS else len(TOP_LEVEL_KEYS)
        )
        return [self._new_section(key, sections[key]) for key in ranked]

    def _new_section(self, key: str, value: Any) -> Splice:
        body, end = self.body, newline_of(self.body)
        margin = " " * column(body, parent_start(self.root))
        text = (end + margin).join(self.lines((key,), value))
        rank = TOP_LEVEL_KEYS.index(key) if key in TOP_LEVEL_KEYS else len(TOP_LEVEL_KEYS)
        before = [e for k, e in self.root.entries.items() if k in TOP_LEVEL_KEYS[:rank] or rank == len(TOP_LEVEL_KEYS)]
        if before:
            at = line_end(body, max(max(entry.key.end, entry.value.end) for entry in before[-1:]))
            apart = end if _stands_apart(body, before[-1].key.start) else ""
            return Splice(at, at, f"{apart}{end}{margin}{text}")
        at = parent_start(self.root)
        return Splice(at, at, f"{text}{end}{margin}")

    def lines(self, path: DocumentPath, value: Any) -> list[str]:
        """Return a new entry as lines without margin: sections and blocks open up, all else is in brackets."""
        key, step = fragment(path[-1]), " " * self._indent()
        if isinstance(value, dict) and value and _opens(path):
            inner = [step + line for name, item in value.items() for line in self.lines((*path, name), item)]
            return [f"{key}:", *inner]
        if path == ("instruments",) and isinstance(value, list) and value:
            return [f"{key}:", *(f"{step}- {fragment(item)}" for item in value)]
        return [f"{key}: {fragment(value)}"]

    def cut(self, path: DocumentPath) -> None:
        parent, key = self.node(path[:-1]), path[-1]
        if isinstance(parent, Mapping) and len(parent.entries) > 1:
            self.apply(remove_entry(self.body, parent, str(key)))
        elif isinstance(parent, Sequence) and len(parent.items) > 1 and isinstance(key, int):
            self.apply(remove_item(self.body, parent, key))
        elif isinstance(parent, Alias):
            raise LookupError(Message("it is the alias of another place"))
        elif len(path) > 1:
            self.apply([self._replacement(path[:-1], "[]" if isinstance(parent, Sequence) else "{}")])
        else:
            raise LookupError(Message("it is all that the file has"))


def _opens(path: DocumentPath) -> bool:
    """Return whether the mapping at `path` is written with one line a child."""
    if path[0] != "blocks":
        return len(path) == 1 and path[0] in _ONE_LINE_A_CHILD
    return len(path) <= len(("blocks", "name")) or (len(path) == len(("blocks", "name", "section")))


def _stands_apart(body: str, start: int) -> bool:
    """Return whether the section that begins at `start` has an empty line before it and its comments."""
    lines = body[: line_start(body, start)].splitlines()
    while lines and lines[-1].lstrip().startswith("#"):
        lines.pop()
    return bool(lines) and not lines[-1].strip()


def _is_empty(node: Node) -> bool:
    """Return whether a value is unwritten or empty brackets."""
    if isinstance(node, Scalar):
        return node.start == node.end and not node.style
    return isinstance(node, Mapping) and node.flow and not node.entries


def same(one: Any, other: Any) -> bool:
    """Return whether two plain values are equal, in type too; NaN equals itself."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(item, other[key]) for key, item in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)
