"""The app in a process of its own, under its real event loop, which opens files or is typed into by the hundred.

Arguments: `open FOLDER` opens every file in turn, shows it in every pane, and closes it; `type FILE COUNT SEED` opens one
and makes random edits in its text. The last line printed is a JSON object (`Report`); lines before it name what is done.
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
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from app.main import open_app
from app.services.files import FileError
from app.window.main_window import MainWindow
from app.window.start import Start
from engine.api import Severity

DONE = 7
_SETTLE_TURNS = 3

_PIECES = (
    *"'\"[]{}:-#&*!|>%@`,?~ \t",
    *("''", '""', "\n", "\n  ", "\n    ", "\n\t", ": ''", ': ""', "- - ", "use: ", "{use: ta.RSI, input: bars.close}"),
    *("bars", "bars.close", "fast", "null", "true", "1e308", "-1", "nan", ".inf", "2020-01-01", "|\n  a", ">\n"),
    *(
        "é",
        "名",
        "🎉",
        "👩\u200d👩\u200d👧",
        "\u202e",
        "e\u0301",
        "\u2028",
        "\u00a0",
        "&a ",
        "*a",
        "<<: *a",
        "---\n",
        "...\n",
    ),
)
_PASTES = (
    "x:\n  a: ''\n",
    'x:\n  a: ""\n',
    "x:\n  a: '\n",
    "indicators:\n  again: {use: ta.RSI, input: bars.close}\n",
    "\r\na: b\r\n",
    "[" * 300,
    "a: &a [x, x]\nb: *a\n",
    "\ttabs:\t''\n",
    "long: " + "x" * 20_000 + "\n",
    "\x00\x07\ufeff",
    "",
)
_KEYS = (
    *(Qt.Key.Key_Return, Qt.Key.Key_Backspace, Qt.Key.Key_Delete, Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Up),
    *(Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Escape),
)


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
        if record.name == "app.window.errors" or record.levelno >= logging.ERROR:
            text = logging.Formatter().format(record)
            self.report.faults.append(f"{self.doing}: {text[:300]} ... {text[-700:]}")


class Drive:
    """Takes one step in each turn of the event loop."""

    def __init__(self, start: Start) -> None:
        self.window: MainWindow = start._window
        self.window.settings.tour_done = True
        self.report = Report()
        self._faults = _Faults(self.report)
        logging.getLogger().addHandler(self._faults)
        mode, *rest = sys.argv[1:]
        if mode == "open":
            self._steps = self._open_all(Path(rest[0]))
        else:
            self._steps = self._type(Path(rest[0]), int(rest[1]), int(rest[2]))
        self._begun = time.thread_time()
        self._timer = QTimer(self.window)
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
            self.window.shut()
            QTimer.singleShot(0, self.window, lambda: QApplication.exit(DONE))

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
        window = self.window
        try:
            tab = window.desk.open(path)
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
        docks = window.docks
        docks.show(list(docks.docks)[number % len(docks.docks)])
        window.show_node_help()
        yield "shown"
        window.grab()
        yield "painted"
        window.remove_tab(tab)
        yield "closed"

    # ------------------------------------------------------------------ typing

    def _type(self, file: Path, count: int, seed: int) -> Iterator[None]:
        rng = random.Random(seed)  # noqa: S311 - cases of a test
        self.window.desk.open(file)
        for number in range(count):
            if number == min(20, count // 2):
                self.report.start_mb = _megabytes()
            what = self._edit(rng, number)
            yield from self._watched(iter(range(rng.choice((1, 1, 2, 12)))), what)
            self.report.done += 1
            if number % 25 == 0:
                self.window.docks.show(rng.choice(list(self.window.docks.docks)))
                self.window.grab()
                yield

    def _edit(self, rng: random.Random, number: int) -> str:
        """Make one edit by keys, as a user does; return what was done."""
        tab = self.window.tab
        assert tab is not None
        tab.place_yaml("beside")
        editor = tab.yaml.editor
        editor.setFocus()
        if rng.random() < 0.5:
            cursor = editor.textCursor()
            cursor.setPosition(rng.randrange(editor.document().characterCount()))
            if rng.random() < 0.3:
                cursor.setPosition(
                    min(cursor.position() + rng.randrange(200), editor.document().characterCount() - 1),
                    QTextCursor.MoveMode.KeepAnchor,
                )
            editor.setTextCursor(cursor)
        kind = rng.choices(("type", "key", "paste", "undo", "redo", "cut", "reset"), (50, 22, 10, 8, 4, 4, 2))[0]
        piece = rng.choice(_PIECES)
        self._doing(f"edit {number}: {kind} {piece!a} at {editor.textCursor().position()}")
        control = Qt.KeyboardModifier.ControlModifier
        if kind == "type":
            for char in piece:
                if char == "\n":
                    QTest.keyClick(editor, Qt.Key.Key_Return)
                elif char.isascii():
                    QTest.keyClicks(editor, char)
                else:
                    QTest.sendKeyEvent(
                        QTest.KeyAction.Click, editor, Qt.Key.Key_unknown, char, Qt.KeyboardModifier.NoModifier
                    )
        elif kind == "key":
            for _ in range(rng.choice((1, 1, 3, 20))):
                QTest.keyClick(editor, rng.choice(_KEYS))
        elif kind == "paste":
            QApplication.clipboard().setText(rng.choice(_PASTES))
            QTest.keyClick(editor, Qt.Key.Key_V, control)
        elif kind in ("undo", "redo"):
            for _ in range(rng.choice((1, 1, 5))):
                QTest.keyClick(editor, Qt.Key.Key_Z if kind == "undo" else Qt.Key.Key_Y, control)
        elif kind == "cut":
            QTest.keyClick(editor, Qt.Key.Key_X, control)
        else:  # back to something valid, so that the canvas has a graph to follow
            tab.document.set_text(Path(sys.argv[2]).read_text(encoding="utf-8"))
        return self._faults.doing


def _megabytes() -> int:
    return psutil.Process().memory_info().rss >> 20


def _no_dialog(*arguments: object) -> QMessageBox.StandardButton:
    """Stand in for a message that waits for a user; what it says is a fault where nothing was to be said."""
    logging.getLogger("app.window.errors").error("A dialog: %s", arguments[-1])
    return QMessageBox.StandardButton.Ok


if __name__ == "__main__":
    QMessageBox.warning = staticmethod(_no_dialog)  # type: ignore[method-assign, assignment]
    Start._guide = lambda start: setattr(start, "drive", Drive(start))  # type: ignore[method-assign]
    sys.exit(open_app())
