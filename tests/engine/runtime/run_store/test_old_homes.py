"""What versions before kept in the user's directory opens in this one.

`runs_with_books.zip` was written when the history kept fills, trades and equity of each run in an .npz file: one run
with its columns, one without, and one of which the row alone is left.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from quantcrafter.engine.cli.main import DONE, main
from quantcrafter.engine.runtime.run_store.cleanup import clean, measure
from quantcrafter.engine.runtime.run_store.comparison import compare_runs
from quantcrafter.engine.runtime.run_store.history import RunHistory
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.trace_folders import trace_folder

HOMES = Path(__file__).parent / "old_homes"


@pytest.fixture
def expected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path))
    with zipfile.ZipFile(HOMES / "runs_with_books.zip") as archive:
        archive.extractall(tmp_path)
    found: dict[str, Any] = json.loads((tmp_path / "expected.json").read_text(encoding="utf-8"))
    return found


def test_runs_that_the_version_before_kept_open_in_this_one(expected: dict[str, Any]) -> None:
    history = RunHistory()
    kept = {"whole": "all", "books": "tables", "figures": "figures"}
    for name, what in kept.items():
        told = expected[name]
        found = history.open(told["id"])
        assert found.kept == what
        assert (found.id, dict(found.metrics), found.text) == (told["id"], told["metrics"], told["text"])
        assert (found.data_hash, found.spec_hash) == (told["data_hash"], told["spec_hash"])
        assert list(found.origin.overrides) == told["overrides"]
        assert found.symbols == ("ONE", "TWO", "USDJPY")
        if what != "figures":
            assert [{k: v for k, v in row.items() if k != "parts"} for row in found.trades] == told["trades"]
            assert [row["trade"] for row in found.parts] == list(range(len(found.trades)))
            assert found.fills.rows() == told["fills"]
            assert found.equity.rows()[::20] == told["equity"]
    shown = json.loads(json.dumps(history.open(expected["whole"]["id"]).to_json()))
    assert {row.pop("parts") for row in shown["trades"]} == {1}
    assert shown.pop("notices") == []
    del shown["no_trades"], shown["parts"]
    assert shown == expected["whole"]["result"]
    assert [record.pinned for record in history.list()] == [False, False, True]


def test_they_are_compared_and_shown_like_runs_of_this_version(
    expected: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    history = RunHistory()
    whole, books, figures = (history.open(expected[name]["id"]) for name in ("whole", "books", "figures"))
    found = compare_runs(whole, books)
    assert found.removed is not None
    assert found.added is not None
    entries = [{row["entry_ts_ns"] for row in expected[name]["trades"]} for name in ("whole", "books")]
    assert {row["entry_ts_ns"] for row in found.removed} >= entries[0] - entries[1]
    assert {row["entry_ts_ns"] for row in found.added} >= entries[1] - entries[0]
    assert {each.what for each in found.differences} == {"what the file does", "overrides", "file"}
    found = compare_runs(whole, figures)
    assert found.added is None
    assert {each.what for each in found.differences} >= {"run.cash"}
    for name, count in (("whole", 10), ("books", 10), ("figures", 0)):
        assert main(["runs", "show", expected[name]["id"], "--json"]) == DONE
        shown = json.loads(capsys.readouterr().out)
        assert (shown["metrics"], shown["spec_text"]) == (expected[name]["metrics"], expected[name]["text"])
        assert len(shown["trades"]) >= count
    assert main(["compare", expected["whole"]["id"], expected["books"]["id"]]) == DONE


def test_cleaning_leaves_their_trades_like_those_of_runs_of_this_version(expected: dict[str, Any]) -> None:
    history, told = RunHistory(), expected["whole"]
    history.pin(told["id"], on=False)
    gone = clean(limit=measure().used - 1_000)
    assert (gone.columns, gone.tables) == (1, 0)
    assert not trace_folder(told["id"]).exists()
    found = history.open(told["id"])
    assert (found.kept, found.trades.rows()) == ("tables", told["trades"])
    history.delete(told["id"])
    assert not list(history.folder.glob(f"{told['id']}*"))


def test_a_run_in_the_format_before_commits_is_cleaned_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path))
    with zipfile.ZipFile(HOMES / "runs_in_npz.zip") as archive:
        archive.extractall(tmp_path)
    told = json.loads((tmp_path / "expected.json").read_text(encoding="utf-8"))
    folder = trace_folder(told["both"])
    trades = RunFolder.open(folder).trades
    (tmp_path / "runs" / f"{told['both']}.npz").unlink()  # so that the folder is all there is
    clean(limit=measure().used - 1_000)
    assert not folder.exists()
    found = RunHistory().open(told["both"])
    assert found.kept == "tables"
    assert found.trades == trades
