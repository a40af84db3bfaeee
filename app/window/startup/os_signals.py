"""Ctrl-C in the terminal and SIGTERM end the program in order; unsaved work stays in its recovery files."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

from PySide6.QtCore import QObject, QSocketNotifier, QTimer
from PySide6.QtWidgets import QApplication

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class EndSignals:
    """Listens to the process' end signals while Qt's event loop runs; `code` is the exit code that they ask for.

    Python deals with signals between its own instructions only: a socket wakes the event loop for it.

    Args:
        application: is ended.
        window: whose life these signals end.
        shut: called before, to release everything in order.
    """

    def __init__(self, application: QApplication, window: QObject, shut: Callable[[], None]) -> None:
        self.code = 0
        self._application = application
        self._window = window
        self._shut = shut
        self._read, self._write = socket.socketpair()
        for end in (self._read, self._write):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._read.fileno(), QSocketNotifier.Type.Read)
        self._notifier.activated.connect(self._drain)
        self._wakeup = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        self._before: dict[int, Any] = {number: signal.signal(number, self._end) for number in SIGNALS}

    def release(self) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        self._notifier.setEnabled(False)
        self._read.close()
        self._write.close()

    def _drain(self) -> None:
        try:
            self._read.recv(64)
        except BlockingIOError:
            return

    def _end(self, number: int, _frame: FrameType | None) -> None:
        """Leave what is being done now, and end in the event loop's next turn."""
        self.code = 128 + number
        QTimer.singleShot(0, self._window, self._leave)

    def _leave(self) -> None:
        self._shut()
        self._application.exit(self.code)
