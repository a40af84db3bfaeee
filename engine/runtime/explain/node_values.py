"""The value of every node at a bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from quantcrafter.engine.api import PortType, Role
from quantcrafter.engine.runtime.explain.run_facts import BARS, Facts

Kind = Literal["series", "condition", "filter", "signal", "price", "quantity", "position"]


@dataclass(frozen=True, slots=True)
class Value:
    """The value of an output at a bar: a number (NaN for none), 0 or 1 for a condition or filter, flags for a signal.

    `passes` is whether a filter of the execution node let entries pass. A risk rule has the `price` of its open order,
    a sizing rule the ordered `quantity`, the execution node the `position`.
    """

    kind: Kind
    output: str
    value: float
    passes: bool | None = None


def values_at(facts: Facts, bar: int) -> dict[str, tuple[Value, ...]]:
    """Return the values of each node of a run at a bar, in the order of its outputs; `bars` has the bar's prices."""
    bars = facts.bars
    found: dict[str, tuple[Value, ...]] = {
        BARS: tuple(Value("series", name, float(bars.column(name)[bar])) for name in ("close", "high", "low", "open"))
    }
    found |= {node: tuple(_outputs(facts, node, bar)) for node, _ in facts.run.columns()}
    for node, value in _decided(facts, bar).items():
        found[node] = (value,)
    return found


def value_at(facts: Facts, node: str, output: str, bar: int) -> Value | None:
    """Return the value of one output at a bar; None without a column."""
    if node == BARS:
        name = output if output not in ("", BARS) else "close"
        return Value("series", name, float(facts.bars.column(name)[bar]))
    kind = facts.type_of(node, output)
    if kind is None:
        try:
            return Value("series", output, float(facts.run.feed_column(node, output, facts.instrument)[bar]))
        except KeyError:
            return None
    if kind not in _KINDS:
        return _decided(facts, bar).get(node)
    return next((each for each in _outputs(facts, node, bar) if each.output == output), None)


_KINDS: dict[PortType, Kind] = {
    PortType.SERIES: "series",
    PortType.CONDITION: "condition",
    PortType.FILTER: "filter",
    PortType.SIGNAL: "signal",
}


def _outputs(facts: Facts, node: str, bar: int) -> list[Value]:
    blocks = next((each.filters[node] for each in facts.run.decisions if node in each.filters), None)
    found = []
    for output in facts.run.nodes[node].outputs:
        value = float(facts.column(node, output.name)[bar])
        passes = None if blocks is None else bool(value) != blocks
        found.append(Value(_KINDS.get(output.type, "series"), output.name, value, passes))
    return found


def _decided(facts: Facts, bar: int) -> dict[str, Value]:
    """Return the values of risk rules, of sizing and of the execution node, from the open orders."""
    run = facts.run
    if not run.decisions:
        return {}
    lot = run.instruments[facts.instrument].lot_size
    nan = float("nan")
    found = {node: Value("price", "", nan) for node in run.rule_nodes}
    orders = run.ledger.orders
    own = orders["instrument"] == facts.instrument
    alive = own & (orders["created_bar"] <= bar) & ((orders["closed_bar"] < 0) | (orders["closed_bar"] >= bar))
    for row in orders[alive & (orders["rule"] >= 0)]:
        if row["rule"] < len(run.rule_nodes):
            node = run.rule_nodes[int(row["rule"])]
            found[node] = Value("price", "", float(row["price"]))
    sized = orders[own & (orders["created_bar"] == bar) & (orders["reason"] == 0)]
    quantity = float(sized["lots"][0]) * lot if len(sized) else nan
    for each in run.nodes.values():
        if each.role is Role.MONEY:
            found[each.id] = Value("quantity", "", quantity)
    held = facts.positions.after(bar)
    for number, decision in enumerate(run.decisions):
        lots = held.lots if held is not None and held.execution == number else 0
        found[decision.node] = Value("position", "", lots * lot)
    return found
