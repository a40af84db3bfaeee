"""What a plot is drawn on: pyqtgraph's PlotWidget, dressed in the theme. Importing it takes long: see `Plot`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPen
from PySide6.QtWidgets import QFrame, QWidget

from quantcrafter.app.theme import Theme
from quantcrafter.engine.data.labels import DEFAULT_ZONE, local_time

DAY_S = 86_400.0
_GRID = 70
_HALF_DAY_S = 43_200.0
_TIMES = ((300 * DAY_S, "%Y"), (27 * DAY_S, "%Y-%m"), (DAY_S, "%Y-%m-%d"), (60.0, "%H:%M"), (0.0, "%H:%M:%S"))


class NumberAxis(pg.AxisItem):  # type: ignore[misc] # pyqtgraph has no types
    """An axis of numbers, thousands set apart."""

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:  # noqa: N802 - pyqtgraph's
        places = max(0, -math.floor(math.log10(spacing * scale))) if spacing > 0 else 0
        return [f"{value * scale:,.{places}f}" for value in values]


class TimeAxis(pg.DateAxisItem):  # type: ignore[misc] # pyqtgraph has no types
    """An axis of UTC seconds, labelled by ISO dates and times of a zone in every language.

    Marks stand at whole hours of the zone as it is in the middle of what is shown.
    """

    def __init__(self, orientation: str, zone: str = DEFAULT_ZONE) -> None:
        super().__init__(orientation, utcOffset=0)
        self.zone = zone

    def tickValues(self, minVal: float, maxVal: float, size: float) -> Any:  # noqa: N802, N803 - pyqtgraph's
        middle = local_time(round((minVal + maxVal) / 2) * 1_000_000_000, self.zone)
        offset = middle.utcoffset()
        self.utcOffset = 0.0 if offset is None else -offset.total_seconds()
        return super().tickValues(minVal, maxVal, size)

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:  # noqa: ARG002, N802
        form = next(form for least, form in _TIMES if spacing >= least)
        if spacing >= DAY_S:  # midnight of the middle is an hour off where daylight saving time differs
            values = [value + _HALF_DAY_S for value in values]
        return [f"{local_time(round(value) * 1_000_000_000, self.zone):{form}}" for value in values]


class LabelAxis(pg.AxisItem):  # type: ignore[misc] # pyqtgraph has no types
    """An axis with a text at each whole number; where they are too many, every second or third is left out."""

    def __init__(self, orientation: str, labels: Sequence[str] = ()) -> None:
        super().__init__(orientation)
        self.labels = tuple(labels)

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[int]]]:  # noqa: N802, N803
        low, high = sorted((minVal, maxVal))  # an axis that is turned round gives them so
        shown = [number for number in range(len(self.labels)) if low <= number <= high]
        metrics = QFontMetricsF(self.style["tickFont"] or self.font())
        needed = metrics.height() * 1.2
        if self.orientation in {"bottom", "top"}:
            needed = max((metrics.horizontalAdvance(self.labels[number]) for number in shown), default=0) + 12
        room = size / max(high - low, 1e-9)
        every = max(1, math.ceil(needed / max(room, 1e-9)))
        return [(float(every), [number for number in shown if number % every == 0])]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:  # noqa: ARG002, N802
        return [self.labels[round(value)] for value in values]


class Surface(pg.PlotWidget):  # type: ignore[misc] # pyqtgraph has no types
    """A PlotWidget without pyqtgraph's own menus and buttons.

    The Qt signal `moved` carries the pointer's place in the plot's coordinates, None when it leaves; `clicked` that of
    a left click.
    """

    moved = Signal(object)
    clicked = Signal(QPointF)

    def __init__(self, axes: dict[str, pg.AxisItem], parent: QWidget) -> None:
        super().__init__(parent, axisItems=axes, enableMenu=False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.hideButtons()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFocusProxy(parent)
        self.setMouseTracking(True)
        self._pressed: QPointF | None = None

    def dress(self, theme: Theme) -> None:
        """Take the colours of a theme and the font of the application."""
        self.setBackground(QColor(theme.field))
        for name in ("left", "bottom"):
            axis = self.getPlotItem().getAxis(name)
            axis.setPen(QColor(theme.border))
            axis.setTextPen(QColor(theme.text_dim))
            axis.setTickFont(self.font())
            axis.label.setFont(self.font())
            axis.enableAutoSIPrefix(False)
        self.getPlotItem().getAxis("left").setStyle(hideOverlappingLabels=self.fontMetrics().height())
        above = self.fontMetrics().height() // 2  # the highest label reaches over the plot
        self.getPlotItem().layout.setContentsMargins(0, above, above, 0)

    def show_grid(self) -> None:
        """Draw lines at the values of the vertical axis."""
        self.getPlotItem().showGrid(x=False, y=True, alpha=_GRID / 255)

    @property
    def box(self) -> Any:
        """What pans and zooms: pyqtgraph's ViewBox."""
        return self.getPlotItem().getViewBox()

    def zoom(self, factor: float, *, both: bool, about: QPointF | None = None) -> None:
        """Show `factor` times as much, of both axes or of the horizontal one."""
        self.box.scaleBy(x=factor, y=factor if both else None, center=about)

    def pen(self, color: str, width: float = 1.0, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
        """Return a pen of a width on the screen that no zoom changes."""
        pen = QPen(QColor(color), width * self.devicePixelRatioF(), style)
        pen.setCosmetic(True)  # its width is then one of the device
        return pen

    def box_text(self, theme: Theme, html: str = "") -> Any:
        """Return a framed text over the plot that doesn't move with it; `drop` takes it away."""
        made = pg.TextItem(color=theme.text, fill=theme.raised, border=theme.border)
        made.setFont(self.font())
        if html:
            made.setHtml(f"<span style='color: {theme.text}'>{html}</span>")
        made.setParentItem(self.box)
        made.setZValue(10)
        return made

    def drop(self, item: Any) -> None:
        """Take an item away that `box_text` made."""
        if item is not None:
            self.scene().removeItem(item)

    def place_of(self, rect: QRectF) -> QRectF:
        """Return where a rectangle in the plot's coordinates is on the viewport."""
        return QRectF(
            self.mapFromScene(self.box.mapViewToScene(rect.topLeft())),
            self.mapFromScene(self.box.mapViewToScene(rect.bottomRight())),
        ).normalized()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's
        super().mouseMoveEvent(event)
        self.moved.emit(self._in_plot(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's
        self._pressed = event.position()
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's
        super().mouseReleaseEvent(event)
        pressed, self._pressed = self._pressed, None
        place = self._in_plot(event.position())
        is_click = pressed is not None and (pressed - event.position()).manhattanLength() < 4  # noqa: PLR2004 - pixels
        if is_click and place is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(place)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's
        super().leaveEvent(event)
        self.moved.emit(None)

    def _in_plot(self, at: QPointF) -> QPointF | None:
        """Return a place on the viewport in the plot's coordinates, None beside the plot."""
        scene = self.mapToScene(at.toPoint())
        box = self.box
        return box.mapSceneToView(scene) if box.sceneBoundingRect().contains(scene) else None
