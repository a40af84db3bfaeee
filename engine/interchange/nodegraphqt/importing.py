"""Read a session of NodeGraphQt back into a strategy.

1. The node `quantcrafter.graph.Strategy` holds the text that the session was exported from. The session that this text
   would give now is what the one read is compared with.
2. Each node is matched with the file's by its property `node_id`. What is equal stays as the file has it, to the last
   byte; what differs is edited: parameters, wires, names, places, frames, nodes that are new or gone.
3. Nodes of other programs become placeholders in `logic`, which keep all that the session has of them.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import Catalog, Role
from quantcrafter.engine.api.errors import Problem, Severity, SpecError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.interchange.nodegraphqt.canvas_parts import merge_frames, merge_layout, rename_rates
from quantcrafter.engine.interchange.nodegraphqt.exporting import SessionWriter
from quantcrafter.engine.interchange.nodegraphqt.fields import ABSENT, FieldValues
from quantcrafter.engine.interchange.nodegraphqt.graph import (
    BAR_OUTPUTS,
    GraphInput,
    GraphNode,
    GraphWire,
    component_node,
)
from quantcrafter.engine.interchange.nodegraphqt.identity import Identities, free, identifier
from quantcrafter.engine.interchange.nodegraphqt.saved_graph import (
    BARS_TYPE,
    BYPASS,
    FILE,
    FOREIGN,
    NODE_ID,
    PORT_NAMES,
    STRATEGY,
    SavedGraph,
    SessionNode,
    field_name,
    section_and_use,
)
from quantcrafter.engine.spec import BARS, SECTIONS, StrategyFile, StrategySpec, migrate_text

_FOREIGN_SECTION = str(Role.LOGIC)
_NOT_KEPT = ("selected", "pos", "name", "inputs", "outputs")
"""What a placeholder doesn't keep of a node: the file has it elsewhere, or it belongs to the window."""
_IN, _OUT = "in", "out"


def import_session(session: SavedGraph, catalog: Catalog, base_dir: Path = Path()) -> StrategyFile:
    """Return the strategy of a session, as a text that differs from the exported one in what was changed alone.

    Args:
        session: as read.
        catalog: the components that are installed.
        base_dir: where the block files lie that the strategy uses.

    Raises:
        SpecError: the session has no strategy, or more than one, or its text can't be read or edited.
    """
    file, spec = _strategy(session, base_dir)
    return _Import(session, file, spec, catalog).merged()


def _strategy(session: SavedGraph, base_dir: Path) -> tuple[StrategyFile, StrategySpec]:
    found = [node for node in session.nodes.values() if node.type == STRATEGY]
    if len(found) != 1:
        message = Message(
            "The session must have one node of the type {strategy}, which holds the strategy, had {count}.",
            strategy=STRATEGY,
            count=len(found),
        )
        remedy = Message("Import a session that 'quantcrafter export --to nodegraphqt' wrote, with that node.")
        raise SpecError([Problem("session", message, remedy, session.file)])
    text = found[0].custom.get(FILE)
    if not isinstance(text, str):
        message = Message(
            "The node of the type {strategy} must have the text of a strategy file as its property '{file}'.",
            strategy=STRATEGY,
            file=FILE,
        )
        raise SpecError([Problem("session", message, Message("Export the strategy again."), session.file)])
    migrated = migrate_text(text)
    file = StrategyFile.loads(text if migrated is None else migrated.text)
    spec, problems = file.check(base_dir)
    wrong = [each for each in problems if each.severity is Severity.ERROR and not each.code.startswith("block")]
    if spec is None or wrong:
        raise SpecError([replace(each, file=f"{session.file} ({FILE})") for each in wrong or problems])
    return file, spec


class _Import:
    def __init__(self, session: SavedGraph, file: StrategyFile, spec: StrategySpec, catalog: Catalog) -> None:
        self.session = session
        self.file = file
        self.catalog = catalog
        self.writer = SessionWriter(file, spec, catalog)
        self.before = self.writer.graph
        self.names = Identities(session, self.before)
        self.feeds: dict[str, dict[str, list[tuple[str, str]]]] = defaultdict(lambda: defaultdict(list))
        for pipe in session.connections:
            self.feeds[pipe.target][pipe.input].append((pipe.source, pipe.output))
        self.nodes = {node.key: self._graph_node(node) for node in self.names.nodes}
        sources = {self.names.ids[key]: node for key, node in self.nodes.items()}
        self.fields = FieldValues(self.before, self.names.renamed, sources)

    def merged(self) -> StrategyFile:
        """Return the file with everything that was changed."""
        values, renamed = copy.deepcopy(self.writer.values), self.names.renamed
        for section in SECTIONS:
            if isinstance(values.get(section), dict):
                bodies = {renamed.get(name, name): body for name, body in values[section].items()}
                gone = {name for name in self.writer.values[section] if name in self.before.nodes} - renamed.keys()
                values[section] = {name: body for name, body in bodies.items() if name not in gone}
        for node in self.names.nodes:
            if self.nodes[node.key].use != BARS:
                section, body = self._body(node)
                values[section] = {**(values.get(section) or {}), self.names.ids[node.key]: body}
        rename_rates(values, renamed)
        merge_layout(values, self.writer, self.names)
        merge_frames(values, self.writer, self.session)
        for part in (*SECTIONS, "layout", "frames"):
            if values.get(part) == {} and self.writer.values.get(part) != {}:
                values.pop(part)
        self.file.become(values, self._renamed_keys())
        return self.file

    def _renamed_keys(self) -> dict[tuple[str | int, ...], str]:
        return {
            (part, old): new
            for part in (*SECTIONS, "layout")
            for old, new in self.names.renamed.items()
            if old != new and old in (self.writer.values.get(part) or {})
        }

    # ------------------------------------------------------------------ one node

    def _graph_node(self, node: SessionNode) -> GraphNode:
        """Return a node as the file has it, or as it will have it where it is new."""
        if node.type == BARS_TYPE:
            return GraphNode(BARS, "", BARS, {}, outputs=BAR_OUTPUTS)
        name = self.names.ids[node.key]
        section, use = section_and_use(node.type) or (_FOREIGN_SECTION, node.type)
        old = self.before.nodes.get(self.names.known.get(node.key, ""))
        if old is not None and (old.use == use and (old.section == section or FOREIGN in old.fields)):
            return old
        component = self.catalog.component(Role(section), use)
        if component is not None and section_and_use(node.type) is not None:
            return component_node(name, section, component, {})
        return GraphNode(
            name, section, use, {}, tuple(GraphInput(each, None, many=False) for each in self.feeds[node.key])
        )

    def _body(self, node: SessionNode) -> tuple[str, dict[str, Any]]:
        """Return the section and the values of a node, with `use`; what the file has keeps its order."""
        made = self.nodes[node.key]
        if section_and_use(node.type) is None:
            return made.section, self._foreign(node, made)
        found: dict[str, Any] = {"use": made.use}
        told = {field_name(each): value for each, value in node.custom.items() if each not in (NODE_ID, BYPASS)}
        if made.parameters is not None:
            told = {name: value for name, value in told.items() if name in made.parameters or made.input(name)}
        for name in dict.fromkeys(
            [*made.fields, *told, *(port.name for port in made.inputs), *self._ports(node, made)]
        ):
            value = self.fields.value(made, name, self._wires(node, name), told.get(name, ABSENT))
            if value is not ABSENT:
                found[name] = value
        return made.section, self._with_flags(node, made, found)

    def _ports(self, node: SessionNode, made: GraphNode) -> list[str]:
        """Return the ports that are wired; of an installed component those that it has."""
        return [name for name in self.feeds[node.key] if made.parameters is None or made.input(name) is not None]

    def _with_flags(self, node: SessionNode, made: GraphNode, found: dict[str, Any]) -> dict[str, Any]:
        body = self._body_before(made)
        for flag, was, is_set in (
            (BYPASS, made.bypass, node.custom.get(BYPASS) is True),
            ("mute", made.mute, node.disabled),
        ):
            if is_set or (flag in body and was == is_set):
                found[flag] = body[flag] if was == is_set else True
        return {name: found[name] for name in dict.fromkeys([*body, *found]) if name in found}

    def _body_before(self, made: GraphNode) -> Mapping[str, Any]:
        is_old = self.before.nodes.get(made.id) is made
        return self.writer.values[made.section][made.id] if is_old else {}

    def _wires(self, node: SessionNode, port: str) -> list[GraphWire]:
        found = []
        for key, output in self.feeds[node.key].get(port, ()):
            source = self.nodes.get(key)
            if source is not None:
                foreign = section_and_use(self.session.nodes[key].type) is None and source.use != BARS
                name = self._port_names(key, _OUT)[output] if foreign else _known_output(source, output)
                found.append(GraphWire(self.names.ids[key], name))
        return found

    # ------------------------------------------------------------------ nodes of other programs

    def _foreign(self, node: SessionNode, made: GraphNode) -> dict[str, Any]:
        """Return a placeholder: what the session has of the node, and its inputs as far as the strategy feeds them."""
        raw = {key: value for key, value in node.raw.items() if key not in _NOT_KEPT}
        names = {side: self._port_names(node.key, side) for side in (_IN, _OUT)}
        told = {
            side: {ours: theirs for theirs, ours in found.items() if ours != theirs} for side, found in names.items()
        }
        if any(told.values()):
            raw[PORT_NAMES] = {side: found for side, found in told.items() if found}
        body: dict[str, Any] = {"use": node.type, FOREIGN: raw}
        for theirs, ours in names[_IN].items():
            wires = self._wires(node, theirs)
            if wires:
                body[ours] = self.fields.value(made, ours, wires, ABSENT)
        return body

    def _port_names(self, key: str, side: str) -> dict[str, str]:
        """Return what the file calls the wired ports of a foreign node, by what their program calls them."""
        if side == _IN:
            theirs = list(self.feeds[key])
        else:
            theirs = [pipe.output for pipe in self.session.connections if pipe.source == key]
        found: dict[str, str] = {}
        for name in dict.fromkeys(theirs):
            found[name] = free(identifier(name, "port"), {*found.values(), "use", "bypass", "mute", FOREIGN})
        return found


def _known_output(source: GraphNode, output: str) -> str:
    """Return an output's name: that of the only one there is, where the session was made without knowing it."""
    names = [each.name for each in source.outputs]
    return names[0] if output not in names and len(names) == 1 else output
