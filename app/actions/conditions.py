"""When actions can be used. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.window.main_window import MainWindow


def has_tab(window: MainWindow) -> bool:
    """Return whether a strategy is open."""
    return window.tab is not None


def has_selection(window: MainWindow) -> bool:
    """Return whether nodes are selected."""
    return bool(window.selection)


def has_one(window: MainWindow) -> bool:
    """Return whether one node is selected."""
    return len(window.selection) == 1


def has_wire(window: MainWindow) -> bool:
    """Return whether one wire is selected."""
    return window.tab is not None and len(window.tab.canvas.stage.selection.wires) == 1


def can_rename(window: MainWindow) -> bool:
    """Return whether one node, or one frame, is selected."""
    return has_one(window) or (window.tab is not None and len(window.tab.canvas.stage.selection.frames) == 1)


def has_several(window: MainWindow) -> bool:
    """Return whether at least two nodes are selected."""
    return len(window.selection) > 1


def has_three(window: MainWindow) -> bool:
    """Return whether at least three nodes are selected, so that there is something between the outer ones."""
    return len(window.selection) > 2  # noqa: PLR2004 - three


def has_block(window: MainWindow) -> bool:
    """Return whether one selected node is a block that this file holds."""
    return window.tab is not None and window.tab.selected_block() is not None


def can_undo(window: MainWindow) -> bool:
    """Return whether there is a step to take back."""
    return window.tab is not None and bool(window.tab.document.undo_label)


def can_redo(window: MainWindow) -> bool:
    """Return whether there is a step to do again."""
    return window.tab is not None and bool(window.tab.document.redo_label)


def all_bypassed(window: MainWindow) -> bool:
    """Return whether every selected node is bypassed."""
    return window.tab is not None and window.tab.all_selected("bypass")


def all_muted(window: MainWindow) -> bool:
    """Return whether every selected node is muted."""
    return window.tab is not None and window.tab.all_selected("mute")


def in_block(window: MainWindow) -> bool:
    """Return whether the canvas shows the inside of a block."""
    return window.tab is not None and window.tab.canvas.inside_block
