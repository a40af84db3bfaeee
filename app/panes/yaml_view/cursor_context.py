"""Where in the file a cursor is, told from the lines round it, so that it works in a text that is broken. No Qt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from quantcrafter.app.document.view import Scope
from quantcrafter.app.panes.yaml_view.tokens import CLOSED, Kind, Token, ends, indent_of, scan
from quantcrafter.engine.spec import SECTIONS

_FARTHEST = 400
_BLOCK_PATH = 2
_ENTRY = re.compile(r"\s*([^\s#:{}\[\],][^:#{}\[\],]*?)\s*:(?:\s+|$)([^\s#,{}\[\]]*)")


class Lines(Protocol):
    """The lines of a text, without their ends."""

    def __len__(self) -> int: ...
    def __getitem__(self, row: int, /) -> str: ...


@dataclass(frozen=True, slots=True)
class CursorContext:
    """A place in the file.

    `keys` are the keys round it from the outermost, "" for a place in a list; `key` is the key whose value it is in,
    "" where a key is due. `word` is what stands between `start` and the cursor. `siblings` are the keys of the same
    mapping with their values, as far as these are single words.
    """

    keys: tuple[str, ...] = ()
    key: str = ""
    word: str = ""
    start: int = 0
    siblings: Mapping[str, str] = field(default_factory=dict)
    quiet: bool = False

    @property
    def path(self) -> tuple[str, ...]:
        """The keys from the outermost to that of the value."""
        return (*self.keys, self.key) if self.key else self.keys

    @property
    def scope(self) -> Scope:
        """The level of the graph: the strategy's own, or a block's."""
        path = self.path
        return (path[0], path[1]) if path[:1] == ("blocks",) and len(path) >= _BLOCK_PATH else ()

    @property
    def inner(self) -> tuple[str, ...]:
        """The path from the level on: section, node, field."""
        return self.path[len(self.scope) :]

    @property
    def section(self) -> str:
        """The section of nodes it is in, "" outside of them."""
        return self.inner[0] if self.inner[:1] and self.inner[0] in SECTIONS else ""

    @property
    def node(self) -> str:
        """The node it is in: in its section, or in the layout; "" for none."""
        inner = self.inner
        known = len(inner) > 1 and (inner[0] in SECTIONS or inner[0] == "layout")
        return inner[1] if known else ""


@dataclass(slots=True)
class _Frame:
    """A mapping or list in brackets; `key` is the one that waits for its value."""

    mapping: bool
    key: str = ""
    entries: dict[str, str] = field(default_factory=dict)


def context_at(lines: Lines, row: int, column: int, *, neighbours: bool = True) -> CursorContext:
    """Return the place of a cursor (row and column count from 0); `neighbours` says whether to read adjacent lines."""
    line = lines[row]
    blank = not line[:column].strip()
    indent = min(column, indent_of(line)) if not line.strip() else indent_of(line)
    chain = _parents(lines, row, indent)
    keys: tuple[str, ...] = ()
    for at in chain:
        key, opened = _own_key(lines[at])
        if opened:
            return _in_brackets(lines, at, row, column, keys)
        keys += key
    state_here = _own_key(line[:column])[1] if not blank else False
    if state_here:
        return _in_brackets(lines, row, row, column, keys)
    context = _in_block(lines, row, column, keys)
    return replace(context, siblings=_neighbours(lines, row)) if neighbours else context


def node_at(lines: Lines, row: int, column: int) -> tuple[str, Scope]:
    """Return the node that a cursor is at ("" for none), its own key included, and its level."""
    context = context_at(lines, row, column, neighbours=False)
    if context.node or not (context.section or context.inner[:1] == ("layout",)):
        return context.node, context.scope
    tokens, _ = scan(lines[row])
    own = tokens[0].text if tokens and tokens[0].kind is Kind.KEY and indent_of(lines[row]) else ""
    return own, context.scope


def _parents(lines: Lines, row: int, indent: int) -> list[int]:
    """Return the lines that the line at `row` is indented under, from the outermost."""
    found: list[int] = []
    dashed = lines[row].lstrip().startswith("- ")
    for at in range(row - 1, -1, -1):
        if indent == 0 and not dashed:
            break
        line = lines[at]
        own = indent_of(line)
        if own == len(line) or line[own] == "#":
            continue
        key_of_list = dashed and own == indent and not line.lstrip().startswith("-")
        if own < indent or key_of_list:
            found.append(at)
            indent, dashed = own, line[own:].startswith("- ") or line[own:] == "-"
    return found[::-1]


def _own_key(line: str) -> tuple[tuple[str, ...], bool]:
    """Return what a line adds to the path of lines under it, and whether it leaves brackets open."""
    tokens, state = scan(line)
    if state.depth:
        return (), True
    first = next(iter(tokens), None)
    if first is not None and first.kind is Kind.MARK and first.text == "-":
        return ("",), False
    return ((first.text,) if first is not None and first.kind is Kind.KEY else ()), False


def _in_brackets(lines: Lines, first: int, row: int, column: int, keys: tuple[str, ...]) -> CursorContext:
    """Return the place inside `{...}` or `[...]` that opens on line `first`, after walking it to its end."""
    stack: list[_Frame] = []
    outer: list[str] = []
    here: CursorContext | None = None
    frame: _Frame | None = None
    state = CLOSED
    for at in range(first, min(len(lines), row + _FARTHEST)):
        text = lines[at]
        if at > row and ends(text, state):
            break
        tokens, state = scan(text, state)
        for token in tokens:
            if here is None and (at > row or (at == row and token.end > column) or _touches(token, at, row, column)):
                here, frame = _context_in(stack, (*keys, *outer), text, column, token if at == row else None)
            _step(stack, outer, token)
            if frame is not None and frame not in stack:
                return _with_siblings(here, frame)
        if here is None and at == row:
            here, frame = _context_in(stack, (*keys, *outer), text, column, None)
        if state == CLOSED and at >= row:
            break
    return _with_siblings(here, frame)


def _touches(token: Token, at: int, row: int, column: int) -> bool:
    return at == row and token.end == column and token.kind in (Kind.WORD, Kind.NUMBER, Kind.CONSTANT, Kind.KEY)


def _step(stack: list[_Frame], outer: list[str], token: Token) -> None:
    """Go past one token."""
    top = stack[-1] if stack else None
    if token.kind is Kind.MARK:
        _step_mark(stack, outer, token.text)
    elif token.kind is Kind.COMMENT:
        return
    elif top is None:
        outer[:] = [token.text] if token.kind is Kind.KEY else outer
    elif token.kind is Kind.KEY:
        top.key = token.text
        top.entries[token.text] = ""
    elif top.key:
        top.entries[top.key] = token.text


def _step_mark(stack: list[_Frame], outer: list[str], mark: str) -> None:
    top = stack[-1] if stack else None
    if mark in "{[":
        if top is not None:
            outer.append(top.key if top.mapping else "")
        stack.append(_Frame(mark == "{"))
    elif mark in "}]" and top is not None:
        stack.pop()
        if outer and stack:
            outer.pop()
    elif mark == "," and top is not None:
        top.key = ""
    elif mark == "-" and top is None:
        outer[:] = [""]


def _context_in(
    stack: list[_Frame], keys: tuple[str, ...], text: str, column: int, token: Token | None
) -> tuple[CursorContext, _Frame | None]:
    """Return the place inside the innermost bracket; `token` is the one at the cursor, on its line `text`."""
    if not stack:
        return _ahead(keys, text, column, token), None
    top = stack[-1]
    if token is None or token.start >= column or token.kind is Kind.MARK:
        return CursorContext(keys, top.key if top.mapping else "", "", column), top
    quiet = token.kind in (Kind.COMMENT, Kind.STRING)
    key = top.key if top.mapping and token.kind is not Kind.KEY else ""
    return CursorContext(keys, key, text[token.start : column], token.start, {}, quiet), top


def _ahead(keys: tuple[str, ...], text: str, column: int, token: Token | None) -> CursorContext:
    """Return the place on a line before its bracket opens: in its key, or just behind it."""
    if token is not None and token.kind is Kind.KEY:
        return CursorContext(keys, "", text[token.start : column], token.start)
    return CursorContext(keys[:-1], keys[-1] if keys else "", "", column)


def _with_siblings(context: CursorContext | None, frame: _Frame | None) -> CursorContext:
    if context is None:
        return CursorContext()
    entries = dict(frame.entries) if frame is not None and frame.mapping else {}
    return CursorContext(context.keys, context.key, context.word, context.start, entries, context.quiet)


def _in_block(lines: Lines, row: int, column: int, keys: tuple[str, ...]) -> CursorContext:
    tokens, _ = scan(lines[row])
    key, start = "", column
    quiet, depth = False, 0
    for token in tokens:
        if token.start >= column:
            break
        if token.kind is Kind.MARK and token.text in "[]{}":
            depth += 1 if token.text in "[{" else -1
        if depth:
            continue
        inside = token.end >= column and token.kind is not Kind.MARK
        if token.kind is Kind.MARK and token.text == "-":
            keys, key = (*keys, ""), ""
        elif token.kind is Kind.KEY and token.end < column:
            key = token.text
        elif inside:
            start = token.start
            quiet = token.kind in (Kind.COMMENT, Kind.STRING)
    return CursorContext(keys, key, lines[row][start:column], start, {}, quiet)


def _neighbours(lines: Lines, row: int) -> dict[str, str]:
    """Return the keys at the same depth of indentation round a line, and their values."""
    found: dict[str, str] = {}
    indent = indent_of(lines[row])
    ways = (range(row, max(-1, row - _FARTHEST), -1), range(row + 1, min(len(lines), row + _FARTHEST)))
    for way in ways:
        for at in way:
            line = lines[at]
            own = indent_of(line)
            if own == len(line) or own > indent or line[own] == "#":
                continue
            if own < indent:
                break
            entry = _ENTRY.match(line)
            if entry:
                found[entry[1].strip("'\"")] = entry[2].strip("'\"")
    return found
