"""A run folder has one writer, survives its death at any point, and says so when its files were cut short."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.run_store.cleanup import clean
from quantcrafter.engine.runtime.run_store.comparison import compare_runs
from quantcrafter.engine.runtime.run_store.history import RunHistory
from quantcrafter.engine.runtime.run_store.run_folder import CURVES, FILE, RECORDS, RunFolder
from quantcrafter.engine.runtime.run_store.run_log import COMMITS, DATA
from quantcrafter.engine.runtime.run_store.run_writer import (
    RunWriter,
    chunk_of,
    describe,
    final_state,
    growing_state,
    save_run,
)
from quantcrafter.engine.runtime.run_store.trace_folders import trace_folder
from tests.support.counts import sample, seed
from tests.support.results import walk_result

ROOT = Path(__file__).parents[4]
NONE = {name: slice(0, 0) for name in (*RECORDS, *CURVES)}
posix = pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal or limit")


@pytest.fixture(scope="module")
def run() -> RunResult:
    return walk_result(3_000, every=20)


def append_bars(writer: RunWriter, run: RunResult, begin: int, end: int) -> int:
    rows = {**NONE, **{name: slice(begin, end) for name in CURVES}}
    return writer.append(chunk_of(run, [slice(begin, end)], rows, growing_state(run)))


WRITER = """
import sys
from pathlib import Path
from quantcrafter.engine.runtime.run_store.run_writer import RunWriter, chunk_of, describe, growing_state
from tests.engine.runtime.run_store.test_run_writer import append_bars
from tests.support.counts import sample, seed
from tests.support.results import walk_result
run = walk_result(3_000, every=20)
folder = Path(sys.argv[1])
with RunWriter.reopen(folder) if folder.exists() else RunWriter.create(folder, describe(run)) as writer:
    begin = int(sys.argv[2])
    print(writer.revision, flush=True)
    while begin < 3_000:
        append_bars(writer, run, begin, begin + 5)
        begin += 5
"""


@contextmanager
def writer_process(folder: Path, begin: int = 0) -> Iterator[subprocess.Popen[str]]:
    """Give a process that has opened a folder and is adding to it; it is killed at the end."""
    arguments = [sys.executable, "-c", WRITER, str(folder), str(begin)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield process
        process.kill()


def test_a_second_writer_is_refused_until_the_first_one_closes(run: RunResult, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with RunWriter.create(folder, describe(run)) as writer:
        append_bars(writer, run, 0, 10)
        with pytest.raises(RunError, match=r"The run can't be saved in '.*run': another program is using it\. Close"):
            RunWriter.reopen(folder)
        append_bars(writer, run, 10, 20)
        assert RunFolder.open(folder).bars == 20
    with RunWriter.reopen(folder) as writer:
        assert writer.revision == 2


@posix
def test_a_writer_in_another_process_is_in_the_way_until_it_is_killed(run: RunResult, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with writer_process(folder) as process:
        os.kill(process.pid, signal.SIGSTOP)
        with pytest.raises(RunError, match="another program is using it"):
            RunWriter.reopen(folder)
    with RunWriter.reopen(folder) as writer:
        bars = 5 * writer.revision
        assert append_bars(writer, run, bars, bars + 7) == writer.revision
    assert RunFolder.open(folder).bars == bars + 7


@posix
def test_writers_that_are_killed_anywhere_leave_whole_commits_that_are_gone_on_with(
    run: RunResult, tmp_path: Path
) -> None:
    """What is there after each kill is a prefix of the run, and never less than before."""
    folder, bars = tmp_path / "run", 0
    for number in range(6):
        with writer_process(folder, bars) as process:
            time.sleep(0.004 * number**2)
            process.send_signal(signal.SIGKILL)
        found = RunFolder.open(folder)
        assert found.bars == len(found.instruments[0].bars) == 5 * found.revision
        assert found.bars >= bars
        bars = found.bars
        np.testing.assert_array_equal(found.ledger.equity, run.ledger.equity[:bars])
        np.testing.assert_array_equal(found.instruments[0].bars.close, run.instruments[0].bars.close[:bars])
    assert bars > 0
    with (folder / COMMITS).open("ab") as stream:
        stream.write(b"0000 half a line")
    with RunWriter.reopen(folder) as writer:
        assert (folder / COMMITS).read_bytes().endswith(b"}\n")
        rows = {**{name: slice(None) for name in RECORDS}, **{name: slice(bars, None) for name in CURVES}}
        writer.append(chunk_of(run, [slice(bars, 3_000)], rows, final_state(run)))
    whole = RunFolder.open(folder)
    assert whole.is_finished
    assert whole.to_json() == run.to_json()


def test_blocks_are_on_the_disk_before_their_commit_and_that_before_it_is_reported(
    run: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    seen: list[tuple[str, int, int]] = []
    with RunWriter.create(folder, describe(run)) as writer:
        real = os.fsync
        names = {(folder / name).stat().st_ino: name for name in (DATA, COMMITS)}

        def fsync(number: int) -> None:
            data, log = ((folder / name).stat().st_size for name in (DATA, COMMITS))
            seen.append((names[os.fstat(number).st_ino], data, log))
            real(number)

        monkeypatch.setattr(os, "fsync", fsync)
        append_bars(writer, run, 0, 10)
    (first, data, no_line), (second, same, line) = seen
    assert (first, second) == (DATA, COMMITS)
    assert data == same > 0
    assert no_line == 0 < line


def test_a_trial_does_not_wait_for_the_disk(run: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_number: int) -> None:
        raise AssertionError

    monkeypatch.setattr(os, "fsync", fail)
    save_run(run, tmp_path / "run", durable=False)
    with pytest.raises(AssertionError):
        save_run(run, tmp_path / "kept")


@posix
def test_a_commit_that_finds_no_room_leaves_those_before_and_a_smaller_one_follows(
    run: RunResult, tmp_path: Path
) -> None:
    import resource

    folder = tmp_path / "run"
    with RunWriter.create(folder, describe(run)) as writer:
        append_bars(writer, run, 0, 50)
        sizes = [(folder / name).stat().st_size for name in (DATA, COMMITS)]
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (sizes[0] + 4_000, before[1]))
        try:
            with pytest.raises(RunError, match=r"can't be saved in .* larger than is allowed here"):
                append_bars(writer, run, 50, 2_000)
            assert [(folder / name).stat().st_size for name in (DATA, COMMITS)] == sizes
            assert append_bars(writer, run, 50, 60) == 2
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    np.testing.assert_array_equal(RunFolder.open(folder).ledger.equity, run.ledger.equity[:60])


def test_data_that_were_cut_short_are_one_clear_error_when_opened_and_when_mapped(
    run: RunResult, tmp_path: Path
) -> None:
    folder = save_run(run, tmp_path / "run")
    opened = RunFolder.open(folder)  # it maps nothing before a column is asked for
    size = (folder / DATA).stat().st_size
    os.truncate(folder / DATA, size - 8_192)
    with pytest.raises(RunError, match=r"The run in '.*run' can't be read: .*data\.bin.* is missing .*Run it again"):
        RunFolder.open(folder)
    with pytest.raises(RunError, match=r"The run in '.*run' is missing '[a-z._]+': .*Run it again"):
        assert len(opened.trades)
    (folder / DATA).unlink()
    with pytest.raises(RunError, match=r"can't be read: .*doesn't exist"):
        RunFolder.open(folder)


@pytest.mark.parametrize("keep", ["all", "tables"])
@pytest.mark.parametrize("name", [FILE, COMMITS])
def test_whatever_is_damaged_in_what_describes_a_run_it_is_one_clear_error_or_none(
    tmp_path: Path, keep: Literal["all", "tables"], name: str
) -> None:
    """Bytes are changed, lost and put in; what cannot be told from another run's description reads as that."""
    folder = save_run(walk_result(60, every=10), tmp_path / "run", keep)
    rng = random.Random(seed(f"damage {keep} {name}"))  # noqa: S311 - cases of a test, no secrets
    whole, refused, number = (folder / name).read_bytes(), 0, sample(150, of=3_000)
    for _ in range(number):
        damaged, place = bytearray(whole), rng.randrange(len(whole))
        damaged[place : place + rng.choice((0, 1, 1, 5))] = rng.randbytes(rng.choice((0, 1, 1, 3)))
        (folder / name).write_bytes(damaged)
        try:
            found = RunFolder.open(folder)
            compare_runs(found, found)
            assert found.bars == 60
            if keep == "all":
                found.to_json()
        except RunError as error:
            assert "Run it again." in str(error)  # noqa: PT017 - not every change is one that matters
            refused += 1
    assert refused > number / 2


def test_a_column_of_the_format_before_that_was_cut_short_is_one_clear_error(tmp_path: Path) -> None:
    with zipfile.ZipFile(Path(__file__).parent / "old_homes" / "runs_in_npz.zip") as archive:
        archive.extractall(tmp_path)
    (folder,) = (tmp_path / "traces").iterdir()
    os.truncate(folder / "bars.close.npy", 700)
    with pytest.raises(RunError, match=r"is missing 'bars\.close': .*Run it again"):
        assert RunFolder.open(folder).instruments


def test_a_run_that_is_being_written_is_not_cleaned_away(
    run: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path))
    run_id = RunHistory().add(replace(run, timing={}))
    with RunWriter.reopen(trace_folder(run_id)):
        assert clean(limit=1).columns == 0
        assert RunHistory().open(run_id).kept == "all"
    assert clean(limit=1).columns == 1
