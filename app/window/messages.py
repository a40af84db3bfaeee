"""Messages: informs the user in the status bar or in a modal dialog."""

from __future__ import annotations

from PySide6.QtWidgets import QMessageBox, QWidget

from quantcrafter.app.window.status import StatusLine


class Messages:
    """Tells of things for a window.

    Args:
        window: the parent of dialogs.
        status: its status bar.
    """

    def __init__(self, window: QWidget, status: StatusLine) -> None:
        self._window = window
        self._status = status

    def say(self, message: str) -> None:
        """Show a message in the status bar."""
        self._status.say(message)

    def clear(self) -> None:
        """Take away what the status bar says: it is over."""
        self._status.clearMessage()

    def complain(self, message: str) -> None:
        """Tell of something that could not be done, and wait until it was read."""
        QMessageBox.warning(self._window, "QuantCrafter", message)
