"""Windows and dialogs are on the screen with their frame, however small the screen is."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QScreen
from PySide6.QtWidgets import QDialogButtonBox, QLabel, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.frame import DialogFrame
from quantcrafter.app.fitting import USUAL_FRAME, fit
from quantcrafter.app.services.settings import Settings
from quantcrafter.app.window.layout.geometry import remember_frame, restore_frame

SCREENS = (QRect(0, 0, 1024, 768), QRect(0, 0, 800, 500), QRect(0, 40, 1366, 700))


@pytest.fixture(params=SCREENS, ids=lambda screen: f"{screen.width()}x{screen.height()}")
def screen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> QRect:
    """Put everything on a small screen."""
    small: QRect = request.param
    monkeypatch.setattr(QScreen, "availableGeometry", lambda _screen: small)
    return small


@pytest.fixture
def window(qtbot: QtBot) -> QMainWindow:
    """Give a window that asks for a lot."""
    made = QMainWindow()
    qtbot.addWidget(made)
    made.setMinimumSize(860, 520)
    return made


def outer(window: QWidget) -> QRect:
    return QRect(window.pos(), window.size().grownBy(USUAL_FRAME))


def test_the_first_window_leaves_room_for_its_frame(window: QMainWindow, screen: QRect) -> None:
    restore_frame(window, Settings())
    assert screen.contains(outer(window))
    assert window.width() > screen.width() * 0.8


def test_a_window_of_a_larger_screen_comes_back_within_this_one(
    window: QMainWindow, screen: QRect, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings()
    with monkeypatch.context() as large:
        large.setattr(QScreen, "availableGeometry", lambda _screen: QRect(0, 0, 3840, 2160))
        window.setGeometry(1000, 600, 2400, 1500)
        remember_frame(window, settings)
    restored = QMainWindow()
    restored.setMinimumSize(860, 520)
    restore_frame(restored, settings)
    assert screen.contains(outer(restored))


def test_a_dialog_that_wants_more_than_the_screen_keeps_its_buttons_in_sight(qtbot: QtBot, screen: QRect) -> None:
    dialog = DialogFrame(None, title="Data")
    qtbot.addWidget(dialog)
    tall = QLabel("as tall as three screens")
    tall.setMinimumSize(1600, 2000)
    dialog.body.addWidget(tall)
    close = dialog.add_button("Close", QDialogButtonBox.ButtonRole.RejectRole, dialog.reject)
    dialog.resize(1040, 600)
    dialog.show()
    qtbot.wait(20)
    assert screen.contains(dialog.frameGeometry())
    assert dialog.rect().contains(QRect(close.mapTo(dialog, close.rect().topLeft()), close.size()))


@pytest.mark.usefixtures("screen")
def test_a_maximized_window_stays_so(window: QMainWindow) -> None:
    window.showMaximized()
    before = window.geometry()
    fit(window)
    assert window.isMaximized()
    assert window.geometry() == before
