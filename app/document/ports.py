"""The ports of nodes: of components, of blocks, of the bars and of placeholders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from quantcrafter.app.document.view import BARS, NodeView, PortView
from quantcrafter.engine.api import BAR_COLUMNS, Component, DataNode, PortType
from quantcrafter.engine.spec.references import NODE_ID, REFERENCE

BAR_PORTS = (
    PortView(BARS, PortType.BARS),
    *(PortView(column, PortType.SERIES) for column in BAR_COLUMNS),
)
"""What every source of bars gives: the bars, and their columns."""


def bar_ports(further: Iterable[str]) -> tuple[PortView, ...]:
    """Return what a source of bars gives that has further columns."""
    return (*BAR_PORTS, *(PortView(name, PortType.SERIES) for name in further))


VALUE = "value"
"""The name of the output of a block's input, and of a placeholder's when nothing says more."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one kind of node; `defaults` holds what an input port reads when the file says nothing."""

    inputs: tuple[PortView, ...] = ()
    outputs: tuple[PortView, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)


@lru_cache(maxsize=4096)
def component_ports(component: type[Component]) -> Ports:
    """Return the ports of a component; a feed also gives the columns of its bars."""
    inputs = component.inputs()
    defaults = {port.name: component.model_fields[port.name].default for port in inputs if not port.required}
    if issubclass(component, DataNode):
        outputs = BAR_PORTS
    else:
        outputs = tuple(PortView(out.name, out.type, description=out.description) for out in component.outputs)
    views = tuple(PortView(port.name, port.type, port.many, port.required, port.description) for port in inputs)
    return Ports(views, outputs, defaults)


def input_type(declared: Any) -> PortType | None:
    """Return the type of a block's input as declared: `series`, or a mapping with `type`."""
    name: Any = declared.get("type") if isinstance(declared, dict) else declared
    try:
        return PortType(name)
    except (ValueError, TypeError):
        return None


def block_input_outputs(kind: PortType | None) -> tuple[PortView, ...]:
    """Return what an input of a block gives inside the block."""
    return BAR_PORTS if kind is PortType.BARS else (PortView(VALUE, kind),)


def split_reference(text: Any) -> tuple[str, str] | None:
    """Return node and output ("" for the node as a whole) of what looks like a reference, else None."""
    if not isinstance(text, str) or REFERENCE.fullmatch(text) is None:
        return None
    head, _, output = text.partition(".")
    return head, output


def is_id(text: str) -> bool:
    """Return whether a text may name a node."""
    return text != BARS and NODE_ID.fullmatch(text) is not None


def output_of(source: NodeView, output: str) -> PortView | None:
    """Return the output port that a reference means; with `output` empty the only one, or the whole bars."""
    if output:
        return next((port for port in source.outputs if port.name == output), None)
    if len(source.outputs) == 1 or (source.outputs and source.outputs[0].name == BARS):
        return source.outputs[0]
    return None


def reference_to(source: NodeView, output: str) -> str:
    """Return what a file says for an output of a node: `fast`, `macd.macdsignal`, `bars.close`, `bars`."""
    first = source.outputs[0].name if source.outputs else ""
    whole = output == first and (len(source.outputs) == 1 or first == BARS)
    return source.id if whole or not output else f"{source.id}.{output}"


def references_in(value: Any) -> Iterator[tuple[int | None, str]]:
    """Yield the texts in a port's value with their place in its list (None for a single value)."""
    if isinstance(value, str):
        yield None, value
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            if isinstance(item, str):
                yield index, item
