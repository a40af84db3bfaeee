"""A strategy of an older format is migrated as it is opened, shown, and written when the user saves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.migration import MigrationDialog
from quantcrafter.app.services.strategy_files import FileError
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.app.window.files.migration import MigrationNotice
from quantcrafter.engine.api import Problem
from quantcrafter.engine.spec import model
from tests.support.children import children
from tests.support.desktop import open_window, tab_of
from tests.support.modal import answering
from tests.support.old_formats import FORMAT_0, FORMAT_1, SENTENCES, know_format_0

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    know_format_0(monkeypatch)
    path = tmp_path / "old.yaml"
    path.write_bytes(FORMAT_0.encode())
    return path


@pytest.fixture
def desktop(qtbot: QtBot, old: Path) -> Iterator[Desktop]:
    with open_window(qtbot, old) as desktop:
        yield desktop


def errors_of(desktop: Desktop) -> list[Problem]:
    return list(tab_of(desktop).document.problems)


def notices(desktop: Desktop) -> list[MigrationNotice]:
    return [each for each in children(tab_of(desktop), MigrationNotice) if not each.isHidden()]


def test_an_old_file_opens_in_the_new_format_and_is_written_when_the_user_saves(desktop: Desktop, old: Path) -> None:
    tab = tab_of(desktop)
    assert tab.document.text == FORMAT_1
    assert tab.needs_saving
    assert errors_of(desktop) == []
    assert tab.document.graph().nodes["fast"].values["timeperiod"] == 20
    (notice,) = notices(desktop)
    assert "The file is not changed until you save" in notice.text.text()
    assert old.read_bytes() == FORMAT_0.encode()

    QTest.keyClick(desktop.window, Qt.Key.Key_S, CONTROL)

    assert old.read_bytes() == FORMAT_1.encode()
    assert notices(desktop) == []
    assert not tab.needs_saving


def test_undo_gives_the_old_text_back_which_can_be_saved_and_redo_migrates_again(
    qtbot: QtBot, desktop: Desktop, old: Path
) -> None:
    tab = tab_of(desktop)
    assert tab.document.undo_label == "Migrate to format 1"
    QTest.keyClick(desktop.window, Qt.Key.Key_Z, CONTROL)
    assert tab.document.text == FORMAT_0
    assert not tab.needs_saving
    assert notices(desktop) == []
    assert [problem.message for problem in errors_of(desktop)] == [
        "The file is of format 0, an older one; this QuantCrafter writes format 1."
    ]
    assert desktop.file_controller.save(tab)
    qtbot.wait(50)
    assert tab.document.text == FORMAT_0

    tab.document.redo()
    assert tab.document.text == FORMAT_1
    qtbot.waitUntil(lambda: len(notices(desktop)) == 1)
    assert old.read_bytes() == FORMAT_0.encode()


def test_the_changes_are_shown_with_both_texts_and_can_be_undone_there(desktop: Desktop) -> None:
    seen: list[str] = []

    def look(dialog: MigrationDialog) -> None:
        seen.extend(dialog.changes.item(row).text() for row in range(dialog.changes.count()))
        seen.extend(version.editor.toPlainText() for version in (dialog.before, dialog.after))
        dialog.undo_button.click()

    (notice,) = notices(desktop)
    with answering(MigrationDialog, look):
        notice.show_button.click()
    assert tuple(seen[:-2]) == SENTENCES
    assert "capital: 50000" in seen[-2]
    assert "  cash: 50000" in seen[-1]
    assert tab_of(desktop).document.text == FORMAT_0


def test_once_more_was_changed_the_dialog_only_shows(desktop: Desktop) -> None:
    tab = tab_of(desktop)
    tab.document.set_text(tab.document.text + "# more\n", label="More")
    (notice,) = notices(desktop)
    enabled: list[bool] = []

    def look(dialog: MigrationDialog) -> None:
        enabled.append(dialog.undo_button.isEnabled())
        dialog.close_button.click()

    with answering(MigrationDialog, look):
        notice.show_button.click()
    assert enabled == [False]
    assert tab.document.text == FORMAT_1 + "# more\n"
    notice.close_button.click()
    assert notices(desktop) == []


def test_a_file_that_another_program_brings_back_in_the_old_format_is_migrated_again(
    qtbot: QtBot, desktop: Desktop, old: Path
) -> None:
    tab = tab_of(desktop)
    QTest.keyClick(desktop.window, Qt.Key.Key_S, CONTROL)
    old.write_bytes(FORMAT_0.replace("length: 50", "length: 60").encode())
    desktop.file_controller.reload_current()
    qtbot.waitUntil(lambda: "timeperiod: 60" in tab.document.text)
    qtbot.waitUntil(lambda: len(notices(desktop)) == 1)
    assert tab.needs_saving


def test_a_file_of_a_newer_format_is_refused_and_stays_as_it_is(
    desktop: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = tmp_path / "newer.yaml"
    newer.write_text(FORMAT_1.replace("quantcrafter: 1", "quantcrafter: 2"), encoding="utf-8")
    before = newer.read_bytes(), newer.stat().st_mtime_ns
    refused = r"'newer\.yaml' needs a newer version of QuantCrafter: its format is 2, and this version reads 1"
    with pytest.raises(FileError, match=refused):
        desktop.file_controller.open(newer)
    assert desktop.tabs.count() == 1
    assert (newer.read_bytes(), newer.stat().st_mtime_ns) == before

    monkeypatch.setattr(model, "FORMAT_VERSION", 2)
    desktop.file_controller.open(newer)
    assert desktop.tabs.count() == 2


def test_a_file_that_cannot_be_migrated_opens_as_it_is_with_the_reason(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_format_0(monkeypatch)
    stuck = FORMAT_0.replace(
        "other:\n    use: ta.SMA\n    input: bars.close\n    length: *days", "other: &all {length: 3}\n  more: *all"
    )
    path = tmp_path / "stuck.yaml"
    path.write_bytes(stuck.encode())
    with open_window(qtbot, path) as desktop:
        assert tab_of(desktop).document.text == stuck
        assert not tab_of(desktop).needs_saving
        assert notices(desktop) == []
        assert [problem.code for problem in errors_of(desktop)] == ["version"]


def test_a_block_of_an_older_format_shows_in_the_strategy_that_uses_it(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_format_0(monkeypatch)
    block = (
        "quantcrafter: 0\nindicators:\n  mean: {use: ta.SMA, input: bars.close, length: 5}\noutputs: {value: mean}\n"
    )
    (tmp_path / "mean.yaml").write_text(block, encoding="utf-8")
    path = tmp_path / "now.yaml"
    path.write_text(FORMAT_1.replace("{use: ta.SMA, input: bars.close, timeperiod: 50}", "{use: mean.yaml}"), "utf-8")
    with open_window(qtbot, path) as desktop:
        document = tab_of(desktop).document
        assert [problem.code for problem in document.problems] == ["old_format"]
        assert not tab_of(desktop).needs_saving
        from quantcrafter.app.canvas.block_levels import file_block_graph

        graph = file_block_graph(document, "mean.yaml")
        assert graph is not None
        assert graph.nodes["mean"].values["timeperiod"] == 5
