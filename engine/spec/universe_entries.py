"""An entry of `instruments:` that stands for several: where its symbols come from, and each as an entry of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.spec.model import UniverseKind, UniverseSpec
from quantcrafter.engine.spec.scalars import resolve_plain
from quantcrafter.engine.spec.sections import is_empty
from quantcrafter.engine.spec.source import ProblemLog, Source, shown
from quantcrafter.engine.spec.tree import Entry, Mapping, Node, Scalar, Sequence, content, kind, plain

KINDS: tuple[UniverseKind, ...] = ("symbols", "file", "files", "query")
PLACE = "{symbol}"
"""What stands for the symbol in the options of a universe's data provider."""
_EXAMPLE = Message("Write '[AAPL, MSFT]', '{file: members.csv}', '{files: bars/*.csv}' or '{query: \"*\"}'.")


@dataclass(frozen=True)
class Member:
    """One instrument of a universe: its symbol, and what a file says of it, each with its place.

    `path` is the file of its bars, where the universe is made of such files.
    """

    symbol: Scalar
    cells: dict[str, Scalar] = field(default_factory=dict)
    option: tuple[str, str] | None = None


def read_universe(node: Node, path: str, log: ProblemLog) -> UniverseSpec | None:
    """Return where the symbols come from; None if that can't be told, which is noted."""
    try:
        return _read(content(node), path, log)
    except _WrongError as wrong:
        log.add("universe", wrong.message, wrong.remedy, at=wrong.node.place, path=wrong.path, field="universe")
        return None


class _WrongError(Exception):
    """What is wrong with a universe, and where."""

    def __init__(self, node: Node, path: str, message: str, remedy: str = _EXAMPLE) -> None:
        self.node, self.path, self.message, self.remedy = node, path, message, remedy


def _read(body: Node, path: str, log: ProblemLog) -> UniverseSpec:
    if isinstance(body, Sequence):
        return _listed(body, (), path)
    if not isinstance(body, Mapping):
        raise _WrongError(body, path, Message("'universe' must be a list or a mapping, was {kind}.", kind=kind(body)))
    keys = (*KINDS, "exclude")
    unknown = next((key for key in body.entries if key not in keys), None)
    if unknown is not None:
        text = Message("'universe' has no key {key}.", key=shown(unknown))
        raise _WrongError(body.entries[unknown].key, path, text, log.suggest(unknown, keys) or _EXAMPLE)
    given: list[UniverseKind] = [key for key in KINDS if key in body.entries]
    if len(given) != 1:
        text = Message("'universe' must have one of {kinds}, has {count}.", kinds=", ".join(KINDS), count=len(given))
        raise _WrongError(body, path, text)
    exclude: tuple[str, ...] = ()
    if "exclude" in body.entries and not is_empty(body.entries["exclude"].value):
        exclude = tuple(str(each.value) for each in _symbols(body, "exclude", path))
    if given[0] == "symbols":
        return _listed(body, exclude, path)
    value = content(body.entries[given[0]].value)
    text_of = plain(value)
    if not isinstance(text_of, str) or not text_of.strip():
        raise _WrongError(value, path, Message("'{key}' must be text, was {kind}.", key=given[0], kind=kind(value)))
    return UniverseSpec(given[0], text=text_of, exclude=exclude)


def _listed(body: Mapping | Sequence, exclude: tuple[str, ...], path: str) -> UniverseSpec:
    found = _symbols(body, "symbols", path)
    if not found:
        raise _WrongError(body, path, Message("'universe' lists no symbol."))
    return UniverseSpec("symbols", tuple(str(each.value) for each in found), exclude=exclude, nodes=tuple(found))


def _symbols(body: Mapping | Sequence, key: str, path: str) -> list[Scalar]:
    """Return the symbols of a list, or of the list under a key."""
    value = content(body.entries[key].value) if isinstance(body, Mapping) else body
    if not isinstance(value, Sequence):
        text = Message("'{key}' must be a list of symbols, was {kind}.", key=key, kind=kind(value))
        raise _WrongError(value, path, text)
    found = []
    for item in value.items:
        node = content(item)
        if not isinstance(node, Scalar) or not isinstance(node.value, str) or not node.value.strip():
            remedy = Message("Put it in quotes.") if isinstance(node, Scalar) and node.value is not None else ""
            raise _WrongError(item, path, Message("A symbol must be text, was {kind}.", kind=kind(node)), remedy)
        found.append(node)
    return found


def cell(source: Source, start: int, text: str) -> Scalar:
    """Return a cell of a file as the value that it means; an empty one is null."""
    try:
        value = resolve_plain(text)
    except ValueError:
        value = text
    if isinstance(value, bool):
        value = text
    return Scalar(source, start, start + len(text), value)


def entry_of(template: Mapping, member: Member, columns: Iterable[str]) -> Mapping:
    """Return the entry of one instrument: that of the universe, with its symbol and what the file says of it.

    `columns` are those of the file that are keys of an instrument, or of its data provider; others are its values.
    """
    known = frozenset(columns)
    entries = {key: entry for key, entry in template.entries.items() if key != "universe"}
    symbol = str(member.symbol.value)
    for key, entry in entries.items():
        value = content(entry.value)
        if isinstance(value, Scalar) and isinstance(value.value, str) and PLACE in value.value:
            made = Scalar(value.source, value.start, value.end, value.value.replace(PLACE, symbol), value.style)
            entries[key] = Entry(entry.key, made)
    entries["symbol"] = Entry(_key(member.symbol, "symbol"), member.symbol)
    if member.option is not None:
        name, path = member.option
        entries[name] = Entry(_key(member.symbol, name), _text(member.symbol, path))
    said: dict[str, Entry] = {}
    for name, value in member.cells.items():
        if value.value is not None:
            (entries if name in known else said)[name] = Entry(_key(value, name), value)
    if said:
        own = template.get("values")
        before = own.entries if isinstance(own, Mapping) else {}
        at = next(iter(said.values())).value
        entries["values"] = Entry(_key(at, "values"), Mapping(at.source, at.start, at.end, entries={**before, **said}))
    return Mapping(template.source, template.start, template.end, template.flow, entries)


def _key(at: Node, name: str) -> Scalar:
    return Scalar(at.source, at.start, at.start, name)


def _text(at: Node, text: Any) -> Scalar:
    return Scalar(at.source, at.start, at.end, text)
