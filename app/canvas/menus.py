"""The context menus: what can be done with what is under the mouse, with its keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QMenu

from app.canvas.gestures.base import Hit
from app.canvas.levels import is_file
from app.services.i18n import tr
from app.theme.icons import icon

if TYPE_CHECKING:
    from app.canvas.canvas import Canvas

Entry = tuple[str, str, str, Callable[[], object], bool]
"""Title, keys as shown, icon, what to call, and whether it can be used now; an empty title is a line."""

LINE: Entry = ("", "", "", lambda: None, True)


def context_menu(canvas: Canvas, hit: Hit, at: QPoint) -> QMenu:
    """Return the menu for what is at a place of the view."""
    menu = QMenu(canvas)
    menu.setAccessibleName(tr("What can be done here"))
    for title, keys, picture, call, enabled in _entries(canvas, hit, at):
        if not title:
            menu.addSeparator()
            continue
        action = menu.addAction(f"{title}\t{keys}" if keys else title)
        if picture:
            action.setIcon(icon(picture))
        action.setEnabled(enabled)
        action.triggered.connect(lambda _checked=False, call=call: call())
    return menu


def _entries(canvas: Canvas, hit: Hit, at: QPoint) -> list[Entry]:
    if hit.node is not None:
        return _node_entries(canvas, hit.node)
    if hit.wire is not None:
        return [
            (tr("Disconnect"), tr("Del"), "delete", canvas.delete_selection, not canvas.locked),
            (tr("Show where it comes from"), "", "", partial(canvas.reveal, hit.wire.source), True),
            (tr("Show where it goes"), "", "", partial(canvas.reveal, hit.wire.target), True),
        ]
    if hit.frame is not None:
        free = not canvas.locked
        return [
            (tr("Edit the text"), "", "edit", partial(canvas.edit_frame, hit.frame), free),
            (tr("Delete the frame"), tr("Del"), "delete", canvas.delete_selection, free),
        ]
    return _empty_entries(canvas, at)


def _node_entries(canvas: Canvas, node: str) -> list[Entry]:
    view = canvas.graph.nodes[node]
    own, free = view.role is not None, not canvas.locked
    both = own and free
    entries: list[Entry] = [
        (tr("Rename..."), "F2", "edit", canvas.rename, both),
        (tr("Cut"), "Ctrl+X", "cut", canvas.cut, both),
        (tr("Copy"), "Ctrl+C", "copy", canvas.copy, both),
        (tr("Duplicate"), "Ctrl+D", "duplicate", canvas.duplicate, both),
        LINE,
        (tr("End the bypass") if view.bypass else tr("Bypass"), "B", "bypass", canvas.toggle_bypass, both),
        (tr("Unmute") if view.mute else tr("Mute"), "M", "mute", canvas.toggle_mute, both),
        LINE,
        (tr("Select what it depends on"), "Ctrl+Shift+Left", "", canvas.select_upstream, True),
        (tr("Select what depends on it"), "Ctrl+Shift+Right", "", canvas.select_downstream, True),
        (tr("Add a frame around it"), "", "frame", canvas.add_frame, free),
        (tr("Group into a block..."), "Ctrl+G", "block", canvas.group_into_block, both and not canvas.scope),
    ]
    if view.block:
        title = tr("Look into the block file") if is_file(view.use) else tr("Open the block")
        entries.append((title, tr("Alt+Down"), "open", canvas.open_block, True))
    entries += [
        LINE,
        (tr("Delete"), tr("Del"), "delete", canvas.delete_selection, both),
        (tr("Delete and rejoin"), tr("Ctrl+Del"), "", partial(canvas.delete_selection, rejoin=True), both),
    ]
    return entries


def _empty_entries(canvas: Canvas, at: QPoint) -> list[Entry]:
    free = not canvas.locked
    entries: list[Entry] = [
        (tr("Add a node..."), tr("Tab"), "add", partial(canvas.quick_add, at), free),
        (tr("Paste"), "Ctrl+V", "paste", partial(canvas.paste, at), free),
        (tr("Add a frame"), "", "frame", partial(canvas.add_frame, at), free),
        LINE,
        (tr("Select all"), "Ctrl+A", "", canvas.select_all, True),
        (tr("Arrange automatically"), "", "layout", canvas.auto_layout, free),
        (tr("Show all"), tr("Home"), "zoom-fit", canvas.fit_all, True),
    ]
    if canvas.inside_block:
        entries.append((tr("Back to the strategy"), tr("Alt+Up"), "chevron-left", canvas.close_block, True))
    return entries
