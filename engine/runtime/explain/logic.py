"""The pure logic of explanations: expressions over leaves that are true or false, and two questions about them.

1. Why does it have its value? `mattering` returns the leaves, and the wires to them, that made an expression true or
   false.
2. What would make it true? `smallest_sets` returns the smallest sets of leaves that would have to be inverted.

The second is a hitting-set search. While an expression is false, some leaves are responsible (`_culprits`): every
solution changes at least one of them. Trying each of them with increasing depth finds every smallest set. A leaf that
was tried is kept unchanged in the following branches, so that no set is found twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K")
L = TypeVar("L")

WORK = 4_000
MOST_SETS = 24


@dataclass(frozen=True, slots=True, eq=False)
class Leaf(Generic[K]):
    """A test with its result. `fixed` means that it can't change."""

    about: K
    held: bool
    fixed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Gate(Generic[K, L]):
    """True while at least `need` parts are: all of them, any one, or a number."""

    need: int
    parts: tuple[Expression[K, L], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Inverse(Generic[K, L]):
    """True while its part is not."""

    part: Expression[K, L]


@dataclass(frozen=True, slots=True, eq=False)
class Via(Generic[K, L]):
    """The value of a wire."""

    wire: L
    part: Expression[K, L]


Expression = Leaf[K] | Gate[K, L] | Inverse[K, L] | Via[K, L]


def both(*parts: Expression[K, L]) -> Gate[K, L]:
    """Return an expression that is true while all parts are."""
    return Gate(len(parts), parts)


def either(*parts: Expression[K, L]) -> Gate[K, L]:
    """Return an expression that is true while any part is."""
    return Gate(1, parts)


class _Truth(Generic[K, L]):
    """The truth of an expression and its parts, with some leaves inverted."""

    def __init__(self, flipped: frozenset[Leaf[K]]) -> None:
        self._flipped = flipped
        self._known: dict[int, bool] = {}

    def of(self, part: Expression[K, L]) -> bool:
        key = id(part)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._work_out(part)
        return found

    def _work_out(self, part: Expression[K, L]) -> bool:
        if isinstance(part, Leaf):
            return part.held != (part in self._flipped)
        if isinstance(part, Gate):
            return sum(self.of(each) for each in part.parts) >= part.need
        return self.of(part.part) != isinstance(part, Inverse)


def is_true(root: Expression[K, L], flipped: Iterable[Leaf[K]] = ()) -> bool:
    """Return whether an expression is true with these leaves inverted."""
    return _Truth[K, L](frozenset(flipped)).of(root)


def leaves(root: Expression[K, L]) -> dict[Leaf[K], None]:
    """Return every leaf of an expression, each once, in order."""
    found: dict[Leaf[K], None] = {}
    seen: set[int] = set()
    stack: list[Expression[K, L]] = [root]
    while stack:
        part = stack.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, Leaf):
            found[part] = None
        else:
            stack.extend(reversed(part.parts) if isinstance(part, Gate) else (part.part,))
    return found


# ---------------------------------------------------------------------- why it is as it is


@dataclass
class Mattered(Generic[K, L]):
    """The leaves that determine the value of an expression, and their wires."""

    leaves: dict[Leaf[K], None] = field(default_factory=dict)
    wires: dict[L, None] = field(default_factory=dict)


def mattering(root: Expression[K, L]) -> Mattered[K, L]:
    """Return what made an expression true (or false): of a gate that is true, the parts that are; else those not.

    Leaves come in the order of the parts.
    """
    truth, found = _Truth[K, L](frozenset()), Mattered[K, L]()
    stack: list[Expression[K, L]] = [root]
    seen: set[int] = set()
    while stack:
        part = stack.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, Leaf):
            found.leaves[part] = None
        elif isinstance(part, Gate):
            value = truth.of(part)
            stack.extend(reversed([each for each in part.parts if truth.of(each) == value]))
        else:
            if isinstance(part, Via):
                found.wires[part.wire] = None
            stack.append(part.part)
    return found


# ---------------------------------------------------------------------- what would make it true


@dataclass(frozen=True)
class Smallest(Generic[K]):
    """The smallest sets of leaves that make an expression true when inverted, nearest first.

    Without a solution, there is no set; if it is already true, there is one empty set. `exact` is False if the search
    was abandoned: then there is one minimal set, but a smaller one may exist.
    """

    sets: tuple[frozenset[Leaf[K]], ...]
    exact: bool = True


def smallest_sets(
    root: Expression[K, L], gap: Callable[[Leaf[K]], float] = lambda _leaf: 0.0, work: int = WORK
) -> Smallest[K]:
    """Return the smallest sets of leaves that make the expression true when inverted; `gap` returns distances."""
    search = _Search[K, L](root, work)
    fixed = frozenset(leaf for leaf in leaves(root) if leaf.fixed)
    count = sum(not leaf.fixed for leaf in leaves(root))
    try:
        for size in range(count + 1):
            search.limited = False
            found = list(dict.fromkeys(search.within(frozenset(), fixed, size)))
            if found:
                found.sort(key=lambda chosen: sum(map(gap, chosen)))
                return Smallest(tuple(found))
            if not search.limited:
                return Smallest(())
    except _TooMuchError:
        return _greedy(root, fixed, gap)
    return Smallest(())


class _TooMuchError(Exception):
    """The search has reached its limit."""


@dataclass
class _Search(Generic[K, L]):
    root: Expression[K, L]
    work: int
    limited: bool = False
    """Whether a branch ended because of its depth: a larger set may be a solution."""

    def within(self, flipped: frozenset[Leaf[K]], kept: frozenset[Leaf[K]], size: int) -> Iterator[frozenset[Leaf[K]]]:
        """Yield the sets that hold `flipped`, none of `kept`, and up to `size` leaves more."""
        self.work -= 1
        if self.work < 0:
            raise _TooMuchError
        truth = _Truth[K, L](flipped)
        if truth.of(self.root):
            yield flipped
            return
        culprits = _culprits(self.root, truth, flipped | kept)
        if culprits and not size:
            self.limited = True
        if not size:
            return
        found = 0
        for leaf in culprits:
            for each in self.within(flipped | {leaf}, kept, size - 1):
                yield each
                found += 1
                if found >= MOST_SETS:
                    return
            kept |= {leaf}


def _culprits(root: Expression[K, L], truth: _Truth[K, L], settled: frozenset[Leaf[K]]) -> dict[Leaf[K], None]:
    """Return leaves of which one must change to change the expression; those in `settled` can't change."""
    known: dict[int, dict[Leaf[K], None]] = {}

    def of(part: Expression[K, L]) -> dict[Leaf[K], None]:
        found = known.get(id(part))
        if found is None:
            found = known[id(part)] = work_out(part)
        return found

    def work_out(part: Expression[K, L]) -> dict[Leaf[K], None]:
        if isinstance(part, Leaf):
            return {} if part in settled else {part: None}
        if not isinstance(part, Gate):
            return of(part.part)
        # Enough parts of the present kind that it stays so unless one of them changes: those with the fewest leaves.
        value = truth.of(part)
        count = part.need if value else len(part.parts) - part.need + 1
        own = sorted((of(each) for each in part.parts if truth.of(each) == value), key=len)
        return {leaf: None for each in own[: max(count, 0)] for leaf in each}

    return of(root)


def _greedy(root: Expression[K, L], fixed: frozenset[Leaf[K]], gap: Callable[[Leaf[K]], float]) -> Smallest[K]:
    """Invert the nearest responsible leaf until the expression is true, then remove unnecessary ones."""
    flipped: frozenset[Leaf[K]] = frozenset()
    while not is_true(root, flipped):
        culprits = _culprits(root, _Truth[K, L](flipped), flipped | fixed)
        if not culprits:
            return Smallest((), exact=False)
        flipped |= {min(culprits, key=gap)}
    for leaf in sorted(flipped, key=gap, reverse=True):
        if is_true(root, flipped - {leaf}):
            flipped -= {leaf}
    return Smallest((flipped,), exact=False)
