"""ReportController: the HTML report of the run in front, written by the engine process and opened in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.problems import failure_text
from quantcrafter.engine.runtime.compute_process.jobs.report import ReportRequest

if TYPE_CHECKING:
    from quantcrafter.app.services.engine import Engine, Job
    from quantcrafter.app.window.messages import Messages
    from quantcrafter.app.window.tabs.tabs import Tabs
    from quantcrafter.engine.runtime.run_store.run_folder import RunFolder


class ReportController(QObject):
    """Makes reports for a window.

    Args:
        window: the parent of dialogs.
        tabs: the open strategies.
        engine: writes the reports.
        messages: tell where they are.
    """

    def __init__(self, window: QWidget, tabs: Tabs, engine: Engine, messages: Messages) -> None:
        super().__init__(window)
        self._window = window
        self._tabs = tabs
        self._engine = engine
        self._messages = messages
        self._jobs: set[Job] = set()

    @property
    def run(self) -> RunFolder | None:
        """The run in front."""
        tab = self._tabs.current()
        return tab.session.run if tab is not None else None

    def show(self) -> None:
        """Write the report beside the run and open it in the browser."""
        if self.run is not None:
            self._write(self.run, self.run.folder / "report.html", then_open=True)

    def save(self) -> None:
        """Ask for a file and write the report to it."""
        tab, run = self._tabs.current(), self.run
        if tab is None or run is None:
            return
        folder = tab.path.parent if tab.path is not None else Path.home()
        name, _ = QFileDialog.getSaveFileName(
            self._window, tr("Save the report"), str(folder / f"{tab.title}.html"), "HTML (*.html)"
        )
        if name:
            path = Path(name)
            self._write(run, path if path.suffix else path.with_suffix(".html"), then_open=False)

    def _write(self, run: RunFolder, path: Path, *, then_open: bool) -> None:
        job = self._engine.submit(ReportRequest(run.folder, path))
        self._jobs.add(job)
        self._messages.say(tr("The report is being written..."))
        job.finished.connect(lambda written: self._written(written, then_open=then_open))
        job.failed.connect(lambda failure: self._messages.complain(failure_text(failure)))
        job.ended.connect(lambda: self._jobs.discard(job))

    def _written(self, path: Path, *, then_open: bool) -> None:
        self._messages.say(tr("The report is in {path}", path=path))
        if then_open and not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
            self._messages.complain(tr("Couldn't open a browser. The report is in {path}", path=path))
