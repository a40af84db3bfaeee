"""What a gesture is: the view gives it the mouse from press to release, when it wants the press."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QMouseEvent

    from quantcrafter.app.canvas.scene import PortRef
    from quantcrafter.app.document.view import WireView


@dataclass(frozen=True, slots=True)
class Hit:
    """What lies under the mouse at a press: the scene position, and the topmost thing of each kind there."""

    pos: QPointF
    port: PortRef | None = None
    node: str | None = None
    wire: WireView | None = None
    frame: str | None = None


class Gesture(Protocol):
    """A way of using the mouse.

    The view asks its gestures in order; the first whose `press` returns True gets every `move` until `release`.
    Events are in viewport coordinates. `cancel` ends the gesture without a trace (Esc, lost focus).
    """

    def press(self, event: QMouseEvent, hit: Hit) -> bool:
        """Return whether the gesture begins here."""
        ...

    def move(self, event: QMouseEvent) -> None:
        """Handle a mouse move while a button is pressed."""
        ...

    def release(self, event: QMouseEvent) -> None:
        """Perform the gesture."""
        ...

    def cancel(self) -> None:
        """Restore the state before the press."""
        ...
