"""Collects garbage on the UI thread, and on no other.

Python collects in whatever thread happens to allocate. A Qt object that is destroyed outside its thread leaves its
timers and connections behind, and the next event for them ends the process.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS = 500
"""How often the UI thread looks; between two looks nothing is collected."""


def collect_when_due() -> int | None:
    """Collect the oldest generation whose threshold is passed, as Python would, in the calling thread.

    Returns:
        The generation that was collected, None when none was due.
    """
    due = [
        generation
        for generation, (count, most) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True))
        if 0 < most < count
    ]
    if not due:
        return None
    gc.collect(due[-1])
    return due[-1]


class GarbageCollector(QObject):
    """Takes over from Python's own collection for as long as its parent lives.

    Args:
        parent: an object of the UI thread, the application.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self, interval=INTERVAL_MS)
        self._timer.timeout.connect(collect_when_due)
        self._timer.start()
