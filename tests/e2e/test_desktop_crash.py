"""The app crashes in compiled code: what it tells at the next start, and that restoring never becomes a circle."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import ROOT, clean_environment
from tests.support.desktop import copy_example

START = """
import faulthandler, json, sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit
from quantcrafter.app.dialogs.frame import DialogFrame
from quantcrafter.app.main import open_app
from quantcrafter.app.window.recovery import controller
from quantcrafter.app.window.startup import start_steps

controller.TRIAL_MS = 200

def answer(self):
    dialog = QApplication.activeModalWidget()
    if isinstance(dialog, DialogFrame):
        labels = [label.text() for label in dialog.findChildren(QLabel)]
        drafts = [box.currentData() for box in getattr(dialog, "choices", [])]
        print(json.dumps({"labels": labels, "drafts": drafts}), flush=True)
        dialog.accept() if not drafts else dialog.ok_button.click()

def crash(self):
    self._shell.settings.tour_done = True
    timer = QTimer(self, interval=20)
    timer.timeout.connect(lambda: QApplication.activeModalWidget() or end(self, timer))
    timer.start()

def end(self, timer):
    # The window's first steps go on while a dialog asks: what ends the app comes after the answer.
    if sys.argv[1] == "settled" and self._shell.desktop.recovery_controller._on_trial:
        return
    timer.stop()
    tab = self._shell.tabs.current()
    if sys.argv[1] != "live" and tab is not None and not tab.document.is_modified:
        tab.document.set_text(tab.document.text + "# last words\\n")
    then = self._shell.window.close if sys.argv[1] == "live" else faulthandler._sigsegv
    QTimer.singleShot(0, self, then)

recover = start_steps.Start._recover

def answered(self):
    timer = QTimer(self, interval=50)
    timer.timeout.connect(lambda: answer(self))
    timer.start()
    recover(self)

start_steps.Start._recover = answered
start_steps.Start._guide = crash
sys.exit(open_app([Path(name) for name in sys.argv[2:]]))
"""


def start(home: Path, end: str, *files: Path) -> tuple[int, list[dict[str, Any]]]:
    """Run the app; return its exit code, and what each dialog at its start showed."""
    done = subprocess.run(
        [sys.executable, "-c", START, end, *map(str, files)],
        cwd=ROOT,
        env=clean_environment(home, QT_QPA_PLATFORM="offscreen"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a fault ends the process by a signal on Unix")
def test_a_crash_leaves_a_report_and_work_that_crashes_again_is_skipped(tmp_path: Path) -> None:
    file = copy_example("golden_cross", tmp_path)
    logs = tmp_path / "home" / "logs"

    code, dialogs = start(tmp_path / "home", "crash", file)
    assert (code, dialogs) == (-signal.SIGSEGV, [])

    code, dialogs = start(tmp_path / "home", "settled")  # restored, and the window lives on for a while
    assert code == -signal.SIGSEGV
    (told,) = dialogs
    (report,) = logs.glob("desktop-crash-*.txt")
    assert str(report) in told["labels"]
    assert "Segmentation fault" in report.read_text(encoding="utf-8")
    assert told["drafts"] == ["restore"]

    code, dialogs = start(tmp_path / "home", "crash")  # restored, and crashes at once
    assert code == -signal.SIGSEGV
    assert [each["drafts"] for each in dialogs] == [["restore"]]

    code, dialogs = start(tmp_path / "home", "live")
    assert code == 0
    assert [each["drafts"] for each in dialogs] == [["later"]]  # skipped unless it is set otherwise
    assert any("closed while it restored" in text for text in dialogs[0]["labels"])
    assert len(list(logs.glob("desktop-crash-*.txt"))) == 3
    assert list(logs.glob("*.running")) == []
    assert "last words" not in file.read_text(encoding="utf-8")
    (kept,) = (tmp_path / "home" / "recovery").glob("*.swap")
    assert "last words" in kept.read_text(encoding="utf-8")


HOSTILE = [
    "[" * 100_000,
    json.dumps(
        {
            "recent": ["\0", "/dev/zero", "\ud800", "", "a" * 5000],
            "pinned": ["\0"],
            "geometry": "////",
            "window_state": "AAAA" * 99,
            "theme": [],
            "yaml_share": 1e999,
            "yaml_place": {},
            "language": "é" * 9,
            "shortcuts": {"file.save": "\0" * 99, "": "Ctrl+Ctrl+"},
            "chart_panels": ["x"],
            "chart_shown": {"a": {"b": 1}},
            "quick_add_counts": {"a": True},
            "tour_done": "yes",
        }
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_the_app_starts_and_opens_a_file_with_damaged_settings(text: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "desktop.json").write_text(text, encoding="utf-8", errors="surrogatepass")
    code, dialogs = start(home, "live", copy_example("golden_cross", tmp_path))

    assert code == 0
    log = (home / "logs" / "desktop.log").read_text(encoding="utf-8")
    assert "window usable" in log
    assert "Traceback" not in log
    if not text.startswith("{"):
        assert any("settings couldn't be read" in text for text in dialogs[0]["labels"])
        assert (home / "desktop.unreadable.json").exists()
