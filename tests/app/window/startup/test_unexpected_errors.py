from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QMainWindow
from pytestqt.qtbot import QtBot

from quantcrafter.app.window.startup.unexpected_errors import CrashReporter
from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.home import home

pytestmark = pytest.mark.logs_errors  # what fails here on purpose is logged


@pytest.fixture
def reporter(qtbot: QtBot) -> Iterator[CrashReporter]:
    window = QMainWindow()
    qtbot.addWidget(window)
    made = CrashReporter(window)
    yield made
    made.release()


def fail(error: Exception) -> None:
    try:
        raise error
    except type(error) as raised:
        sys.excepthook(type(raised), raised, raised.__traceback__)


def fail_elsewhere(error: Exception) -> None:
    try:
        raise error
    except type(error) as raised:
        sys.excepthook(type(raised), raised, raised.__traceback__)


def reports() -> list[str]:
    return [file.read_text(encoding="utf-8") for file in sorted((home() / "logs").glob("desktop-*.txt"))]


def test_an_unexpected_error_is_written_down_and_shown_once(reporter: CrashReporter, qtbot: QtBot) -> None:
    fail(ZeroDivisionError("first"))
    qtbot.waitUntil(lambda: reporter.dialog is not None)
    first = reporter.dialog
    fail_elsewhere(ZeroDivisionError("second"))

    assert reporter.dialog is first
    assert first is not None
    assert "ZeroDivisionError" in first.text()
    assert str(home() / "logs") in first.text()
    assert [text.splitlines()[-1] for text in reports()] == [
        "ZeroDivisionError: first",
        "ZeroDivisionError: second",
    ]
    first.close()
    assert reporter.dialog is None


def test_a_fault_that_returns_is_written_down_and_shown_once(
    reporter: CrashReporter, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(1000):
        fail(ZeroDivisionError("each frame"))
    qtbot.waitUntil(lambda: reporter.dialog is not None)
    assert reporter.dialog is not None
    reporter.dialog.close()
    fail(ZeroDivisionError("and again"))
    qtbot.wait(50)

    assert reporter.dialog is None
    assert len(reports()) == 1
    assert "512 times so far" in caplog.text
    assert len(caplog.records) < 12


def test_an_error_of_ours_is_told_in_words_without_a_report(reporter: CrashReporter, qtbot: QtBot) -> None:
    with qtbot.waitSignal(reporter.reported) as told:
        fail(RunError("The data ends before it begins. Turn them round."))

    assert told.args == ["The data ends before it begins. Turn them round."]
    assert reporter.dialog is None
    assert reports() == []


def test_the_hooks_are_given_back(qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    before = sys.excepthook

    made = CrashReporter(window)
    made.release()

    assert sys.excepthook is before
