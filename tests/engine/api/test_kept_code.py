"""Compiled code on disk: whatever happens to it, a function gives the right result, and a user is told once."""

from __future__ import annotations

import errno
import inspect
import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api import kept_code
from quantcrafter.engine.api.compiled import SHORT_ROWS, code_folder, njit_kept, note_kept
from quantcrafter.engine.api.kept_code import SUFFIX, fingerprint
from quantcrafter.nodes.kernels import crosses
from tests.support.command_line import quantcrafter
from tests.support.counts import is_interpreted

STEP = 1.0


def _add(values: Any) -> float:
    total = 0.0
    for value in values:
        total += value + STEP
    return total


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder of compiled code, which is new."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "code"))
    kept_code._said.clear()
    yield tmp_path / "code" / kept_code.FOLDER
    kept_code._said.clear()


def _total() -> tuple[float, int]:
    """Return what a fresh function gives, and how often it was taken from disk."""
    function: Any = njit_kept(_add)
    found = function(np.arange(3.0))
    return found, sum(function.stats.cache_hits.values())


def _only(folder: Path) -> Path:
    (file,) = folder.glob(f"*{SUFFIX}")
    return file


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def _garble(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def _swap(file: Path) -> None:
    content = b"\x80\x04no pickle"
    import hashlib

    file.write_bytes(hashlib.blake2b(content, digest_size=32).digest() + content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda file: file.write_bytes(b""),
    "cut": _cut,
    "garbled": _garble,
    "another program's": lambda file: file.write_bytes(b"#!/bin/sh\n" * 50),
    "whole but no code": _swap,
}


def test_code_is_kept_and_taken_again(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert _total() == (6.0, 0)
    assert _total() == (6.0, 1)
    assert [path.suffix for path in folder.iterdir()] == [SUFFIX]
    assert caplog.records == []


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_reported_and_compiled_anew(
    folder: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], object]
) -> None:
    _total()
    damage(_only(folder))

    assert _total() == (6.0, 0)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert str(folder) in warnings[0]


@pytest.mark.parametrize("damage", ["empty", "cut", "garbled"])
def test_it_is_whole_again_after_the_next_run(folder: Path, damage: str) -> None:
    _total()
    DAMAGES[damage](_only(folder))
    _total()

    assert _total() == (6.0, 1)


def test_a_full_disk_costs_no_run_and_leaves_nothing(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)

    assert [_total(), _total()] == [(6.0, 0), (6.0, 0)]
    assert list(folder.iterdir()) == []
    (warning,) = [record.getMessage() for record in caplog.records]
    assert "the disk is full" in warning
    assert "NUMBA_CACHE_DIR" in warning


@pytest.mark.parametrize("place", ["a file", "below a file", "nobody's", "of the system"])
def test_a_folder_that_cannot_be_made_costs_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    file = tmp_path / "file"
    file.touch()
    # Even root cannot make a folder below a file.
    places = {"a file": file, "below a file": file / "deep" / "code", "nobody's": f"{file}/~nobody-like-this"}
    places["of the system"] = "/proc/no-such-folder" if sys.platform == "linux" else file
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(places[place]))

    assert _total() == (6.0, 0)
    assert [str(code_folder()) in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_a_folder_that_others_can_write_to_is_not_used(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    _total()
    folder.chmod(0o777)

    assert _total() == (6.0, 0)
    assert [record.getMessage() for record in caplog.records if "others can write" in record.getMessage()] != []


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root gives files away")
def test_somebody_elses_file_is_never_unpickled(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    _total()
    os.chown(_only(folder), 65534, 65534)

    assert _total() == (6.0, 0)
    assert "somebody else" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_what_is_kept_is_the_users_alone(folder: Path) -> None:
    _total()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert _only(folder).stat().st_mode & 0o777 == 0o600


def test_what_a_killed_process_left_is_cleared_away(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o700)
    old, young = folder / "old.part", folder / "young.part"
    old.touch()
    young.touch()
    os.utime(old, (0, 0))
    _total()

    assert not old.exists()
    assert young.exists()


def test_a_changed_constant_or_helper_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint(_add)
    monkeypatch.setitem(globals(), "STEP", 2.0)
    assert fingerprint(_add) != before
    assert _total() == (9.0, 0)


def test_other_versions_have_other_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _total()
    monkeypatch.setattr(kept_code, "_versions", lambda: b"numba of tomorrow")

    assert _total() == (6.0, 0)
    assert len(list(folder.iterdir())) == 2


def test_another_machines_code_is_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core.codegen import JITCPUCodegen

    _total()
    monkeypatch.setattr(JITCPUCodegen, "magic_tuple", lambda _self: ("riscv64", "other", "+v"))

    assert _total() == (6.0, 0)
    assert len(list(folder.iterdir())) == 2


@pytest.mark.skipif(is_interpreted(), reason="it is about the compiler")
def test_a_run_with_damaged_code_of_a_node_blames_no_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    cache, long = tmp_path / "copy", tmp_path / "long.yaml"
    # Shorter columns are looped over without compiled code, and so are these where no code is said to be kept.
    note_kept(inspect.unwrap(crosses))
    data = {"symbol": "TEST", "data": "synthetic", "timeframe": "1h", "bars": SHORT_ROWS, "seed": 1}
    example = Path("resources/examples/golden_cross.yaml").read_text(encoding="utf-8")
    head, _, rest = example.partition("instruments:")
    long.write_text(f"{head}instruments: [{json.dumps(data)}]\n{rest[rest.index(chr(10) + 'indicators:') :]}", "utf-8")
    arguments = ("run", "--no-history", "-q", str(long))
    first = quantcrafter(*arguments, home=tmp_path, timeout=280)  # it may be the first on this machine
    shutil.copytree(code_folder(), cache)
    damaged = list((cache / kept_code.FOLDER).glob("crosses-*"))
    for file in damaged:
        file.write_bytes(b"")
    second = quantcrafter(*arguments, home=tmp_path, NUMBA_CACHE_DIR=str(cache))
    third = quantcrafter(*arguments, home=tmp_path, NUMBA_CACHE_DIR=str(cache))

    assert (first.returncode, first.stderr) == (0, "")
    assert damaged
    assert second.returncode == 0
    assert second.stderr.count("\n") == 1
    assert "is being recompiled" in second.stderr
    assert (third.returncode, third.stderr) == (0, "")


def test_two_processes_at_once_and_a_killed_one_leave_whole_code(folder: Path) -> None:
    code = "from tests.engine.api.test_kept_code import _total; print(_total()[0])"
    runs = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    runs[0].kill()
    outputs = [run.communicate()[0] for run in runs]

    assert outputs[1:] == ["6.0\n", "6.0\n"]
    assert _total() == (6.0, 1)
    assert len(list(folder.glob(f"*{SUFFIX}"))) == 1
