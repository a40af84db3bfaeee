"""The watch over node files: every way of saving is noticed, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from quantcrafter.app.services.node_watch import NodeFolderWatch

WAIT_MS = 20_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "nodes"


@pytest.fixture
def watch(qapp: QApplication, folder: Path) -> Iterator[NodeFolderWatch]:
    folder.mkdir(parents=True)
    (folder / "lines.py").write_text("x = 1\n", encoding="utf-8")
    made = NodeFolderWatch(qapp, settle_ms=30)
    yield made
    made.close()
    made.deleteLater()


def test_a_file_that_is_written_renamed_over_added_and_deleted_is_noticed(
    qtbot: QtBot, watch: NodeFolderWatch, folder: Path
) -> None:
    path = folder / "lines.py"
    for number in range(3):  # the same file each time, and each time it is watched on
        with qtbot.waitSignal(watch.changed, timeout=WAIT_MS) as told:
            path.write_text(f"x = {number + 10}\n", encoding="utf-8")
        assert told.args == [{path}]
        with qtbot.waitSignal(watch.changed, timeout=WAIT_MS) as told:
            (folder / "lines.new").write_text(f"x = {number}\n", encoding="utf-8")
            (folder / "lines.new").replace(path)
        assert told.args == [{path}]
    with qtbot.waitSignal(watch.changed, timeout=WAIT_MS) as told:
        (folder / "more.py").write_text("y = 1\n", encoding="utf-8")
    assert told.args == [{folder / "more.py"}]
    with qtbot.waitSignal(watch.changed, timeout=WAIT_MS) as told:
        path.unlink()
    assert told.args == [{path}]


def test_a_touch_and_other_files_are_no_change(qtbot: QtBot, watch: NodeFolderWatch, folder: Path) -> None:
    with qtbot.assertNotEmitted(watch.changed, wait=600):
        os.utime(folder / "lines.py", (1, 1))
        (folder / "_own.py").write_text("z = 1\n", encoding="utf-8")
        (folder / "notes.txt").write_text("z\n", encoding="utf-8")


def test_a_folder_that_is_made_later_is_watched_and_so_is_one_that_was_deleted(qtbot: QtBot, folder: Path) -> None:
    watch = NodeFolderWatch(settle_ms=30)  # not even its parent is there
    for number in range(2):
        with qtbot.waitSignal(watch.changed, timeout=WAIT_MS) as told:
            folder.mkdir(parents=True)
            (folder / "lines.py").write_text(f"x = {number}\n", encoding="utf-8")
        assert told.args == [{folder / "lines.py"}]
        with qtbot.waitSignal(watch.changed, timeout=WAIT_MS):
            (folder / "lines.py").unlink()
            folder.rmdir()
    watch.close()
