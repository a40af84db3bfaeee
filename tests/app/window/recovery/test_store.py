from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.edits import MoveNodes
from quantcrafter.app.window.recovery.recovery_file import Found
from quantcrafter.app.window.recovery.store import Recovery
from quantcrafter.engine.spec import StrategyFile
from tests.support.documents import catalog, example

DEAD = """
import os, sys
from pathlib import Path
from quantcrafter.app.document.document import Document
from quantcrafter.app.document.edits import MoveNodes
from quantcrafter.app.window.recovery.store import Recovery
from quantcrafter.engine.plugins import load_registry
path = sys.argv[1]
document = Document.open(path, load_registry()) if path else Document.new(load_registry())
recovery = Recovery()
swap = recovery.follow(document, "Strategy 1")
exec(sys.argv[2])
os.kill(os.getpid(), 9)
"""

MOVE = "document.do(MoveNodes({'bars': (5, 5)}), label='Move')"


def killed(path: Path | None, code: str = MOVE) -> tuple[Found, ...]:
    """Let another process open a file, do something and be killed; return what is offered then."""
    command = [sys.executable, "-c", DEAD, str(path or ""), code]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert abs(done.returncode) == 9, done.stderr  # a negative signal number on POSIX, the code itself on Windows
    return Recovery().find()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rsi.yaml"
    path.write_bytes(example().text.encode())
    return path


def test_the_last_edit_of_a_killed_process_is_offered_once(file: Path) -> None:
    before = file.read_text()
    found = killed(file)
    assert [(each.path, each.name, each.saved_text) for each in found] == [(file, "rsi.yaml", before)]
    assert found[0].text.replace("  bars: [5, 5]\n", "") == before
    assert file.read_text() == before
    recovery = Recovery()
    assert recovery.find() == found
    recovery.discard(found[0])
    assert recovery.find() == ()


def test_a_strategy_that_was_never_saved_is_offered_by_its_name() -> None:
    found = killed(None)
    assert [(each.path, each.name) for each in found] == [(None, "Strategy 1")]


def test_text_that_cannot_be_read_as_yaml_is_offered_too(file: Path) -> None:
    assert killed(file, "document.set_text('a: [ \\ud800')")[0].text == "a: [ \ud800"


@pytest.mark.parametrize(
    "code",
    [
        "pass",
        f"{MOVE}; document.undo()",
        f"{MOVE}; Path(path).write_text(document.text); document.mark_saved()",
        f"{MOVE}; swap.close()",
        f"{MOVE}; recovery.close()",
        f"{MOVE}; Path(path).write_text(document.text)",
    ],
)
def test_nothing_is_offered_when_there_is_nothing_to_recover(file: Path, code: str) -> None:
    assert killed(file, code) == ()


@pytest.mark.parametrize("seconds", [0, 10**9, 4 * 10**9])
def test_work_on_a_file_that_changed_later_is_offered_as_such_whatever_its_time(file: Path, seconds: int) -> None:
    found = killed(file, f"{MOVE}; Path(path).write_text('newer')" + f"; os.utime(path, ({seconds}, {seconds}))")
    assert [(each.path, each.saved_text, each.stale) for each in found] == [(file, "newer", True)]
    assert "bars: [5, 5]" in found[0].text


def test_work_on_a_file_that_changed_by_the_same_length_at_the_same_time_is_offered_as_such(file: Path) -> None:
    state = file.stat()
    times = f"ns=({state.st_atime_ns}, {state.st_mtime_ns})"
    found = killed(file, f"{MOVE}; Path(path).write_text('#' * {state.st_size}); os.utime(path, {times})")
    assert [each.stale for each in found] == [True]


def test_a_file_that_was_only_touched_has_not_changed(file: Path) -> None:
    assert [each.stale for each in killed(file, f"{MOVE}; os.utime(path, (4e9, 4e9))")] == [False]


def test_the_last_save_is_what_a_file_is_held_to(file: Path) -> None:
    save = "Path(path).write_text(document.text); document.mark_saved()"
    found = killed(file, f"{MOVE}; {save}; {MOVE.replace('5, 5', '6, 6')}")
    assert [each.stale for each in found] == [False]


def test_work_that_was_emptied_on_a_file_that_is_gone_is_offered(file: Path) -> None:
    assert len(killed(file, "document.set_text(''); os.remove(path)")) == 1


def test_work_on_a_file_whose_clock_runs_ahead_is_offered(file: Path) -> None:
    os.utime(file, (4e9, 4e9))
    assert len(killed(file)) == 1


def test_work_on_a_file_that_is_gone_is_offered(file: Path) -> None:
    found = killed(file, f"{MOVE}; os.remove(path)")
    assert [(each.path, each.saved_text) for each in found] == [(file, "")]


def test_the_work_of_a_process_that_lives_is_not_offered(file: Path) -> None:
    document = Document.open(file, catalog())
    first = Recovery()
    first.follow(document)
    document.do(MoveNodes({"bars": (1, 1)}), label="Move")
    assert Recovery().find() == ()
    assert len(list(first.folder.glob("*.swap"))) == 1
    first.close()
    assert list(first.folder.iterdir()) == []
    document.undo()
    assert list(first.folder.iterdir()) == []


def test_what_is_damaged_is_offered_or_set_aside_and_hides_nothing(file: Path) -> None:
    folder = Recovery().folder
    found = killed(file)
    whole = json.loads((folder / found[0].key).read_text())

    def put(key: str, **changes: object) -> None:
        (folder / f"{key}-1.swap").write_text(json.dumps({**whole, "path": None, "name": key, **changes}))

    put("digest", text=whole["text"] + "# more")
    put("future", text="a: 4", time_ns=1e30)
    put("past", text="a: 5", time_ns=-1e30)
    put("no time", text="a: 6", time_ns="yesterday")
    put("zero", path="/tmp/a\0b.yaml", text="a: 1")  # noqa: S108 - no file of that name can be
    put("where", path=["a"], text="a: 2")
    put("who", name=None, text="a: 3")
    put("newer", format=2, text={"parts": []})
    put("textless", text=None)
    put("list", text=["a"])
    (folder / "aa-1.swap").write_text(json.dumps(whole)[:-20])
    (folder / "bb-1.swap").write_text("[" * 100_000)
    (folder / "cc-1.swap").write_bytes(b"\xff\x00")
    (folder / "dd-1.swap").write_text("[]")
    (folder / "ee-1.swap").write_text("")
    (folder / "ff-1.swap").mkdir()
    (folder / "gg-1.new").write_text("half")
    (folder / "notes.txt").write_text("mine")
    recovery = Recovery()
    offered = recovery.find()

    assert found[0] in offered
    damaged = {work.key.partition("-")[0]: work for work in offered if work.is_damaged}
    assert set(damaged) == {"digest", "future", "past", "no time", "zero", "where", "who"}
    assert damaged["zero"].path is None
    assert damaged["digest"].text.endswith("# more")
    aside = {path.name for path in recovery.set_aside()}
    assert aside == {f"{name}-1.swap" for name in ("textless", "list", "aa", "bb", "cc", "dd", "ee", "ff")}
    assert {path.name for path in (folder / "damaged").iterdir()} == aside
    assert (folder / "newer-1.swap").exists()
    assert (folder / "notes.txt").exists()
    again = Recovery()
    assert again.find() == offered
    assert again.set_aside() == ()


def test_old_work_is_offered_however_old(file: Path) -> None:
    found = killed(file)
    path = Recovery().folder / found[0].key
    path.write_text(json.dumps({**json.loads(path.read_text()), "time_ns": 10**18, "saved": None, "path": None}))

    assert [work.edited_at.year for work in Recovery().find()] == [2001]


def test_work_that_ended_the_program_as_it_was_restored_is_marked_the_next_time(file: Path) -> None:
    found = killed(file)
    code = f"""
work = Recovery().find()[0]
recovery.begin(work, swap)
document.set_text({found[0].text!r})
"""
    (tried,) = killed(file, code)

    assert tried.was_tried
    assert tried.text == found[0].text
    assert Recovery().find() == (tried,)  # and again, as long as nobody decides
    recovery = Recovery()
    recovery.discard(tried)
    assert list(recovery.folder.iterdir()) == []


def test_work_that_was_restored_and_lived_on_is_marked_no_more(file: Path) -> None:
    killed(file)
    (left,) = killed(
        file, f"work = Recovery().find()[0]; recovery.begin(work, swap); {MOVE}; recovery.succeed(work, swap)"
    )

    assert not left.was_tried


def test_a_folder_that_cannot_be_written_does_not_stop_editing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    recovery = Recovery(tmp_path / "file")
    document = example()
    recovery.follow(document)
    document.do(MoveNodes({"bars": (1, 1)}), label="Move")
    assert document.is_modified
    assert "cannot be written" in caplog.text
    assert Recovery(tmp_path / "file").find() == ()


EDITOR = """
import os, sys
from pathlib import Path
from quantcrafter.app.document.document import Document
from quantcrafter.app.document.edits import SetValues
from quantcrafter.app.services import strategy_files as files
from quantcrafter.app.window.recovery.store import Recovery
from quantcrafter.engine.plugins import load_registry
path = Path(sys.argv[1])
registry = load_registry()
Document.open(path, registry).problems
for line in sys.stdin:
    number = int(line)
    child = os.fork()
    if child == 0:
        document = Document.open(path, registry)
        Recovery().follow(document)
        os.write(1, b"pid %d\\n" % os.getpid())
        while True:
            number += 1
            document.do(SetValues("rsi", {"timeperiod": number}), label="Set")
            if number % 5 == 0:
                document.undo()
                document.redo()
            if number % 7 == 0:
                files.write(path, document.text)
                document.mark_saved()
            os.write(1, b"%d\\n" % number)
    os.waitpid(child, 0)
    os.write(1, b"end\\n")
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 and fork are of Unix")
def test_three_hundred_kills_lose_nothing_and_break_nothing(file: Path) -> None:
    file.write_text(file.read_text().replace("timeperiod: 2}", "timeperiod: 1000000}"))
    with subprocess.Popen(
        [sys.executable, "-c", EDITOR, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as editor:
        assert editor.stdin is not None
        assert editor.stdout is not None
        offered = 0
        for round_number in range(300):
            acknowledged = 1_000_000 + round_number * 1_000
            editor.stdin.write(f"{acknowledged}\n")
            editor.stdin.flush()
            child = int(editor.stdout.readline().split()[1])
            deadline = time.perf_counter() + random.uniform(0.0, 0.04)  # noqa: S311 - any moment will do
            while time.perf_counter() < deadline:
                pass
            os.kill(child, signal.SIGKILL)
            while (line := editor.stdout.readline().strip()) != "end":
                acknowledged = int(line)
            offered += _check(file, acknowledged, is_first=acknowledged % 1_000 == 0)
        assert offered > 100
        editor.stdin.close()


def _check(file: Path, acknowledged: int, *, is_first: bool) -> int:
    """Hold what is saved and what is offered to the last edit that was acknowledged; return how many offers."""
    saved = StrategyFile.load(file).value["indicators"]["rsi"]["timeperiod"]
    recovery = Recovery()
    found = recovery.find()
    assert len(found) <= 1
    offers = [StrategyFile.loads(each.text).value["indicators"]["rsi"]["timeperiod"] for each in found]
    last = max([saved, *offers])
    assert is_first or acknowledged <= last <= acknowledged + 1
    for each in found:
        recovery.discard(each)
    assert recovery.find() == ()
    return len(found)
