"""The value that a field of a node gets from a session: what the file has, unless the session differs from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from quantcrafter.engine.interchange.nodegraphqt.graph import (
    GraphInput,
    GraphNode,
    GraphWire,
    StrategyGraph,
    literal_of,
    whole_output,
)
from quantcrafter.engine.spec.edits import same

ABSENT = object()
"""The field does not stand in the file."""


class FieldValues:
    """Merges what a session says of fields into what the file has.

    Args:
        before: the graph of the file.
        renamed: the ids that its nodes get, by those that they have; what isn't there is gone.
        sources: the nodes as they become, by the ids that they get.
    """

    def __init__(self, before: StrategyGraph, renamed: Mapping[str, str], sources: Mapping[str, GraphNode]) -> None:
        self._before = before
        self._renamed = renamed
        self._sources = sources

    def value(self, node: GraphNode, name: str, wires: list[GraphWire], told: Any) -> Any:
        """Return a field's value, `ABSENT` where it isn't to stand in the file.

        Args:
            node: as the file has it; without fields if it is new.
            name: of the field.
            wires: what feeds the port of that name in the session, by the new ids.
            told: the node's property of that name, `ABSENT` where it has none.
        """
        port = node.input(name) or GraphInput(name, None, many=False)
        has_been = self._before.wires(node, port)
        if wires and set(wires) == {self._now(wire) for wire in has_been} and name not in node.fields:
            return ABSENT  # it reads its default
        if wires:
            return self._wired(node.fields.get(name), port, wires)
        if told is not ABSENT and (has_been or not _equal(told, literal_of(self._before, node, name))):
            default = port.default if node.input(name) is not None else (node.parameters or {}).get(name)
            is_new = told is not None and not _equal(told, default)
            return _declared(told, default) if is_new else self._without_wires(node, name)
        return self._without_wires(node, name) if has_been else node.fields.get(name, ABSENT)

    def _without_wires(self, node: GraphNode, name: str) -> Any:
        """Return what is left of a field that no wire feeds any more: the numbers of a list."""
        value = node.fields.get(name)
        rest = [each for each in value if not isinstance(each, str)] if isinstance(value, list) else []
        return rest or ABSENT

    def _wired(self, value: Any, port: GraphInput, wires: Iterable[GraphWire]) -> Any:
        """Return the references for wires: those that stand there in their order, then the new ones."""
        waiting = list(dict.fromkeys(wires))
        open_wires = set(waiting)
        made = []
        for item in value if isinstance(value, list) else [value]:
            wire = self._before.wire(item) if isinstance(item, str) else None
            now = None if wire is None else self._now(wire)
            if wire is None or now is None:
                made += [item] if isinstance(value, list) and wire is None else []
            elif now in open_wires:
                made.append(item if now.node == wire.node else self.reference(now))
                waiting = [each for each in waiting if each != now]
        made += [self.reference(wire) for wire in waiting]
        return made if port.many or isinstance(value, list) or len(made) > 1 else made[0]

    def _now(self, wire: GraphWire) -> GraphWire | None:
        """Return a wire of the file by the id that its source gets, None where that is gone."""
        node = self._renamed.get(wire.node)
        return None if node is None else GraphWire(node, wire.output)

    def reference(self, wire: GraphWire) -> str:
        """Return what the file says for an output."""
        source = self._sources.get(wire.node)
        is_whole = source is None or wire.output == whole_output(source)
        return wire.node if is_whole else f"{wire.node}.{wire.output}"


def _declared(value: Any, default: Any) -> Any:
    """Return the value of a property; a whole number stays one where an editor made it a float."""
    whole = isinstance(value, float) and value.is_integer() and type(default) is int
    return int(value) if whole else value


def _equal(one: Any, other: Any) -> bool:
    """Return whether two values mean the same: 50 and 50.0 do, for an editor may turn one into the other."""
    numbers = [each for each in (one, other) if isinstance(each, (int, float)) and not isinstance(each, bool)]
    return one == other if len(numbers) == len((one, other)) else same(_lists(one), _lists(other))


def _lists(value: Any) -> Any:
    return [_lists(each) for each in value] if isinstance(value, (list, tuple)) else value
