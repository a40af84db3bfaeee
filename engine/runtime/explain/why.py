"""Why: the decisions at a bar, the path that led to them, and what prevented others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from quantcrafter.engine.api import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from quantcrafter.engine.api.ledger import BlockReason, InterventionKind, OrderKind, OrderStatus, Reason, StatusReason
from quantcrafter.engine.runtime.explain.decision import EXIT_OF, SIDE_OF, Stage, is_possible, wire_between
from quantcrafter.engine.runtime.explain.findings import Obstacle, Words
from quantcrafter.engine.runtime.explain.held_positions import HeldPosition
from quantcrafter.engine.runtime.explain.logic import Leaf, is_true, leaves, mattering, smallest_sets
from quantcrafter.engine.runtime.explain.pair_legs import acts_in, hedge_of, is_second, stage_of
from quantcrafter.engine.runtime.explain.path import Path, Wire, with_sources
from quantcrafter.engine.runtime.explain.run_facts import Facts
from quantcrafter.engine.runtime.explain.tree import About, Node

NOWHERE = Path()
_ENTERING = ("entry", "reversal", "scale_in", "grid")
"""Reasons of orders that an entry signal asks for."""

OF_THE_BROKER = ("stop_loss", "take_profit", "end_of_data")
"""Reasons of orders that were not decided at a close."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order that was decided at the bar's close; `side` is +1 to buy.

    `reason`, `status` and `status_reason` are names of the ledger; `closed` is the bar at which it ended (-1: never),
    `price` its fill price, NaN if it did not fill; `execution` the number of the execution node that made it. `hedge`
    is the quantity that the ratio of a pair asks for in its second leg, NaN for other orders.
    """

    order: int
    side: int
    quantity: float
    reason: str
    status: str = "working"
    status_reason: str = "none"
    closed: int = -1
    price: float = math.nan
    execution: int = 0
    hedge: float = math.nan


@dataclass(frozen=True, slots=True)
class FilledOrder:
    """An order that filled within the bar. `node` is that of the protective rule, empty for none.

    `decided` is the bar at whose close the order was decided, `execution` the number of its execution node.
    """

    order: int
    side: int
    quantity: float
    price: float
    reason: str
    node: str
    decided: int
    execution: int = 0


@dataclass(frozen=True, slots=True)
class Blocked:
    """An entry signal that became no order. `reason` is a ledger name; `nodes` are the filters that blocked it.

    `execution` is the number of the execution node whose signal it was. Of a limit on entries, `nodes` is its node,
    `count` what it counted, and `limit` the number that it allows.
    """

    flags: int
    reason: str
    nodes: tuple[str, ...] = ()
    execution: int = 0
    count: int = 0
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Way:
    """The obstacles to an entry or exit (`flag`): the smallest sets, the nearest first.

    If all obstacles of one set had been different, and everything else the same, the order would have been created.
    `exact` is False if a smaller set may exist. `node` is the execution node.
    """

    flag: int
    sets: tuple[tuple[Obstacle, ...], ...]
    exact: bool = True
    node: str = ""


@dataclass(frozen=True)
class Why:
    """The explanation of one bar of an instrument. `position` is the position at its close.

    `causes` are the tests that led to the orders, with their results.
    """

    instrument: int
    bar: int
    ordered: tuple[Ordered, ...] = ()
    filled: tuple[FilledOrder, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    position: HeldPosition | None = None
    ways: tuple[Way, ...] = ()
    path: Path = NOWHERE
    causes: tuple[Obstacle, ...] = ()


def explain(facts: Facts, bar: int) -> Why:
    """Return what happened at a bar and why.

    Raises:
        RunError: the run has lost a column.
    """
    held = facts.positions.after(bar)
    stages = [stage_of(facts, each, bar) for each in facts.run.decisions]
    ordered, filled = _ordered(facts, stages, bar), _filled(facts, bar)
    if not stages:
        return Why(facts.instrument, bar, ordered, filled, position=held)
    blocked = _blocked(facts, stages, bar)
    path = Path()
    causes: dict[Obstacle, None] = {}
    for order in ordered:
        stage = stages[order.execution]
        side = -order.side if is_second(facts, stage.decision) else order.side
        root, node = _root(stage, side, order.reason), stage.decision.node
        if root is None or not is_true(root):  # further entries, grids, rebalancing: by rules of the execution itself
            whole = (node,) if order.reason == "rebalance" else ()
            path = path.joined(with_sources((node,), (), facts.wires, whole))
            continue
        path = path.joined(path_of(stage, root))
        causes |= dict.fromkeys(_found(facts, leaf, leaf.held) for leaf in mattering(root).leaves)
    for fill in filled:
        path = path.joined(_protective_path(stages[fill.execution], fill))
    for each in blocked:
        path = path.joined(_blocked_path(stages[each.execution], each))
    entered = any(order.reason in _ENTERING for order in ordered)
    acting = [stage for stage in stages if acts_in(facts, stage.decision)]
    ways = () if entered else tuple(way for stage in acting for way in _ways(stage, held, blocked))
    return Why(facts.instrument, bar, ordered, filled, blocked, held, ways, path, tuple(causes))


def decision_bar(facts: Facts, bar: int, trade: int | None) -> int:
    """Return the bar to explain for a selected bar; for the end of a trade, the bar of the decision on its order.

    A stop or target is explained at the bar that it filled in.
    """
    trades = facts.run.ledger.trades
    if trade is None or not 0 <= trade < len(trades):
        return bar
    row = trades[trade]
    for end in ("entry", "exit"):
        if bar == row[f"{end}_bar"] and row["instrument"] == facts.instrument:
            order = _order(facts, int(row[f"{end}_order"]))
            if order is not None and order["rule"] < 0:
                return int(order["created_bar"])
    return bar


# ---------------------------------------------------------------------- what happened


def _ordered(facts: Facts, stages: Sequence[Stage], bar: int) -> tuple[Ordered, ...]:
    orders = facts.run.ledger.orders
    here = (orders["created_bar"] == bar) & (orders["instrument"] == facts.instrument) & (orders["rule"] < 0)
    found = []
    for row in orders[here]:
        reason, execution = _word(Reason, row["reason"]), int(row["execution"])
        stage = stages[execution] if stages else None
        is_of_pair = stage is not None and bool(stage.decision.legs) and row["kind"] == OrderKind.MARKET
        if reason not in OF_THE_BROKER or is_of_pair:
            found.append(
                Ordered(
                    order=int(row["id"]),
                    side=int(row["side"]),
                    quantity=_quantity(facts, row["lots"]),
                    reason=reason,
                    status=_word(OrderStatus, row["status"]),
                    status_reason=_word(StatusReason, row["status_reason"]),
                    closed=int(row["closed_bar"]),
                    price=float(row["fill_price"]),
                    execution=execution,
                    hedge=math.nan if stage is None else hedge_of(stage, facts.run.ledger, row),
                )
            )
    return tuple(found)


def _filled(facts: Facts, bar: int) -> tuple[FilledOrder, ...]:
    fills = facts.run.ledger.fills
    rules = facts.run.rule_nodes
    found = []
    for row in fills[(fills["bar"] == bar) & (fills["instrument"] == facts.instrument)]:
        order = _order(facts, int(row["order_id"]))
        rule = int(order["rule"]) if order is not None else -1
        found.append(
            FilledOrder(
                order=int(row["order_id"]),
                side=int(row["side"]),
                quantity=_quantity(facts, row["lots"]),
                price=float(row["price"]),
                reason=_word(Reason, row["reason"]),
                node=rules[rule] if 0 <= rule < len(rules) else _pair_node(facts, row),
                decided=int(order["created_bar"]) if order is not None else bar,
                execution=int(order["execution"]) if order is not None else 0,
            )
        )
    return tuple(found)


def _pair_node(facts: Facts, fill: np.void) -> str:
    """Return the execution node whose own stop or target closed a pair; '' for other fills."""
    decisions = facts.run.decisions
    if not decisions or not decisions[int(fill["execution"])].legs:
        return ""
    by_profit = fill["reason"] in (Reason.STOP_LOSS, Reason.TAKE_PROFIT)
    return decisions[int(fill["execution"])].node if by_profit else ""


def _blocked(facts: Facts, stages: Sequence[Stage], bar: int) -> tuple[Blocked, ...]:
    rows = facts.run.ledger.blocked
    found = []
    for row in rows[(rows["bar"] == bar) & (rows["instrument"] == facts.instrument)]:
        reason, execution = _word(BlockReason, row["reason"]), int(row["execution"])
        nodes: Iterable[str] = ()
        if reason == "filter":
            nodes = (node for node, passing in stages[execution].filters().items() if not is_true(passing))
        count = limit = 0
        if reason in _LIMITS:
            nodes, count, limit = _limit_at(facts, bar)
        found.append(Blocked(int(row["flags"]), reason, tuple(nodes), execution, count, limit))
    return tuple(found)


_LIMITS = (BlockReason.ENTRIES_TODAY.name.lower(), BlockReason.OPEN_ENTRIES.name.lower())


def _limit_at(facts: Facts, bar: int) -> tuple[tuple[str, ...], int, int]:
    """Return the node of the limit that blocked an entry at a bar, what it counted, and what it allows."""
    rows, rules = facts.run.ledger.interventions, facts.run.rule_nodes
    kind = rows["kind"] == InterventionKind.ENTRY_BLOCKED
    for row in rows[kind & (rows["bar"] == bar) & (rows["instrument"] == facts.instrument) & (rows["after"] > 0.0)]:
        rule = int(row["rule"])
        if 0 <= rule < len(rules):
            return (rules[rule],), int(row["before"]), int(row["after"])
    return (), 0, 0


def _order(facts: Facts, number: int) -> np.void | None:
    """Return an order by its id; the ledger has them in the order of their ids."""
    orders = facts.run.ledger.orders
    place = int(np.searchsorted(orders["id"], number))
    return orders[place] if place < len(orders) and orders["id"][place] == number else None


def _quantity(facts: Facts, lots: int) -> float:
    return round(int(lots) * facts.run.instruments[facts.instrument].lot_size, 10)


def _word(kind: type[Reason | BlockReason | OrderStatus | StatusReason], code: int) -> str:
    return kind(int(code)).name.lower()


# ---------------------------------------------------------------------- the path to it


def _root(stage: Stage, side: int, reason: str) -> Node | None:
    """Return the expression that must be true for an order; None if it doesn't depend on the signals."""
    if reason in _ENTERING:
        return stage.entry(ENTER_LONG if side > 0 else ENTER_SHORT)
    if reason == "signal":
        return stage.signal(EXIT_SHORT if side > 0 else EXIT_LONG)
    return stage.signal(ENTER_LONG if side > 0 else ENTER_SHORT) if reason == "opposite" else None


def _protective_path(stage: Stage, fill: FilledOrder) -> Path:
    """Return the rule whose order filled, with its inputs; nothing for other fills, which were decided before."""
    node = fill.node
    if not node:
        return Path()
    facts = stage.facts
    outputs = facts.run.nodes[node].outputs
    wire = wire_between(facts, node, outputs[0].name if outputs else "", stage.decision.node)
    path = with_sources((node, stage.decision.node), () if wire is None else (wire,), facts.wires, (node,))
    return Path(path.nodes, path.wires)


def _blocked_path(stage: Stage, blocked: Blocked) -> Path:
    found = Path()
    for flag in (ENTER_LONG, ENTER_SHORT):
        if blocked.flags & flag and is_true(stage.signal(flag)):
            found = found.joined(path_of(stage, stage.signal(flag)))
    filters = stage.filters()
    for node in blocked.nodes:
        if node in filters:
            found = found.joined(path_of(stage, filters[node]))
    return Path(found.nodes, found.wires, frozenset(blocked.nodes))


def path_of(stage: Stage, root: Node) -> Path:
    """Return the nodes and wires that determined an expression of the decision, down to the bars."""
    mattered = mattering(root)
    nodes = {stage.decision.node: None}
    wires: dict[Wire, None] = dict(mattered.wires)
    whole: dict[str, None] = {}
    for lit in mattered.wires:
        nodes[lit.source] = None
    for leaf in mattered.leaves:
        node = leaf.about.ref.node
        nodes[node] = None
        if leaf.about.ports is None:
            whole[node] = None
            continue
        for port, index in leaf.about.ports:
            wire = stage.facts.wire(node, port, index)
            if wire is not None:
                wires[wire] = None
    return with_sources(nodes, wires, stage.facts.wires, whole)


# ---------------------------------------------------------------------- what stood in the way


def _ways(stage: Stage, held: HeldPosition | None, blocked: tuple[Blocked, ...]) -> Iterable[Way]:
    """Return the possible entries and, with a position, its exit.

    A side without any entry signal in the run is left out if the other side had some.
    """
    refused = any(each.reason != "filter" for each in blocked)
    given = stage.facts.entries_given
    for flag in (ENTER_LONG, ENTER_SHORT):
        if given and not given & flag:
            continue
        root = stage.whole_entry(flag)
        if is_possible(root) and not (refused and is_true(root)):
            yield from _way(stage, flag, root)
        leaving = EXIT_OF[flag]
        if held is not None and (held.lots > 0) == (SIDE_OF[flag] > 0):
            root = stage.signal(leaving)
            if is_possible(root):
                yield from _way(stage, leaving, root)


def _way(stage: Stage, flag: int, root: Node) -> Iterable[Way]:
    smallest = smallest_sets(root, gap=lambda leaf: leaf.about.test.gap)
    sets = tuple(tuple(_obstacles(stage.facts, root, chosen)) for chosen in smallest.sets if chosen)
    if sets:
        yield Way(flag, sets, smallest.exact, stage.decision.node)


def _obstacles(facts: Facts, root: Node, chosen: frozenset[Leaf[About]]) -> Iterable[Obstacle]:
    for leaf in leaves(root):
        if leaf in chosen:
            yield _found(facts, leaf, not leaf.held)


def _found(facts: Facts, leaf: Leaf[About], wanted: bool) -> Obstacle:  # noqa: FBT001 - a leaf's truth
    ref, ports = leaf.about.ref, leaf.about.ports or ()
    wires = [wire for port, index in ports if (wire := facts.wire(ref.node, port, index)) is not None]
    source = wires[0].source if len(wires) == 1 and isinstance(leaf.about.test, Words) else ""
    return Obstacle(ref.node, ref.output, ref.flag, leaf.about.test, wanted, source)
