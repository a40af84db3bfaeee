"""`--set indicators.fast.timeperiod=20`: values given beside the file, grafted into its tree."""

from __future__ import annotations

from collections.abc import Sequence as Many

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.spec.compose import compose_setting
from quantcrafter.engine.spec.sections import is_empty
from quantcrafter.engine.spec.source import Place, ProblemLog, Source, shown
from quantcrafter.engine.spec.tree import Alias, Entry, Mapping, Node, Scalar, Sequence, content

CREATABLE = frozenset({"run", "layout"})
"""Sections that come into being when an override names something inside them."""


def apply_overrides(root: Mapping, overrides: Many[str], log: ProblemLog) -> None:
    """Change the tree as the overrides say; what cannot be applied goes to `log`, named by its override."""
    for text in overrides:
        path, equals, value = text.partition("=")
        keys = path.strip().split(".")
        file = f"--set {text}"
        if not equals or not all(keys):
            message = Message("An override is PATH=VALUE, was {text}.", text=shown(text))
            log.add("override", message, Message("Write for example run.cash=5000."), at=Place(file))
            continue
        node = compose_setting(value, file, log)
        if node is not None:
            _Graft(file, log).put(root, keys, node)


class _Graft:
    def __init__(self, file: str, log: ProblemLog) -> None:
        self.file = file
        self.log = log

    def put(self, root: Mapping, keys: list[str], value: Node) -> None:
        node: Node = root
        done: list[str] = []
        rest = keys
        while True:
            step, rest = self._step(node, rest)
            if not rest:
                self._set(node, step, value, done)
                return
            inner = self._into(node, step, creating=bool(done and done[0] in CREATABLE) or step in CREATABLE)
            if inner is None:
                self._missing(node, step, done)
                return
            node = inner
            done.append(step)

    def _step(self, node: Node, keys: list[str]) -> tuple[str, list[str]]:
        """Return the next key and what follows; an instrument's symbol may itself contain dots."""
        if isinstance(node, Sequence) and not keys[0].isdecimal():
            for length in range(len(keys), 0, -1):
                symbol = ".".join(keys[:length])
                if symbol in _symbols(node):
                    return symbol, keys[length:]
        return keys[0], keys[1:]

    def _into(self, node: Node, step: str, *, creating: bool) -> Node | None:
        """Return the child to go on with, unshared from aliases, or None when there is none."""
        if isinstance(node, Sequence):
            index = _index(node, step)
            if index is None:
                return None
            node.items[index] = _own(node.items[index])
            return node.items[index]
        if not isinstance(node, Mapping):
            return None
        entry = node.entries.get(step)
        if creating and (entry is None or is_empty(content(entry.value))):
            source = Source(self.file, "", located=False)
            made = Mapping(source, 0, 0)
            node.entries[step] = Entry(entry.key if entry else Scalar(source, 0, 0, step), made)
            return made
        if entry is None:
            return None
        entry.value = _own(entry.value)
        return entry.value

    def _set(self, node: Node, step: str, value: Node, done: list[str]) -> None:
        if isinstance(node, Mapping):
            old = node.entries.get(step)
            node.entries[step] = Entry(old.key if old else Scalar(value.source, 0, 0, step), value)
            return
        index = _index(node, step) if isinstance(node, Sequence) else None
        if isinstance(node, Sequence) and index is not None:
            node.items[index] = value
        else:
            self._missing(node, step, done)

    def _missing(self, node: Node, step: str, done: list[str]) -> None:
        where = f"'{'.'.join(done)}'" if done else Message("the file")
        names: list[str] = []
        if isinstance(node, Mapping):
            names = list(node.entries)
        elif isinstance(node, Sequence):
            names = [name for name in _symbols(node) if name] or [str(i) for i in range(len(node.items))]
        remedy = self.log.suggest(step, names) or (
            Message("Available: {names}.", names=", ".join(names[:20])) if names else ""
        )
        message = Message("There is no '{step}' in {where} to set.", step=step, where=where)
        self.log.add("override", message, remedy, at=Place(self.file), path=".".join([*done, step]))


def _symbols(node: Sequence) -> list[str]:
    """Return the symbol of each item, or "" where it has none."""
    found = []
    for item in node.items:
        body = content(item)
        symbol = body.get("symbol") if isinstance(body, Mapping) else None
        found.append(symbol.value if isinstance(symbol, Scalar) and isinstance(symbol.value, str) else "")
    return found


def _index(node: Sequence, step: str) -> int | None:
    if step.isdecimal() and len(step) <= len(str(len(node.items))) and int(step) < len(node.items):
        return int(step)
    symbols = _symbols(node)
    return symbols.index(step) if step and step in symbols else None


def _own(node: Node) -> Node:
    """Return a copy of what an alias stands for, so that an override changes one place only."""
    if not isinstance(node, Alias):
        return node
    target = node.target
    if isinstance(target, Mapping):
        entries = {key: Entry(entry.key, entry.value) for key, entry in target.entries.items()}
        return Mapping(target.source, target.start, target.end, target.flow, entries)
    if isinstance(target, Sequence):
        return Sequence(target.source, target.start, target.end, target.flow, list(target.items))
    return target
