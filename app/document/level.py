"""One level of a document (the strategy, or the inside of a block) seen as a graph, made from its plain values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from quantcrafter.app.document.instrument_names import entry_name
from quantcrafter.app.document.ports import (
    VALUE,
    Ports,
    bar_ports,
    block_input_outputs,
    component_ports,
    input_type,
    output_of,
    references_in,
    split_reference,
)
from quantcrafter.app.document.subtitle import subtitle
from quantcrafter.app.document.view import BARS, FrameView, GraphView, NodeView, PortView, Scope, WireView
from quantcrafter.engine.api import Catalog, Component, PortType, Role
from quantcrafter.engine.api.extra_columns import extra_of
from quantcrafter.engine.spec import SECTIONS

Values = dict[str, Any]
FindBlock = Callable[[str], Values | None]
"""Returns the plain values of a block that is a separate file, by what `use` says."""

FLAGS = ("bypass", "mute")
MAX_BLOCKS_IN_BLOCKS = 8


def level_of(document: Values, scope: Scope) -> Values:
    """Return the values of a level; empty when there is no such block."""
    level: Any = document
    for key in scope:
        level = level.get(key) if isinstance(level, dict) else None
    return level if isinstance(level, dict) else {}


def sections_of(level: Values) -> Iterator[tuple[Role, str, Values]]:
    """Yield role, id and values of each node that is a mapping, in the order of sections and of the file."""
    order = {name: rank for rank, name in enumerate(level)}
    for name in sorted(SECTIONS, key=lambda name: order.get(name, len(order))):
        section = level.get(name)
        for node_id, values in section.items() if isinstance(section, dict) else ():
            if isinstance(values, dict):
                yield Role(name), str(node_id), values


class Level:
    """Nodes and wires of one level, each made when asked for. The values must not change during its life."""

    def __init__(self, document: Values, scope: Scope, catalog: Catalog, find_block: FindBlock, depth: int = 0) -> None:
        self.document = document
        self.scope = scope
        self.catalog = catalog
        self.find_block = find_block
        self.depth = depth
        self.values = level_of(document, scope)
        self.written: dict[str, tuple[Role, Values]] = {}
        for role, node_id, values in sections_of(self.values):
            self.written.setdefault(node_id, (role, values))
        declared = self.values.get("inputs") if scope else None
        self.declared: Values = declared if isinstance(declared, dict) else {}
        self._made: dict[str, NodeView] = {}
        self._ports: dict[str, Ports] = {}
        self._read_outputs: dict[str, list[str]] | None = None

    def ids(self) -> Iterator[str]:
        """Yield the ids of the level: the bars, a block's inputs, then the nodes in file order."""
        yield BARS
        yield from (name for name in self.declared if name not in self.written and name != BARS)
        yield from (name for name in self.written if name != BARS)

    def __contains__(self, node_id: str) -> bool:
        return node_id == BARS or node_id in self.written or node_id in self.declared

    def graph(self) -> GraphView:
        """Return the whole level."""
        nodes = {node_id: self.node(node_id) for node_id in self.ids()}
        wires = tuple(wire for node_id in self.written for wire in self.wires_to(node_id))
        return GraphView(nodes, wires, dict(self._frames()))

    def component(self, node_id: str) -> type[Component] | None:
        """Return the component class of a node; None for the bars, blocks and placeholders."""
        if node_id not in self.written:
            return None
        role, values = self.written[node_id]
        use = values.get("use")
        if not isinstance(use, str) or self.block(use) is not None:
            return None
        return self.catalog.component(role, use)

    def block(self, use: Any) -> Values | None:
        """Return the values of the block that `use` names, None where it names none or one that cannot be read."""
        if not isinstance(use, str):
            return None
        if use.endswith((".yaml", ".yml")):
            return self.find_block(use)
        blocks = self.document.get("blocks")
        found = blocks.get(use) if isinstance(blocks, dict) else None
        return found if isinstance(found, dict) else None

    def node(self, node_id: str) -> NodeView:
        """Return one node.

        Raises:
            KeyError: there is none of that id.
        """
        if node_id not in self._made:
            self._made[node_id] = self._make(node_id)
        return self._made[node_id]

    def ports(self, node_id: str) -> Ports:
        """Return the ports of a node, with the defaults of its inputs."""
        if node_id not in self._ports:
            self._ports[node_id] = self._find_ports(node_id)
        return self._ports[node_id]

    def wires_to(self, node_id: str) -> Iterator[WireView]:
        """Yield the wires into a node, in the order of its ports."""
        if node_id not in self.written:
            return
        _, values = self.written[node_id]
        ports = self.ports(node_id)
        for port in ports.inputs:
            value = values.get(port.name, ports.defaults.get(port.name))
            for index, text in references_in(value):
                if (index is None) == port.many and port.type is not None:
                    continue
                found = self._target(text)
                if found is not None:
                    yield WireView(found[0], found[1], node_id, port.name, index)

    def _target(self, text: str) -> tuple[str, str] | None:
        parts = split_reference(text)
        if parts is None or parts[0] not in self:
            return None
        outputs = self._outputs(parts[0])
        found = output_of(NodeView(parts[0], None, "", outputs=outputs), parts[1])
        return None if found is None else (parts[0], found.name)

    def _outputs(self, node_id: str) -> tuple[PortView, ...]:
        return self.ports(node_id).outputs

    # ------------------------------------------------------------------ making

    def _make(self, node_id: str) -> NodeView:
        position = self._position(node_id)
        ports = self.ports(node_id)
        if node_id == BARS:
            return NodeView(BARS, None, BARS, outputs=ports.outputs, subtitle=self._bars_subtitle(), position=position)
        if node_id not in self.written:
            declared = self.declared[node_id]
            kind = input_type(declared)
            return NodeView(node_id, None, kind or "", outputs=ports.outputs, subtitle=kind or "", position=position)
        role, values = self.written[node_id]
        use = values.get("use")
        block = self.block(use)
        component = self.component(node_id)
        return NodeView(
            id=node_id,
            role=role,
            use=use if isinstance(use, str) else "",
            values={key: value for key, value in values.items() if key not in ("use", *FLAGS)},
            inputs=ports.inputs,
            outputs=ports.outputs,
            subtitle=subtitle(values, component, ports.inputs),
            position=position,
            known=component is not None or block is not None,
            block=block is not None,
            bypass=values.get("bypass") is True,
            mute=values.get("mute") is True,
        )

    def _bars_subtitle(self) -> str:
        instruments = self.document.get("instruments")
        first = instruments[0] if isinstance(instruments, list) and instruments else None
        if not isinstance(first, dict):
            return ""
        more = f" +{len(instruments) - 1}" if isinstance(instruments, list) and len(instruments) > 1 else ""
        return f"{entry_name(first)}{more} · {first.get('timeframe', '1d')}"

    def _position(self, node_id: str) -> tuple[float, float] | None:
        layout = self.values.get("layout")
        return pair(layout.get(node_id)) if isinstance(layout, dict) else None

    def _frames(self) -> Iterator[tuple[str, FrameView]]:
        frames = self.values.get("frames")
        for frame_id, frame in frames.items() if isinstance(frames, dict) else ():
            if not isinstance(frame, dict):
                continue
            at, size = pair(frame.get("at")), pair(frame.get("size"))
            if at is not None and size is not None:
                text, color = frame.get("text"), frame.get("color")
                yield (
                    str(frame_id),
                    FrameView(
                        str(frame_id),
                        text if isinstance(text, str) else "",
                        *at,
                        *size,
                        color if isinstance(color, str) else "grey",
                    ),
                )

    def _find_ports(self, node_id: str) -> Ports:
        if node_id == BARS:
            return Ports(outputs=bar_ports(self._further()))
        if node_id not in self.written:
            return Ports(outputs=block_input_outputs(input_type(self.declared[node_id])))
        role, values = self.written[node_id]
        use = values.get("use")
        block = self.block(use)
        if block is not None:
            return self._block_ports(str(use), block, values)
        component = self.catalog.component(role, use) if isinstance(use, str) else None
        return self._guessed_ports(node_id, values) if component is None else component_ports(component)

    def _further(self) -> tuple[str, ...]:
        """Return the columns beside the prices that every instrument names; blocks see those of the strategy."""
        instruments = self.document.get("instruments")
        given = [extra_of(each) for each in instruments or () if isinstance(each, dict)]
        return tuple(name for name in (given[0] if given else ()) if all(name in each for each in given))

    def _block_ports(self, use: str, block: Values, values: Values) -> Ports:
        """Return what a block declares; an input takes several wires where the file gives it a list."""
        inside = self._inside(use, block)
        inputs = []
        defaults: Values = {}
        for name, declared in inside.declared.items():
            default = declared.get("default") if isinstance(declared, dict) else None
            about = declared.get("description") if isinstance(declared, dict) else None
            about = about if isinstance(about, str) else ""
            many = isinstance(values.get(name), list)
            inputs.append(PortView(name, input_type(declared), many, default is None, about))
            if default is not None:
                defaults[name] = default
        outputs = block.get("outputs")
        named = outputs.items() if isinstance(outputs, dict) else ()
        return Ports(tuple(inputs), tuple(PortView(name, inside.type_of(inner)) for name, inner in named), defaults)

    def _inside(self, use: str, block: Values) -> Level:
        in_file = not use.endswith((".yaml", ".yml"))
        document = self.document if in_file else {**block, "blocks": {}, "instruments": None}
        level = Level(document, ("blocks", use) if in_file else (), self.catalog, self.find_block, self.depth + 1)
        declared = block.get("inputs")
        level.declared = declared if isinstance(declared, dict) else {}
        return level

    def type_of(self, reference: Any) -> PortType | None:
        """Return the type of what a reference means at this level, None where it cannot be told."""
        parts = split_reference(reference)
        if parts is None or parts[0] not in self or self.depth > MAX_BLOCKS_IN_BLOCKS:
            return None
        port = output_of(NodeView(parts[0], None, "", outputs=self._outputs(parts[0])), parts[1])
        return None if port is None else port.type

    def _guessed_ports(self, node_id: str, values: Values) -> Ports:
        """Return the ports that a placeholder's wires show."""
        inputs = []
        for name, value in values.items():
            if name in ("use", *FLAGS):
                continue
            texts = [split_reference(text) for _, text in references_in(value)]
            if any(parts is not None and parts[0] in self and parts[0] != node_id for parts in texts):
                inputs.append(PortView(name, None, many=isinstance(value, list)))
        read = self._outputs_read().get(node_id) or [VALUE]
        return Ports(tuple(inputs), tuple(PortView(name, None) for name in dict.fromkeys(read)))

    def _outputs_read(self) -> Mapping[str, list[str]]:
        """Return which outputs anything at this level reads, by node id."""
        if self._read_outputs is None:
            self._read_outputs = {}
            texts = [
                text
                for _, values in self.written.values()
                for value in values.values()
                for _, text in references_in(value)
            ]
            outputs = self.values.get("outputs") if self.scope or self.declared else None
            texts += [text for text in outputs.values() if isinstance(text, str)] if isinstance(outputs, dict) else []
            for head, output in filter(None, map(split_reference, texts)):
                self._read_outputs.setdefault(head, []).append(output or VALUE)
        return self._read_outputs


def pair(value: Any) -> tuple[float, float] | None:
    """Return two numbers as a position or size, None where the value is something else."""
    if isinstance(value, list) and len(value) == len(("x", "y")):
        x, y = value
        if all(isinstance(part, (int, float)) and not isinstance(part, bool) for part in (x, y)):
            return float(x), float(y)
    return None
