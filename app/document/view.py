"""What a canvas, an outline or an inspector sees of a document: plain frozen values, made again after each change.

Names of nodes are those of the file at one level: the strategy's own (scope `()`), or those inside an in-file block
(scope `("blocks", "trend")`). The instrument's bars are a node of their own, `bars`, which every level has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from quantcrafter.engine.api import PortType, Role

BARS = "bars"
"""The id of the node that stands for the instrument's own bars; it cannot be removed or renamed."""

Scope = tuple[str, ...]
"""Where a graph stands in the document: `()` or `("blocks", name)`."""


@dataclass(frozen=True, slots=True)
class PortView:
    """A port of a node. `type` is None where it is not known (a placeholder's ports fit anything)."""

    name: str
    type: PortType | None
    many: bool = False
    required: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class NodeView:
    """One node of the graph.

    `role` is None for `bars` and for the inputs of a block. `values` holds everything but `use` as written in the file,
    ports and parameters alike. `subtitle` is the key parameters on one line. `known` is False for a placeholder: its
    component is not installed, its ports are made from the wires it has. `block` tells that `use` names a block (which
    can be opened when it is in the file). `position` is None where the file gives none.
    """

    id: str
    role: Role | None
    use: str
    values: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[PortView, ...] = ()
    outputs: tuple[PortView, ...] = ()
    subtitle: str = ""
    position: tuple[float, float] | None = None
    known: bool = True
    block: bool = False
    bypass: bool = False
    mute: bool = False


@dataclass(frozen=True, slots=True)
class WireView:
    """A wire from an output to an input. `index` is the place in a list port, None for a port of one wire.

    `output` is the name of the source's output port (never empty; `bars` for whole bars).
    """

    source: str
    output: str
    target: str
    port: str
    index: int | None = None


@dataclass(frozen=True, slots=True)
class FrameView:
    """A box with a comment behind the nodes: position, size, text and colour name."""

    id: str
    text: str
    x: float
    y: float
    width: float
    height: float
    color: str = "grey"


@dataclass(frozen=True, slots=True)
class GraphView:
    """The graph at one level: nodes by id in file order, wires, frames. Comparable, so that views can be diffed."""

    nodes: Mapping[str, NodeView] = field(default_factory=dict)
    wires: tuple[WireView, ...] = ()
    frames: Mapping[str, FrameView] = field(default_factory=dict)
