"""The plain cross over so many bars, in a separate process: `python -m tests.support.one_length 1000000`.

Prints JSON: bars, fills, the CPU time of columns and of the simulation in nanoseconds a bar, the best of some turns,
and the most memory that the process took, in MB.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np

from quantcrafter.engine.data.cache import BarCache
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.kernel_forms import compiled
from tests.support.speed_cases import Case, columns, spent

SHORT = 100_000


def most_memory() -> float:
    """Return the most memory that this process took, in MB; NaN where the system does not say."""
    status = Path("/proc/self/status")
    if not status.exists():
        return math.nan
    # Not `ru_maxrss`: that counts what the parent had when it started this process.
    peak = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024


def measured(bars: int) -> dict[str, float]:
    """Return what a run over so many bars costs."""
    prepared = Case(bars=bars).prepared(BarCache(1 << 34))
    best, fills = [np.inf, np.inf], 0
    for _ in range(50 if bars <= SHORT else 3):
        column_ms, _ = spent(lambda: columns(prepared))
        loop_ms, ledger = spent(lambda: simulate(prepared.job, kernel=compiled()))
        best, fills = [min(best[0], column_ms), min(best[1], loop_ms)], len(ledger.fills)
    figures = {"bars": bars, "fills": fills, "columns": best[0] * 1e6 / bars, "simulation": best[1] * 1e6 / bars}
    figures["mb"] = most_memory()
    return figures


if __name__ == "__main__":
    print(json.dumps(measured(int(sys.argv[1]))))  # noqa: T201 - the answer
