"""The census of a run: how often each node fired, and which nodes never changed a decision.

A node changed no decision if a constant could have replaced it at every bar: always true or never true (of a signal:
each flag for itself), and the same entries and exits would have been ordered at every bar of every instrument. The
account is taken from the run: an entry signal has no effect if there is a position on its side, or if it was rejected
for lack of size, stop distance or equity.

For a filter of the execution, the only such constant is the one that lets every entry pass: a filter that blocks all
entries decides everything. Therefore these nodes changed nothing: a filter that never blocked an entry on its own, an
advisor whose signals led to no additional order, and a condition that was never decisive. A condition that was never
true may have prevented everything: it is reported separately and not as without effect. A condition behind a component
with a memory (vote, bars_since) is judged only by its own column: it changed nothing if it never changed. Nodes with
numeric outputs, and those of the decision stage, are not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from quantcrafter.engine.api import Catalog, PortType, RunCancelledError
from quantcrafter.engine.api.ledger import Reason
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.runtime.explain.firings import firings
from quantcrafter.engine.runtime.explain.pair_legs import acts_in
from quantcrafter.engine.runtime.explain.run_facts import BOOLEAN, Facts, Ref
from quantcrafter.engine.runtime.explain.vectors import FLAGS, Vectors
from quantcrafter.engine.runtime.results.run_view import RunView

Idle = Literal["silent", "no_order", "always", "never", "passed", "covered", "no_difference"]
"""Why a node changed nothing: a signal that never came, or of which none became an order; a condition that was
always or never true; a filter of the execution that blocked no entry, or only entries that others also blocked; or
no bar at which it made a difference.
"""
_OF_SIGNALS = (
    *(Reason.ENTRY, Reason.SIGNAL, Reason.OPPOSITE, Reason.REVERSAL),
    *(Reason.SCALE_IN, Reason.GRID, Reason.COMPONENT),
)


@dataclass(frozen=True, slots=True)
class NodeCensus:
    """What a node did in a run.

    `fired` counts its firings, one item per instrument. For a filter of the execution node, `blocked` counts the
    entries that it blocked, and `alone` those that only it blocked. `idle` is the reason why it changed no decision;
    None if it did, or is not judged.
    """

    fired: tuple[int, ...]
    idle: Idle | None = None
    blocked: int = 0
    alone: int = 0


@dataclass(frozen=True)
class Census:
    """What every node did that fires at all."""

    nodes: Mapping[str, NodeCensus]


def take_census(
    run: RunView,
    catalog: Catalog,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Census:
    """Count and judge the nodes of a run.

    Raises:
        RunError: the run has lost a column.
        RunCancelledError: the owner cancelled.
    """
    every = [Facts(run, catalog, number) for number in range(len(run.instruments))]
    judges = [Vectors(facts, decision) for decision in run.decisions for facts in every if acts_in(facts, decision)]
    found: dict[str, NodeCensus] = {}
    for done, node in enumerate(run.nodes):
        if cancelled():
            raise RunCancelledError(Message("The census was cancelled."))
        fired = tuple(len(firings(facts, node)) for facts in every)
        boolean = any(output.type in BOOLEAN for output in run.nodes[node].outputs)
        if boolean or any(fired):
            blocked, alone = _held_back(judges, node)
            idle = None
            if filtering := [judge for judge in judges if node in judge.decision.filters]:
                idle = _idle_filter(filtering, node, blocked)
            elif judges and boolean:
                idle = _idle(judges, node, sum(fired))
            found[node] = NodeCensus(fired, idle, blocked, alone)
        progress(done + 1, len(run.nodes))
    return Census(found)


def _idle(judges: list[Vectors], node: str, fired: int) -> Idle | None:
    outputs = [output for output in judges[0].facts.run.nodes[node].outputs if output.type in BOOLEAN]
    refs = [
        Ref(node, output.name, flag)
        for output in outputs
        for flag in (FLAGS if output.type is PortType.SIGNAL else (0,))
    ]
    if all(_is_harmless(judges, ref) for ref in refs):
        if outputs[0].type is PortType.SIGNAL:
            if not fired:
                return "silent"
            return "no_difference" if _was_ordered(judges, node) else "no_order"
        if all(_is_constant(judges, ref, value=True) for ref in refs):
            return "always"
        return "never" if all(_is_constant(judges, ref, value=False) for ref in refs) else "no_difference"
    return None


def _idle_filter(judges: list[Vectors], node: str, blocked: int) -> Idle | None:
    """Return why a filter of the execution changed nothing, None if entries would have passed without it."""
    if any(judge.matters(judge.filter_ref(node), constant=not judge.decision.filters[node]) for judge in judges):
        return None
    return "covered" if blocked else "passed"


def _was_ordered(judges: list[Vectors], node: str) -> bool:
    """Return whether any order was decided at a bar at which a node gave a signal."""
    for judge in judges:
        orders = judge.facts.run.ledger.orders
        own = (orders["instrument"] == judge.facts.instrument) & np.isin(orders["reason"], _OF_SIGNALS)
        if np.isin(orders["created_bar"][own], firings(judge.facts, node)).any():
            return True
    return False


def _is_harmless(judges: list[Vectors], ref: Ref) -> bool:
    """Return whether a constant could have replaced an output."""
    for value in (True, False):
        if _is_constant(judges, ref, value=value):
            return True
        reaching = [judge for judge in judges if ref in judge.reached]
        everywhere = len({judge.facts.instrument for judge in reaching}) == len(
            {judge.facts.instrument for judge in judges}
        )
        if (
            everywhere
            and not any(_behind_memory(judge, ref) for judge in reaching)
            and not any(judge.matters(ref, constant=value) for judge in reaching)
        ):
            return True
    return False


def _is_constant(judges: list[Vectors], ref: Ref, *, value: bool) -> bool:
    return all(bool(np.all(judge.recorded(ref) == value)) for judge in judges)


def _behind_memory(judge: Vectors, ref: Ref) -> bool:
    """Return whether an output is also read by a node that is not a pure composition; its influence is not followed."""
    facts = judge.facts
    for reader in facts.readers.get(ref.node, ()):
        if reader in {decision.node for decision in facts.run.decisions}:
            continue
        known = facts.run.nodes[reader]
        outs = [
            Ref(reader, output.name, flag)
            for output in known.outputs
            for flag in (FLAGS if output.type is PortType.SIGNAL else (0,))
            if output.type in BOOLEAN
        ]
        if len(outs) < len(known.outputs) or any(_is_opaque(judge, out) for out in outs):
            return True
    return False


def _is_opaque(judge: Vectors, ref: Ref) -> bool:
    return judge.composed(ref) is None and bool(judge.recorded(ref).any())


def _held_back(judges: list[Vectors], node: str) -> tuple[int, int]:
    """Return how many entries a filter blocked, and how many of them on its own."""
    blocked = alone = 0
    for judge in judges:
        if node not in judge.decision.filters:
            continue
        rows = judge.facts.run.ledger.blocked
        own = (rows["instrument"] == judge.facts.instrument) & (rows["reason"] == 0)
        own &= rows["execution"] == judge.number
        bars = rows["bar"][own]
        here = judge.blocking(node)[bars]
        others = [judge.blocking(other)[bars] for other in judge.decision.filters if other != node]
        blocked += int(here.sum())
        alone += int((here & ~np.logical_or.reduce(others)).sum()) if others else int(here.sum())
    return blocked, alone
