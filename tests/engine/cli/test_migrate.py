"""`quantcrafter migrate`: files of an older format, shown and written; and how other commands tell of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from quantcrafter.engine.cli.main import WRONG_INPUT, main
from quantcrafter.engine.runtime.run_store.history import RunHistory
from tests.support.old_formats import FORMAT_0, FORMAT_1, SENTENCES, know_format_0


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    know_format_0(monkeypatch)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.yaml"
    path.write_bytes(FORMAT_0.encode())
    return path


def test_without_write_the_changes_are_shown_as_a_diff_and_nothing_is_written(
    old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["migrate", str(old)]) == 0
    said = capsys.readouterr()
    assert old.read_bytes() == FORMAT_0.encode()
    assert [line for line in said.err.splitlines() if line.startswith("  - ")] == [f"  - {each}" for each in SENTENCES]
    assert "Nothing was written. To write it: quantcrafter migrate FILE --write" in said.err
    assert "\n-title: Golden cross # as it is called\n" in said.out
    assert "\n+name: Golden cross # as it is called\n" in said.out
    if shutil.which("patch"):
        subprocess.run(["patch", "-s", str(old)], input=said.out.encode(), check=True)
        assert old.read_bytes() == FORMAT_1.encode()


def test_with_write_the_file_is_in_the_new_format_and_keeps_its_mode(
    old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old.chmod(0o640)
    assert main(["migrate", "--write", str(old)]) == 0
    assert old.read_bytes() == FORMAT_1.encode()
    assert os.name == "nt" or old.stat().st_mode & 0o777 == 0o640
    assert capsys.readouterr().out == f"{old}: written in format 1\n"
    assert main(["migrate", "--write", str(old)]) == 0
    assert capsys.readouterr().out == f"{old}: already in the current format, 1\n"
    assert [path.name for path in old.parent.iterdir() if path.suffix == ".yaml"] == ["old.yaml"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("quantcrafter: 2", "needs a newer QuantCrafter: its format is 2, this one reads 1. Update QuantCrafter."),
        ("quantcrafter: -3", "The format -3 is unknown, this QuantCrafter reads 1."),
        ("strategy: 1", "The file names no format, or one that is not a whole number. Begin with 'quantcrafter: 1'."),
        ("quantcrafter: 0\nx: [", "This is not valid YAML"),
    ],
)
def test_what_cannot_be_migrated_is_refused_untouched_and_the_others_are_written(
    old: Path, capsys: pytest.CaptureFixture[str], line: str, message: str
) -> None:
    other = old.with_name("other.yaml")
    other.write_bytes(FORMAT_0.replace("quantcrafter: 0", line).encode())
    before = other.read_bytes(), other.stat().st_mtime_ns
    assert main(["migrate", "-w", str(other), str(old)]) == WRONG_INPUT
    assert message in capsys.readouterr().err
    assert (other.read_bytes(), other.stat().st_mtime_ns) == before
    assert old.read_bytes() == FORMAT_1.encode()


def test_a_file_that_is_not_there_is_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", str(tmp_path / "none.yaml")]) == WRONG_INPUT
    assert "The file can't be read" in capsys.readouterr().err


def test_validate_and_run_take_an_old_file_and_say_how_to_write_it(
    old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", str(old)]) == 0
    said = capsys.readouterr()
    assert f"{old}:2:1: warning: The file is of format 0, an older one; it was read as format 1." in said.err
    assert "quantcrafter migrate FILE --write" in said.err
    assert said.out == f"{old}: valid, 1 warning\n"

    assert main(["run", str(old), "--quiet"]) == 0
    assert "The file is of format 0" in capsys.readouterr().err
    assert old.read_bytes() == FORMAT_0.encode()
    record = RunHistory().get("last")
    assert (record.strategy, record.spec_text) == ("Golden cross", FORMAT_0)

    old.write_bytes(FORMAT_1.encode())
    assert main(["run", str(old), "--quiet"]) == 0
    assert RunHistory().get("last").spec_hash == record.spec_hash
