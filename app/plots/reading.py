"""ReadingPlot: a plot over one axis whose values are read off at the pointer, or step by step by the arrow keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent, QKeyEvent
from PySide6.QtWidgets import QWidget

from quantcrafter.app.plots.plot import Plot
from quantcrafter.app.theme import current

if TYPE_CHECKING:
    from quantcrafter.app.plots.surface import Surface

_STEPS = 60


class ReadingPlot(Plot):
    """Shows a line at the nearest of its `stops`, and next to it what `reading` says there.

    Left and right go from stop to stop, or a sixtieth of what is seen where there are many.
    """

    def __init__(self, name: str, nothing: str, parent: QWidget | None = None) -> None:
        super().__init__(name, nothing, parent)
        self.at: int | None = None
        self._cursor: Any = None
        self._label: Any = None

    def stops(self) -> npt.NDArray[np.float64]:
        """Return where values can be read: places on the horizontal axis, rising, shape (n,)."""
        raise NotImplementedError

    def reading(self, number: int) -> str:
        """Return what there is at a stop, as people read it."""
        raise NotImplementedError

    def _draw(self) -> None:
        if self.surface is not None:
            self.surface.drop(self._label)
        self.at = self._cursor = self._label = None
        self.setAccessibleDescription("")
        super()._draw()
        if self.surface is not None and self.has_content():
            self._add_cursor(self.surface)

    def _add_cursor(self, surface: Surface) -> None:
        import pyqtgraph as pg

        theme = current()
        self._cursor = pg.InfiniteLine(angle=90, pen=surface.pen(theme.text_dim, 1, Qt.PenStyle.DotLine))
        self._label = surface.box_text(theme)
        self._cursor.hide()
        self._label.hide()
        surface.addItem(self._cursor, ignoreBounds=True)

    def pointed_at(self, at: QPointF | None) -> None:
        stops = self.stops()
        if at is None or not len(stops):
            self.read(None)
            return
        after = min(int(np.searchsorted(stops, at.x())), len(stops) - 1)
        before = max(after - 1, 0)
        self.read(before if at.x() - stops[before] < stops[after] - at.x() else after)

    def read(self, number: int | None) -> None:
        """Show what there is at a stop, or nothing."""
        self.at = number
        if self._cursor is None:
            return
        text = "" if number is None else self.reading(number)
        self._cursor.setVisible(number is not None)
        self._label.setVisible(number is not None)
        if text != self.accessibleDescription():
            self.setAccessibleDescription(text)
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))
        if number is not None:
            x = float(self.stops()[number])
            self._cursor.setValue(x)
            self._label.setText(text)
            box = self._surface().box
            width, middle = self._label.boundingRect().width(), box.mapFromView(QPointF(x, 0.0)).x()
            self._label.setPos(max(min(middle - width / 2, box.width() - width - 2), 2), 2)

    def press_key(self, event: QKeyEvent) -> bool:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier or event.key() not in steps:
            return super().press_key(event)
        stops, surface = self.stops(), self._surface()
        (left, right), _ = surface.box.viewRange()
        first = int(np.searchsorted(stops, left))
        last = max(int(np.searchsorted(stops, right, "right")) - 1, first)
        step = max(1, (last - first) // _STEPS) * steps[Qt.Key(event.key())]
        start = (first if step > 0 else last) - step if self.at is None else self.at
        self.read(min(max(start + step, first), last, 0 if not len(stops) else len(stops) - 1))
        return True
