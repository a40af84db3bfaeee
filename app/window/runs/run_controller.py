"""RunController: what the Run menu does; badges on the nodes and notices say the result of each run."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.problems import failure_text
from quantcrafter.app.session.explainer import Explainer
from quantcrafter.app.window.runs.auto import AutoRun
from quantcrafter.app.window.runs.strategy import StrategyRuns
from quantcrafter.engine.api import Severity
from quantcrafter.engine.runtime.compute_process.jobs.run import RunRequest

if TYPE_CHECKING:
    from quantcrafter.app.document.document import DocumentChange
    from quantcrafter.app.services.engine import Engine, Job
    from quantcrafter.app.services.settings import Settings
    from quantcrafter.app.window.files.pending_input import TypedText
    from quantcrafter.app.window.layout.pane_host import PaneHost
    from quantcrafter.app.window.messages import Messages
    from quantcrafter.app.window.readiness import Readiness
    from quantcrafter.app.window.tabs.tab import StrategyTab
    from quantcrafter.app.window.tabs.tabs import Tabs
    from quantcrafter.engine.runtime.compute_process.jobs import Failure

log = logging.getLogger(__name__)

RUNNING_BADGE_MS = 250
"""A run that takes no longer needs no sign on every node."""
COMPARE_MS = 40
LEAST_CANVAS = 280
"""Height in pixels under which the canvas cannot be read."""


class RunController(QObject):
    """Runs the strategies of a window.

    Args:
        tabs: the open strategies.
        engine: carries the runs out.
        settings: remember whether to run after each change.
        panes: show results.
        typed: input that is not applied yet.
        readiness: shows what keeps a strategy from being run.
        messages: shows messages to the user.
    """

    changed = Signal()
    """A run of some strategy was queued, began or ended; or one that is shown went out of date."""

    def __init__(
        self,
        tabs: Tabs,
        engine: Engine,
        settings: Settings,
        panes: PaneHost,
        typed: TypedText,
        readiness: Readiness,
        messages: Messages,
    ) -> None:
        super().__init__(tabs)
        self._tabs = tabs
        self._engine = engine
        self._settings = settings
        self._panes = panes
        self._typed = typed
        self._readiness = readiness
        self._messages = messages
        self._of: dict[StrategyTab, StrategyRuns] = {}
        self._autos: dict[StrategyTab, AutoRun] = {}
        self._was_finished = False
        self._compare_soon = QTimer(self, singleShot=True, interval=COMPARE_MS)
        self._compare_soon.timeout.connect(self._compare)
        engine.broke.connect(messages.say)

    # ------------------------------------------------------------------ strategies come and go

    def follow(self, tab: StrategyTab) -> None:
        """Look after a strategy from now on."""
        Explainer.of(tab.session).use_engine(self._engine)
        runs = StrategyRuns(tab, self._engine)
        self._of[tab] = runs
        self._autos[tab] = AutoRun(runs, lambda: self._settings.auto_run, lambda: self._try(tab))
        tab.changed.connect(lambda change: self._document_changed(tab, change))
        runs.changed.connect(lambda: self._changed(tab))
        runs.finished.connect(lambda request: self._finished(tab, request))
        runs.failed.connect(lambda failure: self._failed(tab, failure))
        runs.mended.connect(lambda: tab.end_notice("run"))
        if self._was_finished:  # the results keep their height, so that the next strategy finds as little room
            QTimer.singleShot(0, self, lambda: self._make_room(tab))

    def forget(self, tab: StrategyTab) -> None:
        """Release a strategy that is closed; its runs are cancelled."""
        runs = self._of.pop(tab, None)
        self._autos.pop(tab, None)
        if runs is not None:
            runs.stop()

    def of(self, tab: StrategyTab) -> StrategyRuns:
        """Return the runs of an open strategy."""
        return self._of[tab]

    def owner_of(self, job: Job | None) -> StrategyTab | None:
        """Return the open strategy that a job runs."""
        return next((tab for tab, runs in self._of.items() if job in runs.jobs), None)

    def shown(self) -> StrategyRuns | None:
        """Return the runs of the current strategy."""
        tab = self._tabs.current()
        return self._of.get(tab) if tab is not None else None

    def _document_changed(self, tab: StrategyTab, change: DocumentChange) -> None:
        if tab in self._autos:
            self._autos[tab].follow(change)
        self._compare_soon.start()

    # ------------------------------------------------------------------ what actions call

    def run(self) -> None:
        """Run the current strategy as it is now; if it has errors, they are shown instead."""
        tab = self._tabs.current()
        if tab is not None and self._typed.is_well(tab) and self._readiness.is_ready(tab):
            tab.end_notice("run")
            self._messages.clear()  # what was said of another run or strategy is over
            if self._of[tab].submit(in_use=self._in_use()) is None:
                self._messages.say(tr("This version is already running."))

    def try_out(self) -> Job | None:
        """Run the current strategy without keeping the run; None if it cannot be run as it is."""
        tab = self._tabs.current()
        if tab is None or any(each.severity is Severity.ERROR for each in tab.document.problems):
            return None
        return self._of[tab].submit(keep=False, in_use=self._in_use())

    def _try(self, tab: StrategyTab) -> Job | None:
        """Run a strategy after a change, unless the inspector shows what is not used."""
        refused = self._typed.refused_in(tab)
        if refused:
            self._messages.say(
                tr("Not run. {refused} Correct the value, or press Esc to restore the current one.", refused=refused)
            )
            return None
        return self._of[tab].submit(keep=False, in_use=self._in_use())

    def stop(self) -> None:
        """Cancel the runs of the current strategy."""
        tab = self._tabs.current()
        if tab is not None:
            self._of[tab].stop()

    def toggle_auto(self) -> None:
        """Run by itself after each change from now on, or no longer."""
        self._settings.auto_run = not self._settings.auto_run
        tab = self._tabs.current()
        if tab is not None:
            self._autos[tab].poke()

    def is_busy(self, tab: StrategyTab | None) -> bool:
        """Return whether a strategy is being run, or waits for it."""
        return tab is not None and tab in self._of and bool(self._of[tab].jobs)

    def cancel_running(self) -> None:
        """Cancel what is being executed now."""
        if self._engine.running is not None:
            self._engine.cancel(self._engine.running)

    def _in_use(self) -> tuple[Path, ...]:
        return tuple(runs.run.folder for runs in self._of.values() if runs.run is not None)

    # ------------------------------------------------------------------ what runs tell

    def _changed(self, tab: StrategyTab) -> None:
        runs = self._of.get(tab)
        if runs is None:
            return
        running = runs.running
        if running is not None and is_kept(running):
            QTimer.singleShot(RUNNING_BADGE_MS, self, lambda: self._badge(tab))
        else:
            self._badge(tab)
        self.changed.emit()

    def _badge(self, tab: StrategyTab) -> None:
        """Show on each node the result of it."""
        runs = self._of.get(tab)
        if runs is None:
            return
        running = runs.running
        if running is not None and is_kept(running):
            nodes = tab.document.graph().nodes
            tab.canvas.set_run_badges({node: ("running", tr("Running")) for node in nodes})
        elif runs.failure is not None and runs.failure.node:
            tab.canvas.set_run_badges({runs.failure.node.partition("/")[0]: ("error", failure_text(runs.failure))})
        elif runs.run is not None and not runs.is_stale and running is None:
            tab.canvas.set_run_badges(
                {node.partition("/")[0]: ("done", tr("Run completed")) for node in runs.run.nodes}
            )
        elif running is None and not self._autos[tab].is_busy:
            tab.canvas.set_run_badges({})

    def _finished(self, tab: StrategyTab, request: RunRequest) -> None:
        tab.end_notice("run")
        if request.keep and tab is self._tabs.current():
            self._panes.docks.show_results(first=not self._was_finished)
            if not self._was_finished:
                QTimer.singleShot(0, self, lambda: self._make_room(tab))
            self._was_finished = True
        if request.keep:
            run = self._of[tab].run
            trades = len(run.ledger.trades) if run is not None else 0
            self._messages.say(tr("{name}: run completed with {trades} trades", name=tab.title, trades=trades))

    def _make_room(self, tab: StrategyTab) -> None:
        """Take the text away in a small window, where chart, text and canvas together leave nothing readable."""
        if tab in self._of and tab.canvas.height() < LEAST_CANVAS and self._settings.yaml_place == "below":
            tab.place_yaml("hidden")
            self._messages.say(
                tr("The YAML view was hidden to make room for the results. Use the View menu to show it again.")
            )

    def _failed(self, tab: StrategyTab, failure: Failure) -> None:
        if failure.trace:
            log.error("a run failed: %s\n%s", failure.message, failure.trace)
        self._readiness.show_failure(tab, failure)

    def _compare(self) -> None:
        tab = self._tabs.current()
        if tab in self._of and not self._autos[tab].is_busy:  # what runs by itself is up to date in a moment
            self._of[tab].compare()

    def show_tab(self) -> None:
        """Bring everything up to date for another current strategy."""
        self._compare_soon.start()


def is_kept(job: Job) -> bool:
    """Return whether a job is to be shown in the status bar: any but a trial."""
    return not isinstance(job.request, RunRequest) or job.request.keep
