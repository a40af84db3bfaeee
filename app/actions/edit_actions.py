"""The Edit menu."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from quantcrafter.app.actions.conditions import can_redo, can_undo, has_selection, has_tab, has_wire
from quantcrafter.app.actions.spec import ActionCall, ActionSpec, CanvasCall
from quantcrafter.app.actions.targets import Targets
from quantcrafter.app.services.i18n import tr

if TYPE_CHECKING:
    from quantcrafter.app.actions.front import Front
    from quantcrafter.app.canvas.canvas import Canvas
    from quantcrafter.app.canvas.navigation import Way


def edit_actions(to: Targets) -> tuple[ActionSpec, ...]:
    """Return the actions that edit and select."""
    return (
        ActionSpec(
            "edit.undo",
            tr("Undo"),
            "edit",
            ActionCall(to.document, lambda document: document.undo()),
            "Ctrl+Z",
            icon="undo",
            enabled=can_undo,
            label=_undo_text,
        ),
        ActionSpec(
            "edit.redo",
            tr("Redo"),
            "edit",
            ActionCall(to.document, lambda document: document.redo()),
            "Ctrl+Shift+Z",
            ("Ctrl+Y",),
            icon="redo",
            enabled=can_redo,
            label=_redo_text,
        ),
        *_clipboard_actions(to),
        *_selection_actions(to),
        ActionSpec(
            "edit.find",
            tr("Find in the text..."),
            "edit",
            ActionCall(to.looks, lambda looks: looks.find_text()),
            "Ctrl+F",
            icon="search",
            enabled=has_tab,
            separated=True,
        ),
        ActionSpec(
            "edit.new_node_file",
            tr("New node file..."),
            "edit",
            ActionCall(to.node_files, lambda node_files: node_files.new()),
            icon="plugin",
            separated=True,
        ),
        ActionSpec(
            "edit.settings",
            tr("Settings..."),
            "edit",
            ActionCall(to.dialogs, lambda dialogs: dialogs.settings()),
            "Ctrl+,",
            icon="settings",
            separated=True,
        ),
    )


def _clipboard_actions(to: Targets) -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "edit.cut",
            tr("Cut"),
            "edit",
            CanvasCall(to.canvas, lambda canvas: canvas.cut()),
            "Ctrl+X",
            icon="cut",
            enabled=has_selection,
            separated=True,
        ),
        ActionSpec(
            "edit.copy",
            tr("Copy"),
            "edit",
            CanvasCall(to.canvas, lambda canvas: canvas.copy()),
            "Ctrl+C",
            icon="copy",
            enabled=has_selection,
        ),
        ActionSpec(
            "edit.paste",
            tr("Paste"),
            "edit",
            CanvasCall(to.canvas, lambda canvas: canvas.paste()),
            "Ctrl+V",
            icon="paste",
            enabled=has_tab,
        ),
        ActionSpec(
            "edit.duplicate",
            tr("Duplicate"),
            "edit",
            CanvasCall(to.canvas, lambda canvas: canvas.duplicate()),
            "Ctrl+D",
            icon="duplicate",
            enabled=has_selection,
        ),
        ActionSpec(
            "edit.delete",
            tr("Delete"),
            "edit",
            CanvasCall(to.canvas, lambda canvas: canvas.delete_selection()),
            "Del",
            ("Backspace",),
            icon="delete",
            enabled=has_tab,
        ),
        ActionSpec(
            "edit.delete_rejoin",
            tr("Delete and reconnect the wires"),
            "edit",
            CanvasCall(to.canvas, lambda canvas: canvas.delete_selection(rejoin=True)),
            "Ctrl+Del",
            enabled=has_selection,
        ),
    )


def _selection_actions(to: Targets) -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "edit.select_all",
            tr("Select all"),
            "edit",
            CanvasCall(to.canvas, lambda canvas: canvas.select_all()),
            "Ctrl+A",
            enabled=has_tab,
            separated=True,
        ),
        ActionSpec(
            "edit.select_upstream",
            tr("Select what it depends on"),
            "edit",
            CanvasCall(to.canvas, lambda canvas: canvas.select_upstream()),
            "Ctrl+Shift+Left",
            enabled=has_selection,
        ),
        ActionSpec(
            "edit.select_downstream",
            tr("Select what depends on it"),
            "edit",
            CanvasCall(to.canvas, lambda canvas: canvas.select_downstream()),
            "Ctrl+Shift+Right",
            enabled=has_selection,
        ),
        ActionSpec(
            "edit.go_to_source",
            tr("Show where the wire comes from"),
            "edit",
            CanvasCall(to.canvas, lambda canvas: canvas.reveal_source()),
            enabled=has_wire,
        ),
        ActionSpec(
            "edit.go_to_target",
            tr("Show where the wire goes"),
            "edit",
            CanvasCall(to.canvas, lambda canvas: canvas.reveal_target()),
            enabled=has_wire,
        ),
        *_walk_actions(to),
    )


def _walk_actions(to: Targets) -> tuple[ActionSpec, ...]:
    ways: tuple[tuple[Way, str, str], ...] = (
        ("left", tr("Follow a wire to the left"), "Left"),
        ("right", tr("Follow a wire to the right"), "Right"),
        ("up", tr("Go to the node above"), "Up"),
        ("down", tr("Go to the node below"), "Down"),
    )
    return tuple(
        ActionSpec(
            f"edit.walk_{way}",
            title,
            "edit/walk",
            CanvasCall(to.canvas, partial(_walk, way)),
            canvas_keys=(keys,),
            enabled=has_tab,
        )
        for way, title, keys in ways
    )


def _walk(way: Way, canvas: Canvas) -> None:
    canvas.walk(way)


def _undo_text(front: Front) -> str:
    step = front.document.undo_label if front.document else ""
    return tr("Undo: {step}", step=step) if step else tr("Undo")


def _redo_text(front: Front) -> str:
    step = front.document.redo_label if front.document else ""
    return tr("Redo: {step}", step=step) if step else tr("Redo")
