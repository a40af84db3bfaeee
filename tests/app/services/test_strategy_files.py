from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from quantcrafter.app.services import strategy_files
from quantcrafter.app.services.strategy_files import FileError
from quantcrafter.engine.spec.limits import MAX_FILE_BYTES

TEXT = "quantcrafter: 1\ninstruments: [{symbol: AAPL, data: sample}]\n"


def test_text_comes_back_with_its_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    text = "\ufeffquantcrafter: 1\r\nname: Größe 😀\rlast: 1\n"
    strategy_files.write(path, text)
    assert path.read_bytes() == text.encode("utf-8")
    assert strategy_files.read(path) == text


def test_a_file_that_is_no_utf8_is_one_error_that_says_where(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(b"quantcrafter: 1\nname: Gr\xf6\xdfe\n")
    with pytest.raises(FileError, match=r"s\.yaml \(line 2, column 9\): The file must be UTF-8 text.*Save it as UTF-8"):
        strategy_files.read(path)


def test_a_missing_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="can't be read"):
        strategy_files.read(tmp_path / "nowhere.yaml")
    with pytest.raises(FileError, match="is a folder, not a file"):
        strategy_files.read(tmp_path)
    with pytest.raises(FileError, match="can't be saved"):
        strategy_files.write(tmp_path, TEXT)
    with pytest.raises(FileError, match="its folder no longer exists"):
        strategy_files.write(tmp_path / "gone" / "s.yaml", TEXT)


def test_half_a_character_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(TEXT)
    with pytest.raises(FileError, match="line 2 contains an incomplete character"):
        strategy_files.write(path, "a: 1\nb: \ud800\n")
    assert path.read_text() == TEXT
    assert list(tmp_path.iterdir()) == [path]


def test_saving_keeps_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("old")
    path.chmod(0o640)
    strategy_files.write(path, TEXT)
    assert path.read_text() == TEXT
    assert path.stat().st_mode & 0o7777 == 0o640


def test_saving_through_a_link_keeps_the_link(tmp_path: Path) -> None:
    target, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    target.write_text("old")
    link.symlink_to(target)
    strategy_files.write(link, TEXT)
    assert link.is_symlink()
    assert target.read_text() == TEXT


def test_a_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("old")
    path.chmod(0o444)
    with pytest.raises(FileError, match=r"'s\.yaml' is read-only\. Save under another name"):
        strategy_files.write(path, TEXT)
    assert path.read_text() == "old"


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match="the disk is full"):
        strategy_files.write(path, TEXT)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


WRITER = """
import sys
from pathlib import Path
from quantcrafter.app.services import strategy_files as files
path, size = Path(sys.argv[1]), int(sys.argv[2])
print("ready", flush=True)
for number in range(10**9):
    files.write(path, "x" * size if number % 2 else "y" * size)
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_a_save_killed_in_the_middle_leaves_the_old_or_the_new_file_whole(tmp_path: Path) -> None:
    path, size = tmp_path / "s.yaml", 1 << 20
    strategy_files.write(path, "y" * size)
    for round_ in range(6):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(size)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(0.02 + 0.007 * round_)  # the moment of death, not a wait for something
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        found = path.read_bytes()
        assert len(found) == size
        assert found in (b"x" * size, b"y" * size)


def test_leftovers_of_an_old_killed_save_are_swept_but_fresh_ones_stay(tmp_path: Path) -> None:
    path = tmp_path / "s[1].yaml"
    old, fresh = tmp_path / ".s[1].yaml.aa.saving", tmp_path / ".s[1].yaml.bb.saving"
    old.write_text("")
    fresh.write_text("")
    os.utime(old, (0, 0))
    strategy_files.write(path, TEXT)
    assert not old.exists()
    assert fresh.exists()


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("RSI pullback", "rsi_pullback.yaml"),
        ("  Weekly trend, daily entry! ", "weekly_trend_daily_entry.yaml"),
        ("../../etc/passwd", "etc_passwd.yaml"),
        ("金叉", "金叉.yaml"),
        ("", "strategy.yaml"),
        ("CON", "con_strategy.yaml"),
        ("x" * 300, "x" * 60 + ".yaml"),
    ],
)
def test_the_suggested_name_is_good_everywhere(title: str, name: str) -> None:
    assert strategy_files.suggested_name(title) == name


def test_save_as_adds_the_suffix_when_there_is_none() -> None:
    assert strategy_files.with_suffix(Path("a/rsi")) == Path("a/rsi.yaml")
    assert strategy_files.with_suffix(Path("a/rsi.v2")) == Path("a/rsi.v2.yaml")
    assert strategy_files.with_suffix(Path("a/rsi.YML")) == Path("a/rsi.YML")


def test_layout_and_frames_can_be_left_out_and_nothing_else_changes() -> None:
    text = TEXT + "# kept\nlayout:\n  fast: [1, 2]\nframes:\n  note: {text: hi, x: 0, y: 0, width: 10, height: 10}\n"
    assert strategy_files.without_layout(text) == TEXT + "# kept\n"
    assert strategy_files.without_layout(TEXT) == TEXT


def test_a_file_that_holds_what_was_not_seen_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("theirs")
    with pytest.raises(strategy_files.ChangedError) as raised:
        strategy_files.write(path, TEXT, known=strategy_files.digest("old"))
    assert raised.value.theirs == "theirs"
    assert raised.value.content == strategy_files.digest("theirs")
    with pytest.raises(strategy_files.ChangedError):
        strategy_files.write(path, TEXT, known="")
    assert path.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [path]
    strategy_files.write(path, TEXT, known=strategy_files.digest("theirs"))
    assert path.read_text() == TEXT


def test_a_file_that_grew_beyond_what_can_be_opened_is_a_change_without_a_text(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    with pytest.raises(strategy_files.ChangedError) as raised:
        strategy_files.write(path, TEXT, known=strategy_files.digest("old"))
    assert raised.value.theirs is None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_saving_keeps_the_owner(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("old")
    path.chmod(0o664)
    os.chown(path, 12_345, 23_456)
    strategy_files.write(path, TEXT)
    status = path.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (12_345, 23_456, 0o664)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes of that kind")
def test_saving_over_a_pipe_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    os.mkfifo(path)
    with pytest.raises(FileError, match=r"'s\.yaml' is not a file"):
        strategy_files.write(path, TEXT, known="")


COMPETITOR = """
import sys
from pathlib import Path
from quantcrafter.app.services import strategy_files as files
path, me = Path(sys.argv[1]), sys.argv[2]
won = 0
for number in range(150):
    try:
        before = files.read(path)
        files.write(path, before + f"# {me} {number}\\n", known=files.digest(before))
        won += 1
    except files.ChangedError:
        pass
print(won)
"""


def test_two_processes_that_save_one_file_at_once_lose_no_save_that_succeeded(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(TEXT)
    environment = {**os.environ, "QUANTCRAFTER_HOME": str(tmp_path / "home")}
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", COMPETITOR, str(path), name], stdout=subprocess.PIPE, text=True, env=environment
        )
        for name in ("a", "b")
    ]
    won = [int(writer.communicate(timeout=120)[0]) for writer in writers]
    lines = [line for line in path.read_text().splitlines() if line.startswith("#")]
    assert len(lines) == len(set(lines)) == sum(won)
    assert all(won)
