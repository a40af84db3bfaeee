"""What the program keeps is for the user's eyes only; what the user asks for has the usual rights."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import ROOT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has other rights")


def command(home: Path, *arguments: str, cwd: Path) -> str:
    """Run a command as a user with the usual umask does, and return what it says on stderr."""
    environment = {**os.environ, "QUANTCRAFTER_HOME": str(home), "PYTHONPATH": str(ROOT)}
    before = os.umask(0o022)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "quantcrafter.engine.cli", *arguments],
            env=environment,
            cwd=cwd,
            check=True,
            capture_output=True,
        )
    finally:
        os.umask(before)
    return done.stderr.decode()


def open_to_others(folder: Path) -> list[str]:
    """Return what others may read, write or enter."""
    return [str(path) for path in (folder, *folder.rglob("*")) if path.lstat().st_mode & 0o077]


def mode(path: Path) -> int:
    """Return a file's rights."""
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_kept_is_private_from_the_first_and_what_is_asked_for_is_not(tmp_path: Path) -> None:
    home = tmp_path / "made" / "home"
    csv = tmp_path / "x.csv"
    csv.write_text("date,open,high,low,close\n2020-01-01,1,2,1,2\n2020-01-02,1,2,1,2\n")
    command(home, "data", "import", str(csv), cwd=tmp_path)
    command(home, "data", "export", "X", "1d", str(tmp_path / "out" / "y.csv"), cwd=tmp_path)
    assert list((home / "bars").iterdir())
    assert open_to_others(home) == []
    assert mode(tmp_path / "out") == 0o755
    assert mode(tmp_path / "out" / "y.csv") == 0o644


def test_a_directory_of_an_earlier_version_is_closed_and_nothing_else_in_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "runs").mkdir(parents=True)
    (home / "runs" / "a.npz").write_bytes(b"")
    (home / "desktop.json").write_text("{}")
    (home / "theirs.txt").write_text("")
    for path in (home, home / "runs"):
        path.chmod(0o755)
    command(home, "folders", cwd=tmp_path)
    assert open_to_others(home) == [str(home / "theirs.txt")]


def test_the_users_own_folder_is_not_closed_when_it_serves_as_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    tmp_path.chmod(0o755)
    command(tmp_path, "folders", cwd=tmp_path)
    assert mode(tmp_path) == 0o755


def test_a_folder_that_everybody_may_write_to_is_told_of(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for rights, told in ((0o1777, True), (0o1755, False), (0o777, False)):
        home.chmod(rights)
        environment = {**os.environ, "QUANTCRAFTER_HOME": str(home), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-m", "quantcrafter.engine.cli", "folders"],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        warning = f"warning: All users can write to your QuantCrafter folder '{home}'. Set QUANTCRAFTER_HOME to"
        assert (warning in done.stderr) == told
    assert mode(home) == 0o700


@pytest.mark.parametrize("opened", ["", "cache", "cache/numba-1", "cache/numba-1/quantcrafter"])
def test_compiled_code_that_others_could_have_written_is_deleted_with_one_line(tmp_path: Path, opened: str) -> None:
    home = tmp_path / "home"
    code = home / "cache" / "numba-1" / "quantcrafter" / "f-1.code"
    code.parent.mkdir(parents=True, mode=0o700)
    code.write_bytes(b"planted")
    for folder in (home, *home.rglob("*")):
        folder.chmod(0o700 if folder.is_dir() else 0o600)
    assert command(home, "folders", "--json", cwd=tmp_path) == ""
    assert code.exists()

    (home / opened).chmod(0o777)
    said = command(home, "folders", "--json", cwd=tmp_path)
    assert not code.exists()
    assert said == (
        f"warning: Compiled code in '{home / 'cache'}' was deleted: others could write to that "
        "folder. It is being recompiled, which can take a minute.\n"
    )
    assert open_to_others(home) == []
    assert command(home, "folders", "--json", cwd=tmp_path) == ""
