"""Between a document's text and what an editor shows of it: line ends, and the smallest changes. No Qt.

An editor knows no byte order mark and one kind of line end. What is typed into it is carried over to the document's
text, so that every line that was not typed into keeps its own end.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

_BREAK = re.compile("\r\n|[\n\r\u2029\ufdd0\ufdd1]")
_MARK = "\ufeff"
_MOST_COMPARED = 4_000


@dataclass(frozen=True, slots=True)
class TextChange:
    """Characters `start` to `end` (exclusive) of the old text become `text`."""

    start: int
    end: int
    text: str


def shown(raw: str) -> str:
    """Return a document's text as an editor shows it: no byte order mark, lines ended by a line feed."""
    text = raw.removeprefix(_MARK)
    return text if "\n" not in text and "\r" not in text and text.isascii() else _BREAK.sub("\n", text)


def carried(raw: str, typed: str) -> str:
    """Return the document's text after the editor's, which showed `raw`, has become `typed`."""
    old = shown(raw)
    if old == raw:
        return typed
    change = patch(old, typed)
    if change is None:
        return raw
    ends = [match.span() for match in _BREAK.finditer(raw, int(raw.startswith(_MARK)))]
    newline = raw[slice(*ends[0])] if ends else "\n"
    start, end = (_raw_offset(raw, old, ends, offset) for offset in (change.start, change.end))
    return raw[:start] + change.text.replace("\n", newline) + raw[end:]


def _raw_offset(raw: str, old: str, ends: list[tuple[int, int]], offset: int) -> int:
    line = old.count("\n", 0, offset)
    start = ends[line - 1][1] if line else int(raw.startswith(_MARK))
    return start + offset - (old.rfind("\n", 0, offset) + 1)


def patch(old: str, new: str) -> TextChange | None:
    """Return the one change that makes `new` of `old`, None when they are equal."""
    if old == new:
        return None
    head = _common(old, new)
    tail = _common_end(old, new, min(len(old), len(new)) - head)
    return TextChange(head, len(old) - tail, new[head : len(new) - tail])


def patches(old: str, new: str) -> list[TextChange]:
    """Return small changes that make `new` of `old`, in order and apart: line by line, then within a line."""
    whole = patch(old, new)
    if whole is None:
        return []
    head = old.rfind("\n", 0, whole.start) + 1
    old_lines, new_lines = _middle(old, whole, head), _middle_of_new(old, new, whole, head)
    if len(old_lines) + len(new_lines) > _MOST_COMPARED or len(old_lines) * len(new_lines) == 1:
        return [whole]
    starts = [head]
    for line in old_lines:
        starts.append(starts[-1] + len(line))
    found = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old_lines, new_lines, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        if b - a == d - c:
            found += [_within(starts[a + n], old_lines[a + n], new_lines[c + n]) for n in range(b - a)]
        else:
            found.append(_within(starts[a], "".join(old_lines[a:b]), "".join(new_lines[c:d])))
    return [change for change in found if change is not None]


def _middle(old: str, whole: TextChange, head: int) -> list[str]:
    end = old.find("\n", whole.end)
    return old[head : len(old) if end < 0 else end + 1].splitlines(keepends=True)


def _middle_of_new(old: str, new: str, whole: TextChange, head: int) -> list[str]:
    end = old.find("\n", whole.end)
    tail = 0 if end < 0 else len(old) - end - 1
    return new[head : len(new) - tail].splitlines(keepends=True)


def _within(start: int, old: str, new: str) -> TextChange | None:
    change = patch(old, new)
    return None if change is None else TextChange(start + change.start, start + change.end, change.text)


def _common(one: str, other: str) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_end(one: str, other: str, most: int) -> int:
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def units(text: str) -> int:
    """Return the length of a text as Qt counts it, in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def characters(text: str, count: int) -> int:
    """Return how many characters the first `count` UTF-16 units of a text are."""
    if text.isascii():
        return min(count, len(text))
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * count].decode("utf-16-le", "replace"))
