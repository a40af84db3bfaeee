"""The position of the window: remembered between starts, and always on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSize
from PySide6.QtWidgets import QMainWindow

from quantcrafter.app.fitting import fit, room_for

if TYPE_CHECKING:
    from quantcrafter.app.services.settings import Settings

FIRST_SIZE = (1280, 800)
SCREEN_SHARE = 0.9


def restore_frame(window: QMainWindow, settings: Settings) -> None:
    """Put a window where it was, or at the first start in the middle of the screen."""
    saved = QByteArray.fromBase64(settings.geometry.encode("ascii", "ignore"))
    if saved.isEmpty() or not window.restoreGeometry(saved):
        screen = window.screen().availableGeometry()
        size = QSize(*FIRST_SIZE)
        if screen.width() > FIRST_SIZE[0] / SCREEN_SHARE:
            size = screen.size() * SCREEN_SHARE
        window.resize(size.boundedTo(room_for(window)))
        window.move(screen.center() - window.rect().center())
    fit(window)


def remember_frame(window: QMainWindow, settings: Settings) -> None:
    """Keep the place and size of a window."""
    settings.geometry = bytes(window.saveGeometry().toBase64().data()).decode("ascii")
