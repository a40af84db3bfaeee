"""Graphs as the canvas is given them: small ones by hand, large ones like those of a busy strategy."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from quantcrafter.app.document.ports import BAR_PORTS, component_ports
from quantcrafter.app.document.view import BARS, FrameView, GraphView, NodeView, WireView
from quantcrafter.engine.api import PortType, Role
from quantcrafter.engine.plugins import Registry, load_registry

COLUMN, LINE = 270.0, 135.0


@lru_cache(maxsize=1)
def registry() -> Registry:
    """Return the real catalog, loaded once."""
    return load_registry()


def bars(x: float = -300.0, y: float = 0.0) -> NodeView:
    """Return the node of the instrument's bars."""
    return NodeView(BARS, None, BARS, outputs=BAR_PORTS, subtitle="IBM · 1d", position=(x, y))


def node(
    node_id: str,
    role: Role,
    use: str,
    place: tuple[float, float] | None,
    values: Mapping[str, Any] | None = None,
    **state: Any,
) -> NodeView:
    """Return a node of an installed component."""
    component = registry().component(role, use)
    assert component is not None
    ports = component_ports(component)
    return NodeView(node_id, role, use, values or {}, ports.inputs, ports.outputs, position=place, **state)


def graph(*nodes: NodeView, wires: tuple[WireView, ...] = (), frames: tuple[FrameView, ...] = ()) -> GraphView:
    """Return a graph of these."""
    return GraphView({one.id: one for one in nodes}, wires, {frame.id: frame for frame in frames})


def pullback() -> GraphView:
    """Return bars, an RSI, an advisor that reads it, two stops, a size, and what trades on them."""
    return graph(
        bars(),
        node("rsi", Role.INDICATOR, "ta.RSI", (0, 0), subtitle="2 · close"),
        node("dip", Role.ADVISOR, "levels", (260, 0), subtitle="15 · 65 · return"),
        node("stop", Role.RISK, "percent_stop", (260, 140), subtitle="10 %"),
        node("target", Role.RISK, "percent_target", (260, 260), subtitle="15 %"),
        node("size", Role.MONEY, "percent_of_equity", (260, 380), subtitle="95 %"),
        node("entry", Role.EXECUTION, "market", (520, 60), {"signals": ["dip"], "risk": ["stop", "target"]}),
        wires=(
            WireView(BARS, "close", "rsi", "input"),
            WireView("rsi", "value", "dip", "input"),
            WireView("dip", "signal", "entry", "signals", 0),
            WireView("stop", "risk", "entry", "risk", 0),
            WireView("target", "risk", "entry", "risk", 1),
            WireView("size", "money", "entry", "money"),
        ),
    )


KINDS = (
    (Role.INDICATOR, "ta.SMA"),
    (Role.LOGIC, "compare"),
    (Role.LOGIC, "and"),
    (Role.ADVISOR, "crossover"),
)


def large(count: int) -> GraphView:
    """Return a graph of `count` nodes in columns, wired mostly to their neighbours, now and then across the graph."""
    chance = random.Random(count)  # noqa: S311 - a test's graph
    rows = max(4, int((count * 0.8) ** 0.5))
    columns: list[list[NodeView]] = []
    wires: list[WireView] = []
    for number in range(count - 1):
        column, row = divmod(number, rows)
        if row == 0:
            columns.append([])
        role, use = KINDS[column % len(KINDS)]
        name = f"{use.rsplit('.', maxsplit=1)[-1].lower()}_{number}"
        new = node(name, role, use, (column * COLUMN, row * LINE), subtitle="50 · high · close")
        wires.extend(_wires_to(new, columns, chance))
        columns[-1].append(new)
    return graph(bars(), *(one for column in columns for one in column), wires=tuple(wires))


def _wires_to(target: NodeView, columns: list[list[NodeView]], chance: random.Random) -> list[WireView]:
    wires = []
    for port in target.inputs:
        for index in range(3) if port.many else (None,):
            far = chance.random() > 0.9
            reach = columns[:-1] if far else columns[-3:-1]
            near = [
                one
                for column in reach
                for one in column
                if one.outputs[0].type == port.type and (far or _gap(one, target) < 4 * LINE)
            ]
            if near:
                source = chance.choice(near)
                wires.append(WireView(source.id, source.outputs[0].name, target.id, port.name, index))
            elif port.type is PortType.SERIES:
                wires.append(WireView(BARS, "close", target.id, port.name, index))
    return wires


def _gap(one: NodeView, other: NodeView) -> float:
    assert one.position is not None
    assert other.position is not None
    return abs(one.position[1] - other.position[1])
