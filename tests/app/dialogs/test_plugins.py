from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.plugin_list import kind_name
from quantcrafter.app.dialogs.plugins import PluginsDialog
from quantcrafter.engine.plugins import PluginStatus, forget_registry, installed_plugins, load_registry
from tests.support.plugin_packages import indicator, install


@pytest.fixture
def dialog(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PluginsDialog]:
    """The dialog with two further plugins installed: one that works, one that raises when it is imported."""
    good = indicator("smooth") + "\n@hookimpl\ndef register_indicators():\n    return [Demo]\n"
    install(tmp_path / "site", "dialog-good", good)
    install(tmp_path / "site", "dialog-bad", "raise ValueError('no licence key')\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    forget_registry()
    made = PluginsDialog(load_registry(), lambda _name: None)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    yield made
    forget_registry()


def _pick(qtbot: QtBot, dialog: PluginsDialog, name: str) -> None:
    item = dialog.table.findItems(name, Qt.MatchFlag.MatchExactly)[0]
    place = dialog.table.visualItemRect(item).center()
    qtbot.mouseClick(dialog.table.viewport(), Qt.MouseButton.LeftButton, pos=place)


def _status(dialog: PluginsDialog, name: str) -> str:
    return dialog.table.findItems(name, Qt.MatchFlag.MatchExactly)[0].text(2)


def _switch(qtbot: QtBot, dialog: PluginsDialog) -> None:
    qtbot.keyClick(dialog.enabled, Qt.Key.Key_Space)


def test_a_plugin_is_listed_with_its_version_and_what_it_brings(qtbot: QtBot, dialog: PluginsDialog) -> None:
    _pick(qtbot, dialog, "dialog-good")
    assert dialog.table.findItems("dialog-good", Qt.MatchFlag.MatchExactly)[0].text(1) == "1.2.3"
    assert _status(dialog, "dialog-good") == "On"
    assert "Indicators (1)\nsmooth" in dialog.details.toPlainText()
    assert not dialog.restart.text().strip()


def test_close_is_the_last_button(dialog: PluginsDialog) -> None:
    dialog.show()
    buttons = dialog.buttons.buttons()
    assert len(buttons) > 1
    assert max(buttons, key=lambda each: each.x()) is dialog.close_button


def test_what_a_plugin_brings_has_a_title_for_each_kind(dialog: PluginsDialog) -> None:
    kinds = {kind for row in dialog.model.rows for kind in row.info.provides}
    assert {"markets", "download_providers"} <= kinds
    assert [kind for kind in kinds if kind_name(kind) == kind] == []


def test_a_plugin_that_failed_says_why(qtbot: QtBot, dialog: PluginsDialog) -> None:
    _pick(qtbot, dialog, "dialog-bad")
    assert _status(dialog, "dialog-bad") == "Not loaded: it has an error"
    assert "no licence key" in dialog.details.toPlainText()


def test_a_part_of_quantcrafter_cannot_be_switched_off(qtbot: QtBot, dialog: PluginsDialog) -> None:
    _pick(qtbot, dialog, "builtin-nodes")
    assert not dialog.enabled.isVisible()
    assert dialog.own.isVisible()


def test_switching_off_holds_from_the_next_start_and_can_be_taken_back(qtbot: QtBot, dialog: PluginsDialog) -> None:
    _pick(qtbot, dialog, "dialog-good")
    _switch(qtbot, dialog)
    assert _status(dialog, "dialog-good") == "Off after a restart"
    assert "Restart" in dialog.restart.text()
    assert dialog.needs_restart
    states = {info.name: info.status for info in installed_plugins()}
    assert states["dialog-good"] is PluginStatus.DISABLED
    _switch(qtbot, dialog)
    assert _status(dialog, "dialog-good") == "On"
    assert not dialog.needs_restart


def test_a_list_that_cannot_be_written_is_said_and_nothing_changes(
    qtbot: QtBot, dialog: PluginsDialog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(blocked))
    _pick(qtbot, dialog, "dialog-good")
    _switch(qtbot, dialog)
    assert "plugins.json" in dialog.restart.text()
    assert dialog.enabled.isChecked()
    assert not dialog.needs_restart
