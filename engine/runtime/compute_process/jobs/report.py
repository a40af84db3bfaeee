"""The job `report`: the HTML report of a stored run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from quantcrafter.engine.runtime.compute_process.jobs.contract import JobContext, Request


@dataclass(frozen=True, slots=True)
class ReportRequest(Request):
    """Write the report of the run in `folder` (of `RunFolder`) to the file `out`."""

    kind: ClassVar[str] = "report"

    folder: Path
    out: Path

    def execute(self, context: JobContext) -> Path:
        return write_report(self, context)


def write_report(request: ReportRequest, context: JobContext) -> Path:
    """Carry out a ReportRequest and return the file.

    Raises:
        RunError: the run cannot be read, or the file cannot be written.
    """
    from quantcrafter.engine.runtime.run_store.run_folder import RunFolder

    context.progress("report", 0, 1)
    return RunFolder.open(request.folder).write_report(request.out)
