"""Write a strategy as a session of NodeGraphQt.

1. Each node, and each use of a block, is a node of the type `quantcrafter.SECTION.COMPONENT`, named by its id. What the
   file says of parameters, and numbers at ports, are properties.
2. Wires are connections. `bars` is a node of its own, frames are backdrops, `mute` is NodeGraphQt's 'disabled'.
3. One node of the type `quantcrafter.graph.Strategy` holds the text of the file: instruments, settings, blocks and
   comments. With it the import finds out what was changed, and changes only that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from quantcrafter.engine.api import Catalog
from quantcrafter.engine.interchange.nodegraphqt.graph import GraphNode, StrategyGraph, literal_of, read_graph
from quantcrafter.engine.interchange.nodegraphqt.placement import places
from quantcrafter.engine.interchange.nodegraphqt.saved_graph import (
    BACKDROP,
    BARS_TYPE,
    BYPASS,
    FILE,
    FOREIGN,
    NODE_ID,
    PORT_NAMES,
    STRATEGY,
    node_type,
    property_name,
)
from quantcrafter.engine.spec import BARS, StrategyFile, StrategySpec

FRAME_COLORS = {
    "grey": (123, 134, 148),
    "blue": (22, 102, 197),
    "green": (23, 117, 58),
    "yellow": (176, 141, 0),
    "orange": (194, 80, 10),
    "red": (179, 38, 30),
    "purple": (132, 39, 168),
}
"""The colours that a frame's `color` may name, as NodeGraphQt takes them."""
_SIZE = (200.0, 100.0)
_TOP_LEFT = (-280.0, -200.0)
_HEADERS: Mapping[str, tuple[int, int, int]] = {
    "data": (40, 70, 84),
    "indicators": (30, 64, 110),
    "logic": (70, 56, 110),
    "advisors": (28, 92, 66),
    "filters": (102, 84, 28),
    "risk": (112, 46, 46),
    "money": (92, 66, 32),
    "execution": (104, 44, 86),
}
_PLAIN = (50, 56, 64)


def export_session(file: StrategyFile, spec: StrategySpec, catalog: Catalog) -> dict[str, Any]:
    """Return a strategy as a session, which NodeGraphQt's `deserialize_session` takes, and `load_session` as JSON.

    Args:
        file: the strategy's text.
        spec: the same as it was parsed.
        catalog: the components that are installed. Others become placeholders, with the ports that their wires need.
    """
    return SessionWriter(file, spec, catalog).session()


class SessionWriter:
    """Writes the parts of a session; the import writes them again to find out what was changed."""

    def __init__(self, file: StrategyFile, spec: StrategySpec, catalog: Catalog) -> None:
        self.file = file
        self.values = file.value
        self.graph: StrategyGraph = read_graph(self.values, spec, catalog)
        self.places = places(self.graph, spec.layout)
        self._title = spec.name

    def session(self) -> dict[str, Any]:
        """Return the whole session."""
        nodes = {STRATEGY: self._strategy()}
        nodes |= {name: self.node(node) for name, node in self.graph.nodes.items()}
        nodes |= {f"frame {name}": frame for name, frame in self.frames().items()}
        graph = {"layout_direction": 0, "acyclic": True, "pipe_collision": False, "pipe_slicing": True, "pipe_style": 1}
        return {"graph": graph, "nodes": nodes, "connections": list(self._connections())}

    def node(self, node: GraphNode) -> dict[str, Any]:
        """Return one node, or the bars."""
        if node.id == BARS:
            return self._entry(BARS_TYPE, BARS, self.places[BARS])
        kept = node.fields.get(FOREIGN)
        if isinstance(kept, dict) and isinstance(kept.get("type_"), str):
            raw = {key: value for key, value in kept.items() if key != PORT_NAMES}
            return raw | {"name": node.id, "pos": list(self.places[node.id])}
        made = self._entry(node_type(node.section, node.use), node.id, self.places[node.id], _HEADERS[node.section])
        made["disabled"] = node.mute
        made["custom"] = {NODE_ID: node.id, BYPASS: node.bypass, **self.properties(node)}
        if node.parameters is None:
            inputs = [_port(each.name, many=each.many) for each in node.inputs]
            made |= _open_ports(inputs, [_port(each.name, many=True) for each in node.outputs])
        return made

    def properties(self, node: GraphNode) -> dict[str, Any]:
        """Return what the file says of a node's parameters, and of ports without a wire, as properties."""
        found = {}
        for name, value in node.fields.items():
            is_field = node.parameters is None or name in node.parameters or node.input(name) is not None
            literal = literal_of(self.graph, node, name)
            if is_field and (literal is not None or value is None):
                found[property_name(name)] = value
        return found

    def frames(self) -> dict[str, dict[str, Any]]:
        """Return the frames as backdrops, by id."""
        found = {}
        for name, frame in (self.values.get("frames") or {}).items():
            at, size = frame["at"], frame["size"]
            made = self._entry(BACKDROP, name, (float(at[0]), float(at[1])), FRAME_COLORS.get(frame.get("color", "")))
            made |= {"width": float(size[0]), "height": float(size[1])}
            found[name] = made | {"custom": {"backdrop_text": frame.get("text", "")}}
        return found

    def _strategy(self) -> dict[str, Any]:
        left = min(x for x, _ in self.places.values()) + _TOP_LEFT[0]
        top = min(y for _, y in self.places.values()) + _TOP_LEFT[1]
        name = " ".join(self._title.split())
        while not name or name in self.graph.nodes or name in (self.values.get("frames") or {}):
            name = f"{name} (strategy)".strip()
        return self._entry(STRATEGY, name, (left, top)) | {"custom": {FILE: self.file.text}}

    def _entry(
        self, type_: str, name: str, pos: tuple[float, float], color: tuple[int, int, int] | None = None
    ) -> dict[str, Any]:
        return {
            "type_": type_,
            "icon": None,
            "name": name,
            "color": [*(color or (FRAME_COLORS["grey"] if type_ == BACKDROP else _PLAIN)), 255],
            "border_color": [116, 124, 133, 255],
            "text_color": [255, 255, 255, 220],
            "disabled": False,
            "selected": False,
            "visible": True,
            "width": _SIZE[0],
            "height": _SIZE[1],
            "pos": list(pos),
            "layout_direction": 0,
            "port_deletion_allowed": False,
            "subgraph_session": {},
        }

    def _connections(self) -> Iterator[dict[str, list[str]]]:
        for node in self.graph.nodes.values():
            for port in node.inputs:
                for wire in self.graph.wires(node, port):
                    source = self.graph.nodes[wire.node]
                    yield {
                        "out": [wire.node, original_port(source, "out", wire.output)],
                        "in": [node.id, original_port(node, "in", port.name)],
                    }


def original_port(node: GraphNode, side: str, name: str) -> str:
    """Return what the program that a node comes from calls a port."""
    kept = node.fields.get(FOREIGN)
    names = kept.get(PORT_NAMES) if isinstance(kept, dict) else None
    found = names.get(side) if isinstance(names, dict) else None
    return str(found.get(name, name)) if isinstance(found, dict) else name


def _port(name: str, *, many: bool) -> dict[str, Any]:
    return {"name": name, "multi_connection": many, "display_name": True}


def _open_ports(inputs: list[dict[str, Any]], outputs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"port_deletion_allowed": True, "input_ports": inputs, "output_ports": outputs}
