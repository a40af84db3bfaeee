"""Which function carries out which kind of request."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.runtime.compute_process.jobs.contract import JobContext, Request

JOBS: Mapping[str, str] = {
    "census": "quantcrafter.engine.runtime.compute_process.jobs.census:count_nodes",
    "journal": "quantcrafter.engine.runtime.compute_process.jobs.journal:write_journal",
    "lookahead": "quantcrafter.engine.runtime.compute_process.jobs.lookahead:check_lookahead",
    "parity": "quantcrafter.engine.runtime.compute_process.jobs.parity:compare_engines",
    "preview": "quantcrafter.engine.runtime.compute_process.jobs.preview:preview_bars",
    "report": "quantcrafter.engine.runtime.compute_process.jobs.report:write_report",
    "run": "quantcrafter.engine.runtime.compute_process.jobs.run:run_strategy",
    "store_delete": "quantcrafter.engine.runtime.compute_process.jobs.store:delete_series",
    "store_export": "quantcrafter.engine.runtime.compute_process.jobs.store:export_series",
    "store_fill": "quantcrafter.engine.runtime.compute_process.jobs.store:fill_series",
    "store_gaps": "quantcrafter.engine.runtime.compute_process.jobs.store:list_gaps",
    "store_import": "quantcrafter.engine.runtime.compute_process.jobs.store:import_bars",
    "store_list": "quantcrafter.engine.runtime.compute_process.jobs.store:list_series",
    "sweep": "quantcrafter.engine.runtime.compute_process.jobs.sweep:run_sweep",
}
"""Kind of a request -> `module:function`; the function takes request and context and returns the result.

A kind that is written as `module:function` needs no entry.
"""

JobFunction = Callable[[Any, JobContext], Any]


def job_function(request: Request) -> JobFunction:
    """Return the function that carries a request out.

    Raises:
        RunError: there is no such job.
    """
    place = JOBS.get(request.kind, request.kind)
    if ":" not in place:
        raise RunError(
            Message(
                "The engine knows no job '{kind}'. It knows: {jobs}.", kind=request.kind, jobs=", ".join(sorted(JOBS))
            )
        )
    module, _, name = place.partition(":")
    function: JobFunction = getattr(importlib.import_module(module), name)
    return function
