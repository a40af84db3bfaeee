"""The session file of NodeGraphQt: JSON with `graph`, `nodes` by id and `connections`, as `save_session` writes it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from quantcrafter.engine.api.errors import Problem, SpecError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.spec import SECTIONS
from quantcrafter.engine.spec.source import shown

PREFIX = "quantcrafter"
STRATEGY = f"{PREFIX}.graph.Strategy"
"""Type of the one node that holds the strategy file."""
BARS_TYPE = f"{PREFIX}.graph.Bars"
"""Type of the node whose outputs are the bars of the instrument."""
BACKDROP = "nodeGraphQt.nodes.BackdropNode"
"""Type of a frame; NodeGraphQt registers it by itself."""

FILE, NODE_ID, BYPASS = "strategy_file", "node_id", "bypass"
"""Properties of our nodes: the strategy's text, the id in the file, and whether the node is bypassed."""

FOREIGN, PORT_NAMES = "nodegraphqt", "port_names"
"""The field of a placeholder that keeps a node of another program as its session had it, and where that field keeps the
names of ports that a strategy file can't use."""

RESERVED = frozenset(
    {
        *("type_", "id", "icon", "name", "color", "border_color", "text_color", "disabled", "selected", "visible"),
        *("width", "height", "pos", "layout_direction", "inputs", "outputs", "port_deletion_allowed"),
        *("subgraph_session", FILE, NODE_ID, BYPASS),
    }
)
"""Names that a node of NodeGraphQt, or of ours, has for something else than a parameter."""

_MOST_BYTES = 64 * 1024 * 1024
_HINT = Message("Save the session again with NodeGraphQt's 'save_session', or export the strategy again.")


@dataclass(frozen=True, slots=True)
class SessionNode:
    """A node as the session has it; `raw` is all that stands there."""

    key: str
    type: str
    name: str
    pos: tuple[float, float]
    disabled: bool
    custom: Mapping[str, Any]
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Connection:
    """A pipe from an output to an input, by the keys of the nodes and the names of their ports."""

    source: str
    output: str
    target: str
    input: str


@dataclass(frozen=True, slots=True)
class SavedGraph:
    """Nodes in their order, and pipes between nodes that are there."""

    nodes: Mapping[str, SessionNode]
    connections: tuple[Connection, ...] = ()
    file: str = field(default="", compare=False)


def node_type(section: str, use: str) -> str:
    """Return the type of a strategy's node: its section and its component, such as `quantcrafter.indicators.ta.SMA`."""
    return f"{PREFIX}.{section}.{use}"


def section_and_use(type_: str) -> tuple[str, str] | None:
    """Return the section and component that a type stands for, None where it isn't one of ours."""
    prefix, _, rest = type_.partition(".")
    section, _, use = rest.partition(".")
    return (section, use) if prefix == PREFIX and section in SECTIONS and use else None


def property_name(field_name: str) -> str:
    """Return the name of the node property that holds a parameter: the same, but for names that are taken."""
    return f"{field_name}_" if field_name.rstrip("_") in RESERVED else field_name


def field_name(property_: str) -> str:
    """Return the parameter that a property holds."""
    return property_[:-1] if property_.endswith("_") and property_.rstrip("_") in RESERVED else property_


def session_text(session: Mapping[str, Any]) -> str:
    """Return a session as the text of its file."""
    return json.dumps(session, indent=2, ensure_ascii=True) + "\n"  # NodeGraphQt reads it in the system's encoding


def read_session(text: str, file: str = "") -> SavedGraph:
    """Return what a session file holds.

    Raises:
        SpecError: it is not a session, with the place of the first fault.
    """
    return _Reader(file).read(text)


@dataclass(frozen=True, slots=True)
class _Reader:
    file: str

    def read(self, text: str) -> SavedGraph:
        if len(text) > _MOST_BYTES:
            self._refuse(
                Message(
                    "The session has {count:,} characters, at most {most_bytes:,} are read.",
                    count=len(text),
                    most_bytes=_MOST_BYTES,
                )
            )
        try:
            found = json.loads(text)
        except json.JSONDecodeError as error:
            self._refuse(
                Message("The session is not JSON: {msg}.", msg=error.msg), line=error.lineno, column=error.colno
            )
        except (RecursionError, ValueError) as error:
            self._refuse(Message("The session can't be read: {error}.", error=error))
        nodes = self._mapping(found, "The session").get("nodes")
        if nodes is None:
            self._refuse(Message("The session has no 'nodes'."))
        read = {key: self._node(key, body) for key, body in self._mapping(nodes, "'nodes'").items()}
        connections = found.get("connections", [])
        if not isinstance(connections, list):
            self._refuse(Message("'connections' must be a list, was {connections}.", connections=shown(connections)))
        pipes = dict.fromkeys(self._connections(connections, read))
        return SavedGraph(read, tuple(pipes), self.file)

    def _node(self, key: str, body: Any) -> SessionNode:
        what = f"The node {shown(key)}"
        raw = self._mapping(body, what)
        type_, name = raw.get("type_"), raw.get("name", key)
        if not isinstance(type_, str) or not type_:
            self._refuse(Message("{what} must have a text 'type_', was {type}.", what=what, type=shown(type_)))
        if not isinstance(name, str):
            self._refuse(Message("{what} must have a text 'name', was {name}.", what=what, name=shown(name)))
        pos = raw.get("pos", [0.0, 0.0])
        if not isinstance(pos, list) or len(pos) != len(("x", "y")) or not all(map(_is_number, pos)):
            self._refuse(Message("{what} must have a 'pos' of two numbers, was {pos}.", what=what, pos=shown(pos)))
        custom = self._mapping(raw.get("custom", {}), f"'custom' of the node {shown(key)}")
        return SessionNode(key, type_, name, (float(pos[0]), float(pos[1])), raw.get("disabled") is True, custom, raw)

    def _connections(self, connections: list[Any], nodes: Mapping[str, SessionNode]) -> Iterator[Connection]:
        for number, each in enumerate(connections, start=1):
            source, target = (_end(each, side) for side in ("out", "in"))
            if source is None or target is None:
                what = "must have 'in' and 'out', each a node and the name of a port"
                self._refuse(
                    Message("Connection {number} {what}, was {each}.", number=number, what=what, each=shown(each))
                )
            for key in (source[0], target[0]):
                if key not in nodes:
                    self._refuse(
                        Message(
                            "Connection {number} names the node {key}, which is not there.",
                            number=number,
                            key=shown(key),
                        )
                    )
            yield Connection(*source, *target)

    def _mapping(self, value: Any, what: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._refuse(Message("{what} must be a JSON object, was {value}.", what=what, value=shown(value)))
        return value

    def _refuse(self, message: str, *, line: int = 0, column: int = 0) -> NoReturn:
        raise SpecError([Problem("session", message, _HINT, self.file, line, column)])


def _is_number(value: Any) -> bool:
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def _end(connection: Any, side: str) -> tuple[str, str] | None:
    """Return the node and port at one end of a connection, None where it isn't written as such."""
    end = connection.get(side) if isinstance(connection, dict) else None
    if not isinstance(end, list) or [type(part) for part in end] != [str, str]:
        return None
    return end[0], end[1]
