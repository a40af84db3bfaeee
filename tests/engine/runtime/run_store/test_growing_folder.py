"""A folder that a run is added to bit by bit shows what the run in memory shows, also while it grows."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.results.run_view import RunView
from quantcrafter.engine.runtime.run_store.cleanup import clean
from quantcrafter.engine.runtime.run_store.comparison import compare_runs
from quantcrafter.engine.runtime.run_store.history import RunHistory
from quantcrafter.engine.runtime.run_store.run_folder import CURVES, RECORDS, RunFolder
from quantcrafter.engine.runtime.run_store.run_log import COMMITS, DATA
from quantcrafter.engine.runtime.run_store.run_writer import (
    RunWriter,
    chunk_of,
    describe,
    final_state,
    growing_state,
    save_run,
    with_benchmark,
)
from quantcrafter.engine.runtime.running.run import run
from tests.support.counts import sample, seed
from tests.support.random_strategies import write_random_strategy
from tests.support.run_views import assert_same_views, write_splits_and_rates

OLD = Path(__file__).parent / "old_homes" / "runs_in_npz.zip"
ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


@pytest.fixture(scope="module")
def rich(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    result = run(write_splits_and_rates(tmp_path_factory.mktemp("rich")), registry=registry)
    first, second, third = result.instruments
    assert first.split is not None
    assert (first.split != 1).any()
    assert first.dividend is not None
    assert (first.dividend != 0).any()
    assert second.rate_close is not None
    assert third.kind == "contract"
    assert len(result.trades) > 10
    assert len(result.cashflows)
    assert result.warnings
    assert result.feeds
    return result


def cuts(rng: random.Random, length: int, parts: int) -> list[slice]:
    """Return `parts` slices that follow one another and make up a length; some are empty."""
    places = [0, *sorted(rng.randrange(length + 1) for _ in range(parts - 1)), length]
    return [slice(*pair) for pair in pairwise(places)]


def write_in_chunks(result: RunResult, folder: Path, rng: random.Random) -> int:
    """Write a run in random chunks, by a writer that is now and then another one; return how many there were."""
    parts = rng.randrange(1, 9)
    bars = [cuts(rng, len(job.bars), parts) for job in result.instruments]
    records = {name: cuts(rng, len(getattr(result.ledger, name)), parts) for name in (*RECORDS, *CURVES)}
    writer = RunWriter.create(folder, describe(result))
    for number in range(parts):
        if rng.random() < 0.3:
            writer.close()
            writer = RunWriter.reopen(folder)
        rows = {name: pieces[number] for name, pieces in records.items()}
        is_last = number == parts - 1
        state = final_state(result) if is_last else growing_state(result)
        chunk = chunk_of(result, [each[number] for each in bars], rows, state)
        writer.append(with_benchmark(chunk, result) if is_last else chunk)
    writer.close()
    return parts


def test_every_reader_gets_from_the_folder_what_it_gets_from_memory(rich: RunResult, tmp_path: Path) -> None:
    saved = RunFolder.open(save_run(rich, tmp_path / "run"))
    assert saved.is_finished
    assert_same_views(saved, rich)
    again = RunFolder.open(save_run(saved, tmp_path / "copy"))
    assert_same_views(again, rich)


def test_a_run_that_is_written_in_random_chunks_is_the_run(rich: RunResult, tmp_path: Path) -> None:
    rng = random.Random(seed("chunks"))  # noqa: S311 - cases of a test, no secrets
    for number in range(sample(6, of=300)):
        parts = write_in_chunks(rich, tmp_path / str(number), rng)
        found = RunFolder.open(tmp_path / str(number))
        assert found.revision == parts
        assert_same_views(found, rich)


def test_random_strategies_read_back_from_random_chunks(registry: Registry, tmp_path: Path) -> None:
    rng = random.Random(seed("chunks of strategies"))  # noqa: S311 - cases of a test, no secrets
    first = seed("strategies in chunks") % 1_000_000
    for number in range(first, first + sample(3, of=300)):
        folder = tmp_path / str(number)
        folder.mkdir()
        result = run(write_random_strategy(folder, registry, number), registry=registry)
        write_in_chunks(result, folder / "run", rng)
        assert_same_views(RunFolder.open(folder / "run"), result)


CHUNKS = """
import random
import sys
from itertools import pairwise
from pathlib import Path
from quantcrafter.engine.runtime.run_store.run_folder import CURVES, RECORDS, RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import RunWriter, chunk_of, describe, final_state, growing_state
source, folder, part, parts, seed = Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:])
run = RunFolder.open(source)
rng = random.Random(seed)
def piece(length):
    places = [0, *sorted(rng.randrange(length + 1) for _ in range(parts - 1)), length]
    return [slice(*pair) for pair in pairwise(places)][part]
bars = [piece(len(job.bars)) for job in run.instruments]
rows = {name: piece(len(getattr(run.ledger, name))) for name in (*RECORDS, *CURVES)}
with RunWriter.reopen(folder) if folder.exists() else RunWriter.create(folder, describe(run)) as writer:
    writer.append(chunk_of(run, bars, rows, final_state(run) if part == parts - 1 else growing_state(run)))
"""


def test_a_run_that_several_processes_add_to_is_kept_compared_and_cleaned_like_the_run(
    rich: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory, a folder that grew in other processes, one with tables alone, and both through the history."""
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    source, grown = save_run(rich, tmp_path / "source"), tmp_path / "grown"
    parts, number = 4, seed("processes") % 1_000_000
    for part in range(parts):
        arguments = [str(each) for each in (source, grown, part, parts, number)]
        subprocess.run([sys.executable, "-c", CHUNKS, *arguments], check=True, cwd=ROOT)
    found = RunFolder.open(grown)
    assert found.revision == parts
    assert_same_views(found, rich)
    history = RunHistory()
    views = [found, *(history.open(history.add(found, columns=columns)) for columns in (True, False))]
    assert_same_views(views[1], rich)
    assert_kept_alike(views, rich)


def test_random_runs_are_compared_alike_wherever_they_are_kept(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    rng = random.Random(seed("kept"))  # noqa: S311 - cases of a test, no secrets
    first = seed("strategies that are kept") % 1_000_000
    history = RunHistory()
    before = None
    for number in range(first, first + sample(3, of=200)):
        folder = tmp_path / str(number)
        folder.mkdir()
        result = run(write_random_strategy(folder, registry, number), registry=registry)
        write_in_chunks(result, folder / "run", rng)
        ids = [history.add(result, columns=columns) for columns in (True, False)]
        assert_kept_alike([RunFolder.open(folder / "run"), *map(history.open, ids)], result)
        clean(limit=1)  # columns go, then trades
        assert {history.get(run_id).spec_hash for run_id in ids[-1:]} == {result.spec_hash}
        if before is not None:
            found = compare_runs(history.open(ids[-1]), before)
            assert [each.verdict for each in found.metrics] == [
                each.verdict for each in compare_runs(result, before).metrics
            ]
        before = result


def assert_kept_alike(views: list[RunView], expected: RunResult) -> None:
    """Hold that views have the tables, metrics and settings of a run, and are no different from it when compared."""
    for view in views:
        for name in ("fills", "trades", "equity", "metrics", "settings", "symbols", "bars", "warmup", "text"):
            assert getattr(view, name) == getattr(expected, name), name
        for name in ("strategy", "engine", "mode", "origin", "data_hash", "spec_hash", "synthetic", "started"):
            assert getattr(view, name) == getattr(expected, name), name
        for pair in ((view, expected), (expected, view)):
            found = compare_runs(*pair)
            assert found.same_trades
            assert found.differences == ()
            assert {each.verdict for each in found.metrics} <= {"same"}


def test_a_view_stays_as_it_is_while_the_run_goes_on_and_the_latest_one_has_more(
    rich: RunResult, tmp_path: Path
) -> None:
    halves = [(slice(0, len(job.bars) // 2), slice(len(job.bars) // 2, len(job.bars))) for job in rich.instruments]
    none = {name: slice(0, 0) for name in (*RECORDS, *CURVES)}
    with RunWriter.create(tmp_path / "run", describe(rich)) as writer:
        before = RunFolder.open(tmp_path / "run")
        assert (before.revision, before.bars, len(before.instruments[0].bars), before.is_finished) == (0, 0, 0, False)
        assert len(before.column("fast")) == len(before.trades) == 0
        assert before.to_json()["trades"] == []
        writer.append(chunk_of(rich, [first for first, _ in halves], none, growing_state(rich)))
        half = before.latest()
        assert half.revision == 1
        assert half.latest() is half
        column = half.column("fast", "", 1)
        writer.append(chunk_of(rich, [second for _, second in halves], state=final_state(rich)))
        np.testing.assert_array_equal(half.column("fast", "", 1), column)
        assert len(half.instruments[2].bars) == 45
        assert len(before.instruments[2].bars) == 0
        assert_same_views(half.latest(), rich)


@pytest.mark.parametrize("seed_", range(4))
def test_whatever_is_cut_off_behind_the_last_commit_a_prefix_is_read_and_gone_on_with(
    rich: RunResult, tmp_path: Path, seed_: int
) -> None:
    """A writer that is killed leaves any part of what it wrote last."""
    rng = random.Random(seed_)  # noqa: S311 - cases of a test, no secrets
    bars = [cuts(rng, len(job.bars), 3) for job in rich.instruments]
    none = {name: slice(0, 0) for name in (*RECORDS, *CURVES)}
    folder = tmp_path / "run"
    sizes = []
    with RunWriter.create(folder, describe(rich)) as writer:
        for number in range(3):
            state = growing_state(rich)
            writer.append(chunk_of(rich, [each[number] for each in bars], none if number < 2 else None, state))
            sizes.append([(folder / name).stat().st_size for name in (DATA, COMMITS)])
    data, log = (folder / DATA).read_bytes(), (folder / COMMITS).read_bytes()
    (data_2, log_2), (data_3, log_3) = sizes[1], sizes[2]
    for place in range(2):
        # The commit's line comes last: either a part of the data is there and no line, or all and a part of the line.
        part = rng.randrange(data_2, data_3) if place == 0 else data_3
        (folder / DATA).write_bytes(data[:part])
        (folder / COMMITS).write_bytes(log[: log_2 if place == 0 else rng.randrange(log_2, log_3)])
        found = RunFolder.open(folder)
        assert found.revision == 2
        assert len(found.column("fast")) == bars[0][1].stop
        with RunWriter.reopen(folder) as writer:
            writer.append(chunk_of(rich, [each[2] for each in bars], state=final_state(rich)))
        assert_same_views(RunFolder.open(folder), rich)


def test_a_writer_can_go_back_to_an_earlier_commit_and_readers_follow(rich: RunResult, tmp_path: Path) -> None:
    rng = random.Random(5)  # noqa: S311 - cases of a test, no secrets
    write_in_chunks(rich, tmp_path / "run", rng)
    reader = RunFolder.open(tmp_path / "run")
    with RunWriter.reopen(tmp_path / "run", 0) as writer:
        writer.append(chunk_of(rich, state=final_state(rich)))
    assert_same_views(reader, rich)
    assert reader.latest().revision == 1
    assert_same_views(reader.latest(), rich)
    with pytest.raises(RunError, match="there is no commit 7 among 1"):
        RunWriter.reopen(tmp_path / "run", 7)


WRITER = """
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import RunWriter, chunk_of, describe
run = RunFolder.open(Path(sys.argv[1]))
none = {name: slice(0, 0) for name in ("orders", "fills", "parts", "blocked", "interventions", "cashflows")}
with RunWriter.create(Path(sys.argv[2]), describe(run)) as writer:
    at = 0
    while at < 80:
        curves = {name: slice(at, at + 1) for name in ("ts_ns", "equity", "cash")}
        writer.append(chunk_of(run, [slice(at, at + 1)] * 3, {**none, **curves}, {"at": at + 1}))
        at += 1
        print(at, flush=True)
    print("done", flush=True)
    for at in range(80, 90):
        (Path(sys.argv[2]) / "data.bin").open("ab").write(b"half a block")
        (Path(sys.argv[2]) / "commits.jsonl").open("ab").write(b"half a line")
    time.sleep(60)
"""


def test_another_process_reads_whole_commits_while_one_writes_and_after_it_was_killed(
    rich: RunResult, tmp_path: Path
) -> None:
    source, folder = save_run(rich, tmp_path / "source"), tmp_path / "run"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(source), str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as writer:
        assert writer.stdout is not None
        try:
            writer.stdout.readline()
            found = RunFolder.open(folder)
            seen = set()
            deadline = time.monotonic() + 60
            while found.bars < 80 and time.monotonic() < deadline:
                found = found.latest()
                count = len(found.instruments[0].bars)
                seen.add(count)
                assert count == found.bars == found.revision
                np.testing.assert_array_equal(found.column("fast", "", 0), rich.column("fast", "", 0)[:count])
                np.testing.assert_array_equal(found.ledger.equity, rich.ledger.equity[:count])
            while writer.stdout.readline() not in ("done\n", ""):
                pass
        finally:
            writer.kill()
    assert found.bars == 80
    assert len(seen) > 1
    found = RunFolder.open(folder)
    assert len(found.instruments[0].bars) == 80
    with RunWriter.reopen(folder, 80) as again:
        rest = [slice(80, len(job.bars)) for job in rich.instruments]
        curves = {name: slice(80, None) for name in CURVES}
        again.append(chunk_of(rich, rest, curves, final_state(rich)))
    assert_same_views(RunFolder.open(folder), rich)


@pytest.mark.parametrize("name", [DATA, COMMITS])
def test_a_folder_that_lost_a_file_or_a_part_of_one_says_so(rich: RunResult, tmp_path: Path, name: str) -> None:
    folder = save_run(rich, tmp_path / "run")
    content = (folder / name).read_bytes()
    if name == DATA:
        (folder / name).write_bytes(content[: len(content) // 2])
    else:
        (folder / name).unlink()
    with pytest.raises(RunError, match=r"can't be read: .*Run it again"):
        RunFolder.open(folder)


def test_a_chunk_whose_columns_have_other_lengths_is_refused_and_nothing_is_added(
    rich: RunResult, tmp_path: Path
) -> None:
    with RunWriter.create(tmp_path / "run", describe(rich)) as writer:
        wrong = replace(chunk_of(rich), bars=[1, 2, 3])
        with pytest.raises(RunError, match="has not one row a bar"):
            writer.append(wrong)
        writer.append(chunk_of(rich, state=final_state(rich)))
    assert_same_views(RunFolder.open(tmp_path / "run"), rich)


def test_a_run_that_the_version_before_saved_opens(tmp_path: Path) -> None:
    with zipfile.ZipFile(OLD) as archive:
        archive.extractall(tmp_path)
    expected = json.loads((tmp_path / "expected.json").read_text(encoding="utf-8"))
    found = RunFolder.open(tmp_path / "traces" / expected["both"])
    assert (found.revision, found.is_finished, len(found.trades)) == (1, True, 12)
    told = json.loads(json.dumps(found.to_json()))
    assert told.pop("no_trades") == ""
    assert told.pop("notices") == []
    assert [row["trade"] for row in told.pop("parts")] == list(range(12))
    assert {row.pop("parts") for row in told["trades"]} == {1}
    assert told == expected["result"]
    assert found.instruments[1].currency == "EUR"
    assert found.instruments[1].rate_close is not None
    assert len(found.column("fast", "", 1)) == 120
    assert "<html" in found.write_report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert_same_views(RunFolder.open(save_run(found, tmp_path / "copy")), found)
