"""Putting a theme on: widgets and icons change, and listeners are told."""

from __future__ import annotations

import gc

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QImage
from PySide6.QtWidgets import QApplication, QLabel, QToolButton
from pytestqt.qtbot import QtBot

from quantcrafter.app.theme import DARK, FAMILIES, LIGHT, apply, changed, current, themes
from quantcrafter.app.theme.icons import icon, icon_names
from quantcrafter.engine.api import Role

ACTIONS = [
    "new",
    "open",
    "save",
    "undo",
    "redo",
    "cut",
    "copy",
    "paste",
    "duplicate",
    "delete",
    "zoom-in",
    "zoom-out",
    "zoom-fit",
    "align",
    "layout",
    "search",
    "settings",
    "help",
    "warning",
    "error",
    "done",
    "running",
    "bypass",
    "mute",
    "block",
    "frame",
    "run",
    "export",
    "close",
    "add",
]


def colors(image: QImage) -> set[str]:
    """Return the colours of the opaque pixels."""
    return {
        image.pixelColor(x, y).name()
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y).alpha() == 255
    }


@pytest.mark.parametrize(("name", "theme"), [("light", LIGHT), ("dark", DARK)])
def test_a_widget_is_painted_in_the_theme(qtbot: QtBot, qapp: QApplication, name: str, theme: object) -> None:
    with qtbot.waitSignal(changed):
        apply(qapp, name)
    assert current() is theme
    label = QLabel("Close above average")
    qtbot.addWidget(label)
    label.setAutoFillBackground(True)
    image = label.grab().toImage()
    assert image.pixelColor(1, 1).name() == current().window
    assert current().text in colors(image)


def test_system_is_one_of_the_two_and_an_unknown_name_means_system(qapp: QApplication) -> None:
    apply(qapp, "system")
    assert current() in (LIGHT, DARK)
    apply(qapp, "plaid")
    assert themes.name == "system"


def test_there_is_an_icon_for_every_family_and_every_action() -> None:
    assert set(FAMILIES) <= set(icon_names())
    assert set(ACTIONS) <= set(icon_names())


def test_no_two_icons_are_the_same_picture() -> None:
    pictures = {bytes(icon(name).pixmap(QSize(32, 32)).toImage().constBits()) for name in icon_names()}
    assert len(pictures) == len(icon_names())


def test_an_icon_follows_the_theme_and_keeps_a_colour_of_its_own(qapp: QApplication) -> None:
    plain, colored = icon("save"), icon("risk", "#ff0000")
    apply(qapp, "light")
    assert LIGHT.text in colors(plain.pixmap(QSize(48, 48)).toImage())
    apply(qapp, "dark")
    assert DARK.text in colors(plain.pixmap(QSize(48, 48)).toImage())
    assert "#ff0000" in colors(colored.pixmap(QSize(48, 48)).toImage())


def test_an_icon_of_a_disabled_action_is_faint(qapp: QApplication) -> None:
    apply(qapp, "light")
    image = icon("run").pixmap(QSize(48, 48), QIcon.Mode.Disabled).toImage()
    assert LIGHT.text_disabled in colors(image)
    assert LIGHT.text not in colors(image)


def test_an_icon_is_as_sharp_as_the_screen(qapp: QApplication) -> None:
    apply(qapp, "light")
    fine = icon("add").pixmap(QSize(16, 16), 3.0)
    assert fine.size() == QSize(48, 48)
    stretched = icon("add").pixmap(QSize(16, 16), 1.0).scaled(QSize(48, 48))
    edges = [
        sum(0 < QColor(i.pixelColor(x, 24)).alpha() < 255 for x in range(48))
        for i in (fine.toImage(), stretched.toImage())
    ]
    assert edges[0] < edges[1]


def test_icons_outlive_what_made_them(qtbot: QtBot) -> None:
    button = QToolButton()
    qtbot.addWidget(button)
    button.setIcon(icon(Role.MONEY.value))
    copies = [QIcon(button.icon()) for _ in range(50)]
    gc.collect()
    assert all(not copy.pixmap(QSize(16, 16)).isNull() for copy in copies)


def test_an_unknown_icon_is_an_error_at_once() -> None:
    with pytest.raises(FileNotFoundError):
        icon("no-such-picture")


def test_an_icon_without_room_is_an_empty_picture_and_no_warning(qtbot: QtBot) -> None:  # noqa: ARG001
    assert icon("run").pixmap(QSize(0, 12)).isNull()
