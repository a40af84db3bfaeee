"""Edits of a text at the positions of its tree's nodes: each returns what to cut and what to put there.

Nothing outside the splices changes, so comments, order, quoting and alignment elsewhere stay byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.spec.tree import Entry, Mapping, Node, Scalar, Sequence

_BREAK = re.compile(r"\r\n|\n|\r")
_COMMENT = re.compile(r"[ \t]+#.*")
_NOT_BLANK = re.compile(r"[^ \t]")


@dataclass(frozen=True, slots=True)
class Splice:
    """Characters `start` to `end` (exclusive) make way for `text`."""

    start: int
    end: int
    text: str = ""


def spliced(body: str, splices: Iterable[Splice]) -> str:
    """Return the text with all splices made; where several begin at one place, in the order given.

    Raises:
        ValueError: two of them overlap.
    """
    parts: list[str] = []
    done = 0
    for splice in sorted(splices, key=lambda s: (s.start, s.end)):
        if splice.start < done:
            raise ValueError(Message("two changes touch the same place"))
        parts += (body[done : splice.start], splice.text)
        done = splice.end
    return "".join((*parts, body[done:]))


def newline_of(body: str) -> str:
    """Return the line end that the text uses."""
    found = _BREAK.search(body)
    return found[0] if found else "\n"


def line_start(body: str, offset: int) -> int:
    """Return where the line of `offset` begins."""
    return max(body.rfind("\n", 0, offset), body.rfind("\r", 0, offset)) + 1


def line_end(body: str, offset: int) -> int:
    """Return where the line of `offset` ends, before its line break."""
    found = _BREAK.search(body, offset)
    return found.start() if found else len(body)


def column(body: str, offset: int) -> int:
    """Return how many characters stand before `offset` on its line."""
    return offset - line_start(body, offset)


def replace_value(body: str, entry: Entry, parent: Mapping, text: str) -> Splice:
    """Put `text` in the place of a mapping's value."""
    node, key_end = entry.value, entry.key.end
    between = body[key_end : node.start]
    if _is_unwritten(node):
        return _write_empty(body, node, text if ":" in between else f": {text}")
    if not _is_block(node):
        return _replace_inline(body, node, text)
    if between.strip() == ":":
        return Splice(key_end + between.index(":") + 1, node.end, f" {text}")
    indent = column(body, parent_start(parent)) + 1 - column(body, node.start)
    return Splice(node.start, node.end, " " * max(0, indent) + text)


def replace_item(body: str, node: Node, text: str) -> Splice:
    """Put `text` in the place of a list's item."""
    if _is_unwritten(node):
        return _write_empty(body, node, text)
    return _replace_inline(body, node, text)


def _write_empty(body: str, node: Node, text: str) -> Splice:
    spaced = text[0] == ":" or body[node.start - 1] in " \t"
    return Splice(node.start, node.start, text if spaced else f" {text}")


def _replace_inline(body: str, node: Node, text: str) -> Splice:
    """Replace a value where it stands; a comment on the head line of a block scalar stays."""
    comment = ""
    if isinstance(node, Scalar) and node.style in ("|", ">"):
        found = _COMMENT.search(body, node.start, line_end(body, node.start))
        comment = found[0] if found else ""
    return Splice(node.start, node.end, text + comment)


def _is_unwritten(node: Node) -> bool:
    return isinstance(node, Scalar) and node.start == node.end and not node.style


def _is_block(node: Node) -> bool:
    return isinstance(node, (Mapping, Sequence)) and not node.flow


def parent_start(mapping: Mapping) -> int:
    """Return where the first key of a mapping begins (the mapping itself may begin with an anchor, lines before)."""
    return min((entry.key.start for entry in mapping.entries.values()), default=mapping.start)


def add_entries(body: str, mapping: Mapping, lines: list[str]) -> Splice:
    """Add lines of `key: value` at the end of a mapping, in its style; in brackets each line must be one entry."""
    if mapping.flow:
        ends = [max(entry.key.end, entry.value.end) for entry in mapping.entries.values()]
        return _add_to_flow(body, mapping, ends, ", ".join(lines))
    at = line_end(body, mapping.end)
    margin = newline_of(body) + " " * column(body, parent_start(mapping))
    return Splice(at, at, "".join(margin + line for line in lines))


def add_items(body: str, sequence: Sequence, texts: list[str]) -> Splice:
    """Add items at the end of a list, in its style."""
    if sequence.flow:
        return _add_to_flow(body, sequence, [item.end for item in sequence.items], ", ".join(texts))
    at = line_end(body, sequence.end)
    margin = newline_of(body) + " " * column(body, _dashes(body, sequence)[0])
    return Splice(at, at, "".join(f"{margin}- {text}" for text in texts))


def _add_to_flow(body: str, node: Node, ends: list[int], text: str) -> Splice:
    if ends:
        return Splice(max(ends), max(ends), f", {text}")
    at = body.index("{" if isinstance(node, Mapping) else "[", node.start) + 1
    return Splice(at, at, text)


def _dashes(body: str, sequence: Sequence) -> list[int]:
    """Return the place of the dash of each item of a block list."""
    found: list[int] = []
    previous = body.index("-", _after_anchor(body, sequence))
    found.append(previous)
    mark = re.compile(rf"^[ ]{{{column(body, previous)}}}-(?=\s|$)", re.MULTILINE)
    for before, item in zip(sequence.items, sequence.items[1:], strict=False):
        region = re.sub(r"\r(?!\n)", "\n", body[: max(item.start, before.end)])
        dash = mark.search(region, line_end(body, before.end))
        found.append(dash.end() - 1 if dash else item.start)
    return found


def _after_anchor(body: str, sequence: Sequence) -> int:
    return line_end(body, sequence.start) if body[sequence.start] in "&!" else sequence.start


def remove_entry(body: str, mapping: Mapping, key: str) -> list[Splice]:
    """Cut a key with its value, and the comma or line that goes with it; at least one other key must remain."""
    entries = sorted(mapping.entries.values(), key=lambda entry: entry.key.start)
    spans = [(entry.key.start, max(entry.key.end, entry.value.end)) for entry in entries]
    return _remove(body, spans, entries.index(mapping.entries[key]), flow=mapping.flow)


def remove_item(body: str, sequence: Sequence, index: int) -> list[Splice]:
    """Cut an item of a list, and the comma or line that goes with it; at least one other item must remain."""
    starts = [item.start for item in sequence.items] if sequence.flow else _dashes(body, sequence)
    spans = [(start, max(start + 1, item.end)) for start, item in zip(starts, sequence.items, strict=True)]
    return _remove(body, spans, index, flow=sequence.flow)


def _remove(body: str, spans: list[tuple[int, int]], index: int, *, flow: bool) -> list[Splice]:
    start, end = spans[index]
    following = spans[index + 1][0] if index + 1 < len(spans) else None
    if flow:
        return _remove_from_flow(body, spans, index)
    begin = line_start(body, start)
    if not body[begin:start].strip(" "):
        stop = line_end(body, end)
        found = _BREAK.match(body, stop)
        return [Splice(begin, found.end() if found else stop)]
    if following is not None and not body[end:following].strip():
        return [Splice(start, following)]
    return [Splice(start, end)]


def _remove_from_flow(body: str, spans: list[tuple[int, int]], index: int) -> list[Splice]:
    start, end = spans[index]
    if index + 1 < len(spans):
        comma = _comma(body, end, spans[index + 1][0])
        stop = comma + 1
        rest = _NOT_BLANK.search(body, stop)
        stop = rest.start() if rest else len(body)
        begin = line_start(body, start)
        broken = _BREAK.match(body, stop)
        if broken and not body[begin:start].strip():
            return [Splice(begin, broken.end())]
        if body[end:comma].strip():
            return [Splice(start, end), Splice(comma, comma + 1)]
        return [Splice(start, stop)]
    comma = _comma(body, spans[index - 1][1], start)
    if body[comma + 1 : start].strip():
        return [Splice(comma, comma + 1), Splice(start, end)]
    return [Splice(comma, end)]


def _comma(body: str, start: int, stop: int) -> int:
    """Return the place of the comma between two entries, comments left out."""
    offset = start
    while offset < stop:
        if body[offset] == ",":
            return offset
        offset = line_end(body, offset) if body[offset] == "#" else offset + 1
    return stop
