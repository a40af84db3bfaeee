"""Windows and dialogs within the screen, with the frame that the window manager puts around them."""

from __future__ import annotations

from PySide6.QtCore import QMargins, QPoint, QSize
from PySide6.QtWidgets import QWidget

USUAL_FRAME = QMargins(4, 32, 4, 4)
"""Room for a frame as long as nobody knows how wide it is: that is told once the window is on the screen."""


def room_for(window: QWidget) -> QSize:
    """Return the largest size that a window can have so that its frame is on the screen, too."""
    return window.screen().availableGeometry().marginsRemoved(_frame(window)).size()


def fit(window: QWidget) -> None:
    """Make a window no larger than its screen, and move it there; one that fills the screen stays as it is.

    A window that needs more room than there is gets what there is: its contents shrink, its buttons stay in sight.
    """
    if window.isMaximized() or window.isFullScreen():
        return
    room = room_for(window)
    least = window.minimumSize().expandedTo(window.minimumSizeHint())
    if least != least.boundedTo(room):
        window.setMinimumSize(least.boundedTo(room))
    if window.size() != window.size().boundedTo(room):
        window.resize(window.size().boundedTo(room))
    screen = window.screen().availableGeometry()
    outer = window.size().grownBy(_frame(window))
    place = QPoint(
        max(min(window.x(), screen.x() + screen.width() - outer.width()), screen.x()),
        max(min(window.y(), screen.y() + screen.height() - outer.height()), screen.y()),
    )
    if place != window.pos():
        window.move(place)


def _frame(window: QWidget) -> QMargins:
    """Return how wide the frame is."""
    outer, inner = window.frameGeometry(), window.geometry()
    if outer == inner:
        return USUAL_FRAME
    return QMargins(
        inner.left() - outer.left(),
        inner.top() - outer.top(),
        outer.right() - inner.right(),
        outer.bottom() - inner.bottom(),
    )
