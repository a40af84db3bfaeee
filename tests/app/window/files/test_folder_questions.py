"""The window asks before a strategy reads another folder, and remembers the answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from quantcrafter.app.window.desktop import Desktop
from quantcrafter.app.window.files.folder_notice import FolderNotice
from quantcrafter.app.window.files.folder_questions import ABOUT
from quantcrafter.engine.api.folders import listed_folders
from tests.support.desktop import EXAMPLES, open_window

ROWS = "date,open,high,low,close\n" + "".join(f"2020-01-{day:02d},10,11,9,10.5\n" for day in range(1, 31))


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a strategy that reads a file of another folder."""
    monkeypatch.delenv("QUANTCRAFTER_ALLOW_FOLDERS", raising=False)
    for name in ("mine", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "other" / "bars.csv").write_text(ROWS)
    text = (EXAMPLES / "golden_cross.yaml").read_text()
    line = next(line for line in text.splitlines() if "data: sample" in line)
    file = tmp_path / "mine" / "stranger.yaml"
    file.write_text(text.replace(line, "  - {symbol: X, data: csv, path: ../other/bars.csv, timeframe: 1d}"))
    return file


@pytest.fixture
def desktop(qtbot: QtBot) -> Iterator[Desktop]:
    """Give an empty window."""
    with open_window(qtbot) as made:
        yield made


def question(desktop: Desktop) -> FolderNotice | None:
    """Return the question over the current strategy."""
    assert desktop.tab is not None
    found = desktop.tab._notices.get(ABOUT)
    assert found is None or isinstance(found, FolderNotice)
    return found


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_is_allowed_is_remembered_and_the_strategy_is_right_then(
    desktop: Desktop, stranger: Path, what: str
) -> None:
    tab = desktop.file_controller.open(stranger)
    asked = question(desktop)
    assert asked is not None
    other = stranger.parent.parent / "other"
    assert str(other / "bars.csv") in asked.text.text()
    assert [each.code for each in tab.document.problems] == ["folder"]
    (asked.allow if what == "file" else asked.allow_folder).click()
    assert listed_folders() == (other / "bars.csv" if what == "file" else other,)
    assert question(desktop) is None
    assert tab.document.problems == ()
    tab = desktop.file_controller.open(stranger)
    assert question(desktop) is None


def test_what_is_refused_stays_refused_and_is_asked_again_when_the_strategy_is_run(
    desktop: Desktop, stranger: Path, qtbot: QtBot
) -> None:
    tab = desktop.file_controller.open(stranger)
    asked = question(desktop)
    assert asked is not None
    qtbot.keyClick(asked, Qt.Key.Key_Escape)
    assert question(desktop) is None
    assert listed_folders() == ()
    tab.document.set_text(tab.document.text + "# changed\n")
    assert question(desktop) is None
    desktop.folders.ask(tab, again=True)
    assert question(desktop) is not None


def test_f5_brings_the_question_back_after_it_was_refused(desktop: Desktop, stranger: Path) -> None:
    desktop.file_controller.open(stranger)
    asked = question(desktop)
    assert asked is not None
    asked.refuse.click()
    assert question(desktop) is None
    desktop.runs.run()
    again = question(desktop)
    assert again is not None
    assert "question" in desktop.shell.status.currentMessage()
    again.allow.click()
    assert desktop.tab is not None
    assert desktop.tab.document.problems == ()


def test_the_problem_of_a_refused_folder_offers_to_allow_it(desktop: Desktop, stranger: Path, qtbot: QtBot) -> None:
    tab = desktop.file_controller.open(stranger)
    asked = question(desktop)
    assert asked is not None
    asked.refuse.click()
    pane = desktop.docks.problems
    pane.refresh()
    index = pane.model.index(0, 1)
    assert index.data() == "Allow this file..."
    assert "quantcrafter folders" not in index.data(Qt.ItemDataRole.ToolTipRole)
    desktop.docks.show("problems")
    qtbot.mouseClick(pane.view.viewport(), Qt.MouseButton.LeftButton, pos=pane.view.visualRect(index).center())
    again = question(desktop)
    assert again is not None
    again.allow.click()
    assert tab.document.problems == ()


def test_a_home_folder_is_not_offered_beside_the_file(
    desktop: Desktop, stranger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(stranger.parent.parent / "other"))
    monkeypatch.setattr(Path, "home", lambda: stranger.parent.parent / "other")
    desktop.file_controller.open(stranger)
    asked = question(desktop)
    assert asked is not None
    assert asked.allow.isVisibleTo(asked)
    assert not asked.allow_folder.isVisibleTo(asked)


def test_the_question_goes_when_the_strategy_no_longer_names_the_folder(desktop: Desktop, stranger: Path) -> None:
    tab = desktop.file_controller.open(stranger)
    assert question(desktop) is not None
    tab.document.set_text((EXAMPLES / "golden_cross.yaml").read_text())
    assert question(desktop) is None


def test_a_file_picked_by_hand_is_allowed_alone(qtbot: QtBot, stranger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PySide6.QtWidgets import QFileDialog

    from quantcrafter.app.inspector.editors.texts import PathEditor

    picked = stranger.parent.parent / "other" / "bars.csv"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(picked), ""))
    editor = PathEditor(stranger.parent)
    qtbot.addWidget(editor)
    editor.browse.click()
    assert listed_folders() == (picked,)
