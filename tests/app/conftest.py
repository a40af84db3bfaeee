"""What every test of the desktop shares: no process of the program may live on when its window is gone."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil
import pytest

PATIENCE_S = 60.0


def engine_processes() -> list[psutil.Process]:
    """Return the processes that this one has started for jobs and that still run."""
    found = []
    for child in psutil.Process().children():
        try:
            if child.status() != psutil.STATUS_ZOMBIE and any("spawn_main" in word for word in child.cmdline()):
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


@pytest.fixture(autouse=True)
def _no_process_outlives_its_test() -> Iterator[None]:
    """Wait for the end of what the test has started; whatever does not end is a leak."""
    yield
    deadline = time.monotonic() + PATIENCE_S
    while (left := engine_processes()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not left, f"processes are left over: {left}"
