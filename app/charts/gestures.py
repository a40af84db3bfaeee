"""The mouse on the chart: pan, zoom at the cursor or to a box, move scales and dividers, point at bars and trades."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent

from quantcrafter.app.charts.model.chart_state import ChartState
from quantcrafter.app.charts.model.layout import PanelPlace, resized
from quantcrafter.app.charts.model.scales import Scale, Window
from quantcrafter.app.charts.model.sheet import Sheet
from quantcrafter.app.charts.model.texts import group_lines, left_out_lines, open_lines, roll_lines, trade_lines
from quantcrafter.app.charts.painting.crosshair import corner

if TYPE_CHECKING:
    from quantcrafter.app.charts.view import ChartView

Drag = Callable[[QPointF], None]
"""Called with every position of a drag."""

CLICK_REACH = 4.0
"""A press that moves less, in pixels, is a click."""
_NOTCH = 120.0
_WHEEL_ZOOM = 1.2
_LEAST_BOX = 8.0
_TALL_BOX = 24.0


class Gestures:
    """Turns mouse events into changes of a view."""

    def __init__(self, view: ChartView) -> None:
        self._view = view
        self._pressed: QPointF | None = None
        self._drag: Drag | None = None
        self._moved = False

    # ------------------------------------------------------------------ events

    def wheel(self, event: QWheelEvent) -> None:
        """Zoom at the cursor; sideways, or with Shift, pan."""
        state, sheet = self._view.state, self._view.sheet
        if state is None or sheet is None:
            return
        turn, sideways = event.angleDelta().y(), event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or abs(sideways) > abs(turn):
            self._view.pan(-(sideways or turn) / _NOTCH * state.window.width * 0.08)
        elif turn:
            at = min(event.position().x(), sheet.plot_width)
            self._view.zoom(_WHEEL_ZOOM ** (turn / _NOTCH), at)
        self._view.look_at(event.position())
        event.accept()

    def press(self, event: QMouseEvent) -> None:
        """Start a drag; a short one is a click."""
        state, sheet = self._view.state, self._view.sheet
        if (
            state is None
            or sheet is None
            or event.button()
            not in (
                Qt.MouseButton.LeftButton,
                Qt.MouseButton.MiddleButton,
            )
        ):
            return
        at = event.position()
        self._pressed, self._moved = at, False
        self._drag = self._chosen(state, sheet, at, event.modifiers())

    def move(self, event: QMouseEvent) -> None:
        """Go on with a drag, or follow the mouse with the crosshair."""
        at = event.position()
        if self._drag is not None and self._pressed is not None:
            far = (at - self._pressed).manhattanLength() >= CLICK_REACH
            self._moved = self._moved or far
            if self._moved:
                self._drag(at)
            return
        self._view.look_at(at)
        self._hover(at)

    def release(self, event: QMouseEvent) -> None:
        """End a drag, or handle a click."""
        view, pressed = self._view, self._pressed
        box, view.pointing.box = view.pointing.box, None
        moved, self._drag, self._pressed = self._moved, None, None
        view.look_at(event.position())
        if box is not None:
            self._zoom_to(box)
        elif pressed is not None and not moved and event.button() == Qt.MouseButton.LeftButton:
            self._click(pressed)
        self._hover(event.position())

    def double_click(self, event: QMouseEvent) -> None:
        """Show everything; on an axis, fit its scale to the visible part again."""
        state, sheet = self._view.state, self._view.sheet
        if state is None or sheet is None:
            return
        at = event.position()
        place = sheet.panel_at(at.y())
        if at.x() >= sheet.plot_width and place is not None:
            state.scales.pop(place.key, None)
            self._view.refresh()
            self._view.changed.emit()
        elif sheet.divider_at(at.y()) is not None:
            state.weights.clear()
            self._view.refresh()
        else:
            self._view.fit()

    # ------------------------------------------------------------------ drags

    def _chosen(self, state: ChartState, sheet: Sheet, at: QPointF, held: Qt.KeyboardModifier) -> Drag:
        divider = sheet.divider_at(at.y())
        if divider is not None:
            return self._divider_drag(state, sheet, divider, at)
        place = sheet.panel_at(at.y())
        if place is None:
            return self._time_drag(state, sheet, at)
        if at.x() >= sheet.plot_width:
            return self._scale_drag(state, sheet.scales[place.key], place, at)
        if held & Qt.KeyboardModifier.ShiftModifier:
            return self._box_drag(sheet, place, at)
        return self._pan_drag(state, sheet, place, at)

    def _pan_drag(self, state: ChartState, sheet: Sheet, place: PanelPlace, start: QPointF) -> Drag:
        window, own = state.window, state.scales.get(place.key)

        def drag(at: QPointF) -> None:
            if own is not None:
                state.scales[place.key] = own.placed(place.top, place.bottom).moved(at.y() - start.y())
                self._view.refresh()
            self._view.set_window(window.panned((start.x() - at.x()) / sheet.pixels_a_bar))
            self._view.look_at(at)

        return drag

    def _box_drag(self, sheet: Sheet, place: PanelPlace, start: QPointF) -> Drag:
        bounds = QRectF(0, place.top, sheet.plot_width, place.height)

        def drag(at: QPointF) -> None:
            self._view.pointing.box = QRectF(start, at).normalized().intersected(bounds)
            self._view.update()

        return drag

    def _scale_drag(self, state: ChartState, scale: Scale, place: PanelPlace, start: QPointF) -> Drag:
        def drag(at: QPointF) -> None:
            state.scales[place.key] = scale.stretched(1.01 ** (start.y() - at.y()))
            self._view.refresh()
            self._view.changed.emit()

        return drag

    def _time_drag(self, state: ChartState, sheet: Sheet, start: QPointF) -> Drag:
        window, pivot = state.window, sheet.position(sheet.plot_width)

        def drag(at: QPointF) -> None:
            self._view.set_window(window.zoomed(1.005 ** (start.x() - at.x()), pivot))

        return drag

    def _divider_drag(self, state: ChartState, sheet: Sheet, above: int, start: QPointF) -> Drag:
        specs = state.specs()

        def drag(at: QPointF) -> None:
            state.weights = resized(sheet.places, specs, above, at.y() - start.y())
            self._view.refresh()

        return drag

    def _zoom_to(self, box: QRectF) -> None:
        """Zoom to a box: its bars, and its values if it is tall."""
        state, sheet = self._view.state, self._view.sheet
        if state is None or sheet is None or box.width() < _LEAST_BOX:
            self._view.update()
            return
        place = sheet.panel_at(box.center().y())
        if place is not None and box.height() >= _TALL_BOX and not place.key.startswith("strip:"):
            scale = sheet.scales[place.key]
            low, high = scale.value(box.bottom()), scale.value(box.top())
            state.scales[place.key] = Scale(low, high, place.top, place.bottom, scale.log)
        left, right = sheet.position(box.left()), sheet.position(box.right())
        self._view.set_window(Window(left, right, state.window.count).bounded())
        self._view.refresh()

    # ------------------------------------------------------------------ pointing

    def _click(self, at: QPointF) -> None:
        view, sheet = self._view, self._view.sheet
        state, drawing = view.state, view.drawing
        if state is None or sheet is None or drawing is None:
            return
        output = view.overlay.legend.output_at(at.x(), at.y())
        if output is not None:
            view.output_clicked.emit(output)
            return
        if at.x() >= sheet.plot_width or at.y() >= sheet.plot_height:
            return
        group = drawing.marks.group_at(at.x(), at.y())
        if group is not None:
            last = min(group.last_bar, state.window.count - 1)
            view.set_window(Window(group.first_bar - 2.0, last + 2.0, state.window.count).bounded())
            return
        trade = drawing.marks.trade_at(at.x(), at.y())
        view.pointed.emit(sheet.bar(at.x()), trade)

    def _hover(self, at: QPointF) -> None:
        """Show the trade or the roll under the mouse, and a cursor for the available gesture."""
        view, sheet = self._view, self._view.sheet
        state, drawing = view.state, view.drawing
        if state is None or sheet is None or drawing is None:
            return
        trade = drawing.marks.trade_at(at.x(), at.y())
        group = drawing.marks.group_at(at.x(), at.y())
        held = drawing.marks.open_at(at.x(), at.y())
        rolled = drawing.rolls.at(at.x(), at.y())
        if trade is not None:
            view.pointing.lines = trade_lines(state.model, trade)
        elif held is not None:
            view.pointing.lines = open_lines(state.model, held)
        elif group is not None:
            view.pointing.lines = group_lines(state.model, group)
        elif rolled is not None:
            view.pointing.lines = roll_lines(state.model, rolled)
        elif sheet.left_out and corner(sheet).contains(at):
            view.pointing.lines = left_out_lines(sheet.left_out)
            view.pointing.x, view.pointing.y = at.x(), at.y()
        else:
            view.pointing.lines = []
        view.setCursor(self._cursor(sheet, at, over=trade is not None or group is not None))

    def _cursor(self, sheet: Sheet, at: QPointF, *, over: bool) -> Qt.CursorShape:
        if over or self._view.overlay.legend.output_at(at.x(), at.y()) is not None:
            return Qt.CursorShape.PointingHandCursor
        if sheet.divider_at(at.y()) is not None:
            return Qt.CursorShape.SplitVCursor
        if at.y() >= sheet.plot_height:
            return Qt.CursorShape.SizeHorCursor
        return Qt.CursorShape.SizeVerCursor if at.x() >= sheet.plot_width else Qt.CursorShape.CrossCursor
