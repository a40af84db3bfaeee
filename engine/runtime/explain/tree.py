"""Converts a node's output at a bar to the expression that made it true or false, down to its tests.

`explain` of each node on the way returns the dependencies of its output. The result is used only if it agrees with the
recorded value: otherwise, or without a result or after an exception, the node becomes a leaf without an explanation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import (
    AllOf,
    AnyOf,
    AtLeast,
    Bars,
    Compared,
    Crossed,
    Holds,
    Negated,
    Never,
    Quantity,
    Reason,
    Said,
)
from quantcrafter.engine.api.foreign import calling, node_label
from quantcrafter.engine.api.frozen import read_only, shown_bars
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.reasons import Operator, Term
from quantcrafter.engine.graph.across import seeing
from quantcrafter.engine.runtime.explain.findings import ComparedSides, Crossing, Side, Test, Unexplained, Words
from quantcrafter.engine.runtime.explain.logic import Expression, Gate, Inverse, Leaf, Via
from quantcrafter.engine.runtime.explain.path import Wire
from quantcrafter.engine.runtime.explain.run_facts import BARS, BOOLEAN, Facts, Ref

DEEPEST = 60
"""Maximum depth of explained nodes; deeper ones are reported without their reasons."""

Port = tuple[str, int | None]
Node = Expression["About", Wire]
Judged = tuple[Node, bool]


@dataclass(frozen=True, slots=True, eq=False)
class About:
    """The content of a leaf: an output, its test, and the ports that the test reads; None if it may be all ports."""

    ref: Ref
    test: Test
    ports: tuple[Port, ...] | None = None


@dataclass
class Tree:
    """Expressions of one bar; each output is evaluated once, so that shared parts stay shared."""

    facts: Facts
    bar: int
    _known: dict[Ref, Node] = field(default_factory=dict)
    _leaves: dict[tuple[Ref, Reason, bool], Judged] = field(default_factory=dict)
    _depth: int = 0
    _slow: bool = False
    """Whether what is asked now is read as a node of a longer timeframe: bars at which nothing changes do not count."""

    def of(self, ref: Ref) -> Node:
        """Return the expression of an output at the bar; it is as true as the output was."""
        if ref not in self._known:
            outer = self._slow
            self._depth += 1
            self._known[ref] = self._work_out(ref)
            self._depth -= 1
            self._slow = outer
        return self._known[ref]

    def _work_out(self, ref: Ref) -> Node:
        held = self.facts.truth(ref, self.bar)
        component = self.facts.component(ref.node)
        if component is not None and self._depth <= DEEPEST:
            try:
                with calling(node_label(ref.node, component), Message("explaining"), component, ref.node):
                    reason = component.explain(Asked(self.facts, ref, self.bar))
                for slow in (False, True):
                    self._slow = slow
                    found, said = self._judge(ref, reason) if reason is not None else (None, held)
                    if found is not None and said == held:
                        return found
            except Exception:  # noqa: BLE001 - a plugin's mistake costs its words, not the explanation
                return Leaf(About(ref, Unexplained()), held)
        return Leaf(About(ref, Unexplained()), held)

    # ------------------------------------------------------------------ what a component said

    def _judge(self, ref: Ref, reason: Reason) -> Judged:
        if isinstance(reason, (AllOf, AnyOf, AtLeast)):
            parts = [self._judge(ref, part) for part in reason.parts]
            need = len(parts) if isinstance(reason, AllOf) else 1 if isinstance(reason, AnyOf) else reason.count
            return Gate(need, tuple(part for part, _ in parts)), sum(held for _, held in parts) >= need
        if isinstance(reason, Negated):
            part, held = self._judge(ref, reason.part)
            return Inverse(part), not held
        if isinstance(reason, Holds):
            return self._wired(ref, reason)
        key = (ref, reason, self._slow)
        if key not in self._leaves:
            self._leaves[key] = self._leaf(ref, reason)
        return self._leaves[key]

    def _wired(self, ref: Ref, reason: Holds) -> Judged:
        source = self.facts.source(ref.node, reason.port, reason.index)
        wire = self.facts.wire(ref.node, reason.port, reason.index)
        if wire is None or self.facts.type_of(source.node, source.output) not in BOOLEAN:
            raise LookupError(reason.port)
        inner = Ref(source.node, source.output, reason.flag)
        return Via(wire, self.of(inner)), self.facts.truth(inner, self.bar)

    def _leaf(self, ref: Ref, reason: Compared | Crossed | Said | Never) -> Judged:
        if isinstance(reason, Never):
            return Leaf(About(ref, Unexplained(), ()), held=False, fixed=True), False
        if isinstance(reason, Said):
            ports = ((reason.port, reason.index),) if reason.port else None
            return Leaf(About(ref, Words(reason.now, reason.wanted), ports), reason.held), reason.held
        named = [term for term in (reason.left, reason.right) if isinstance(term, str)]
        read = tuple((term, None) for term in named) if named else None
        left, right = self._side(ref, reason.left), self._side(ref, reason.right)
        if isinstance(reason, Compared):
            held = compare(left.value, reason.op, right.value)
            return Leaf(About(ref, ComparedSides(left, reason.op, right), read), held), held
        bars, signs = self._signs(ref, reason)
        held, since = crossing(signs, above=reason.above)
        first = None if since is None else int(bars[since])
        return Leaf(About(ref, Crossing(left, right, reason.above, first), read), held), held

    def _side(self, ref: Ref, term: Term) -> Side:
        if isinstance(term, Quantity):
            return Side(term.value, label=term.label)
        if not isinstance(term, str):
            return Side(float(term))
        return self.facts.side(self.facts.source(ref.node, term, None), self.bar)

    def _signs(self, ref: Ref, reason: Crossed) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the bars that count, and the side of the line at each, 0 for neither."""
        start = 0 if self._slow else max(0, self.bar - reason.memory)
        left, right = (self._recent(ref, term, start) for term in (reason.left, reason.right))
        signs = (left > right).astype(np.int64) - (left < right).astype(np.int64)
        bars = np.arange(start, self.bar + 1)
        if self._slow:
            counts = np.concatenate(([True], (left[1:] != left[:-1]) | (right[1:] != right[:-1])))
            bars, signs = bars[counts][-1 - reason.memory :], signs[counts][-1 - reason.memory :]
        return bars, signs

    def _recent(self, ref: Ref, term: Term, start: int) -> npt.NDArray[Any]:
        if isinstance(term, str):
            return self.facts.values(self.facts.source(ref.node, term, None), self.bar + 1)[start:]
        return np.full(self.bar + 1 - start, term.value if isinstance(term, Quantity) else float(term))


def compare(left: float, op: Operator, right: float) -> bool:
    """Return whether a comparison is true; always false if a side is NaN."""
    if math.isnan(left) or math.isnan(right):
        return False
    outcomes = {
        ">": left > right,
        ">=": left >= right,
        "<": left < right,
        "<=": left <= right,
        "==": left == right,
        "!=": left != right,
    }
    return outcomes[op]


def crossing(signs: npt.NDArray[np.int64], *, above: bool) -> tuple[bool, int | None]:
    """Return whether the last bar crosses, and the first position from which on the line is on its current side."""
    now, wanted = int(signs[-1]), 1 if above else -1
    if now == 0:
        return False, None
    other = np.flatnonzero(signs == -now)
    if not len(other):
        return False, None
    later = np.flatnonzero(signs[other[-1] + 1 :] == now)
    first = int(other[-1]) + 1 + int(later[0])
    return now == wanted and first == len(signs) - 1, first


class Asked:
    """The argument of a component's `explain` for a bar."""

    def __init__(self, facts: Facts, ref: Ref, bar: int) -> None:
        self.output = ref.output
        self.flag = ref.flag
        self.bar = bar
        self._facts = facts
        self._node = ref.node

    @property
    def symbol(self) -> str:
        return self._facts.bars.symbol

    def said(self, name: str) -> str:
        return str(self._facts.run.instruments[self._facts.instrument].values.get(name, ""))

    def universe(self, port: str) -> dict[str, float]:
        component = self._facts.component(self._node)
        if component is None:
            raise LookupError(port)
        return self._facts.universe(seeing(component), self._facts.source(self._node, port, None), self.bar)

    def count(self, port: str) -> int:
        return len(self._facts.sources(self._node, port))

    def number(self, port: str, index: int | None = None) -> float:
        return float(self.column(port, index)[-1])

    def column(self, port: str, index: int | None = None) -> npt.NDArray[Any]:
        return read_only(self._facts.values(self._facts.source(self._node, port, index), self.bar + 1))

    def bars(self, port: str) -> Bars:
        source = self._facts.source(self._node, port, None)
        if source.kind != "market" or source.node != BARS:
            raise LookupError(port)
        return shown_bars(self._facts.bars.slice(0, self.bar + 1))
