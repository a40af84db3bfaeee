"""Answer dialogs that wait: what is to be done is set up first, and done once the dialog is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMessageBox, QPushButton, QWidget

T = TypeVar("T", bound=QWidget)

LOOK_MS = 20
GIVE_UP = 500


@contextmanager
def answering(kind: type[T], act: Callable[[T], object]) -> Iterator[None]:
    """Do `act` with the modal dialog of a kind that comes up in the block; fail if none does."""
    looks = 0
    done: list[bool] = []
    timer = QTimer()
    timer.setInterval(LOOK_MS)

    def look() -> None:
        nonlocal looks
        looks += 1
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, kind):
            timer.stop()
            done.append(True)
            act(dialog)
        elif looks > GIVE_UP and isinstance(dialog, QWidget):
            timer.stop()
            dialog.close()

    timer.timeout.connect(look)
    timer.start()
    try:
        yield
    finally:
        timer.stop()
    if not done:
        raise AssertionError(f"No {kind.__name__} came up.")


@contextmanager
def answering_in_turn(*steps: tuple[type[Any], Callable[[Any], object]]) -> Iterator[None]:
    """Answer several dialogs, each of its kind, that come up one after the other or one from another."""
    waiting = list(steps)
    with ExitStack() as stack:

        def wait_for_next() -> None:
            if waiting:
                kind, act = waiting.pop(0)

                def answer(dialog: Any) -> None:
                    wait_for_next()
                    act(dialog)

                stack.enter_context(answering(kind, answer))

        wait_for_next()
        yield


def choosing(path: Path) -> Callable[[QFileDialog], None]:
    """Return what puts a path into a file dialog and presses its button."""

    def act(dialog: QFileDialog) -> None:
        line = dialog.findChild(QLineEdit, "fileNameEdit")
        if line is None:
            raise AssertionError("The file dialog has no line for the name.")
        line.setText(str(path))
        button = next(button for button in dialog.findChildren(QPushButton) if button.isDefault())
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    return act


def pressing(which: QMessageBox.StandardButton) -> Callable[[QMessageBox], None]:
    """Return what presses a button of a question."""
    return lambda box: QTest.mouseClick(box.button(which), Qt.MouseButton.LeftButton)
