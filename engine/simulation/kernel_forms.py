"""The bar loop, interpreted or as machine code; both give identical results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quantcrafter.engine.simulation.jit import machine_code
from quantcrafter.engine.simulation.kernel import run_steps

RunSteps = Callable[..., int]
"""`quantcrafter.engine.simulation.kernel.run_steps`, in either form."""

INTERPRETED: RunSteps = run_steps


def compiled() -> RunSteps:
    """Return the bar loop as machine code, which is compiled or loaded from disk at its first call."""
    twin: RunSteps = machine_code(run_steps)
    return twin


def is_loaded() -> bool:
    """Return whether this process has the machine code."""
    twin: Any = machine_code(run_steps) if machine_code.cache_info().currsize else None
    return twin is not None and bool(twin.overloads)
