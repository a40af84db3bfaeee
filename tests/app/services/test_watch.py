from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QFileSystemWatcher
from pytestqt.qtbot import QtBot

from quantcrafter.app.services import strategy_files
from quantcrafter.app.services.watch import FileWatch


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "s.yaml"
    made.write_text("one")
    return made


@pytest.fixture
def watch(qtbot: QtBot, path: Path) -> Iterator[FileWatch]:
    made = FileWatch(poll_ms=100, settle_ms=10)
    made.watch(path, "one")
    settled(qtbot, made)
    yield made
    made.close()


def settled(qtbot: QtBot, watch: FileWatch) -> None:
    """Wait until the watch has looked at everything again."""
    watch._look_at_all()
    qtbot.waitUntil(lambda: not watch._asked)


def told(watch: FileWatch) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    watch.changed.connect(lambda path, kind: found.append((path, kind)))
    return found


def test_another_hand_writing_into_the_file_is_told(qtbot: QtBot, watch: FileWatch, path: Path) -> None:
    with qtbot.waitSignal(watch.changed) as told_of:
        path.write_text("two")
    assert told_of.args == [path, "changed"]


def test_a_file_renamed_over_it_is_told_and_watched_on(qtbot: QtBot, watch: FileWatch, path: Path) -> None:
    for text in ("two", "three"):
        beside = path.with_name("beside")
        beside.write_text(text)
        with qtbot.waitSignal(watch.changed) as told_of:
            beside.replace(path)
        assert told_of.args == [path, "replaced"]


def test_a_deleted_file_is_told_once_and_its_return_too(qtbot: QtBot, watch: FileWatch, path: Path) -> None:
    found = told(watch)
    with qtbot.waitSignal(watch.changed):
        path.unlink()
    for _ in range(3):
        settled(qtbot, watch)
    assert found == [(path, "deleted")]
    with qtbot.waitSignal(watch.changed):
        path.write_text("one")
    assert found[1:] == [(path, "restored")]


def test_a_file_that_is_away_for_a_moment_is_not_called_deleted(qtbot: QtBot, path: Path) -> None:
    watch = FileWatch(poll_ms=60_000, settle_ms=10)
    watch.watch(path, "one")
    settled(qtbot, watch)
    found = told(watch)
    path.unlink()
    settled(qtbot, watch)
    path.write_text("two")
    with qtbot.waitSignal(watch.changed):
        pass
    assert [kind for _, kind in found] != ["deleted"]
    watch.close()


def test_touching_the_file_or_writing_the_same_is_no_change(qtbot: QtBot, watch: FileWatch, path: Path) -> None:
    found = told(watch)
    os.utime(path, (1, 1))
    settled(qtbot, watch)
    path.write_text("one")
    settled(qtbot, watch)
    settled(qtbot, watch)
    assert found == []


def test_our_own_save_is_no_change(qtbot: QtBot, watch: FileWatch, path: Path) -> None:
    found = told(watch)
    for text in ("two", "three"):
        strategy_files.write(path, text)
        watch.watch(path, text)
        settled(qtbot, watch)
        settled(qtbot, watch)
    assert found == []
    with qtbot.waitSignal(watch.changed):
        path.write_text("four")


def test_a_look_from_before_our_save_is_not_believed(qtbot: QtBot, watch: FileWatch, path: Path) -> None:
    found = told(watch)
    watch._look_at_all()
    strategy_files.write(path, "two")
    watch.watch(path, "two")
    settled(qtbot, watch)
    settled(qtbot, watch)
    assert found == []


def test_where_the_system_tells_nothing_the_slow_look_finds_it(
    qtbot: QtBot, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileSystemWatcher, "addPaths", lambda _self, _paths: [])
    watch = FileWatch(poll_ms=50, settle_ms=10)
    watch.watch(path, "one")
    with qtbot.waitSignal(watch.changed) as told_of:
        path.write_text("two")
    assert told_of.args == [path, "changed"]
    watch.close()


def test_a_change_between_opening_and_watching_is_told(qtbot: QtBot, path: Path) -> None:
    watch = FileWatch(poll_ms=60_000, settle_ms=10)
    with qtbot.waitSignal(watch.changed) as told_of:
        watch.watch(path, "what was read before")
    assert told_of.args == [path, "changed"]
    watch.close()


def test_after_unwatch_nothing_is_told(qtbot: QtBot, watch: FileWatch, path: Path) -> None:
    other = path.with_name("other.yaml")
    other.write_text("a")
    watch.watch(other, "a")
    found = told(watch)
    watch.unwatch(path)
    path.write_text("two")
    with qtbot.waitSignal(watch.changed):
        other.write_text("b")
    assert found == [(other, "changed")]
