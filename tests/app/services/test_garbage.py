"""Qt's objects are destroyed in the UI thread, whichever thread makes garbage."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from quantcrafter.app.services.garbage import GarbageCollector, collect_when_due

PROGRAM = """
import gc, threading, time
from quantcrafter.app.window.startup.application import make_application

application = make_application("light")
threads = set()
gc.callbacks.append(lambda phase, info: threads.add(threading.current_thread().name))

def make_garbage():
    for _ in range(200_000):
        ring = []
        ring.append(ring)

work = threading.Thread(target=make_garbage, name="work")
work.start()
while work.is_alive():
    application.processEvents()
until = time.monotonic() + 30
while not threads and time.monotonic() < until:
    application.processEvents()
    time.sleep(0.01)
print(sorted(threads), gc.get_count()[0] < 100_000)
"""


@pytest.fixture
def counted() -> Iterator[list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def see(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            seen.append((threading.current_thread().name, info["generation"]))

    gc.callbacks.append(see)
    yield seen
    gc.callbacks.remove(see)


def make_rings(number: int) -> None:
    for _ in range(number):
        ring: list[Any] = []
        ring.append(ring)


def test_the_application_collects_in_its_own_thread_only() -> None:
    """In a process of its own: the tests' process has taken over its collection already."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "['MainThread'] True", done.stderr


def test_what_is_due_is_collected_and_nothing_else(qapp: QApplication, counted: list[tuple[str, Any]]) -> None:
    parent = QObject(qapp)
    GarbageCollector(parent)
    gc.collect()
    counted.clear()
    assert collect_when_due() is None
    make_rings(gc.get_threshold()[0] + 10)
    assert not counted
    assert collect_when_due() == 0
    assert counted == [("MainThread", 0)]
    parent.deleteLater()
