"""One session of the app for a working day: runs, engine processes that die, files opened and closed; nothing grows."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from pytestqt.qtbot import QtBot

from quantcrafter.app.window.desktop import Desktop
from quantcrafter.app.window.tabs.tab import StrategyTab
from tests.support.counts import sample
from tests.support.desktop import copy_example, open_window, tab_of
from tests.support.reliability import record

RUNS = sample(8, of=100)
KILLS = sample(1, of=20)
FILES = sample(5, of=50)
WARM_UP = 3
"""What the first few leave is there once: caches, pools, modules that are imported when they are first used."""
MOST_FILES = 45
"""Two runs more than at the start may still wait to be released; each has 21 files. A leak of each run is far
more.
"""
MOST_MB = 40
PATIENCE_MS = 120_000
SETTLE_MS = 500
QUIET_LOOKS = 8
"""For so many checks in a row no file was released."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.logs_errors,  # the engine process is killed on purpose
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


@dataclass(frozen=True)
class Load:
    """What the app holds: open files, those of them that are columns of runs, memory in MB, and threads."""

    files: int
    columns: int
    megabytes: float
    threads: int


def load(qtbot: QtBot) -> Load:
    """Return what the app holds once it lets go of nothing more: threads end what they do for runs no longer shown."""
    held, unchanged = held_now(), 0
    while unchanged < QUIET_LOOKS:
        qtbot.wait(SETTLE_MS)
        gc.collect()
        now = held_now()
        unchanged = unchanged + 1 if now.files >= held.files else 0
        held = now
    return held


def held_now() -> Load:
    names = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that lists the folder
            names.append(str(entry.readlink()))
    process = psutil.Process()
    columns = sum(name.endswith((".npy", ".npy (deleted)")) for name in names)
    return Load(len(names), columns, process.memory_info().rss / 2**20, process.num_threads())


@pytest.fixture
def desktop(qtbot: QtBot, tmp_path: Path) -> Iterator[Desktop]:
    with open_window(qtbot, copy_example("golden_cross", tmp_path)) as desktop:
        yield desktop


def run_once(qtbot: QtBot, tab: StrategyTab, desktop: Desktop, number: int) -> None:
    text = tab.document.text
    before, after = text.split("fast: {use: ta.SMA, input: bars.close, timeperiod: ", 1)
    tab.document.set_text(f"{before}fast: {{use: ta.SMA, input: bars.close, timeperiod: {20 + number}{after[2:]}")
    shown = tab.session.run.id if tab.session.run is not None else ""
    desktop.runs.run()
    assert desktop.runs.is_busy(tab), desktop.shell.status.currentMessage()
    qtbot.waitUntil(lambda: not desktop.runs.is_busy(tab), timeout=PATIENCE_MS)
    assert desktop.runs.of(tab).failure is None, desktop.runs.of(tab).failure
    qtbot.waitUntil(lambda: tab.session.run is not None and tab.session.run.id != shown)


def check(before: Load, after: Load, what: str, most_mb: float = MOST_MB) -> None:
    told = f"{what}: {before} became {after}"
    assert after.files <= before.files + MOST_FILES, told
    assert after.columns <= before.columns + MOST_FILES, told
    assert after.megabytes <= before.megabytes + most_mb, told
    assert after.threads <= before.threads + 2, told


def test_a_long_session_holds_no_more_files_and_memory_at_its_end(
    qtbot: QtBot, desktop: Desktop, tmp_path: Path
) -> None:
    tab = tab_of(desktop)
    for number in range(WARM_UP):
        run_once(qtbot, tab, desktop, number)
    start = load(qtbot)
    for number in range(WARM_UP, RUNS):
        run_once(qtbot, tab, desktop, number % 70)
    after_runs = load(qtbot)
    check(start, after_runs, f"{RUNS} runs")

    for number in range(KILLS):
        pid = desktop.engine.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        qtbot.waitUntil(lambda pid=pid: desktop.engine.pid != pid, timeout=PATIENCE_MS)  # type: ignore[misc]
        run_once(qtbot, tab, desktop, (number + 1) % 70)
    after_kills = load(qtbot)
    check(start, after_kills, f"{KILLS} killed engine processes")

    other = copy_example("rsi_pullback", tmp_path / "other")
    opened = [load(qtbot)]
    for number in range(FILES):
        desktop.file_controller.close(desktop.file_controller.open(other))
        qtbot.wait(50)
        if number == WARM_UP - 1:
            opened = [load(qtbot)]
    after_files = load(qtbot)
    check(opened[0], after_files, f"{FILES} opened and closed files")
    check(start, after_files, "the whole session", most_mb=2 * MOST_MB)  # the first files load components
    rows = [
        (f"{WARM_UP} runs", start),
        (f"{RUNS} runs", after_runs),
        (f"{KILLS} engine processes killed, a run after each", after_kills),
        (f"{FILES} files opened and closed", after_files),
    ]
    record(
        "one session of the app",
        ("after", "open files", "of these columns of runs", "memory in MB", "threads"),
        [(what, now.files, now.columns, round(now.megabytes), now.threads) for what, now in rows],
    )
