"""Two versions of a text, line beside line. No Qt."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from itertools import zip_longest

_MOST_COMPARED = 6_000
"""Lines of both versions that differ and are compared one by one; of more, all count as changed."""


_MOST_PAIRED = 900
_ALIKE = 0.7


@dataclass(frozen=True, slots=True)
class Pair:
    """A line of each version; None where a version has none."""

    ours: str | None
    theirs: str | None

    @property
    def differs(self) -> bool:
        """Whether the line is not the same in both."""
        return self.ours != self.theirs


def side_by_side(ours: str, theirs: str) -> list[Pair]:
    """Return the lines of two versions, those that belong together beside each other."""
    mine, other = ours.splitlines(), theirs.splitlines()
    head = _same(mine, other)
    tail = _same(mine[head:][::-1], other[head:][::-1])
    middle = _compared(mine[head : len(mine) - tail], other[head : len(other) - tail])
    around = mine[:head], mine[len(mine) - tail :]
    return [*(Pair(line, line) for line in around[0]), *middle, *(Pair(line, line) for line in around[1])]


def span(line: str, other: str) -> tuple[int, int]:
    """Return from where to where a line differs from another, in characters."""
    start = _same([*line], [*other])
    end = _same([*line[start:]][::-1], [*other[start:]][::-1])
    return start, len(line) - end


def places(pairs: list[Pair]) -> list[int]:
    """Return the rows at which a difference begins."""
    return [row for row, pair in enumerate(pairs) if pair.differs and (not row or not pairs[row - 1].differs)]


def _compared(mine: list[str], other: list[str]) -> list[Pair]:
    if len(mine) + len(other) > _MOST_COMPARED:
        return _beside(mine, other)
    found: list[Pair] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, mine, other, autojunk=False).get_opcodes():
        found += [Pair(line, line) for line in mine[a:b]] if kind == "equal" else _beside(mine[a:b], other[c:d])
    return found


def _beside(mine: list[str], other: list[str]) -> list[Pair]:
    """Return changed lines beside each other: those that are alike, and in between one by one."""
    found: list[Pair] = []
    n = m = 0
    for row, column in [*_alike(mine, other), (len(mine), len(other))]:
        found += [Pair(a, b) for a, b in zip_longest(mine[n:row], other[m:column])]
        if row < len(mine):
            found.append(Pair(mine[row], other[column]))
        n, m = row + 1, column + 1
    return found


def _alike(mine: list[str], other: list[str]) -> list[tuple[int, int]]:
    """Return rows and columns of lines that are versions of one another, in order, where the sides differ in length.

    Of all ways to pair them the one with the most likeness is taken, by dynamic programming.
    """
    if len(mine) == len(other) or not mine or not other or len(mine) * len(other) > _MOST_PAIRED:
        return []
    best: dict[tuple[int, int], tuple[float, tuple[tuple[int, int], ...]]] = {}
    nothing: tuple[float, tuple[tuple[int, int], ...]] = (0.0, ())
    for row in range(len(mine)):
        for column in range(len(other)):
            likeness = difflib.SequenceMatcher(None, mine[row], other[column], autojunk=False).ratio()
            score, pairs = best.get((row - 1, column - 1), nothing)
            paired = (score + likeness, (*pairs, (row, column))) if likeness > _ALIKE else nothing
            choices = (best.get((row - 1, column), nothing), best.get((row, column - 1), nothing), paired)
            best[row, column] = max(choices, key=lambda choice: choice[0])
    return list(best[len(mine) - 1, len(other) - 1][1])


def _same(one: list[str], other: list[str]) -> int:
    """Return how many items are the same from the beginning."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
