from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLabel
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.preferences import Preferences
from quantcrafter.app.dialogs.settings import SettingsDialog
from quantcrafter.app.services.settings import Settings
from quantcrafter.engine.api.home import home
from quantcrafter.engine.runtime.run_store.cleanup import keep_gb
from tests.support.children import children


@pytest.fixture
def previews() -> list[str]:
    return []


@pytest.fixture
def dialog(qtbot: QtBot, previews: list[str]) -> SettingsDialog:
    made = SettingsDialog(Preferences("en", "light"), previews.append)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_ok_returns_what_was_chosen(qtbot: QtBot, dialog: SettingsDialog) -> None:
    qtbot.keyClicks(dialog.theme, "Dark")
    qtbot.keyClicks(dialog.candle_colors, "Blue")
    qtbot.keyClicks(dialog.yaml_place, "Beside")
    qtbot.mouseClick(dialog.minimap, Qt.MouseButton.LeftButton, pos=dialog.minimap.rect().center() * 0.25)
    qtbot.mouseClick(dialog.forget_button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(dialog.ok_button, Qt.MouseButton.LeftButton)
    assert dialog.result() == QDialog.DialogCode.Accepted
    assert dialog.preferences == Preferences("en", "dark", "beside", False, True, "blue_orange")


def test_a_theme_is_shown_at_once_and_taken_back_on_escape(
    qtbot: QtBot, dialog: SettingsDialog, previews: list[str]
) -> None:
    qtbot.keyClicks(dialog.theme, "Dark")
    assert previews == ["dark"]
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert previews == ["dark", "light"]


def test_another_language_says_when_it_takes_effect(qtbot: QtBot, dialog: SettingsDialog) -> None:
    assert "restart" not in dialog.language_note.text()
    dialog.language.setFocus()
    qtbot.keyClick(dialog.language, Qt.Key.Key_Down)
    assert dialog.preferences.language == "ru"
    assert "restart" in dialog.language_note.text()


def test_every_language_is_offered_under_its_own_name(dialog: SettingsDialog) -> None:
    offered = [dialog.language.itemText(row) for row in range(dialog.language.count())]
    assert offered == ["Use the system setting", "English", "Русский", "简体中文"]


def test_the_data_folder_is_shown(dialog: SettingsDialog) -> None:
    assert dialog.folder.text() == str(home())
    assert dialog.folder.isReadOnly()


def test_no_note_is_cut_off(dialog: SettingsDialog) -> None:
    for label in children(dialog, QLabel):
        assert label.height() >= label.heightForWidth(label.width()), label.text()


def test_preferences_survive_the_settings_file() -> None:
    settings = Settings()
    settings.quick_add_counts = {"indicators:ta.RSI": 3}
    Preferences("zh_CN", "dark", "hidden", minimap=False, forget_habits=True, candle_colors="blue_orange").store(
        settings
    )
    again = Settings()
    assert Preferences.of(again) == Preferences("zh_CN", "dark", "hidden", minimap=False, candle_colors="blue_orange")
    assert again.quick_add_counts == {}


def test_the_systems_language_is_kept_as_no_choice() -> None:
    settings = Settings()
    Preferences("system").store(settings)
    assert settings.language == ""
    assert Preferences.of(settings).language == "system"


def test_the_disk_for_runs_is_kept_where_the_command_line_finds_it(dialog: SettingsDialog) -> None:
    assert dialog.runs_gb.value() == 5
    dialog.runs_gb.setValue(12.5)
    dialog.preferences.store(Settings())
    assert keep_gb() == 12.5
    assert Preferences.of(Settings()).runs_gb == 12.5
