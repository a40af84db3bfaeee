"""Work beside the user interface: its outcome arrives in the right thread, once, or not at all."""

from __future__ import annotations

import threading
import weakref
from functools import partial

from PySide6.QtCore import QObject, QThreadPool
from pytestqt.qtbot import QtBot

from quantcrafter.app.services.background import Background
from quantcrafter.engine.api import RunError


def test_the_outcome_arrives_in_the_thread_of_the_user_interface(qtbot: QtBot) -> None:
    owner = QObject()
    background = Background(owner)
    threads: list[int] = []

    def work() -> int:
        threads.append(threading.get_ident())
        return 7

    got: list[object] = []

    def take(value: int) -> None:
        got.append(value)
        threads.append(threading.get_ident())

    background.run(work, take, got.append)
    assert background.busy
    qtbot.waitUntil(lambda: bool(got))
    assert got == [7]
    assert threads[0] != threads[1] == threading.get_ident()
    assert not background.busy


def test_an_error_of_ours_arrives_as_its_message(qtbot: QtBot) -> None:
    background = Background(owner := QObject())
    told: list[str] = []

    def work() -> None:
        raise RunError("There is no run 'x'. Name another.")

    background.run(work, lambda _none: told.append("done"), told.append)
    qtbot.waitUntil(lambda: bool(told))
    assert told == ["There is no run 'x'. Name another."]
    assert owner is background.parent()


def test_only_the_latest_work_counts(qtbot: QtBot) -> None:
    background = Background(owner := QObject())
    gate = threading.Event()
    got: list[str] = []
    background.run(lambda: gate.wait(10) and "first", got.append, got.append)
    background.run(lambda: "second", got.append, got.append)
    qtbot.waitUntil(lambda: bool(got))
    gate.set()
    QThreadPool.globalInstance().waitForDone()
    qtbot.wait(20)
    assert got == ["second"]
    assert owner is background.parent()


def test_nothing_is_delivered_once_the_owner_is_gone(qtbot: QtBot) -> None:
    owner = QObject()
    background = Background(owner)
    gate = threading.Event()
    got: list[object] = []
    background.run(lambda: gate.wait(10), got.append, got.append)
    with qtbot.waitSignal(owner.destroyed):
        owner.deleteLater()
    gate.set()
    QThreadPool.globalInstance().waitForDone()
    qtbot.wait(20)
    assert not got


def test_nothing_of_a_work_is_held_once_it_is_over(qtbot: QtBot) -> None:
    class Large:
        pass

    background = Background(owner := QObject())
    got: list[str] = []

    def take(_large: Large, text: str) -> None:
        got.append(text)

    held: list[weakref.ref[Large]] = []
    for _ in range(20):
        large = Large()
        held.append(weakref.ref(large))
        background.run(partial(str, large), partial(take, large), partial(print, large))
        del large
    qtbot.waitUntil(lambda: not background.busy)
    QThreadPool.globalInstance().waitForDone()
    qtbot.waitUntil(lambda: not [ref for ref in held if ref() is not None])
    assert len(got) == 1
    assert owner is background.parent()
