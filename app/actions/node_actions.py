"""The Node menu."""

from __future__ import annotations

from quantcrafter.app.actions.conditions import (
    all_bypassed,
    all_muted,
    can_rename,
    has_block,
    has_one,
    has_selection,
    has_tab,
    in_block,
)
from quantcrafter.app.actions.spec import ActionCall, ActionSpec, CanvasCall
from quantcrafter.app.actions.targets import Targets
from quantcrafter.app.services.i18n import tr


def node_actions(to: Targets) -> tuple[ActionSpec, ...]:
    """Return the actions that add nodes and change selected ones."""
    return (
        ActionSpec(
            "node.quick_add",
            tr("Add a node..."),
            "node",
            CanvasCall(to.canvas, lambda canvas: canvas.quick_add()),
            "Ctrl+K",
            canvas_keys=("Tab", "Space"),
            icon="add",
            enabled=has_tab,
        ),
        ActionSpec(
            "node.search",
            tr("Search the components"),
            "node",
            ActionCall(to.looks, lambda looks: looks.search_components()),
            "Ctrl+Shift+A",
            icon="palette",
            enabled=has_tab,
        ),
        ActionSpec(
            "node.add_frame",
            tr("Add a frame"),
            "node",
            CanvasCall(to.canvas, lambda canvas: canvas.add_frame()),
            "Ctrl+Shift+G",
            icon="frame",
            enabled=has_tab,
        ),
        ActionSpec(
            "node.rename",
            tr("Rename..."),
            "node",
            CanvasCall(to.canvas, lambda canvas: canvas.rename()),
            "F2",
            canvas_keys=("Return",),
            icon="edit",
            enabled=can_rename,
            separated=True,
        ),
        ActionSpec(
            "node.bypass",
            tr("Bypass: pass the input through"),
            "node",
            CanvasCall(to.canvas, lambda canvas: canvas.toggle_bypass()),
            canvas_keys=("B",),
            icon="bypass",
            enabled=has_selection,
            checked=all_bypassed,
        ),
        ActionSpec(
            "node.mute",
            tr("Mute: no output"),
            "node",
            CanvasCall(to.canvas, lambda canvas: canvas.toggle_mute()),
            canvas_keys=("M",),
            icon="mute",
            enabled=has_selection,
            checked=all_muted,
        ),
        ActionSpec(
            "node.help",
            tr("Help on the node"),
            "node",
            ActionCall(to.navigation, lambda navigation: navigation.show_node_help()),
            "F1",
            enabled=has_one,
        ),
        *_block_actions(to),
        ActionSpec(
            "node.next_problem",
            tr("Next problem"),
            "node",
            ActionCall(to.navigation, lambda navigation: navigation.next_problem()),
            "F8",
            icon="warning",
            enabled=has_tab,
            separated=True,
        ),
        ActionSpec(
            "node.validate",
            tr("Check again"),
            "node",
            ActionCall(to.document, lambda document: document.recheck()),
            "F7",
            icon="done",
            enabled=has_tab,
        ),
    )


def _block_actions(to: Targets) -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "node.group",
            tr("Group into a block..."),
            "node",
            CanvasCall(to.canvas, lambda canvas: canvas.group_into_block()),
            "Ctrl+G",
            icon="group",
            enabled=has_selection,
            separated=True,
        ),
        ActionSpec(
            "node.open_block",
            tr("Open the block"),
            "node",
            CanvasCall(to.canvas, lambda canvas: canvas.open_block()),
            "Alt+Down",
            enabled=has_block,
        ),
        ActionSpec(
            "node.close_block",
            tr("Leave the block"),
            "node",
            CanvasCall(to.canvas, lambda canvas: canvas.close_block()),
            "Alt+Up",
            enabled=in_block,
        ),
    )
