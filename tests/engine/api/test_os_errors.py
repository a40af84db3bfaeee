"""A file that can't be read or written: the cause as text, and a remedy that helps against that cause."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from quantcrafter.engine.api import QuantCrafterError
from quantcrafter.engine.api.foreign import reason_of
from quantcrafter.engine.api.os_errors import all_words, fault, os_error_text
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.cli.failures import report_failure
from quantcrafter.engine.data.store.index import Index
from quantcrafter.engine.plugins.switched_off import write_disabled
from quantcrafter.engine.runtime.compute_process.jobs.contract import Failure
from quantcrafter.engine.runtime.run_store.history import RunHistory
from quantcrafter.engine.spec.read_text import read_text
from quantcrafter.engine.spec.source import ProblemLog
from quantcrafter.engine.stats.whole_files import write_whole


def of(code: int) -> OSError:
    return OSError(code, os.strerror(code))


@pytest.mark.parametrize(
    ("code", "cause", "remedy"),
    [
        (errno.ENOSPC, "disk is full", "Free some space"),
        (errno.EDQUOT, "quota", "Free some space"),
        (errno.EACCES, "access is denied", "permissions"),
        (errno.EROFS, "read-only", "another location"),
        (errno.ENAMETOOLONG, "too long", "shorter"),
        (errno.ELOOP, "loop", "links"),
        (errno.EISDIR, "a folder", "Name a file"),
        (errno.ENOTDIR, "a file, not a folder", "path"),
        (errno.EMFILE, "too many files", "limit"),
        (errno.EIO, "disk reports an error", "Check the disk"),
        (errno.ENOENT, "doesn't exist", "existing folder"),
        (errno.ETIMEDOUT, "network drive", "Connect"),
        (errno.EBUSY, "another program", "Close that program"),
    ],
)
def test_each_cause_has_its_own_remedy(code: int, cause: str, remedy: str) -> None:
    found = fault(of(code))
    assert cause in found.cause
    assert remedy in found.remedy
    assert "Errno" not in str(found)


def test_only_a_matter_of_permissions_is_called_one() -> None:
    denied = {errno.EACCES, errno.EPERM}
    for code in set(errno.errorcode) - denied:
        found = fault(of(code), otherwise="Look at it.")
        assert "permissions" not in found.remedy, errno.errorcode[code]


def test_a_remedy_for_the_own_folder_names_the_setting_that_moves_it() -> None:
    for code in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.ENOTDIR, errno.ENAMETOOLONG):
        assert "QUANTCRAFTER_HOME" in fault(of(code), "home").remedy


def test_a_reader_is_not_told_to_write_elsewhere() -> None:
    for code in (errno.EACCES, errno.ENOENT):
        assert "place" not in fault(of(code), "read").remedy


def test_causes_are_clauses_and_remedies_are_sentences() -> None:
    for cause, remedy in all_words():
        assert cause[0].islower()
        assert not cause.endswith(".")
        assert remedy[0].isupper()
        assert remedy.endswith(".")


def test_what_sqlite_and_libraries_in_rust_say_is_told_alike() -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    assert fault(full) == fault(of(errno.ENOSPC))
    assert fault(RuntimeError("write failed: No space left on device (os error 28)")) == fault(of(28))
    assert fault(OSError("1200000 requested and 4080 written")) == fault(of(errno.ENOSPC))
    assert fault(RuntimeError("x" * 5000)).cause.startswith("xxx")
    assert len(fault(RuntimeError("x" * 5000)).cause) <= 160


def test_the_middle_of_a_long_path_is_left_out() -> None:
    assert shown_path("/a/b.csv") == "/a/b.csv"
    assert len(shown_path("/a" * 3000 + "/end.csv")) == 120
    assert shown_path("/a" * 3000 + "/end.csv").endswith("/end.csv")


def test_an_error_of_the_system_that_nobody_expected_is_told_by_its_cause() -> None:
    error = PermissionError(errno.EACCES, "Permission denied", "/somewhere/x")
    said = "'/somewhere/x' can't be used: access is denied. Check the permissions of the file"
    assert os_error_text(error).startswith(said)
    assert reason_of(error).startswith(said)
    failure = Failure.of(of(errno.ENOSPC))
    assert failure.message == "A file can't be used: the disk is full. Free some space, or choose another location."
    assert "Traceback" not in failure.message
    assert failure.trace


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (of(errno.EMFILE), "error: A file can't be used: too many files are open."),
        (MemoryError(), "error: There is not enough memory for this."),
    ],
)
def test_the_command_line_names_the_cause_and_not_an_exception(
    error: Exception, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report_failure(error) == 1
    printed = capsys.readouterr().err
    assert said in printed
    assert "Error:" not in printed


def a_full_disk(*_: object, **__: object) -> None:
    raise of(errno.ENOSPC)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_whole(path / "a.json", b"x", "The result"),
        lambda path: RunHistory(path / "home" / "history.db", timeout_s=0.1).prune(0),
        lambda path: Index(path / "home" / "index.db", timeout_s=0.1).rows(),
        lambda _path: write_disabled(frozenset({"a"})),
    ],
    ids=["result", "history", "bar store", "plugins"],
)
def test_a_full_disk_is_called_one_wherever_something_is_kept(
    write: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    for name in ("history.db", "index.db"):
        (tmp_path / "home" / name).write_bytes(b"")
    monkeypatch.setattr(Path, "mkdir", a_full_disk)
    with pytest.raises(QuantCrafterError, match=r"the disk is full\. Free some space, or ") as caught:
        write(tmp_path)
    assert "permissions" not in str(caught.value)


def test_a_strategy_of_a_name_that_is_too_long_says_so_briefly(tmp_path: Path) -> None:
    log = ProblemLog()
    assert read_text(tmp_path / f"{'x' * 5000}.yaml", log) is None
    text = str(log.problems[0])
    assert "the name is too long. Choose a shorter one." in text
    assert len(text) < 300


def test_a_result_under_a_file_says_that_a_folder_was_expected(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(QuantCrafterError, match=r"file, not a folder|of that name already"):
        write_whole(tmp_path / "file" / "x" / "a.json", b"", "The result")


@pytest.mark.skipif(sys.platform == "win32", reason="users' folders are named otherwise")
def test_a_result_of_a_user_who_is_not_there_is_refused() -> None:
    with pytest.raises(QuantCrafterError, match="no user of that name"):
        write_whole("~nosuchuser/a.json", b"", "The result")


@pytest.mark.parametrize("text", ["embedded null byte", "lstat: embedded null character in path"])
def test_a_null_in_a_name_is_told_alike_whatever_python_calls_it(text: str) -> None:
    assert "characters that are not allowed" in fault(ValueError(text), "home")[0]
