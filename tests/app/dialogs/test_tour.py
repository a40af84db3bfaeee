from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.tour import Tour
from quantcrafter.app.dialogs.tour_steps import PixelBox, place, tour_steps


class Scene:
    """A window with a part at the left and one that is hidden, and the tour over it."""

    def __init__(self, qtbot: QtBot) -> None:
        self.window = QMainWindow()
        qtbot.addWidget(self.window)
        self.window.resize(1280, 720)
        middle = QWidget()
        self.window.setCentralWidget(middle)
        self.left = QLineEdit(middle)
        self.left.setGeometry(0, 0, 240, 700)
        self.hidden = QWidget(middle)
        self.hidden.hide()
        self.window.show()
        qtbot.waitExposed(self.window)
        self.tour = Tour(self.window, {"palette": self.left, "canvas": self.hidden}.get)
        self.ends: list[bool] = []
        self.tour.finished.connect(lambda: self.ends.append(True))
        self.tour.start()


@pytest.fixture
def scene(qtbot: QtBot) -> Iterator[Scene]:
    made = Scene(qtbot)
    yield made
    made.tour.end()


def _click(scene: Scene, name: str) -> None:
    QTest.mouseClick(getattr(scene.tour.bubble, name), Qt.MouseButton.LeftButton)


def test_there_are_at_most_six_steps() -> None:
    assert len(tour_steps()) <= 6
    assert len({step.target for step in tour_steps()}) == len(tour_steps())


def test_the_first_mark_stands_beside_its_target_and_rings_it(scene: Scene) -> None:
    bubble = scene.tour.bubble
    assert bubble.title.text() == "Find a component"
    assert bubble.count.text() == "1 of 6"
    assert not bubble.back_button.isVisible()
    assert bubble.x() >= 240
    assert scene.window.rect().contains(bubble.geometry())
    target = QRect(scene.left.mapTo(scene.window, QPoint(0, 0)), scene.left.size())
    assert scene.tour.ring.isVisible()
    assert scene.tour.ring.geometry().contains(target)


def test_what_lies_under_the_marks_stays_usable(qtbot: QtBot, scene: Scene) -> None:
    qtbot.mouseClick(scene.left, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(scene.left, "rsi")
    assert scene.left.text() == "rsi"
    assert scene.tour.bubble.isVisible()


def test_a_hidden_target_is_spoken_of_in_the_middle_of_the_window(scene: Scene) -> None:
    _click(scene, "next_button")
    bubble = scene.tour.bubble
    assert bubble.title.text() == "Connect the nodes"
    assert not scene.tour.ring.isVisible()
    offset = bubble.geometry().center() - scene.window.rect().center()
    assert max(abs(offset.x()), abs(offset.y())) <= 2


def test_next_and_back_walk_and_the_last_step_ends_it(qtbot: QtBot, scene: Scene) -> None:
    _click(scene, "next_button")
    _click(scene, "back_button")
    assert scene.tour.bubble.count.text() == "1 of 6"
    for _ in range(5):
        qtbot.keyClick(scene.tour.bubble.next_button, Qt.Key.Key_Return)
    assert scene.tour.bubble.next_button.text() == "Done"
    assert not scene.tour.bubble.skip_button.isVisible()
    _click(scene, "next_button")
    assert scene.ends == [True]
    assert not scene.tour.bubble.isVisible()


def test_skipping_and_escape_end_it_once(qtbot: QtBot, scene: Scene) -> None:
    qtbot.keyClick(scene.tour.bubble.next_button, Qt.Key.Key_Escape)
    scene.tour.end()
    assert scene.ends == [True]
    assert not scene.tour.ring.isVisible()
    scene.tour.start()
    _click(scene, "skip_button")
    assert scene.ends == [True, True]


def test_the_mark_follows_when_the_window_gets_smaller(qtbot: QtBot, scene: Scene) -> None:
    scene.window.resize(700, 500)
    qtbot.waitUntil(lambda: scene.window.rect().contains(scene.tour.bubble.geometry()))


@pytest.mark.parametrize(
    ("target", "side"),
    [
        (PixelBox(0, 0, 200, 700), "left"),
        (PixelBox(1080, 0, 200, 700), "right"),
        (PixelBox(0, 0, 1280, 40), "top"),
        (PixelBox(0, 600, 1280, 120), "bottom"),
        (PixelBox(0, 0, 1280, 720), ""),
        (None, ""),
    ],
)
def test_a_mark_stands_where_there_is_room(target: PixelBox | None, side: str) -> None:
    spot = place(target, (360, 140), (1280, 720))
    assert spot.side == side
    assert 0 <= spot.x <= 1280 - 360
    assert 0 <= spot.y <= 720 - 140


@pytest.mark.parametrize("button", ["skip_button", "next_button"])
def test_the_focus_is_where_it_was_once_the_tour_is_over(qtbot: QtBot, button: str) -> None:
    scene = Scene(qtbot)
    scene.tour.end()
    after = QLineEdit(scene.window.centralWidget())
    after.show()
    scene.left.setFocus()
    scene.tour.start()
    assert scene.window.focusWidget() is scene.tour.bubble.next_button
    while scene.tour.bubble.isVisible():
        QTest.keyClick(getattr(scene.tour.bubble, button), Qt.Key.Key_Space)
    assert scene.window.focusWidget() is scene.left


def test_the_focus_stays_where_the_user_put_it_during_the_tour(qtbot: QtBot) -> None:
    scene = Scene(qtbot)
    other = QLineEdit(scene.window.centralWidget())
    other.show()
    other.setFocus()
    scene.tour.end()
    assert scene.window.focusWidget() is other
