"""The context menus: what can be done with what is under the mouse, with its keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu

from quantcrafter.app.canvas.block_levels import is_file
from quantcrafter.app.canvas.gesture import Hit
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme.icons import icon

if TYPE_CHECKING:
    from quantcrafter.app.canvas.canvas import Canvas


@dataclass(frozen=True, slots=True)
class MenuLine:
    """A line of the menu: an action of the program, with what differs from it here.

    Args:
        action: its id; it gives title, keys and icon.
        enabled: whether it can be used on what is under the mouse.
        title: another title for it, where the place says more.
        call: what to call instead, where the place of the mouse matters.
        separated: a line above it.
    """

    action: str
    enabled: bool = True
    title: str = ""
    call: Callable[[], object] | None = None
    separated: bool = False


def context_menu(canvas: Canvas, hit: Hit, at: QPoint) -> QMenu:
    """Return the menu for what is at a place of the view."""
    menu = QMenu(canvas)
    menu.setAccessibleName(tr("Available actions"))
    for entry in _entries(canvas, hit, at):
        offered = canvas.offers.offered(entry.action)
        if entry.separated:
            menu.addSeparator()
        shown = QKeySequence.fromString(offered.keys).toString(QKeySequence.SequenceFormat.NativeText)
        action = menu.addAction(f"{entry.title or offered.title}\t{shown}".rstrip())
        action.setObjectName(entry.action)
        if offered.icon:
            action.setIcon(icon(offered.icon))
        action.setEnabled(entry.enabled and (offered.usable or entry.call is not None))
        if offered.mark is not None:
            action.setCheckable(True)
            action.setChecked(offered.mark)
        call = entry.call or partial(canvas.offers.run, canvas, entry.action)
        action.triggered.connect(lambda _checked=False, call=call: call())
    return menu


def _entries(canvas: Canvas, hit: Hit, at: QPoint) -> list[MenuLine]:
    free = not canvas.locked
    if hit.node is not None:
        return _node_entries(canvas, hit.node)
    if hit.wire is not None:
        return [
            MenuLine("edit.delete", free, tr("Disconnect")),
            MenuLine("edit.go_to_source"),
            MenuLine("edit.go_to_target"),
        ]
    if hit.frame is not None:
        return [
            MenuLine("node.rename", free, tr("Edit the text")),
            MenuLine("edit.delete", free, tr("Delete the frame")),
        ]
    return _empty_entries(canvas, at)


def _node_entries(canvas: Canvas, node: str) -> list[MenuLine]:
    view = canvas.graph.nodes[node]
    own, free = view.role is not None, not canvas.locked
    both = own and free
    entries = [
        MenuLine("node.rename", both),
        MenuLine("edit.cut", both),
        MenuLine("edit.copy", both),
        MenuLine("edit.duplicate", both),
        MenuLine("node.bypass", both, tr("Turn off bypass") if view.bypass else "", separated=True),
        MenuLine("node.mute", both, tr("Unmute") if view.mute else ""),
        MenuLine("chart.show_node", separated=True),
        MenuLine("edit.select_upstream", separated=True),
        MenuLine("edit.select_downstream"),
        MenuLine("node.add_frame", free, tr("Add a frame around it")),
        MenuLine("node.group", both and not canvas.scope),
    ]
    if view.block:
        entries.append(MenuLine("node.open_block", title=tr("View the block file") if is_file(view.use) else ""))
    return [*entries, MenuLine("edit.delete", both, separated=True), MenuLine("edit.delete_rejoin", both)]


def _empty_entries(canvas: Canvas, at: QPoint) -> list[MenuLine]:
    free = not canvas.locked
    entries = [
        MenuLine("node.quick_add", free, call=partial(canvas.quick_add, at)),
        MenuLine("edit.paste", free, call=partial(canvas.paste, at)),
        MenuLine("node.add_frame", free, call=partial(canvas.add_frame, at)),
        MenuLine("edit.select_all", separated=True),
        MenuLine("arrange.auto", free),
        MenuLine("view.fit_all"),
    ]
    if canvas.inside_block:
        entries.append(MenuLine("node.close_block"))
    return entries
