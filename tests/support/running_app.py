"""The desktop application as a separate process."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.command_line import ROOT, clean_environment

PATIENCE_S = 60
LOOK_S = 0.02


class RunningApp:
    """A started app; its log tells how far it is."""

    def __init__(self, process: subprocess.Popen[str], home: Path) -> None:
        self.process = process
        self.home = home
        self.started_at = time.time()

    @property
    def log(self) -> str:
        """What the app has logged."""
        file = self.home / "logs" / "desktop.log"
        return file.read_text(encoding="utf-8") if file.is_file() else ""

    def wait_for(self, line: str) -> float:
        """Wait until a line is in the log; return the seconds from the start of the process to it."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            found = next((text for text in self.log.splitlines() if text.endswith(line)), None)
            if found is not None:
                return float(found.split()[0]) - self.started_at
            time.sleep(LOOK_S)
        raise AssertionError(f"'{line}' didn't come; the log is:\n{self.log}")

    def end(self, signal_number: int) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(signal_number)
        return self.process.wait(PATIENCE_S)


@contextmanager
def running_app(home: Path, *files: Path, program: str = "", **environment: str) -> Iterator[RunningApp]:
    """Start the app on files, painting into memory; it is ended at the latest after the block.

    `program` runs other Python code instead, which gets the files as its arguments.
    """
    command = ["-c", program] if program else ["-m", "quantcrafter.engine.cli", "app"]
    settings = {"QT_QPA_PLATFORM": "offscreen", **environment}
    process = subprocess.Popen(
        [sys.executable, *command, *(str(file) for file in files)],
        cwd=ROOT,
        env=clean_environment(home, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield RunningApp(process, home)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
