"""The simulation's machine code: compiled in advance by a separate process, while others run without it.

1. `kernel_for` selects the form to run. Small jobs run interpreted before numba is even imported; so do large ones,
   while another process compiles.
2. `compile_ahead` runs in that process; at the end, it writes a marker next to the cached code. Run as `python -m
   quantcrafter.engine.simulation.ahead` this module is that process.
"""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from quantcrafter.engine.api.bars import Bars
from quantcrafter.engine.api.compiled import code_folder, compile_kept, numba_cache_dir
from quantcrafter.engine.api.engine import EngineJob, Execution, InstrumentJob
from quantcrafter.engine.api.frozen import read_only
from quantcrafter.engine.api.locks import try_lock
from quantcrafter.engine.api.rules import ExecutionRule, OnOpposite, SizeKind, SizeRule
from quantcrafter.engine.api.running_means import running_means
from quantcrafter.engine.api.settings import RunSettings
from quantcrafter.engine.api.timeframe import Timeframe
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED, RunSteps, compiled, complete, is_loaded
from quantcrafter.engine.simulation.records import WHOLE

SMALL_BARS = 50_000
"""A job of fewer bars runs interpreted, unless this process has the machine code already."""

INSTRUCTIONS_PER_BAR = 8
"""Number of instructions that take as long in Python as a bar without any."""

WITH_RARE = "with-rare"
"""The argument of the process that compiles the machine code with the rules that few strategies use."""

LOOK_S = 0.1
"""Interval at which a process that waits for another's machine code checks for it."""

NICE = 10
"""The compiling process has a lower priority than the running one; POSIX only."""


def kernel_for(bars: int, instructions: int = 0, *, with_rare: bool) -> RunSteps:
    """Return the bar loop for so many bars; the result may change as soon as there is machine code.

    At each bar so many `instructions` of steps are executed beside the rest. `with_rare` says whether the job has rules
    that few strategies use: the machine code with them is another one.
    """
    if is_loaded(with_rare=with_rare):
        return compiled()
    if bars * (1 + instructions // INSTRUCTIONS_PER_BAR) < SMALL_BARS:
        return INTERPRETED
    if is_kept(with_rare=with_rare):
        return compiled()
    compiling = compile_elsewhere(with_rare=with_rare)
    # If another process can't compile or can't save the code, this one compiles.
    return compiled() if compiling is None or compiling.is_done() else INTERPRETED


def is_kept(*, with_rare: bool = False) -> bool:
    """Return whether the machine code for these sources and this Python is on the disk."""
    return _marker(with_rare=with_rare).exists()


def _marker(*, with_rare: bool) -> Path:
    kind = "complete" if with_rare else "native"
    return code_folder() / f"{kind}-{numba_cache_dir().name}-{sys.implementation.cache_tag}.ready"


def compile_ahead(*, with_rare: bool = False) -> None:
    """Compile the bar loop and the loop of averages, or load them, and write the marker."""
    from quantcrafter.engine.simulation.compiling import lighter_compiler
    from quantcrafter.engine.simulation.state import SimulationState

    run = complete() if with_rare else compiled()
    with lighter_compiler():
        run(*SimulationState.of(_sample(), kernel=INTERPRETED).arrays(), 0, 1, WHOLE)
        compile_kept(running_means, read_only(np.ones(3)), 2, 3, np.empty(3), np.empty(3))
    # Only a hint: a disk that cannot be written is no reason to fail.
    with contextlib.suppress(OSError):
        marker = _marker(with_rare=with_rare)
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()


def _sample() -> EngineJob:
    """Return a job of one bar: all jobs have arrays of the same types."""
    time, price = np.zeros(1, np.int64), np.ones(1)
    bars = Bars("", Timeframe(1, "d"), time, time + 1, price, price, price, price, price)
    columns = (np.zeros(1, np.uint8), np.ones(1, np.bool_))
    instrument = InstrumentJob("", bars, 1.0, 1.0, *columns, 0)
    size = SizeRule(SizeKind.QUANTITY, 1.0)
    return EngineJob((instrument,), (Execution(ExecutionRule(OnOpposite.CLOSE), size),), (), RunSettings())


class Compiling:
    """Another process that compiles the machine code. It continues if the process that started it ends."""

    def __init__(self, *, with_rare: bool) -> None:
        chosen = [WITH_RARE] if with_rare else []
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            # -P: the code is that of the installed program, whatever the working directory holds.
            [sys.executable, "-P", "-m", "quantcrafter.engine.simulation.ahead", *chosen],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def is_done(self) -> bool:
        """Return whether it has ended, successfully or not."""
        return self._process.poll() is not None

    def wait(self) -> None:
        """Wait for its end."""
        self._process.wait()


@functools.cache
def compile_elsewhere(*, with_rare: bool = False) -> Compiling | None:
    """Start one process that compiles; None if the program can't be started by a module's name."""
    return None if getattr(sys, "frozen", False) else Compiling(with_rare=with_rare)


def main(*, with_rare: bool) -> None:
    """Compile with low priority; if another process compiles for the same user, wait for it instead."""
    if sys.platform != "win32":
        os.nice(NICE)
    with turn_to_compile(with_rare=with_rare):
        if not is_kept(with_rare=with_rare):
            compile_ahead(with_rare=with_rare)


@contextlib.contextmanager
def turn_to_compile(*, with_rare: bool) -> Iterator[None]:
    """Let one process at a time compile; without a lock if none is available."""
    path = _marker(with_rare=with_rare).with_suffix(".lock")
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            stream = stack.enter_context(path.open("ab"))
            while not try_lock(stream):
                time.sleep(LOOK_S)
        yield


if __name__ == "__main__":
    main(with_rare=WITH_RARE in sys.argv)
