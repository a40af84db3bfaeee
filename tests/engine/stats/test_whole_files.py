"""Result files are written whole, and several of them together or not at all."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.stats.whole_files import discard_all, together, write_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_nothing_is_in_its_place_before_the_commit_and_all_is_after(tmp_path: Path) -> None:
    old = tmp_path / "a.json"
    old.write_bytes(b"old")
    with together() as files:
        write_whole(old, b"new", "The report")
        write_whole(tmp_path / "deep" / "b.html", b"page", "The page")
        assert old.read_bytes() == b"old"
        assert not (tmp_path / "deep" / "b.html").exists()
        files.commit()
    assert (old.read_bytes(), (tmp_path / "deep" / "b.html").read_bytes()) == (b"new", b"page")
    assert names(tmp_path) == ["a.json", "deep"]
    assert names(tmp_path / "deep") == ["b.html"]


@pytest.mark.parametrize("is_there", [True, False])
def test_when_one_cannot_be_placed_those_before_it_are_taken_back(tmp_path: Path, *, is_there: bool) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.html"
    if is_there:
        first.write_bytes(b"old")
    with together() as files:
        write_whole(first, b"new", "The report")
        write_whole(second, b"page", "The page")
        second.mkdir()  # another program was faster
        with pytest.raises(RunError, match=r"The page can't be written to '.*b\.html'"):
            files.commit()
    assert first.exists() == is_there
    if is_there:
        assert first.read_bytes() == b"old"
    assert names(tmp_path) == (["a.json", "b.html"] if is_there else ["b.html"])


def test_what_is_not_committed_or_left_at_the_end_of_the_process_is_deleted(tmp_path: Path) -> None:
    with together():
        write_whole(tmp_path / "a.json", b"new", "The report")
        assert len(names(tmp_path)) == 1
    assert names(tmp_path) == []
    with together():
        write_whole(tmp_path / "b.json", b"new", "The report")
        discard_all()
        assert names(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_what_is_no_file_is_written_to_when_it_is_placed(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    with together() as files:
        write_whole(pipe, b"streamed", "The report")
        files.commit()
    reader.join(60)
    assert got == [b"streamed"]
    assert names(tmp_path) == ["pipe"]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("~nobody-of-this-name/a.json", "there is no user of that name. Correct the path"),
        (".", "The report can't be written to"),
        ("a.txt/b.json", "The report can't be written to"),
    ],
)
def test_an_impossible_place_is_said(tmp_path: Path, place: str, message: str) -> None:
    (tmp_path / "a.txt").write_bytes(b"a file")
    path = place if place.startswith("~") else tmp_path / place
    with pytest.raises(RunError, match=message):
        write_whole(path, b"x", "The report")
    assert names(tmp_path) == ["a.txt"]
