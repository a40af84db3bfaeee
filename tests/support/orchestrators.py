"""Orchestrators in processes of their own, as `quantcrafter start` runs them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quantcrafter.engine.orchestrator.control import ask
from tests.support.command_line import ROOT, clean_environment
from tests.support.supervised import is_alive, wait_until


@contextlib.contextmanager
def started(*arguments: str, home: Path) -> Iterator[subprocess.Popen[str]]:
    """Run `quantcrafter start` in the background of the test until it answers; it is killed in the end."""
    with subprocess.Popen(
        [sys.executable, "-m", "quantcrafter.engine.cli", "start", *arguments],
        cwd=ROOT,
        env=clean_environment(home),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_until(lambda: process.poll() is not None or ask("status") is not None)
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def cleaned_up() -> Iterator[None]:
    """Kill an orchestrator in the background that the test has left."""
    try:
        yield
    finally:
        found = ask("status")
        for pid in [] if found is None else [found["pid"], *found["hosts"].values()]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def told() -> dict[str, Any]:
    """Return what the orchestrator says of itself."""
    found = ask("status")
    assert found is not None
    return found


def kill(process: subprocess.Popen[str]) -> None:
    """Kill an orchestrator, and wait until its hosts have ended too."""
    hosts = told()["hosts"].values()
    process.kill()
    process.wait()
    wait_until(lambda: not any(map(is_alive, hosts)))
