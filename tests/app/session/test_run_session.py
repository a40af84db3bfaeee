"""What panes point at in a run."""

from __future__ import annotations

from pathlib import Path

from quantcrafter.app.session.run_session import RunSession
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from tests.support.results import walk_result


def saved(folder: Path, count: int = 300, *, seed: int = 1, instruments: int = 1) -> RunFolder:
    return RunFolder.open(save_run(walk_result(count, seed=seed, instruments=instruments), folder))


def test_a_place_is_told_once_and_kept_within_the_data(tmp_path: Path) -> None:
    session, told = RunSession(), []
    session.moved.connect(lambda: told.append((session.instrument, session.bar, session.trade)))
    session.go_to(5)
    assert not told
    session.show_run(saved(tmp_path / "run", instruments=2))
    session.go_to(5)
    session.go_to(5)
    session.go_to(10_000, instrument=1, trade=0)
    session.go_to(-3, instrument=7)
    session.clear()
    assert told == [(0, 5, None), (1, 299, 0), (1, 0, None), (1, None, None)]


def test_the_place_stays_when_the_next_run_has_the_same_bar(tmp_path: Path) -> None:
    session = RunSession()
    session.show_run(saved(tmp_path / "a", instruments=2))
    session.go_to(200, instrument=1, trade=1)
    session.show_run(saved(tmp_path / "b", 250, instruments=2))
    assert (session.instrument, session.bar, session.trade) == (1, 200, None)
    session.show_run(saved(tmp_path / "c", 100, instruments=2))
    assert (session.instrument, session.bar) == (0, None)
    session.show_run(None)
    assert session.run is None
