"""Strategies in programs that embed the library NodeGraphQt: node classes for its graph, and sessions opened whole.

NodeGraphQt leaves out nodes whose type it doesn't know, and with them their data: `open_session` first registers a
class for each type of a session. Nothing here needs the Qt of the desktop: NodeGraphQt finds a binding by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import Component, PortType, Role, RunError
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.interchange.nodegraphqt.graph import BAR_OUTPUTS, GraphInput, OutputPort, component_node
from quantcrafter.engine.interchange.nodegraphqt.saved_graph import (
    BARS_TYPE,
    BYPASS,
    FILE,
    NODE_ID,
    STRATEGY,
    SavedGraph,
    node_type,
    property_name,
    read_session,
    section_and_use,
)
from quantcrafter.engine.plugins import Registry, descriptions, load_registry

INSTALL = 'pip install "quantcrafter[nodegraphqt]"'
EMPTY_STRATEGY = (
    "quantcrafter: 1\nname: New strategy\ninstruments:\n  - {symbol: DEMO, data: synthetic, timeframe: 1d}\n"
)

PORT_COLORS: Mapping[PortType | None, tuple[int, int, int]] = {
    None: (140, 148, 160),
    PortType.BARS: (79, 208, 236),
    PortType.SERIES: (76, 157, 248),
    PortType.CONDITION: (197, 138, 249),
    PortType.SIGNAL: (74, 194, 107),
    PortType.FILTER: (224, 192, 64),
    PortType.RISK: (251, 90, 90),
    PortType.MONEY: (240, 145, 58),
}
"""The colours of ports by what flows through them; only equal types connect in a strategy."""

Look = dict[str, Any]
"""How a properties bin shows a property: what `create_property` takes beside name and value."""


@dataclass(slots=True)
class NodeParts:
    """What nodes of a class have: ports, and properties with their defaults and looks.

    `from_session` says that nothing but sessions tells what they have.
    """

    inputs: tuple[GraphInput, ...] = ()
    outputs: tuple[OutputPort, ...] = ()
    properties: dict[str, tuple[Any, Look]] = field(default_factory=dict)
    from_session: bool = False


def register_nodes(graph: Any, registry: Registry | None = None) -> tuple[str, ...]:
    """Register a node class for each installed component with a `NodeGraph`, so that its palette and menus offer them.

    What is registered already stays.

    Args:
        graph: a `NodeGraphQt.NodeGraph`.
        registry: the components; all that are installed if left out.

    Returns:
        The types that are registered now, such as `quantcrafter.indicators.ta.SMA`.

    Raises:
        RunError: NodeGraphQt can't be imported.
    """
    registry = registry or load_registry()
    base = _base_class()
    classes = [
        _node_class(base, STRATEGY, "Strategy", lambda: NodeParts(properties={FILE: (EMPTY_STRATEGY, {})})),
        _node_class(base, BARS_TYPE, "Bars", lambda: NodeParts(outputs=BAR_OUTPUTS)),
    ]
    for role in Role:
        for name in registry.component_names(role):
            component = registry.component(role, name)
            if component is not None:
                classes.append(_component_class(base, str(role), component))
    for each in classes:
        if each.type_ not in graph.node_factory.nodes:
            graph.register_node(each)
    return tuple(each.type_ for each in classes)


def open_session(graph: Any, file: str | Path, registry: Registry | None = None) -> tuple[str, ...]:
    """Open a session file in a `NodeGraph` in place of what it shows, with a placeholder for each unknown type.

    Args:
        graph: a `NodeGraphQt.NodeGraph`.
        file: what `quantcrafter export --to nodegraphqt` or NodeGraphQt's `save_session` wrote.
        registry: the components; all that are installed if left out.

    Returns:
        The types of the session that only have a placeholder: what isn't installed, and uses of blocks.

    Raises:
        RunError: NodeGraphQt can't be imported, or the file can't be read.
        SpecError: it is not a session.
    """
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        cause, remedy = fault(error)
        raise RunError(f"The session '{shown_path(file)}' can't be read: {cause}. {remedy}") from error
    session = read_session(text, str(file))
    register_nodes(graph, registry)
    unknown = _register_placeholders(graph, session)
    graph.deserialize_session(json.loads(text))
    return unknown


# ---------------------------------------------------------------------- classes


def _base_class() -> type[Any]:
    try:
        from NodeGraphQt import BaseNode
    except ImportError as error:
        raise RunError(f"NodeGraphQt can't be imported: {error}. Install it: {INSTALL}, and a Qt binding.") from error
    base: type[Any] = BaseNode
    return base


def _node_class(base: type[Any], type_: str, name: str, parts_of: Callable[[], NodeParts]) -> type[Any]:
    """Return a class for a type; `name` is what a new node is called, `parts_of` is asked when one is made."""

    def make(self: Any) -> None:
        base.__init__(self)
        parts = parts_of()
        self.set_port_deletion_allowed(parts.from_session)
        for port in parts.inputs:
            self.add_input(port.name, multi_input=port.many, color=PORT_COLORS[port.type])
        for out in parts.outputs:
            self.add_output(out.name, multi_output=True, color=PORT_COLORS[out.type])
        for each, (default, look) in parts.properties.items():
            self.create_property(each, default, **look)

    domain, _, class_name = type_.rpartition(".")
    if section_and_use(type_) is not None:  # a component's name may have dots
        domain, class_name = type_[: -len(name) - 1], name
    return type(class_name, (base,), {"__identifier__": domain, "NODE_NAME": name, "__init__": make})


def _component_class(base: type[Any], section: str, component: type[Component]) -> type[Any]:
    name = component.name
    return _node_class(base, node_type(section, name), name, lambda: _component_parts(section, component))


@lru_cache(maxsize=1024)
def _component_parts(section: str, component: type[Component]) -> NodeParts:
    node = component_node("", section, component, {})
    own: dict[str, tuple[Any, Look]] = {NODE_ID: ("", {}), BYPASS: (False, _look("true | false"))}
    for told in descriptions.parameters(component):
        own[property_name(told["name"])] = (told["default"], _look(told["type"], told["default"], told["description"]))
    for port in node.inputs:
        literal = None if isinstance(port.default, str) else port.default
        takes_number = port.type is PortType.SERIES and not port.many
        look = _look("number", description="A number in place of a wire. A wire wins.") if takes_number else {}
        own[property_name(port.name)] = (literal, look)
    return NodeParts(node.inputs, node.outputs, own)


def _look(type_: str, default: Any = None, description: str = "") -> Look:
    """Return how a properties bin shows a parameter, by the words for its type; not at all where no widget fits."""
    from NodeGraphQt.constants import NodePropWidgetEnum

    simple = {
        "integer": NodePropWidgetEnum.INT,
        "number": NodePropWidgetEnum.FLOAT,
        "text": NodePropWidgetEnum.QLINE_EDIT,
        "true | false": NodePropWidgetEnum.QCHECK_BOX,
    }
    look: Look = {"widget_tooltip": description} if description else {}
    if type_ in simple:
        return look | {"widget_type": simple[type_].value}
    choices = type_.split(" | ")
    if len(choices) > 1 and (default is None or default in choices) and not {"list", "mapping", *simple} & set(choices):
        return look | {"widget_type": NodePropWidgetEnum.QCOMBO_BOX.value, "items": choices}
    return look


# ---------------------------------------------------------------------- placeholders


def _register_placeholders(graph: Any, session: SavedGraph) -> tuple[str, ...]:
    """Register a class for each type that nobody registered, with the ports and properties that the session shows."""
    base, unknown = _base_class(), dict[str, NodeParts]()
    registered = graph.node_factory.nodes
    for node in session.nodes.values():
        parts = vars(registered[node.type]).get("PARTS") if node.type in registered else None
        if node.type not in registered or parts is not None:
            found = unknown.setdefault(node.type, parts or NodeParts(from_session=True))
            _add_properties(graph, node.type, found, node.custom)
    types = {node.key: node.type for node in session.nodes.values()}
    for pipe in session.connections:
        source, target = unknown.get(types[pipe.source]), unknown.get(types[pipe.target])
        if target is not None and pipe.input not in {each.name for each in target.inputs}:
            target.inputs += (GraphInput(pipe.input, None, many=True),)
        if source is not None and pipe.output not in {each.name for each in source.outputs}:
            source.outputs += (OutputPort(pipe.output, None),)
    for type_, parts in unknown.items():
        if type_ not in registered:
            ours = section_and_use(type_)
            name = type_.rpartition(".")[2] if ours is None else ours[1]
            made = _node_class(base, type_, name, lambda parts=parts: parts)  # type: ignore[misc]
            made.PARTS = parts
            graph.register_node(made)
    return tuple(unknown)


def _add_properties(graph: Any, type_: str, parts: NodeParts, custom: Mapping[str, Any]) -> None:
    missing = {name: value for name, value in custom.items() if name not in parts.properties}
    parts.properties |= {name: (_emptied(value), {}) for name, value in missing.items()}
    if missing and graph.model.get_node_common_properties(type_) is not None:
        told = {name: {"widget_type": 0, "tab": "Properties"} for name in missing}
        graph.model.set_node_common_properties({type_: told})


def _emptied(value: Any) -> Any:
    """Return what a property of a placeholder is before a session gives it a value."""
    return type(value)() if isinstance(value, (str, int, float, bool, list, dict)) else None
