"""ChartView: the drawing area of the chart, with everything that moves it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from quantcrafter.app.charts.gestures import Gestures
from quantcrafter.app.charts.keys import pressed
from quantcrafter.app.charts.model.chart import ChartModel
from quantcrafter.app.charts.model.chart_colors import ChartLook, chart_look
from quantcrafter.app.charts.model.chart_state import PRICE, ChartState
from quantcrafter.app.charts.model.prices import number_text
from quantcrafter.app.charts.model.scales import Window
from quantcrafter.app.charts.model.sheet import Sheet
from quantcrafter.app.charts.model.texts import described
from quantcrafter.app.charts.painting.crosshair import CrosshairOverlay, Pointing, looked_at
from quantcrafter.app.charts.painting.drawing import Drawing
from quantcrafter.app.charts.painting.pens import small
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import current

AXIS_HEIGHT = 26
REST_MS = 120
"""So long after the last movement lines are drawn finely again."""
_LEAST_AXIS = 58.0


class ChartView(QWidget):
    """Draws one instrument of a run.

    The panels are drawn into a picture that is kept; crosshair and legends are drawn over it, so that moving the mouse
    costs next to nothing.

    Args:
        candle_colors: one of `look.CANDLE_COLORS`.
        parent: the pane.
    """

    pointed = Signal(object, object)
    """A bar was clicked or stepped to (int), and the trade whose mark was clicked (a row, or None)."""
    dismissed = Signal()
    """The user wants nothing to be pointed at."""
    output_clicked = Signal(object)
    """The legend's entry of an output (`ChartOutput`) was clicked."""
    changed = Signal()
    """The visible bars, a scale or a panel changed."""

    def __init__(self, candle_colors: str = "green_red", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state: ChartState | None = None
        self.pointing = Pointing()
        self._colors = candle_colors
        self._picture: QPixmap | None = None
        self._sheet: Sheet | None = None
        self._axis_width = _LEAST_AXIS
        self.look: ChartLook = chart_look(current(), candle_colors)
        self.drawing: Drawing | None = None
        self.overlay = CrosshairOverlay(self.look, self.font())
        self._gestures = Gestures(self)
        self._at_rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._at_rest.timeout.connect(self.refresh)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 110)
        self.setAccessibleName(tr("Chart"))

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(900, 420)

    # ------------------------------------------------------------------ what is shown

    def show_state(self, state: ChartState | None) -> None:
        """Show another run or instrument, or none."""
        self.state = state
        self.pointing = Pointing()
        if state is not None and self.drawing is None:
            self.drawing = Drawing(self.look, self.font())
        if state is not None:
            self._axis_width = self._width_of_axis(state.model)
        self.refresh()

    def recolor(self, candle_colors: str) -> None:
        """Take the colours of the theme in use, and these for candles."""
        self._colors = candle_colors
        self.look = chart_look(current(), candle_colors)
        self.overlay = CrosshairOverlay(self.look, self.font())
        if self.drawing is not None:
            self.drawing = Drawing(self.look, self.font(), self.drawing.batch)
        self.refresh()

    def refresh(self) -> None:
        """Draw everything again at the next painting."""
        self._picture = None
        self._sheet = None
        self.update()

    @property
    def sheet(self) -> Sheet | None:
        """Where everything is now, None without a run."""
        if self._sheet is None and self.state is not None:
            self._sheet = Sheet(self.state, self.width(), self.height(), self._axis_width, AXIS_HEIGHT)
        return self._sheet

    # ------------------------------------------------------------------ moving about

    def set_window(self, window: Window) -> None:
        """Show other bars."""
        if self.state is not None and window != self.state.window:
            self.state.window = window
            self._at_rest.start()
            self.refresh()
            self.changed.emit()

    def fit(self) -> None:
        """Show all bars, every scale following what is visible."""
        if self.state is not None:
            self.state.scales.clear()
            self.state.window = Window.whole(self.state.window.count)
            self.refresh()
            self.changed.emit()

    def zoom(self, factor: float, x: float | None = None) -> None:
        """Zoom in (or out, below 1) at a pixel; at the selected bar if it is in view, else in the middle."""
        state, sheet = self.state, self.sheet
        if state is None or sheet is None:
            return
        window = state.window
        at = (window.left + window.right) / 2
        if x is not None:
            at = sheet.position(x)
        elif state.selected is not None and window.left <= state.selected <= window.right:
            at = float(state.selected)
        self.set_window(window.zoomed(factor, at))

    def pan(self, bars: float) -> None:
        """Move the view to later bars, or to earlier ones."""
        if self.state is not None:
            self.set_window(self.state.window.panned(bars))

    def go_to(self, bar: int) -> None:
        """Bring a bar to the middle, and zoom in if it could not be told from its neighbours."""
        if self.state is None:
            return
        window = self.state.window
        if window.width > self.width() / 2:
            window = Window.around(bar - 60.0, bar + 60.0, window.count)
        self.set_window(window.centred(bar))

    def show_trade(self, row: int) -> None:
        """Zoom to a trade of this instrument, from entry to exit."""
        state = self.state
        place = state.model.trades.place_of(row) if state is not None else None
        if state is not None and place is not None:
            trades = state.model.trades.all
            left, right = float(trades.entry_bar[place]), float(trades.exit_bar[place])
            state.scales.pop(PRICE, None)
            self.set_window(Window.around(left, right, state.window.count))

    def select(self, bar: int | None, trade: int | None) -> None:
        """Mark a bar and a trade; the view moves only if they are outside of it."""
        state = self.state
        if state is None:
            return
        before, state.selected, state.trade = state.trade, bar, trade
        if bar is not None:
            self.setAccessibleDescription(described(state.model, bar, state.drawn))
            window = state.window.showing(bar)
            grouped = self.drawing is not None and self.drawing.marks.trades is None
            if trade is not None and trade != before and (grouped or window != state.window):
                self.show_trade(trade)
            else:
                self.set_window(window)
        if before != trade:
            self.refresh()
        self.update()

    def set_auto(self, *, auto: bool) -> None:
        """Fit the scales to the visible part automatically, or keep them."""
        state, sheet = self.state, self.sheet
        if state is not None and sheet is not None:
            kept = {key: scale for key, scale in sheet.scales.items() if not key.startswith("strip:")}
            state.scales = {} if auto else kept
            self.refresh()
            self.changed.emit()

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 - Qt's
        painter = QPainter(self)
        state, sheet = self.state, self.sheet
        if state is None or sheet is None or self.drawing is None:
            painter.fillRect(self.rect(), self.look.background)
            return
        if self._picture is None:
            self._picture = self._drawn(self.drawing, state, sheet)
        painter.drawPixmap(0, 0, self._picture)
        self.overlay.draw(painter, state, sheet, self.pointing, bars_a_candle=self.drawing.bars_a_candle)
        if self.hasFocus():
            painter.setPen(self.look.selection)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1))

    def render_to(self, painter: QPainter) -> None:
        """Draw the chart for a file: without what the mouse points at."""
        state, sheet = self.state, self.sheet
        if state is None or sheet is None or self.drawing is None:
            return
        self.drawing.batch.fine = True
        self.drawing.draw(painter, state, sheet)
        bar = looked_at(state, Pointing())
        self.overlay.legend.draw(painter, state, sheet, bar, self.drawing.bars_a_candle)
        self._picture = None

    def _drawn(self, drawing: Drawing, state: ChartState, sheet: Sheet) -> QPixmap:
        ratio = self.devicePixelRatioF()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        painter = QPainter(picture)
        drawing.batch.fine = not self._at_rest.isActive()
        drawing.draw(painter, state, sheet)
        painter.end()
        return picture

    def _width_of_axis(self, model: ChartModel) -> float:
        highest = model.candles.extremes(0, len(model)) or (0.0, 0.0)
        texts = (number_text(highest[1], model.decimals), "-100.0", "999.9k")
        metrics = QFontMetricsF(small(self.font()))
        return max(max(metrics.horizontalAdvance(text) for text in texts) + 14.0, _LEAST_AXIS)

    # ------------------------------------------------------------------ events

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.ApplicationFontChange):
            self.recolor(self._colors)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom(1.0 + event.value(), event.position().x())
            return True
        return super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        self._gestures.wheel(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        self._gestures.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        self._gestures.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        self._gestures.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        self._gestures.double_click(event)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        super().leaveEvent(event)
        self.pointing = Pointing()
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        if not pressed(self, event):
            super().keyPressEvent(event)

    def look_at(self, at: QPointF | None) -> None:
        """Put the crosshair at a place."""
        sheet = self.sheet
        if sheet is None or at is None:
            self.pointing = Pointing()
        else:
            inside = at.x() < sheet.plot_width and at.y() < sheet.plot_height
            self.pointing.bar = sheet.bar(at.x()) if inside else None
            self.pointing.x, self.pointing.y = (at.x(), at.y()) if inside else (None, None)
        self.update()
