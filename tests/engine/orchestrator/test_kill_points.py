"""kill -9 of hosts and supervisors at every kind of event boundary.

The processes are those of `quantcrafter start`, and really killed; only that they are forked from a warm process, so
that a restart takes some hundredths of a second.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from quantcrafter.engine.api import Ledger
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.packed import joined_ledgers
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_graph
from tests.support.counts import sample, seed
from tests.support.kill_chains import files_of, gone_through, kills, quick_folder
from tests.support.kill_points import (
    BEGIN,
    DEATHS,
    HANDING_OVER,
    OPENING,
    RUNNING,
    STARTING,
    SUPERVISING,
    Kill,
)
from tests.support.live_cases import STOPPED, assert_same_books, contents, to_its_end, worker_of
from tests.support.warm_process import WarmProcess

pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="hosts end with their supervisor by a service of Linux"),
]

POINTS = (*BEGIN, *RUNNING, *OPENING, *STARTING, *SUPERVISING, *DEATHS, *HANDING_OVER)
PARTS = 3
ROUNDS = sample(2, of=20)
"""How often a part kills at each point."""
IN_A_ROW = 12
FEED = ("--feed", "replay:max", "-q")
TEXT = STOPPED.replace("bars: 160", "bars: 500")
TEXTS = {"first": TEXT, "second": TEXT.replace("seed: 3", "seed: 5")}

Worker = tuple[dict[int, Any], list[Any], str, Ledger]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with quick_folder() as made:
        yield made


@pytest.fixture(scope="module")
def warm(folder: Path) -> Iterator[WarmProcess]:
    made = WarmProcess(folder / "home", folder / "said")
    yield made
    made.close()


def of_worker(worker: Path) -> Worker:
    """Return the inputs by number, outputs, state and books of a worker."""
    inputs, outputs, state = contents(worker)
    with InputLog.read(worker / LOG) as log:
        return {each.seq: each.given for each in inputs}, outputs, state, joined_ledgers(log.books(log.last_seq))


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> dict[str, Worker]:
    found = {}
    for key, path in zip(TEXTS, files_of(folder, TEXTS), strict=True):
        to_its_end(worker_of(load_graph(path, load_registry()), folder / "undisturbed" / key, snapshot_steps=1_000))
        found[key] = of_worker(folder / "undisturbed" / key)
    return found


def assert_undisturbed(expected: dict[str, Worker]) -> None:
    """Compare the workers with those of a run without kills; of the bars, only the old ones may be gone."""
    for key, (inputs, outputs, state, books) in expected.items():
        with InputLog.read(workers_folder() / key / LOG) as log:
            compacted = log.compacted
        found = of_worker(workers_folder() / key)
        gone = set(inputs) - set(found[0])
        assert compacted > 0
        assert gone <= {seq for seq, each in inputs.items() if type(each).__name__ == "BarsClosed"}
        assert max(gone) <= compacted
        assert found[0] == {seq: each for seq, each in inputs.items() if seq not in gone}
        assert found[1] == outputs
        assert found[2] == state
        assert_same_books(found[3], books)


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_any_point_workers_have_the_state_of_an_undisturbed_run(
    warm: WarmProcess, undisturbed: dict[str, Worker], folder: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(warm.home))
    files, killed = files_of(folder, TEXTS), [0]

    @settings(max_examples=ROUNDS, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @hypothesis.seed(seed(f"kill points {part}"))
    @given(rows=kills(POINTS, IN_A_ROW))
    def through(rows: Sequence[Sequence[Kill]]) -> None:
        for row in rows:
            try:
                gone_through(warm, row, files, *FEED)
                assert_undisturbed(undisturbed)
            except BaseException:
                warm.kill_all()
                raise
            finally:
                shutil.rmtree(warm.home, ignore_errors=True)
            killed[0] += len(row)

    through()
    assert killed[0] >= len(POINTS) * ROUNDS
