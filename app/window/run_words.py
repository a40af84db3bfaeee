"""The texts about a run in progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantcrafter.app.services.i18n import tr

if TYPE_CHECKING:
    from quantcrafter.engine.runtime.compute_process.job_messages import Progressed

MINUTE_S = 60


def stage_name(stage: str) -> str:
    """Return what a run does at a stage."""
    names = {
        "libraries": tr("Loading libraries"),
        "load": tr("Loading data"),
        "columns": tr("Computing columns"),
        "compile": tr("Compiling (first run only)"),
        "simulate": tr("Simulating"),
        "save": tr("Saving the run"),
        "check": tr("Checking"),
    }
    return names.get(stage, tr("Running"))


def time_left(progress: Progressed | None, silent_s: float = 0.0) -> str:
    """Return the remaining time as text; "" while it is unknown.

    Args:
        progress: what was told last.
        silent_s: how long ago; a promise that was not kept is not repeated.
    """
    if progress is None or progress.left_s is None or silent_s > progress.left_s:
        return ""
    seconds = max(1, round(progress.left_s - silent_s))
    if seconds < MINUTE_S:
        return tr("{seconds} s left", seconds=seconds)
    return tr("{minutes} min {seconds} s left", minutes=seconds // MINUTE_S, seconds=seconds % MINUTE_S)
