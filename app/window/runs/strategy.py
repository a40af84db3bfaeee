"""StrategyRuns: one open strategy's runs: those in progress, the one shown, and whether that is out of date."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from quantcrafter.app.services.engine import Job, JobState
from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.api import QuantCrafterError
from quantcrafter.engine.runtime.compute_process.jobs import Failure, LogLine, Request
from quantcrafter.engine.runtime.compute_process.jobs.journal import JournalRequest
from quantcrafter.engine.runtime.compute_process.jobs.run import RunOutcome, RunRequest
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Collection

    from quantcrafter.app.services.engine import Engine
    from quantcrafter.app.window.tabs.tab import StrategyTab


class StrategyRuns(QObject):
    """Runs one strategy, and gives finished runs to its session.

    Args:
        tab: the open strategy.
        engine: carries the runs out.
    """

    changed = Signal()
    """A run was queued, began or ended; or the one that is shown went out of date, or came back to date."""
    finished = Signal(object)
    """Carries the RunRequest whose run is shown now."""
    failed = Signal(object)
    """Carries the Failure of a run that was not cancelled."""
    mended = Signal()
    """The strategy is no longer the one whose run failed."""

    def __init__(self, tab: StrategyTab, engine: Engine) -> None:
        super().__init__(tab)
        self.tab = tab
        self._engine = engine
        self.jobs: list[Job] = []
        self._journal: Job | None = None
        self.failure: Failure | None = None
        self._failed_text = self._failed_meaning = ""
        self.is_stale = False
        self._outdated: set[Path] = set()
        self._old_jobs: set[Job] = set()
        tab.session.run_changed.connect(self._shown)

    @property
    def run(self) -> RunFolder | None:
        """The run that is shown."""
        return self.tab.session.run

    @property
    def running(self) -> Job | None:
        """The run that is being executed."""
        return next((job for job in self.jobs if job.state is JobState.RUNNING), None)

    def submit(self, *, keep: bool = True, in_use: Collection[Path] = ()) -> Job | None:
        """Queue a run of the text as it is now; None if just that is queued or running already.

        Args:
            keep: put the run into the history.
            in_use: folders of runs that are being looked at.
        """
        document = self.tab.document
        request = RunRequest(
            document.text,
            file=str(document.path or ""),
            base_dir=str(document.folder.absolute()),
            keep=keep,
            unless="" if keep or self.run is None or self.run.folder in self._outdated else self.run.spec_hash,
            in_use=tuple(in_use),
        )
        if any(_same(job.request, request) for job in self.jobs if not job.cancelling):
            return None
        if self._journal is not None:
            self._engine.cancel(self._journal)
        job = self._engine.submit(request)
        self.jobs.append(job)
        log = self.tab.session.log
        if keep:
            now = datetime.now(UTC).astimezone()
            log.begin(job.number, tr("Run {number}, {time}", number=len(log.titles) + 1, time=f"{now:%H:%M:%S}"))
            job.logged.connect(lambda lines: log.add(job.number, lines))
        job.started.connect(self.changed)
        job.progressed.connect(self.changed)
        job.finished.connect(lambda outcome: self._finish(job, outcome))
        job.failed.connect(lambda failure: self._fail(job, failure))
        self.changed.emit()
        return job

    def cancel(self, job: Job) -> None:
        """Cancel one run."""
        self._engine.cancel(job)

    def stop(self) -> None:
        """Cancel every run of the strategy."""
        for job in reversed(self.jobs):
            self._engine.cancel(job)

    def outdate(self) -> None:
        """Take note that the code of a node has changed: what was run before is out of date, what failed may work."""
        self._old_jobs.update(job for job in self.jobs if job.state is JobState.RUNNING)
        if self.run is not None:
            self._outdated.add(self.run.folder)
        if self.failure is not None:
            self.failure = None
            self.mended.emit()
        self.is_stale = self._is_stale()
        self.changed.emit()

    def compare(self) -> None:
        """See whether the run that is shown, and the one that failed, are still what the strategy does."""
        stale = self._is_stale()
        if stale != self.is_stale:
            self.is_stale = stale
            self.changed.emit()
        document = self.tab.document
        if self.failure is not None and self._failed_text != document.text and self._failed_meaning != document.meaning:
            self.failure = None
            self.changed.emit()
            self.mended.emit()

    # ------------------------------------------------------------------ how runs end

    def _finish(self, job: Job, outcome: RunOutcome | None) -> None:
        self._forget(job)
        if outcome is None:  # a trial of what is shown already
            self.changed.emit()
            return
        try:
            run = RunFolder.open(outcome.folder)
        except QuantCrafterError as error:
            self._notify(Failure.of(error), job.request)
            return
        if job in self._old_jobs:
            self._old_jobs.discard(job)
            self._outdated.add(run.folder)
        self.tab.session.show_run(run)
        self.finished.emit(job.request)
        if _is_kept(job.request):
            self._keep_journal(job, outcome)

    def _shown(self) -> None:
        """Take note that another run is shown: one that was just finished, or one of the history."""
        self.failure = None
        self.is_stale = self._is_stale()
        self.changed.emit()

    def _is_stale(self) -> bool:
        """Return whether the strategy does something else than the run that is shown did."""
        document, run = self.tab.document, self.run
        if run is not None and run.folder in self._outdated:
            return True
        return run is not None and run.text != document.text and run.spec_hash != document.meaning

    def _keep_journal(self, job: Job, outcome: RunOutcome) -> None:
        """Have what the run did written into the log, as soon as nobody waits for anything else."""
        log = self.tab.session.log
        journal = self._journal = self._engine.submit(JournalRequest(outcome.folder), idle=True)
        journal.logged.connect(lambda lines: log.add(job.number, lines))
        journal.ended.connect(self._journal_ended)

    def _journal_ended(self) -> None:
        self._journal = None

    def _fail(self, job: Job, failure: Failure) -> None:
        self._forget(job)
        broken = failure.code == "spec" and not _is_kept(job.request)
        if failure.is_cancelled or broken:  # what is wrong with a strategy that is being changed, the problems say
            self.changed.emit()
        else:
            self.tab.session.log.add(job.number, [LogLine(logging.ERROR, failure.message, node=failure.node)])
            self._notify(failure, job.request)

    def _notify(self, failure: Failure, request: Request) -> None:
        document = self.tab.document
        self._failed_text = request.text if isinstance(request, RunRequest) else document.text
        self._failed_meaning = document.meaning if self._failed_text == document.text else ""
        self.failure = failure
        self.changed.emit()
        self.failed.emit(failure)

    def _forget(self, job: Job) -> None:
        if job in self.jobs:
            self.jobs.remove(job)


def _same(queued: object, wanted: RunRequest) -> bool:
    return isinstance(queued, RunRequest) and (queued.text, queued.file, queued.keep) == (
        wanted.text,
        wanted.file,
        wanted.keep,
    )


def _is_kept(request: object) -> bool:
    return isinstance(request, RunRequest) and request.keep
