"""Double-click: opens what is under the mouse."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QMouseEvent

from quantcrafter.app.canvas.gesture import Hit

Opener = Callable[[Hit, QPoint], None]


class OpenByDoubleClick:
    """Hands a double-click on; what it opens begins at the release, so that the press takes no focus from it."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._hit: Hit | None = None

    def press(self, event: QMouseEvent, hit: Hit) -> bool:
        wanted = event.type() == QEvent.Type.MouseButtonDblClick and event.button() == Qt.MouseButton.LeftButton
        if not wanted or hit.port is not None:
            return False
        self._hit = hit
        return True

    def move(self, event: QMouseEvent) -> None:
        """Nothing moves with the mouse."""

    def release(self, event: QMouseEvent) -> None:
        hit, self._hit = self._hit, None
        if hit is not None:
            self._opener(hit, event.position().toPoint())

    def cancel(self) -> None:
        self._hit = None
