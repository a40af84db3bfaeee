"""Conditions: when actions are enabled or checked. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quantcrafter.app.actions.front import Front
    from quantcrafter.app.document.view import NodeView


def has_tab(front: Front) -> bool:
    """Return whether a strategy is open."""
    return front.document is not None


def has_file(front: Front) -> bool:
    """Return whether the current strategy has a file."""
    return front.document is not None and front.document.path is not None


def has_run(front: Front) -> bool:
    """Return whether the current strategy was run."""
    return front.run is not None


def has_selection(front: Front) -> bool:
    """Return whether nodes are selected."""
    return bool(front.selection)


def has_one(front: Front) -> bool:
    """Return whether one node is selected."""
    return len(front.selection) == 1


def has_wire(front: Front) -> bool:
    """Return whether one wire is selected."""
    return front.canvas is not None and len(front.canvas.context.selection.wires) == 1


def can_rename(front: Front) -> bool:
    """Return whether one node, or one frame, is selected."""
    return has_one(front) or (front.canvas is not None and len(front.canvas.context.selection.frames) == 1)


def has_several(front: Front) -> bool:
    """Return whether at least two nodes are selected."""
    return len(front.selection) > 1


def has_three(front: Front) -> bool:
    """Return whether at least three nodes are selected, so that there is something between the outer ones."""
    return len(front.selection) > 2  # noqa: PLR2004 - three


def has_block(front: Front) -> bool:
    """Return whether one selected node is a block that this file holds."""
    return has_one(front) and any(node.block for node in _selected(front))


def can_undo(front: Front) -> bool:
    """Return whether there is a step to undo."""
    return front.document is not None and bool(front.document.undo_label)


def can_redo(front: Front) -> bool:
    """Return whether there is a step to redo."""
    return front.document is not None and bool(front.document.redo_label)


def all_bypassed(front: Front) -> bool:
    """Return whether every selected node is bypassed."""
    return has_selection(front) and all(node.bypass for node in _selected(front))


def all_muted(front: Front) -> bool:
    """Return whether every selected node is muted."""
    return has_selection(front) and all(node.mute for node in _selected(front))


def in_block(front: Front) -> bool:
    """Return whether the canvas shows the inside of a block."""
    return front.canvas is not None and front.canvas.inside_block


def is_pane_shown(pane: str) -> Callable[[Front], bool]:
    """Return the condition that a pane can be seen."""
    return lambda front: front.is_shown(pane)


def _selected(front: Front) -> list[NodeView]:
    """Return the selected nodes as the level that the canvas shows has them."""
    if front.document is None or front.canvas is None:
        return []
    nodes = front.document.graph(front.canvas.scope).nodes
    return [nodes[node] for node in front.selection if node in nodes]
