"""RunDesk: what the Run menu does; it shows in badges, notices and the status bar where each run is."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from app.services.i18n import said, tr
from app.services.problems import failure_text
from app.window.runs.auto import AutoRun
from app.window.runs.notice import FailureNotice
from app.window.runs.strategy import StrategyRuns
from app.window.typed import is_typed_well
from engine.api import Severity
from engine.runtime.jobs.run import RunRequest
from engine.runtime.traces import forget_trials

if TYPE_CHECKING:
    from app.document.document import Change
    from app.services.engine import Job
    from app.window.main_window import MainWindow
    from app.window.tab import StrategyTab
    from engine.runtime.jobs import Failure

log = logging.getLogger(__name__)

RUNNING_BADGE_MS = 250
"""A run that takes no longer needs no sign on every node."""
COMPARE_MS = 40
TICK_MS = 1000
"""The time left goes on while a run tells nothing."""
LEAST_CANVAS = 280
"""Height in pixels under which the canvas cannot be read."""


class RunDesk(QObject):
    """Runs the strategies of a window.

    Args:
        window: whose strategies they are.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._of: dict[StrategyTab, StrategyRuns] = {}
        self._autos: dict[StrategyTab, AutoRun] = {}
        self._was_finished = False
        self._was_busy = False
        self._compare_soon = QTimer(self, singleShot=True, interval=COMPARE_MS)
        self._compare_soon.timeout.connect(self._compare)
        self._refresh_soon = QTimer(self, singleShot=True, interval=0)
        self._refresh_soon.timeout.connect(self._refresh)
        self._tick = QTimer(self, interval=TICK_MS)
        self._tick.timeout.connect(self._refresh)
        window.engine.broke.connect(window.say)
        window.engine.changed.connect(self._refresh_soon.start)
        window.status.run.cancel_clicked.connect(self._cancel_running)
        window.status.run.run_clicked.connect(self.run)

    # ------------------------------------------------------------------ strategies come and go

    def follow(self, tab: StrategyTab) -> None:
        """Look after a strategy from now on."""
        runs = StrategyRuns(tab, self._window.engine)
        self._of[tab] = runs
        self._autos[tab] = AutoRun(runs, lambda: self._window.settings.auto_run, lambda: self._try(tab))
        runs.changed.connect(lambda: self._changed(tab))
        runs.finished.connect(lambda request: self._finished(tab, request))
        runs.failed.connect(lambda failure: self._failed(tab, failure))
        runs.mended.connect(lambda: tab.end_notice("run"))
        if self._was_finished:  # the results keep their height, so that the next strategy finds as little room
            QTimer.singleShot(0, self, lambda: self._make_room(tab))

    def forget(self, tab: StrategyTab) -> None:
        """Let go of a strategy that is closed; its runs are cancelled."""
        runs = self._of.pop(tab, None)
        self._autos.pop(tab, None)
        if runs is not None:
            runs.stop()

    def close(self) -> None:
        """Delete the trials of this program; its engine has ended."""
        forget_trials(str(os.getpid()))

    def of(self, tab: StrategyTab) -> StrategyRuns:
        """Return the runs of an open strategy."""
        return self._of[tab]

    def document_changed(self, tab: StrategyTab, change: Change) -> None:
        """Note that a strategy changed."""
        if tab in self._autos:
            self._autos[tab].follow(change)
        self._compare_soon.start()

    # ------------------------------------------------------------------ what actions call

    def run(self) -> None:
        """Run the strategy in front as it is now; mistakes in it are shown instead."""
        tab = self._window.tab
        if tab is None:
            return
        if not is_typed_well(self._window, tab):
            return
        errors = [each for each in tab.document.problems if each.severity is Severity.ERROR]
        if errors:
            self._window.docks.show("problems")
            self._window.wiring.show_problems(tab)
            self._window.wiring.go_to(errors[0])
            if self._window.folders.ask_again(tab, errors):
                self._window.say(tr("Not run. The strategy reads another folder: answer the question over the canvas."))
            else:
                self._window.say(tr("Fix the errors first, then run. {first}", first=said(errors[0].message)))
            return
        tab.end_notice("run")
        self._window.status.clearMessage()  # what was said of another run or strategy is over
        if self._of[tab].submit(in_use=self._in_use()) is None:
            self._window.say(tr("Just that is being run already."))

    def try_out(self) -> Job | None:
        """Run the strategy in front without keeping the run; None if it cannot be run as it is."""
        tab = self._window.tab
        if tab is None or any(each.severity is Severity.ERROR for each in tab.document.problems):
            return None
        return self._of[tab].submit(keep=False, in_use=self._in_use())

    def _try(self, tab: StrategyTab) -> Job | None:
        """Run a strategy after a change, unless the inspector shows what is not used."""
        window = self._window
        refused = window.docks.inspector.refused() if tab is window.tab and window.has_panes() else ""
        if refused:
            window.say(tr("Not run. {refused} Correct it, or press Esc to keep the value in use.", refused=refused))
            return None
        return self._of[tab].submit(keep=False, in_use=self._in_use())

    def stop(self) -> None:
        """Cancel the runs of the strategy in front."""
        if self._window.tab is not None:
            self._of[self._window.tab].stop()

    def toggle_auto(self) -> None:
        """Run by itself after each change from now on, or no longer."""
        settings = self._window.settings
        settings.auto_run = not settings.auto_run
        if self._window.tab is not None:
            self._autos[self._window.tab].poke()

    def is_busy(self, tab: StrategyTab | None) -> bool:
        """Return whether a strategy is being run, or waits for it."""
        return tab is not None and tab in self._of and bool(self._of[tab].jobs)

    def _cancel_running(self) -> None:
        if self._window.engine.running is not None:
            self._window.engine.cancel(self._window.engine.running)

    def _in_use(self) -> tuple[Path, ...]:
        return tuple(runs.run.folder for runs in self._of.values() if runs.run is not None)

    # ------------------------------------------------------------------ what runs tell

    def _changed(self, tab: StrategyTab) -> None:
        runs = self._of.get(tab)
        if runs is None:
            return
        running = runs.running
        if running is not None and _is_kept(running):
            QTimer.singleShot(RUNNING_BADGE_MS, self, lambda: self._badge(tab))
        else:
            self._badge(tab)
        self._refresh_soon.start()

    def _badge(self, tab: StrategyTab) -> None:
        """Show on each node what became of it."""
        runs = self._of.get(tab)
        if runs is None:
            return
        running = runs.running
        if running is not None and _is_kept(running):
            nodes = tab.document.graph().nodes
            tab.canvas.set_run_badges({node: ("running", tr("Being run")) for node in nodes})
        elif runs.failure is not None and runs.failure.node:
            tab.canvas.set_run_badges({runs.failure.node.partition("/")[0]: ("error", failure_text(runs.failure))})
        elif runs.run is not None and not runs.is_stale and running is None:
            tab.canvas.set_run_badges({node.partition("/")[0]: ("done", tr("Was run")) for node in runs.run.nodes})
        elif running is None and not self._autos[tab].is_busy:
            tab.canvas.set_run_badges({})

    def _finished(self, tab: StrategyTab, request: RunRequest) -> None:
        tab.end_notice("run")
        if request.keep and tab is self._window.tab:
            self._window.docks.show_results(first=not self._was_finished)
            if not self._was_finished:
                QTimer.singleShot(0, self, lambda: self._make_room(tab))
            self._was_finished = True
        if request.keep:
            run = self._of[tab].run
            trades = len(run.ledger.trades) if run is not None else 0
            self._window.say(tr("{name} was run: {trades} trades", name=tab.title, trades=trades))

    def _make_room(self, tab: StrategyTab) -> None:
        """Take the text away in a small window, where chart, text and canvas together leave nothing readable."""
        if tab in self._of and tab.canvas.height() < LEAST_CANVAS and self._window.settings.yaml_place == "below":
            tab.place_yaml("hidden")
            self._window.say(tr("The text made room for the results. The View menu brings it back."))

    def _failed(self, tab: StrategyTab, failure: Failure) -> None:
        errors = [each for each in failure.problems if each.severity is Severity.ERROR]
        message = failure_text(failure)
        if failure.trace:
            log.error("a run failed: %s\n%s", failure.message, failure.trace)
            message = tr("The run met an error that was not expected: {error}", error=failure.message)
        notice = FailureNotice(message, failure.node, tab)
        notice.closed.connect(lambda: tab.end_notice("run"))
        notice.node_asked.connect(lambda: self._window.wiring.go_to_node(tab, failure.node))
        tab.show_notice(notice, "run")
        self._window.folders.ask_again(tab, errors)
        if errors and tab is self._window.tab:
            self._window.docks.show("problems")

    def _compare(self) -> None:
        tab = self._window.tab
        if tab in self._of and not self._autos[tab].is_busy:  # what runs by itself is up to date in a moment
            self._of[tab].compare()

    def show_tab(self) -> None:
        """Bring everything up to date for another strategy in front."""
        self._compare_soon.start()
        self._refresh()

    def _refresh(self) -> None:
        """Bring status bar, docks and actions up to date."""
        window, status = self._window, self._window.status.run
        job = window.engine.running
        owner = next((tab for tab, runs in self._of.items() if job in runs.jobs), None)
        runs = self._of.get(window.tab) if window.tab is not None else None
        shown = job is not None and owner is not None and _is_kept(job)
        if shown != self._tick.isActive():
            (self._tick.start if shown else self._tick.stop)()
        if job is not None and owner is not None and _is_kept(job):
            name = "" if owner is window.tab else owner.title
            status.show_job(job, name, len(window.engine.waiting))
        elif runs is not None and runs.run is not None:
            status.show_result(stale=runs.is_stale)
        else:
            status.show_nothing()
        stale = runs is not None and runs.is_stale
        if window.tab is not None:
            window.tab.canvas.show_stale(stale=stale)
        if window.has_panes():
            window.docks.show_stale(stale=stale)
        if self.is_busy(window.tab) != self._was_busy:
            self._was_busy = not self._was_busy
            window.refresh_actions()


def _is_kept(job: Job) -> bool:
    return not isinstance(job.request, RunRequest) or job.request.keep
