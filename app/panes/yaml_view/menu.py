"""The menu of the right mouse button."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget


@dataclass(frozen=True, slots=True)
class EditorMenuLine:
    """A line of the menu; `keys` are shown next to it."""

    title: str
    keys: str
    call: Callable[[], None]
    enabled: bool = True


def menu_of(entries: Iterable[EditorMenuLine | None], parent: QWidget) -> QMenu:
    """Return a menu that is deleted when it closes; None is a line between groups."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for entry in entries:
        if entry is None:
            menu.addSeparator()
            continue
        action = menu.addAction(f"{entry.title}\t{entry.keys}")
        action.triggered.connect(lambda _checked=False, call=entry.call: call())
        action.setEnabled(entry.enabled)
    return menu
