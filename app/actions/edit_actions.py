"""The Edit menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.actions.conditions import can_redo, can_undo, has_selection, has_tab, has_wire
from app.actions.spec import ActionSpec, on_canvas
from app.services.i18n import tr

if TYPE_CHECKING:
    from app.window.main_window import MainWindow


def edit_actions() -> tuple[ActionSpec, ...]:
    """Return what changes and selects."""
    return (
        ActionSpec(
            "edit.undo",
            tr("Undo"),
            "edit",
            lambda window: window.on_document("undo"),
            "Ctrl+Z",
            icon="undo",
            enabled=can_undo,
            label=_undo_text,
        ),
        ActionSpec(
            "edit.redo",
            tr("Redo"),
            "edit",
            lambda window: window.on_document("redo"),
            "Ctrl+Shift+Z",
            ("Ctrl+Y",),
            icon="redo",
            enabled=can_redo,
            label=_redo_text,
        ),
        *_clipboard_actions(),
        *_selection_actions(),
        ActionSpec(
            "edit.find",
            tr("Find in the text..."),
            "edit",
            lambda window: window.looks.find_text(),
            "Ctrl+F",
            icon="search",
            enabled=has_tab,
            separated=True,
        ),
        ActionSpec(
            "edit.settings",
            tr("Settings..."),
            "edit",
            lambda window: window.open_dialog("settings"),
            "Ctrl+,",
            icon="settings",
            separated=True,
        ),
    )


def _clipboard_actions() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "edit.cut",
            tr("Cut"),
            "edit",
            on_canvas("cut"),
            "Ctrl+X",
            icon="cut",
            enabled=has_selection,
            separated=True,
        ),
        ActionSpec(
            "edit.copy",
            tr("Copy"),
            "edit",
            on_canvas("copy"),
            "Ctrl+C",
            icon="copy",
            enabled=has_selection,
        ),
        ActionSpec(
            "edit.paste",
            tr("Paste"),
            "edit",
            on_canvas("paste"),
            "Ctrl+V",
            icon="paste",
            enabled=has_tab,
        ),
        ActionSpec(
            "edit.duplicate",
            tr("Duplicate"),
            "edit",
            on_canvas("duplicate"),
            "Ctrl+D",
            icon="duplicate",
            enabled=has_selection,
        ),
        ActionSpec(
            "edit.delete",
            tr("Delete"),
            "edit",
            on_canvas("delete_selection"),
            "Del",
            ("Backspace",),
            icon="delete",
            enabled=has_tab,
        ),
        ActionSpec(
            "edit.delete_rejoin",
            tr("Delete and rejoin the wires"),
            "edit",
            on_canvas("delete_selection", rejoin=True),
            "Ctrl+Del",
            enabled=has_selection,
        ),
    )


def _selection_actions() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "edit.select_all",
            tr("Select all"),
            "edit",
            on_canvas("select_all"),
            "Ctrl+A",
            enabled=has_tab,
            separated=True,
        ),
        ActionSpec(
            "edit.select_upstream",
            tr("Select what it depends on"),
            "edit",
            on_canvas("select_upstream"),
            "Ctrl+Shift+Left",
            enabled=has_selection,
        ),
        ActionSpec(
            "edit.select_downstream",
            tr("Select what depends on it"),
            "edit",
            on_canvas("select_downstream"),
            "Ctrl+Shift+Right",
            enabled=has_selection,
        ),
        ActionSpec(
            "edit.go_to_source",
            tr("Show where the wire comes from"),
            "edit",
            on_canvas("reveal_source"),
            enabled=has_wire,
        ),
        ActionSpec(
            "edit.go_to_target", tr("Show where the wire goes"), "edit", on_canvas("reveal_target"), enabled=has_wire
        ),
        *_walk_actions(),
    )


def _walk_actions() -> tuple[ActionSpec, ...]:
    ways = (
        ("left", tr("Go along a wire to the left"), "Left"),
        ("right", tr("Go along a wire to the right"), "Right"),
        ("up", tr("Go to the node above"), "Up"),
        ("down", tr("Go to the node below"), "Down"),
    )
    return tuple(
        ActionSpec(
            f"edit.walk_{way}",
            title,
            "edit/walk",
            on_canvas("walk", way),
            canvas_keys=(keys,),
            enabled=has_tab,
        )
        for way, title, keys in ways
    )


def _undo_text(window: MainWindow) -> str:
    step = window.tab.document.undo_label if window.tab else ""
    return tr("Undo: {step}", step=step) if step else tr("Undo")


def _redo_text(window: MainWindow) -> str:
    step = window.tab.document.redo_label if window.tab else ""
    return tr("Redo: {step}", step=step) if step else tr("Redo")
