"""Finds out which recent files are gone, without ever waiting for a slow drive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue

from PySide6.QtCore import QObject, QTimer

from quantcrafter.app.services.recent_files import missing_of

LOOK_MS = 50


class RecentLook(QObject):
    """Checks files in a thread and polls it with a timer.

    The thread holds paths and a queue and no QObject: it may outlive the window, and must not be what ends one.

    Args:
        found: called in the GUI's thread with the paths that are gone.
        parent: what it ends with.
    """

    def __init__(self, found: Callable[[frozenset[str]], object], parent: QObject) -> None:
        super().__init__(parent)
        self._found = found
        self._answers: SimpleQueue[frozenset[str]] = SimpleQueue()
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._ask)

    @property
    def is_looking(self) -> bool:
        """Whether an answer is still to come."""
        return self._timer.isActive()

    def look(self, paths: Iterable[str]) -> None:
        """Begin to look, unless the last look still waits for a drive."""
        wanted = tuple(paths)
        if wanted and not self.is_looking:
            threading.Thread(target=_look, args=(wanted, self._answers), name="recent files", daemon=True).start()
            self._timer.start()

    def _ask(self) -> None:
        try:
            missing = self._answers.get_nowait()
        except Empty:
            return
        self._timer.stop()
        self._found(missing)


def _look(paths: tuple[str, ...], answers: SimpleQueue[frozenset[str]]) -> None:
    answers.put(missing_of(paths))
