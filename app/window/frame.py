"""Where the window stands: remembered between starts, and never off the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QMainWindow

if TYPE_CHECKING:
    from app.services.settings import Settings

FIRST_SIZE = (1280, 800)
SCREEN_SHARE = 0.9


def restore_frame(window: QMainWindow, settings: Settings) -> None:
    """Put a window where it was, or at the first start in the middle of the screen."""
    saved = QByteArray.fromBase64(settings.geometry.encode("ascii", "ignore"))
    if not saved.isEmpty() and window.restoreGeometry(saved):
        return
    screen = window.screen().availableGeometry()
    width = min(FIRST_SIZE[0], screen.width())
    height = min(FIRST_SIZE[1], screen.height())
    if screen.width() > FIRST_SIZE[0] / SCREEN_SHARE:
        width = int(screen.width() * SCREEN_SHARE)
        height = int(screen.height() * SCREEN_SHARE)
    window.resize(width, height)
    window.move(screen.center() - window.rect().center())


def remember_frame(window: QMainWindow, settings: Settings) -> None:
    """Keep the place and size of a window."""
    settings.geometry = bytes(window.saveGeometry().toBase64().data()).decode("ascii")
