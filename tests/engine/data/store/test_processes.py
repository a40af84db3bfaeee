"""Several processes on one store: killed in the midst of a put, and two that write the same series."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from quantcrafter.engine.data.store import BarStore
from tests.support.bar_store import MINUTE, rows_of, run_of_rows

ROOT = Path(__file__).parents[4]
WRITER = """
import sys
from pathlib import Path
from quantcrafter.engine.data.store import BarStore
from tests.support.bar_store import bars_of, run_of_rows

store = BarStore(Path(sys.argv[1]))
for n in range(int(sys.argv[2]), 100_000, int(sys.argv[3])):
    store.put(bars_of(run_of_rows(n * 50, 50, float(n + 1))))
    sys.stdout.write(f"{n}\\n")
    sys.stdout.flush()
    if n >= int(sys.argv[4]):
        break
"""


def writer(folder: Path, first: int, step: int, last: int) -> subprocess.Popen[str]:
    """Start a process that puts stretches of 50 bars and says each number once it is kept."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(first), str(step), str(last)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_nothing_acknowledged_is_lost_when_a_writer_is_killed(tmp_path: Path) -> None:
    told = -1
    for round_ in range(3):
        process = writer(tmp_path, told + 1, 1, 100_000)
        assert process.stdout is not None
        for line in process.stdout:
            told = int(line)
            if told >= (round_ + 1) * 8:
                break
        process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        rest, _ = process.communicate()
        told = max([told, *(int(line) for line in rest.splitlines() if line.isdigit())])

        rows = rows_of(BarStore(tmp_path).read("SPY", MINUTE))
        acknowledged = [row for n in range(told + 1) for row in run_of_rows(n * 50, 50, float(n + 1))]
        assert rows[: len(acknowledged)] == acknowledged
        assert len(rows) in (len(acknowledged), len(acknowledged) + 50)


def test_two_writers_of_one_series_lose_nothing(tmp_path: Path) -> None:
    both = [writer(tmp_path, first, 2, 18 + first) for first in (0, 1)]
    outputs = [process.communicate(timeout=120)[0] for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert [len(output.split()) for output in outputs] == [10, 10]
    expected = [row for n in range(20) for row in run_of_rows(n * 50, 50, float(n + 1))]
    assert rows_of(BarStore(tmp_path).read("SPY", MINUTE)) == expected
    assert len(list(tmp_path.glob("*.npy"))) == 2
