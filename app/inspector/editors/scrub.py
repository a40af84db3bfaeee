"""ScrubLabel: the name of a number, which is dragged sideways to change it as by a slider."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from quantcrafter.app.document.edits import UNSET
from quantcrafter.app.inspector.editors.numbers import stepped
from quantcrafter.app.inspector.fields import Field

PIXELS_A_STEP = 4
FAST = 10


class ScrubLabel(QLabel):
    """Turns a drag into steps, ten times as many with Ctrl.

    Moves that come faster than they are dealt with are put together. The Qt signals: `began` when a drag begins,
    `scrubbed(steps)` while it goes on, with the steps since it began, and `ended` when it is over.
    """

    began = Signal()
    scrubbed = Signal(int)
    ended = Signal()
    _start: int | float = 0

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        self._from: float | None = None
        self._dragging = False
        self._steps = self._sent = 0
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._send)

    def drive(
        self,
        field: Field,
        value: Callable[[], Any],
        offer: Callable[[int | float], None],
        join: Callable[[bool], None],
    ) -> None:
        """Let drags change a field.

        Args:
            field: says how large a step is, and where the range ends.
            value: returns the field's value as it is.
            offer: takes the new value.
            join: makes one undo step of what happens between a call with True and one with False.
        """

        def begin() -> None:
            now = value()
            now = field.default if now is UNSET else now
            known = isinstance(now, int | float) and not isinstance(now, bool)
            self._start = now if known else field.low or 0
            join(True)

        self.began.connect(begin)
        self.scrubbed.connect(lambda steps: offer(stepped(field, self._start, steps)))
        self.ended.connect(lambda: join(False))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's
        if event.button() == Qt.MouseButton.LeftButton:
            self._from = event.globalPosition().x()
            self._steps = self._sent = 0
            event.accept()
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's
        if self._from is None:
            super().mouseMoveEvent(event)
            return
        way = event.globalPosition().x() - self._from
        if not self._dragging and abs(way) >= QApplication.startDragDistance():
            self._dragging = True
            self.began.emit()
        if self._dragging:
            fast = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            self._steps = int(way / PIXELS_A_STEP) * (FAST if fast else 1)
            self._soon.start()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's
        if self._from is None:
            super().mouseReleaseEvent(event)
            return
        self._from = None
        if self._dragging:
            self._soon.stop()
            self._send()
            self._dragging = False
            self.ended.emit()

    def _send(self) -> None:
        if self._steps != self._sent:
            self._sent = self._steps
            self.scrubbed.emit(self._steps)
