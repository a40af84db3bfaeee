"""The keyboard on the chart: walk from bar to bar, pan, zoom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

if TYPE_CHECKING:
    from quantcrafter.app.charts.model.chart_state import ChartState
    from quantcrafter.app.charts.view import ChartView

ZOOM_STEP = 1.25
_PAGE = 0.9
_SHORT = 0.1
_FAR = 10
_SHIFT, _CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def pressed(view: ChartView, event: QKeyEvent) -> bool:
    """Handle a key; return False for an unknown key.

    Left and Right go to the bar beside the selected one (with Ctrl, ten bars), with Shift they move the view; Page Up
    and Page Down move it by a page, Home and End to the first and the last bar; Up, Down, + and - zoom, 0 shows all.
    """
    state = view.state
    if state is None:
        return False
    key, held = event.key(), event.modifiers()
    if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
        _sideways(view, state, 1 if key == Qt.Key.Key_Right else -1, held)
    elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
        view.pan(state.window.width * (_PAGE if key == Qt.Key.Key_PageDown else -_PAGE))
    elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Up):
        view.zoom(ZOOM_STEP)
    elif key in (Qt.Key.Key_Minus, Qt.Key.Key_Down):
        view.zoom(1 / ZOOM_STEP)
    elif key == Qt.Key.Key_Home:
        view.pan(-state.window.right - state.window.count)
        view.pan(-state.window.left - state.window.width * 0.03)
    elif key == Qt.Key.Key_End:
        view.pan(state.window.count - state.window.right + state.window.width * 0.03)
    elif key == Qt.Key.Key_0:
        view.fit()
    elif key == Qt.Key.Key_Escape and state.selected is not None:
        view.dismissed.emit()
    else:
        return False
    return True


def _sideways(view: ChartView, state: ChartState, towards: int, held: Qt.KeyboardModifier) -> None:
    if held & _SHIFT:
        view.pan(towards * state.window.width * _SHORT)
        return
    step = towards * (_FAR if held & _CTRL else 1)
    last = state.window.count - 1
    if state.selected is not None:
        bar = state.selected + step
    elif view.pointing.bar is not None:
        bar = view.pointing.bar + step
    else:
        bar = min(int(state.window.right), last)
    view.look_at(None)
    view.pointed.emit(min(max(bar, 0), last), None)
