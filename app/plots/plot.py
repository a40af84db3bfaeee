"""Plot: a pyqtgraph plot that is made when it is first seen, in the theme, and moved by mouse and keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from quantcrafter.app.theme import changed as theme_changed
from quantcrafter.app.theme import current

if TYPE_CHECKING:
    from quantcrafter.app.plots.surface import Surface

_ZOOM = 0.8
_PAN = 0.15
_RING = 2


class Plot(QWidget):
    """A plot, or a sentence where there is nothing to show.

    The wheel, + and - zoom; dragging and Ctrl with the arrow keys pan; Home, 0 and a double click show everything.
    A subclass says what it has (`has_content`), which axes (`axes`) and what to draw (`draw`).

    Args:
        name: for accessibility tools.
        nothing: the sentence.
        parent: as always in Qt.
    """

    zooms_both = False
    """Whether the vertical axis is zoomed, too; else it follows what is seen."""

    def __init__(self, name: str, nothing: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.surface: Surface | None = None
        self.nothing = QLabel(nothing, alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self.nothing.setForegroundRole(self.nothing.palette().ColorRole.PlaceholderText)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.nothing)
        box = QVBoxLayout(self)
        box.setContentsMargins(_RING, _RING, _RING, _RING)
        box.addWidget(self._stack)
        self._is_drawn = False
        theme_changed.connect(self.redraw)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's
        return QSize(360, 160)

    def has_content(self) -> bool:
        """Return whether there is something to draw."""
        raise NotImplementedError

    def axes(self) -> dict[str, Any]:
        """Return the axes by `left` and `bottom`; pyqtgraph may be imported here."""
        raise NotImplementedError

    def draw(self, surface: Surface) -> None:
        """Add what there is to an empty surface."""
        raise NotImplementedError

    def pointed_at(self, at: QPointF | None) -> None:
        """Follow the pointer, which is at a place in the plot's coordinates, or gone."""

    def clicked_at(self, at: QPointF) -> None:
        """Answer a click."""

    def redraw(self) -> None:
        """Draw again, at once if it is seen and else when it is."""
        self._is_drawn = False
        if self.isVisible():
            self._draw()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's
        super().showEvent(event)
        if not self._is_drawn:
            self._draw()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.redraw()

    def _draw(self) -> None:
        self._is_drawn = True
        if not self.has_content():
            self._stack.setCurrentWidget(self.nothing)
            return
        surface = self._surface()
        plot = surface.getPlotItem()
        plot.clear()
        surface.dress(current())
        self.draw(surface)
        self._stack.setCurrentIndex(1)
        self.show_all()

    def _surface(self) -> Surface:
        if self.surface is None:
            from quantcrafter.app.plots.surface import Surface  # takes long: imported when the first plot is seen

            self.surface = Surface(self.axes(), self)
            self.surface.box.setMouseEnabled(x=True, y=self.zooms_both)
            self.surface.moved.connect(self.pointed_at)
            self.surface.clicked.connect(self.clicked_at)
            self.surface.viewport().installEventFilter(self)
            self._stack.addWidget(self.surface)
        return self.surface

    def show_all(self) -> None:
        """Zoom out to everything."""
        if self.surface is not None:
            self.surface.box.autoRange(padding=0.02)
            if not self.zooms_both:
                self.surface.box.enableAutoRange(y=True)
                self.surface.box.setAutoVisible(y=True)

    # ------------------------------------------------------------------ keys and focus

    def eventFilter(self, watched: Any, event: QEvent) -> bool:  # noqa: N802 - Qt's
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self.show_all()
            return True
        if event.type() == QEvent.Type.MouseButtonPress:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        if self.surface is None or not self.has_content() or not self.press_key(event):
            super().keyPressEvent(event)

    def press_key(self, event: QKeyEvent) -> bool:
        """Zoom or pan, and return whether the key is one for that."""
        surface = self.surface
        if surface is None:
            return False
        key, control = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        pans = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}
        if key in {Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus}:
            surface.zoom(1 / _ZOOM if key == Qt.Key.Key_Minus else _ZOOM, both=self.zooms_both)
        elif key in {Qt.Key.Key_Home, Qt.Key.Key_0}:
            self.show_all()
        elif control and key in pans:
            (left, right), (low, high) = surface.box.viewRange()
            x, y = pans[Qt.Key(key)]
            up = -y if surface.box.yInverted() else y
            surface.box.translateBy(
                x=x * _PAN * (right - left), y=up * _PAN * (high - low) if self.zooms_both else None
            )
        else:
            return False
        return True

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's
        del event
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(current().field))
        if self.hasFocus():
            painter.setPen(QPen(QColor(current().accent), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()
