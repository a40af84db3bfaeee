"""RunIndicators: says in status bar, canvas and panes how far runs are, and whether results are out of date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from quantcrafter.app.window.runs.run_controller import is_kept

if TYPE_CHECKING:
    from quantcrafter.app.services.engine import Engine
    from quantcrafter.app.window.layout.pane_host import PaneHost
    from quantcrafter.app.window.refresher import Refresher
    from quantcrafter.app.window.run_status import RunStatus
    from quantcrafter.app.window.runs.run_controller import RunController
    from quantcrafter.app.window.tabs.tabs import Tabs

TICK_MS = 1000
"""The remaining time counts down while a run sends no progress."""


class RunIndicators(QObject):
    """Follows the runs of a window.

    Args:
        runs: the runs.
        engine: carries them out.
        tabs: the open strategies.
        panes: show results.
        status: the part of the status bar.
        refresher: brings the menus up to date.
    """

    def __init__(
        self,
        runs: RunController,
        engine: Engine,
        tabs: Tabs,
        panes: PaneHost,
        status: RunStatus,
        refresher: Refresher,
    ) -> None:
        super().__init__(runs)
        self._runs = runs
        self._engine = engine
        self._tabs = tabs
        self._panes = panes
        self._status = status
        self._refresher = refresher
        self._was_busy = False
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self.show)
        self._tick = QTimer(self, interval=TICK_MS)
        self._tick.timeout.connect(self.show)
        engine.changed.connect(self._soon.start)
        runs.changed.connect(self._soon.start)
        status.cancel_clicked.connect(runs.cancel_running)
        status.run_clicked.connect(runs.run)

    def show(self) -> None:
        """Bring status bar, panes and menus up to date."""
        job, tab, runs = self._engine.running, self._tabs.current(), self._runs.shown()
        owner = self._runs.owner_of(job)
        shown = job is not None and owner is not None and is_kept(job)
        if shown != self._tick.isActive():
            (self._tick.start if shown else self._tick.stop)()
        if job is not None and owner is not None and is_kept(job):
            self._status.show_job(job, "" if owner is tab else owner.title, len(self._engine.waiting))
        elif runs is not None and runs.run is not None:
            self._status.show_result(stale=runs.is_stale)
        else:
            self._status.show_nothing()
        stale = runs is not None and runs.is_stale
        if tab is not None:
            tab.canvas.show_stale(stale=stale)
        if self._panes.is_there:
            self._panes.docks.show_stale(stale=stale)
        if self._runs.is_busy(tab) != self._was_busy:
            self._was_busy = not self._was_busy
            self._refresher.soon()
