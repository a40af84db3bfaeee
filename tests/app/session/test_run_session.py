"""What panes point at in a run."""

from __future__ import annotations

import shutil
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


def test_a_run_whose_folder_is_gone_is_shown_no_longer_and_the_session_says_why(tmp_path: Path) -> None:
    session, told = RunSession(), []
    session.run_changed.connect(lambda: told.append((session.run is None, session.lost)))
    session.show_run(saved(tmp_path / "run"))
    shutil.rmtree(tmp_path / "run")  # nothing of it was read yet
    session.go_to(5)
    (_, shown), (is_none, lost) = told
    assert (shown, is_none) == ("", True)
    assert f"run in '{tmp_path / 'run'}' is missing 'bars.open_ns'" in lost
    assert lost.endswith("Run it again.")
    assert session.bar is None
    session.show_run(saved(tmp_path / "next"))
    session.go_to(5)
    assert {"lost": session.lost, "bar": session.bar} == {"lost": "", "bar": 5}


def test_a_new_run_is_shown_where_the_one_before_is_gone(tmp_path: Path) -> None:
    session = RunSession()
    session.show_run(saved(tmp_path / "a"))
    session.bar = 7  # as restored, before anything of the run was read
    shutil.rmtree(tmp_path / "a")
    run = saved(tmp_path / "b")
    session.show_run(run)
    assert session.run is run
    assert {"lost": session.lost, "bar": session.bar} == {"lost": "", "bar": None}
