"""Which function carries out which kind of request."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from engine.api.errors import RunError
from engine.runtime.jobs.contract import JobContext, Request

JOBS: Mapping[str, str] = {
    "census": "engine.runtime.jobs.census:count_nodes",
    "journal": "engine.runtime.jobs.journal:write_journal",
    "lookahead": "engine.runtime.jobs.lookahead:check_lookahead",
    "parity": "engine.runtime.jobs.parity:compare_engines",
    "preview": "engine.runtime.jobs.preview:preview_bars",
    "report": "engine.runtime.jobs.report:write_report",
    "run": "engine.runtime.jobs.run:run_strategy",
    "store_delete": "engine.runtime.jobs.store:delete_series",
    "store_export": "engine.runtime.jobs.store:export_series",
    "store_fill": "engine.runtime.jobs.store:fill_series",
    "store_gaps": "engine.runtime.jobs.store:list_gaps",
    "store_import": "engine.runtime.jobs.store:import_bars",
    "store_list": "engine.runtime.jobs.store:list_series",
    "sweep": "engine.runtime.jobs.sweep:run_sweep",
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
        raise RunError(f"The engine knows no job '{request.kind}'. It knows: {', '.join(sorted(JOBS))}.")
    module, _, name = place.partition(":")
    function: JobFunction = getattr(importlib.import_module(module), name)
    return function
