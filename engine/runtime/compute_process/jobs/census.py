"""The job `census`: how often each node of a finished run fired, and which never changed a decision."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from quantcrafter.engine.runtime.compute_process.jobs.contract import JobContext, Request

if TYPE_CHECKING:
    from quantcrafter.engine.runtime.explain import Census


@dataclass(frozen=True, slots=True)
class CensusRequest(Request):
    """Count and judge the nodes of the run in a folder of `RunFolder`."""

    kind: ClassVar[str] = "census"

    folder: Path

    def execute(self, context: JobContext) -> Census:
        return count_nodes(self, context)


def count_nodes(request: CensusRequest, context: JobContext) -> Census:
    """Carry out a CensusRequest.

    Raises:
        RunError: the run cannot be read.
        RunCancelledError: the owner cancelled.
    """
    from quantcrafter.engine.plugins import load_registry
    from quantcrafter.engine.runtime.explain import take_census
    from quantcrafter.engine.runtime.run_store.run_folder import RunFolder

    run = RunFolder.open(request.folder)
    return take_census(
        run,
        load_registry(),
        progress=lambda done, total: context.progress("census", done, total),
        cancelled=context.cancelled,
    )
