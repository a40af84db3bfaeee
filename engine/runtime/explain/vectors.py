"""The decision stage over all bars at once, with one node's output replaced by a constant, to find differences.

Composition (and, or, not, rule, a filter over a condition) is evaluated again; the recorded values of components with a
memory and of comparisons are used. The account is also taken from the run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    AllOf,
    AnyOf,
    AtLeast,
    Holds,
    Negated,
    Never,
    Reason,
)
from quantcrafter.engine.api.foreign import calling, node_label
from quantcrafter.engine.api.ledger import BlockReason
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.runtime.explain.run_facts import BOOLEAN, Facts, Ref
from quantcrafter.engine.runtime.explain.tree import Asked
from quantcrafter.engine.runtime.results.run_view import RunDecision

Bools = npt.NDArray[np.bool_]
Combination = Callable[[Callable[[Ref], Bools]], Bools]
FLAGS = (ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT)
DEEPEST = 60


@dataclass(frozen=True)
class Composed:
    """How an output is composed of others."""

    parts: tuple[Ref, ...]
    combine: Combination


@dataclass
class Vectors:
    """One instrument of a run, its decisions as columns."""

    facts: Facts
    decision: RunDecision
    _composed: dict[Ref, Composed | None] = field(default_factory=dict)
    _recorded: dict[Ref, Bools] = field(default_factory=dict)
    _behind: dict[Ref, frozenset[Ref]] = field(default_factory=dict)

    # ------------------------------------------------------------------ what stands behind an output

    def recorded(self, ref: Ref) -> Bools:
        """Return the bars at which an output, or one flag of it, was true."""
        if ref not in self._recorded:
            column = np.asarray(self.facts.column(ref.node, ref.output))
            self._recorded[ref] = (column & ref.flag) != 0 if ref.flag else column != 0
        return self._recorded[ref]

    def composed(self, ref: Ref) -> Composed | None:
        """Return how an output is composed of others; None if it is not a pure composition."""
        if ref not in self._composed:
            self._composed[ref] = self._compose(ref)
        return self._composed[ref]

    def _compose(self, ref: Ref) -> Composed | None:
        component = self.facts.component(ref.node)
        length = len(self.facts.bars)
        if component is None or not length:
            return None
        try:
            with calling(node_label(ref.node, component), Message("explaining"), component, ref.node):
                reason = component.explain(Asked(self.facts, ref, length - 1))
            if reason is None:
                return None
            parts: dict[Ref, None] = {}
            combine = self._combination(ref, reason, parts)
            if not parts or not np.array_equal(combine(self.recorded), self.recorded(ref)):
                return None
        except Exception:  # noqa: BLE001 - a plugin's mistake costs its words, not the explanation
            return None
        return Composed(tuple(parts), combine)

    def _combination(self, ref: Ref, reason: Reason, parts: dict[Ref, None]) -> Combination:
        length = len(self.facts.bars)
        if isinstance(reason, Never):
            return lambda _read: np.zeros(length, np.bool_)
        if isinstance(reason, Holds):
            source = self.facts.source(ref.node, reason.port, reason.index)
            if source.kind != "node" or self.facts.type_of(source.node, source.output) not in BOOLEAN:
                raise LookupError(reason.port)
            inner = Ref(source.node, source.output, reason.flag)
            parts[inner] = None
            return lambda read: read(inner)
        if isinstance(reason, Negated):
            part = self._combination(ref, reason.part, parts)
            return lambda read: ~part(read)
        if not isinstance(reason, (AllOf, AnyOf, AtLeast)):
            raise TypeError(type(reason).__name__)
        each = [self._combination(ref, part, parts) for part in reason.parts]
        need = len(each) if isinstance(reason, AllOf) else 1 if isinstance(reason, AnyOf) else reason.count
        return lambda read: _at_least(need, [part(read) for part in each], length)

    def behind(self, ref: Ref, depth: int = 0) -> frozenset[Ref]:
        """Return an output and all of its parts, down to outputs that are not compositions."""
        if ref not in self._behind:
            found = {ref}
            composed = self.composed(ref)
            if composed is not None and depth < DEEPEST:
                for part in composed.parts:
                    found |= self.behind(part, depth + 1)
            self._behind[ref] = frozenset(found)
        return self._behind[ref]

    # ------------------------------------------------------------------ decisions

    @cached_property
    def heads(self) -> tuple[Ref, ...]:
        """The inputs of the execution node: each flag of its signals, and its filters."""
        signals = tuple(Ref(each.node, each.output, flag) for each in self.decision.signals for flag in FLAGS)
        return (*signals, *(self.filter_ref(node) for node in self.decision.filters))

    @cached_property
    def reached(self) -> frozenset[Ref]:
        """Every output that a decision is composed of."""
        found: frozenset[Ref] = frozenset()
        for head in self.heads:
            found |= self.behind(head)
        return found

    @cached_property
    def as_it_was(self) -> tuple[Bools, ...]:
        """The actions of the run."""
        return self.actions(self.recorded)

    def matters(self, ref: Ref, *, constant: bool) -> bool:
        """Return whether any action would be another if an output had always been true (or false)."""
        column = np.full(len(self.facts.bars), constant)
        if np.array_equal(column, self.recorded(ref)):
            return False
        known: dict[Ref, Bools] = {ref: column}

        def read(wanted: Ref) -> Bools:
            if wanted not in known:
                composed = self.composed(wanted) if ref in self.behind(wanted) else None
                known[wanted] = self.recorded(wanted) if composed is None else composed.combine(read)
            return known[wanted]

        after = self.actions(read)
        return any(not np.array_equal(old, new) for old, new in zip(self.as_it_was, after, strict=True))

    def actions(self, read: Callable[[Ref], Bools]) -> tuple[Bools, ...]:
        """Return the bars of each action: a side entered, exited by a signal, or exited for the opposite.

        An entry counts where it could be made: after the warm-up, without a contrary signal, not on top of a position
        of its own side, and if the account did not reject it for lack of size, distance or equity.
        """
        enter = {flag: self._entries(read, flag) for flag in (ENTER_LONG, ENTER_SHORT)}
        leave = {flag: self._any(read, flag) for flag in (EXIT_LONG, EXIT_SHORT)}
        long, short = self._held > 0, self._held < 0
        parameters = self.facts.run.nodes[self.decision.node].parameters
        both = enter[ENTER_LONG] & enter[ENTER_SHORT]
        contrary = (
            (both & ~np.bool_(parameters.get("two_sided", False)))
            | (enter[ENTER_LONG] & leave[EXIT_LONG])
            | (enter[ENTER_SHORT] & leave[EXIT_SHORT])
        )
        keeps = parameters.get("on_opposite") == "ignore"
        allowed = self._allowed(read) & ~self._refused
        found = [self._live & long & leave[EXIT_LONG], self._live & short & leave[EXIT_SHORT]]
        for flag, own, other, leaving in (
            (ENTER_LONG, long, short, leave[EXIT_SHORT]),
            (ENTER_SHORT, short, long, leave[EXIT_LONG]),
        ):
            wanted = self._live & enter[flag] & ~contrary & ~own
            if keeps:
                wanted = wanted & (~other | leaving)
            else:
                found.append(wanted & other & ~leaving)
            found.append(wanted & allowed)
        return tuple(found)

    def blocking(self, node: str) -> Bools:
        """Return the bars at which a filter of the execution node lets no entry pass."""
        column = self.recorded(self.filter_ref(node))
        return column if self.decision.filters[node] else ~column

    def filter_ref(self, node: str) -> Ref:
        """Return the output by which a filter lets entries pass."""
        return Ref(node, self.facts.run.nodes[node].outputs[0].name)

    def _any(self, read: Callable[[Ref], Bools], flag: int) -> Bools:
        columns = [read(Ref(each.node, each.output, flag)) for each in self.decision.signals]
        return _at_least(1, columns, len(self.facts.bars))

    def _entries(self, read: Callable[[Ref], Bools], flag: int) -> Bools:
        columns = [read(Ref(each.node, each.output, flag)) for each in self.decision.signals]
        need = len(columns) if self.decision.combine == "all" else 1
        return _at_least(need, columns, len(self.facts.bars))

    def _allowed(self, read: Callable[[Ref], Bools]) -> Bools:
        allowed = np.ones(len(self.facts.bars), np.bool_)
        for node, blocks in self.decision.filters.items():
            column = read(self.filter_ref(node))
            allowed &= ~column if blocks else column
        return allowed

    @cached_property
    def _held(self) -> npt.NDArray[Any]:
        positions, length = self.facts.positions, len(self.facts.bars)
        return np.where(positions.held_by(length) == self.number, positions.sides(length), 0)

    @cached_property
    def number(self) -> int:
        """The number of the execution."""
        return [each.node for each in self.facts.run.decisions].index(self.decision.node)

    @cached_property
    def _live(self) -> Bools:
        return np.arange(len(self.facts.bars)) >= self.facts.first_bar(self.decision)

    @cached_property
    def _refused(self) -> Bools:
        """The bars at which an entry that passed everything else was refused by the account."""
        rows = self.facts.run.ledger.blocked
        signal = (BlockReason.FILTER, BlockReason.WARMUP, BlockReason.OPPOSITE_IGNORED, BlockReason.CONTRADICTION)
        here = (rows["instrument"] == self.facts.instrument) & (rows["execution"] == self.number)
        own = rows[here & ~np.isin(rows["reason"], signal)]
        refused = np.zeros(len(self.facts.bars), np.bool_)
        refused[own["bar"]] = True
        return refused


def _at_least(need: int, columns: list[Bools], length: int) -> Bools:
    if not columns:
        return np.full(length, need <= 0)
    if need == 1:
        return np.asarray(np.logical_or.reduce(columns))
    if need == len(columns):
        return np.asarray(np.logical_and.reduce(columns))
    return np.asarray(np.sum(columns, axis=0, dtype=np.int64) >= need)
