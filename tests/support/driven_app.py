"""The app in a separate process, under its real event loop, which opens files or is typed into by the hundred.

Arguments: `open FOLDER` opens every file in turn, shows it in every pane, and closes it; `type FILE COUNT SEED` opens
one and makes random edits in its text. The last line printed is a JSON object (`Report`); lines before it name what is
done.
"""

from __future__ import annotations

import json
import logging
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox

from quantcrafter.app.main import open_app
from quantcrafter.app.services.strategy_files import FileError
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.app.window.startup.start_steps import Start
from quantcrafter.engine.api import Severity
from tests.support.random_typing import choose, make

DONE = 7
_SETTLE_TURNS = 3


@dataclass(slots=True)
class Report:
    """What came of it. Times are the processor's, of the thread of the window, since the machine may be busy."""

    done: int = 0
    refused: int = 0
    valid: int = 0
    faults: list[str] = field(default_factory=list)
    longest_s: float = 0.0
    longest_at: str = ""
    total_s: float = 0.0
    start_mb: int = 0
    end_mb: int = 0


class _Faults(logging.Handler):
    """Collects what the app would tell of, with what was being done."""

    def __init__(self, report: Report) -> None:
        super().__init__(logging.WARNING)
        self.report = report
        self.doing = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "quantcrafter.app.window.startup.unexpected_errors" or record.levelno >= logging.ERROR:
            text = logging.Formatter().format(record)
            self.report.faults.append(f"{self.doing}: {text[:300]} ... {text[-700:]}")


class Drive:
    """Takes one step in each turn of the event loop."""

    def __init__(self, start: Start) -> None:
        self.desktop: Desktop = start._shell.desktop
        self.desktop.settings.tour_done = True
        self.report = Report()
        self._faults = _Faults(self.report)
        logging.getLogger().addHandler(self._faults)
        mode, *rest = sys.argv[1:]
        if mode == "open":
            self._steps = self._open_all(Path(rest[0]))
        else:
            self._steps = self._type(Path(rest[0]), int(rest[1]), int(rest[2]))
        self._begun = time.thread_time()
        self._timer = QTimer(self.desktop.window)
        self._timer.timeout.connect(self._step)
        self._timer.start(0)

    def _doing(self, what: str) -> None:
        self._faults.doing = what
        sys.stdout.write(f"{what!a}\n")
        sys.stdout.flush()

    def _step(self) -> None:
        try:
            next(self._steps)
        except StopIteration:
            self._timer.stop()
            self.report.total_s = round(time.thread_time() - self._begun, 1)
            self.report.end_mb = _megabytes()
            sys.stdout.write(json.dumps(asdict(self.report)) + "\n")
            sys.stdout.flush()
            self.desktop.shell.shut()
            QTimer.singleShot(0, self.desktop.window, lambda: QApplication.exit(DONE))

    def _watched(self, steps: Iterator[object], what: str) -> Iterator[None]:
        """Take steps, and note the longest time from one to the next, with what the event loop did between them."""
        before = time.thread_time()
        for _ in steps:
            yield
            taken = time.thread_time() - before
            if taken > self.report.longest_s:
                self.report.longest_s, self.report.longest_at = round(taken, 2), what
            before = time.thread_time()

    # ------------------------------------------------------------------ opening

    def _open_all(self, folder: Path) -> Iterator[None]:
        for number, path in enumerate(sorted(folder.glob("*.yaml"))):
            self._doing(path.name)
            yield from self._watched(self._open(path, number), path.name)
            self.report.done += 1
            if self.report.done == min(20, len(list(folder.glob("*.yaml"))) // 2 + 1):
                self.report.start_mb = _megabytes()

    def _open(self, path: Path, number: int) -> Iterator[str]:
        desktop = self.desktop
        try:
            tab = desktop.file_controller.open(path)
        except FileError:
            self.report.refused += 1
            return
        yield "opened"
        for _ in range(_SETTLE_TURNS):
            yield "settling"
        tab.place_yaml("beside" if number % 2 else "below")
        self.report.valid += not any(each.severity is Severity.ERROR for each in tab.document.problems)
        for node in list(tab.document.graph(()).nodes)[:3]:
            tab.canvas.select([node])
            yield "selected"
        tab.canvas.select_all()
        docks = desktop.docks
        docks.show(list(docks.docks)[number % len(docks.docks)])
        desktop.wiring.show_node_help()
        yield "shown"
        desktop.window.grab()
        yield "painted"
        desktop.strategies.remove(tab)
        yield "closed"

    # ------------------------------------------------------------------ typing

    def _type(self, file: Path, count: int, seed: int) -> Iterator[None]:
        rng = random.Random(seed)  # noqa: S311 - cases of a test
        self.desktop.file_controller.open(file)
        for number in range(count):
            if number == min(20, count // 2):
                self.report.start_mb = _megabytes()
            tab = self.desktop.tab
            assert tab is not None
            what = f"edit {number}: {choose(tab, rng)}"
            self._doing(f"{what} at {tab.yaml.editor.textCursor().position()}")
            make(tab, what.split()[2], rng, file.read_text(encoding="utf-8"))
            yield from self._watched(iter(range(rng.choice((1, 1, 2, 12)))), what)
            self.report.done += 1
            if number % 25 == 0:
                self.desktop.docks.show(rng.choice(list(self.desktop.docks.docks)))
                self.desktop.window.grab()
                yield


def _megabytes() -> int:
    return int(psutil.Process().memory_info().rss) >> 20


def _no_dialog(*arguments: object) -> QMessageBox.StandardButton:
    """Stand in for a message that waits for a user; what it says is a fault where nothing was to be said."""
    logging.getLogger("quantcrafter.app.window.startup.unexpected_errors").error("A dialog: %s", arguments[-1])
    return QMessageBox.StandardButton.Ok


if __name__ == "__main__":
    QMessageBox.warning = staticmethod(_no_dialog)  # type: ignore[method-assign, assignment]
    Start._guide = lambda start: setattr(start, "drive", Drive(start))  # type: ignore[method-assign, assignment]
    sys.exit(open_app())
