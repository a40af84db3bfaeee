"""The Edit menu."""

from __future__ import annotations

from app.actions.conditions import has_selection, has_tab
from app.actions.spec import ActionSpec
from app.services.i18n import tr


def edit_actions() -> tuple[ActionSpec, ...]:
    """Return what changes and selects."""
    return (
        ActionSpec(
            "edit.undo",
            tr("Undo"),
            "edit",
            lambda window: window.undo(),
            "Ctrl+Z",
            icon="undo",
            enabled=lambda window: bool(window.undo_label),
            label=lambda window: tr("Undo {step}", step=window.undo_label) if window.undo_label else tr("Undo"),
            toolbar=True,
        ),
        ActionSpec(
            "edit.redo",
            tr("Redo"),
            "edit",
            lambda window: window.redo(),
            "Ctrl+Shift+Z",
            ("Ctrl+Y",),
            icon="redo",
            enabled=lambda window: bool(window.redo_label),
            label=lambda window: tr("Redo {step}", step=window.redo_label) if window.redo_label else tr("Redo"),
            toolbar=True,
        ),
        *_clipboard_actions(),
        *_selection_actions(),
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
            lambda window: window.on_canvas("cut"),
            "Ctrl+X",
            icon="cut",
            enabled=has_selection,
            separated=True,
        ),
        ActionSpec(
            "edit.copy",
            tr("Copy"),
            "edit",
            lambda window: window.on_canvas("copy"),
            "Ctrl+C",
            icon="copy",
            enabled=has_selection,
        ),
        ActionSpec(
            "edit.paste",
            tr("Paste"),
            "edit",
            lambda window: window.on_canvas("paste"),
            "Ctrl+V",
            icon="paste",
            enabled=has_tab,
        ),
        ActionSpec(
            "edit.duplicate",
            tr("Duplicate"),
            "edit",
            lambda window: window.on_canvas("duplicate"),
            "Ctrl+D",
            icon="duplicate",
            enabled=has_selection,
        ),
        ActionSpec(
            "edit.delete",
            tr("Delete"),
            "edit",
            lambda window: window.on_canvas("delete_selection"),
            "Del",
            ("Backspace",),
            icon="delete",
            enabled=has_tab,
        ),
        ActionSpec(
            "edit.delete_rejoin",
            tr("Delete and rejoin the wires"),
            "edit",
            lambda window: window.on_canvas("delete_selection", rejoin=True),
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
            lambda window: window.on_canvas("select_all"),
            "Ctrl+A",
            enabled=has_tab,
            separated=True,
        ),
        ActionSpec(
            "edit.select_upstream",
            tr("Select what it depends on"),
            "edit",
            lambda window: window.on_canvas("select_upstream"),
            "Ctrl+Shift+Left",
            enabled=has_selection,
        ),
        ActionSpec(
            "edit.select_downstream",
            tr("Select what depends on it"),
            "edit",
            lambda window: window.on_canvas("select_downstream"),
            "Ctrl+Shift+Right",
            enabled=has_selection,
        ),
    )
