"""What the keys do on the canvas itself; the program's menus may have more ways to the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from app.canvas.walk import Way

if TYPE_CHECKING:
    from app.canvas.canvas import Canvas

Keys = tuple[Qt.Key, Qt.KeyboardModifier]
NUDGE = 10.0


def key_table(canvas: Canvas) -> dict[Keys, Callable[[], object]]:
    """Return what to call for each key."""
    key, none = Qt.Key, Qt.KeyboardModifier.NoModifier
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    arrows: dict[Qt.Key, tuple[Way, float, float]] = {
        key.Key_Left: ("left", -NUDGE, 0.0),
        key.Key_Right: ("right", NUDGE, 0.0),
        key.Key_Up: ("up", 0.0, -NUDGE),
        key.Key_Down: ("down", 0.0, NUDGE),
    }
    table: dict[Keys, Callable[[], object]] = {
        (key.Key_Tab, none): canvas.quick_add,
        (key.Key_Delete, none): canvas.delete_selection,
        (key.Key_Backspace, none): canvas.delete_selection,
        (key.Key_Delete, control): partial(canvas.delete_selection, rejoin=True),
        (key.Key_A, control): canvas.select_all,
        (key.Key_C, control): canvas.copy,
        (key.Key_X, control): canvas.cut,
        (key.Key_V, control): canvas.paste,
        (key.Key_D, control): canvas.duplicate,
        (key.Key_Return, none): canvas.rename,
        (key.Key_Enter, none): canvas.rename,
        (key.Key_F2, none): canvas.rename,
        (key.Key_Home, none): canvas.fit_all,
        (key.Key_M, none): canvas.toggle_mute,
        (key.Key_B, none): canvas.toggle_bypass,
        (key.Key_G, control): canvas.group_into_block,
        (key.Key_Left, control | shift): canvas.select_upstream,
        (key.Key_Right, control | shift): canvas.select_downstream,
        (key.Key_Up, Qt.KeyboardModifier.AltModifier): canvas.close_block,
        (key.Key_Down, Qt.KeyboardModifier.AltModifier): canvas.open_block,
    }
    for code, (direction, dx, dy) in arrows.items():
        table[code, none] = partial(canvas.walk, direction)
        table[code, control] = partial(canvas.nudge, dx, dy)
    return table
