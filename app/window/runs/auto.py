"""AutoRun: runs a strategy whenever it changed, so that dragging a parameter redraws the equity curve.

1. A change made by an edit (a form, a slider, undo) starts a run at once; typed text waits for a pause.
2. While a run is in progress, only the latest change counts: a short run is waited for, a long one is cancelled.
3. These runs are trials: they are shown, but do not fill the history.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

if TYPE_CHECKING:
    from quantcrafter.app.document.document import DocumentChange
    from quantcrafter.app.services.engine import Job
    from quantcrafter.app.window.runs.strategy import StrategyRuns

TYPING_PAUSE_MS = 150
SHORT_S = 0.3
"""A run that takes no longer is cheaper to wait for than to cancel."""


class AutoRun(QObject):
    """Runs one strategy by itself, while `is_on` says so.

    Args:
        runs: the strategy's runs.
        is_on: whether the user wants it.
        start: starts a trial and returns its job, None if there is nothing to run.
    """

    def __init__(self, runs: StrategyRuns, is_on: Callable[[], bool], start: Callable[[], Job | None]) -> None:
        super().__init__(runs)
        self._runs = runs
        self._is_on = is_on
        self._start = start
        self._job: Job | None = None
        self._begun = 0.0
        self._again = False
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._go)

    @property
    def is_busy(self) -> bool:
        """Whether a run is in progress, or about to begin."""
        return self._job is not None or self._timer.isActive()

    def follow(self, change: DocumentChange) -> None:
        """Take note of a change of the strategy."""
        if self._is_on() and change.kind != "saved":
            self._timer.start(TYPING_PAUSE_MS if change.kind == "text" else 0)

    def poke(self) -> None:
        """Run now, if it is wanted."""
        if self._is_on():
            self._timer.start(0)

    def _go(self) -> None:
        if self._job is None:
            self._launch()
            return
        self._again = True
        left_ms = round(1000 * (self._begun + SHORT_S - time.monotonic()))
        if left_ms <= 0:
            self._runs.cancel(self._job)
        else:
            QTimer.singleShot(left_ms, self, self._lose_patience)

    def _lose_patience(self) -> None:
        if self._again and self._job is not None and time.monotonic() >= self._begun + SHORT_S:
            self._runs.cancel(self._job)

    def _launch(self) -> None:
        self._again = False
        job = self._start()
        if job is not None:
            self._job, self._begun = job, time.monotonic()
            job.ended.connect(self._ended)

    def _ended(self) -> None:
        self._job = None
        if self._again and self._is_on():
            self._launch()
        else:
            self._runs.compare()
