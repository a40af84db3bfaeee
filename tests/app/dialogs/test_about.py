from __future__ import annotations

import re
from importlib.metadata import version

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.about import AboutDialog, parts
from quantcrafter.engine.api.home import home


def test_it_shows_the_version_the_paths_and_the_licences(qtbot: QtBot) -> None:
    dialog = AboutDialog()
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.facts["Version"] == version("quantcrafter")
    assert dialog.facts["Data folder"] == str(home())
    shown = {dialog.table.topLevelItem(row).text(0) for row in range(dialog.table.topLevelItemCount())}
    assert {"Qt for Python", "TA-Lib", "NumPy"} <= shown


def test_every_part_is_installed_and_has_a_licence() -> None:
    for part in parts():
        assert re.match(r"\d", part.version)
        assert part.licence


def test_the_details_are_copied_for_a_report(qtbot: QtBot) -> None:
    dialog = AboutDialog()
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.mouseClick(dialog.copy_button, Qt.MouseButton.LeftButton)
    text = QGuiApplication.clipboard().text()
    assert f"Version: {version('quantcrafter')}" in text
    assert "Qt for Python 6." in text


def test_a_long_path_does_not_widen_the_dialog(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", "/home/" + "very_long_name/" * 20)
    dialog = AboutDialog()
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.width() <= 700
