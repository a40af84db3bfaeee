"""The bar loop, interpreted or as machine code; all forms give identical results.

There are two machine codes. One lacks the rules that few strategies use, which take half of the compiler's time; the
other one has all of them. A job's records say which of them it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quantcrafter.engine.simulation.jit import machine_code
from quantcrafter.engine.simulation.kernel import run_steps
from quantcrafter.engine.simulation.records import Table

RunSteps = Callable[..., int]
"""`quantcrafter.engine.simulation.kernel.run_steps`, in any form."""

INTERPRETED: RunSteps = run_steps


def compiled() -> RunSteps:
    """Return the bar loop as machine code, which is compiled or loaded from disk at its first call."""
    return _run_compiled


def complete() -> RunSteps:
    """Return the bar loop as machine code with all rules, whether or not a job needs them."""
    return _run_complete


def _run_compiled(portfolios: Table, *args: Any) -> int:
    run: RunSteps = machine_code(run_steps, with_rare=bool(portfolios[0]["has_rare"]))
    done = run(portfolios, *args)
    if portfolios[0]["omitted"]:
        raise RuntimeError("a rule is not part of the machine code for strategies without rare rules")
    return done


def _run_complete(portfolios: Table, *args: Any) -> int:
    run: RunSteps = machine_code(run_steps, with_rare=True)
    return run(portfolios, *args)


def is_loaded(*, with_rare: bool) -> bool:
    """Return whether this process has the machine code, with the rare rules or without them."""
    if not machine_code.cache_info().currsize:
        return False
    return bool(machine_code(run_steps, with_rare=with_rare).overloads)
