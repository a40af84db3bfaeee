"""The first-start tour: coach marks over the window that leave everything under them usable."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget
from shiboken6 import isValid

from quantcrafter.app.dialogs.frame import section
from quantcrafter.app.dialogs.tour_steps import PixelBox, TourStep, place, tour_steps
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import current

ARROW = 10
WIDTH = 340
RING = 4


class Tour(QObject):
    """Leads through the window's parts; emits `finished` once, however it ends.

    Args:
        window: the window that the coach marks lie over.
        find: gives the widget of a target's name (`palette`, `canvas`, `inspector`, `problems`, `yaml`, `save`),
            None where there is none. A target that is hidden is spoken of in the middle of the window.
        steps: what to show; the steps of the first start if left out.
    """

    finished = Signal()
    showing = Signal(str)

    def __init__(
        self, window: QWidget, find: Callable[[str], QWidget | None], steps: Sequence[TourStep] | None = None
    ) -> None:
        super().__init__(window)
        self._window = window
        self._find = find
        self.steps = tuple(steps) if steps is not None else tour_steps()
        self.number = 0
        self._focused: QWidget | None = None
        self.ring = _Ring(window)
        self.bubble = _Bubble(window)
        self.bubble.next_button.clicked.connect(self.next)
        self.bubble.back_button.clicked.connect(self.back)
        self.bubble.skip_button.clicked.connect(self.end)
        self.destroyed.connect(self.ring.deleteLater)
        self.destroyed.connect(self.bubble.deleteLater)

    def start(self) -> None:
        """Show the first step."""
        self.number = 0
        self._focused = self._window.focusWidget()
        self._window.installEventFilter(self)
        self._show()

    def next(self) -> None:
        """Go to the next step, or end after the last."""
        if self.number + 1 >= len(self.steps):
            self.end()
            return
        self.number += 1
        self._show()

    def back(self) -> None:
        """Go to the step before."""
        self.number = max(self.number - 1, 0)
        self._show()

    def end(self) -> None:
        """Take the coach marks away."""
        self._window.removeEventFilter(self)
        if self.bubble.isVisibleTo(self._window):
            self._give_focus_back()
            self.bubble.hide()
            self.ring.hide()
            self.finished.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Follow the window's size, and end on Escape."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self._put()
        elif isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
            self.end()
            return True
        return super().eventFilter(watched, event)

    def _show(self) -> None:
        step = self.steps[self.number]
        self.showing.emit(step.target)
        self.bubble.say(step, self.number + 1, len(self.steps))
        self._put()
        self.bubble.show()
        self.bubble.raise_()
        self.bubble.next_button.setFocus()

    def _put(self) -> None:
        rect = self._target()
        self.ring.setVisible(rect is not None)
        if rect is not None:
            self.ring.setGeometry(rect.adjusted(-RING, -RING, RING, RING))
            self.ring.raise_()
        box = PixelBox(rect.x(), rect.y(), rect.width(), rect.height()) if rect is not None else None
        size = self.bubble.sizeHint()
        spot = place(box, (size.width(), size.height()), (self._window.width(), self._window.height()))
        self.bubble.point(spot.side, rect.center() - QPoint(spot.x, spot.y) if rect is not None else QPoint())
        self.bubble.setGeometry(spot.x, spot.y, size.width(), size.height())
        self.bubble.raise_()

    def _give_focus_back(self) -> None:
        """Leave the focus where it was before the tour, or on the canvas; Qt would give it to what comes next."""
        now = self._window.focusWidget()
        if now is not None and not self.bubble.isAncestorOf(now):
            return
        before = self._focused if self._focused is not None and isValid(self._focused) else None
        target = before if before is not None and before.isVisibleTo(self._window) else self._find("canvas")
        if target is not None:
            target.setFocus()

    def _target(self) -> QRect | None:
        """Return where the target is in the window, None where it cannot be seen."""
        widget = self._find(self.steps[self.number].target)
        if widget is None or not widget.isVisibleTo(self._window) or widget.size().isEmpty():
            return None
        corner = widget.mapTo(self._window, QPoint(0, 0))
        seen = QRect(corner, widget.size()).intersected(self._window.rect())
        return None if seen.isEmpty() else seen


class _Ring(QWidget):
    """An outline around the target; the mouse goes through it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 - Qt's signature
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(current().accent), 3))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(2, 2, -2, -2), 6, 6)


class _Bubble(QWidget):
    """What a step says, with its buttons and an arrow towards the target."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._side = ""
        self._aim = QPoint()
        self.title = section("")
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setFixedWidth(WIDTH)
        self.count = QLabel()
        self.count.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        self.skip_button = QPushButton(tr("Skip the tour"))
        self.back_button = QPushButton(tr("Back"))
        self.next_button = QPushButton()
        for button in (self.skip_button, self.back_button, self.next_button):
            button.setAutoDefault(True)
        self.next_button.setDefault(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(ARROW + 16, ARROW + 14, ARROW + 16, ARROW + 14)
        column.setSpacing(8)
        column.addWidget(self.title)
        column.addWidget(self.text)
        row = QHBoxLayout()
        row.addWidget(self.count)
        row.addStretch(1)
        row.addWidget(self.skip_button)
        row.addWidget(self.back_button)
        row.addWidget(self.next_button)
        column.addSpacing(4)
        column.addLayout(row)
        self.hide()

    def say(self, step: TourStep, number: int, total: int) -> None:
        """Show a step's words."""
        last = number == total
        self.title.setText(step.title)
        self.text.setText(step.text)
        self.count.setText(tr("{number} of {total}", number=number, total=total))
        self.back_button.setVisible(number > 1)
        self.skip_button.setVisible(not last)
        self.next_button.setText(tr("Done") if last else tr("Next"))
        self.setAccessibleName(f"{step.title}. {step.text}")
        layout = self.layout()
        if layout is not None:
            layout.activate()

    def point(self, side: str, aim: QPoint) -> None:
        """Put the arrow on a side ("" for none), at the height or width of `aim` in the bubble's own coordinates."""
        self._side, self._aim = side, aim
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Take Enter for the button with the focus; the rest goes to the window."""
        focused = self.focusWidget()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focused, QPushButton):
            focused.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 - Qt's signature
        theme = current()
        body = QRectF(self.rect()).adjusted(ARROW, ARROW, -ARROW, -ARROW)
        shape = QPainterPath()
        shape.addRoundedRect(body, 8, 8)
        if self._side:
            tip = QPainterPath()
            tip.addPolygon(self._arrow(body))
            tip.closeSubpath()
            shape = shape.united(tip)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(shape, QColor(theme.raised))
        painter.setPen(QPen(QColor(theme.accent), 1.5))
        painter.drawPath(shape)

    def _arrow(self, body: QRectF) -> QPolygonF:
        x = min(max(float(self._aim.x()), body.left() + 20), body.right() - 20)
        y = min(max(float(self._aim.y()), body.top() + 20), body.bottom() - 20)
        half = ARROW - 1
        points = {
            "left": ((body.left() + 1, y - half), (body.left() - half, y), (body.left() + 1, y + half)),
            "right": ((body.right() - 1, y - half), (body.right() + half, y), (body.right() - 1, y + half)),
            "top": ((x - half, body.top() + 1), (x, body.top() - half), (x + half, body.top() + 1)),
            "bottom": ((x - half, body.bottom() - 1), (x, body.bottom() + half), (x + half, body.bottom() - 1)),
        }
        return QPolygonF([QPointF(*point) for point in points[self._side]])
