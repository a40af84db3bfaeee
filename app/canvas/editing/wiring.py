"""The edits that make, replace and cut wires."""

from __future__ import annotations

from collections.abc import Iterable

from quantcrafter.app.canvas.edit_context import EditContext
from quantcrafter.app.canvas.items.ports import PortRef
from quantcrafter.app.document.edits import Connect, Disconnect, Edit
from quantcrafter.app.document.view import WireView


def connect_edits(context: EditContext, reference: str, target: PortRef, picked: WireView | None = None) -> list[Edit]:
    """Return what wires an output to an input; `picked` is the wire whose end was moved there, if any.

    A wire dropped on a taken place of a list port replaces the wire there. Nothing is returned when all stays as it is.
    """
    index = target.index
    if picked is not None and (picked.target, picked.port, picked.index) == (target.node, target.port, index):
        return []
    edits: list[Edit] = []
    there = _written(context, target.node, target.port, index)
    if picked is not None:
        edits.append(Disconnect(picked.target, picked.port, picked.index))
        same_list = (picked.target, picked.port) == (target.node, target.port)
        if same_list and index is not None and picked.index is not None and picked.index < index:
            index -= 1
    if index is not None and there:
        edits.append(Disconnect(target.node, target.port, index))
    edits.append(Connect(reference, target.node, target.port, index))
    return edits


def _written(context: EditContext, node: str, port: str, index: int | None) -> bool:
    """Return whether the file has something at this place of a list port."""
    values = context.graph.nodes[node].values.get(port)
    return index is not None and isinstance(values, (list, tuple)) and index < len(values)


def cut_edits(wires: Iterable[WireView]) -> list[Edit]:
    """Return what takes wires off, those of a list port from its end on, so that the places stay right."""
    ordered = sorted(wires, key=lambda wire: -1 if wire.index is None else wire.index, reverse=True)
    return [Disconnect(wire.target, wire.port, wire.index) for wire in ordered]
