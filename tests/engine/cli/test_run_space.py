"""`quantcrafter runs usage` and `runs limit`: what runs take on the disk, and how much they may."""

from __future__ import annotations

import json

import pytest

from quantcrafter.engine.cli.main import main
from quantcrafter.engine.runtime.run_store.cleanup import measure
from tests.support.saved_runs import run_into_history


def test_the_space_of_runs_is_shown_and_its_limit_set(capsys: pytest.CaptureFixture[str]) -> None:
    run_into_history("golden_cross")
    assert main(["runs", "usage", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    now = measure()
    assert (shown["used_bytes"], shown["limit_bytes"], shown["runs"], shown["pinned"]) == (now.used, now.limit, 1, 0)
    assert sum(shown["bytes"].values()) == shown["used_bytes"] > 0

    assert main(["runs", "usage"]) == 0
    rows = capsys.readouterr().out
    assert all(kind in rows for kind in ("history", "tables", "columns", "trials", "of these pinned"))

    assert main(["runs", "limit", "3"]) == 0
    assert "Nothing was deleted." in capsys.readouterr().err
    assert main(["runs", "limit"]) == 0
    assert capsys.readouterr().out == "Runs can take 3 GB.\n"
    assert measure().limit == 3 * 2**30


def test_an_impossible_limit_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "limit", "nan"]) == 2
    assert "nan" in capsys.readouterr().err
