"""YAML text as a tree of nodes that know their place.

The tree is composed from the parser's events, so that positions, limits and refusals are ours and nothing is built
that a strategy file has no use for: no tags, no merge keys, one document, text keys only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.spec.source import Place, Source


@dataclass(slots=True, eq=False)
class Node:
    """A piece of a file: characters `start` to `end` (exclusive) of `source`."""

    source: Source
    start: int
    end: int

    @property
    def place(self) -> Place:
        """Return where it begins."""
        return self.source.place(self.start)


@dataclass(slots=True, eq=False)
class Scalar(Node):
    """A single value; `style` is one of `'`, `"`, `|`, `>`, or empty for a plain scalar."""

    value: Any = None
    style: str = ""


@dataclass(slots=True, eq=False)
class Sequence(Node):
    """A list; `flow` tells `[a, b]` from lines with dashes."""

    flow: bool = False
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Entry:
    """A key and its value."""

    key: Scalar
    value: Node


@dataclass(slots=True, eq=False)
class Mapping(Node):
    """A mapping; `flow` tells `{a: 1}` from separate lines."""

    flow: bool = False
    entries: dict[str, Entry] = field(default_factory=dict)

    def get(self, key: str) -> Node | None:
        """Return the value of `key`, aliases followed, or None."""
        entry = self.entries.get(key)
        return None if entry is None else content(entry.value)


@dataclass(slots=True, eq=False)
class Alias(Node):
    """A `*name`, standing for a node written earlier."""

    target: Node


def content(node: Node) -> Node:
    """Return the node itself, or what an alias stands for."""
    while isinstance(node, Alias):
        node = node.target
    return node


def plain(node: Node) -> Any:
    """Return the value of a node as fresh dicts, lists, str, int, float, bool and None."""
    node = content(node)
    if isinstance(node, Mapping):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.value if isinstance(node, Scalar) else None


def children(node: Node) -> Iterator[Node]:
    """Yield the values directly inside a list or mapping."""
    if isinstance(node, Mapping):
        for entry in node.entries.values():
            yield entry.value
    elif isinstance(node, Sequence):
        yield from node.items


def kind(node: Node) -> str:
    """Return what a node is, as a message says it."""
    node = content(node)
    if isinstance(node, Mapping):
        return Message("a mapping")
    if isinstance(node, Sequence):
        return Message("a list")
    value = node.value if isinstance(node, Scalar) else None
    if value is None:
        return Message("empty")
    return {bool: Message("true or false"), str: Message("text")}.get(type(value), Message("a number"))
