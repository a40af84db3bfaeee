"""The native engine: QC-BAR-1 as one compiled loop."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from engine.api.capability import BAR_STANDARD
from engine.api.compiled import numba_cache_dir
from engine.api.engine import EngineAdapter, EngineJob
from engine.api.ledger import Ledger


class NativeEngine(EngineAdapter):
    """Matches orders by itself after QC-BAR-1; the whole bar loop is machine code.

    Where a component decides in Python the loop goes bar by bar, by the same functions.

    The first run on a machine compiles that code, which takes up to a minute; it is then kept on disk.
    """

    name = "native"
    capabilities = BAR_STANDARD

    def run(self, job: EngineJob) -> Ledger:
        from engine.simulation.driver import simulate
        from engine.simulation.stepper import simulate_stepwise

        ledger = simulate(job) if job.is_compiled else simulate_stepwise(job)
        marker = _marker()
        if not marker.exists():
            # Only a hint for the user interface: a read-only disk is no reason to lose the run.
            with contextlib.suppress(OSError):
                marker.parent.mkdir(parents=True, exist_ok=True)
                marker.touch()
        return ledger

    def is_ready(self) -> bool:
        return _marker().exists()


def _marker() -> Path:
    """Return the file that says: the machine code for these sources and this Python is in the cache."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or numba_cache_dir())
    return folder / f"native-{numba_cache_dir().name}-{sys.implementation.cache_tag}.ready"
