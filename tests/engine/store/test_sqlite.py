"""Strategies in an SQLite file, changed by commands and by other programs."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.store.rows import StoreError, StrategyRow
from quantcrafter.engine.store.sqlite import SqliteStore
from quantcrafter.engine.store.store import Removal, open_store

ROW = StrategyRow(symbol="AAPL", strategy_key="turtle", params={"a": [1, "ü"]}, user_id="u")


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "strategies.db")


def test_rows_are_put_changed_and_removed(store: SqliteStore) -> None:
    assert store.list() == ()
    assert not store.path.exists()
    store.put(ROW)
    store.put(StrategyRow(symbol="X", strategy_key="own", strategy="quantcrafter: 1\nname: X\n", live=True))
    assert [each.key for each in store.list()] == ["X_own", "u_AAPL_turtle"]
    assert store.get("u_AAPL_turtle").row == ROW
    store.disable("u_AAPL_turtle")
    assert store.get("u_AAPL_turtle").row == ROW.model_copy(update={"enabled": False})
    store.enable("u_AAPL_turtle")
    store.put(ROW.model_copy(update={"params": {}}))
    assert store.get("u_AAPL_turtle").row == ROW.model_copy(update={"params": {}})
    store.remove("u_AAPL_turtle", flatten=True)
    assert store.removals() == {"u_AAPL_turtle": Removal("u_AAPL_turtle", flatten=True)}
    store.put(ROW)
    assert store.removals() == {}
    with pytest.raises(RunError, match=r"no strategy 'u_AAPL_turtl'\. Did you mean 'u_AAPL_turtle'"):
        store.remove("u_AAPL_turtl")


def test_rows_that_another_program_writes_are_seen_and_bad_ones_said(store: SqliteStore) -> None:
    store.put(ROW)
    before = store.revision()
    assert store.revision() == before
    assert len(store.list()) == 1
    assert not store.wait(0.01)
    waited: list[bool] = []
    thread = threading.Thread(target=lambda: waited.append(store.wait(20.0)))
    thread.start()
    with closing(sqlite3.connect(store.path)) as other, other:
        other.execute("INSERT INTO strategies (symbol, strategy_key) VALUES ('BTC/USDT', 'turtle')")
        other.execute("INSERT INTO strategies (symbol, strategy_key, params) VALUES ('Y', 'bad', 'no json')")
    thread.join()
    assert waited == [True]
    assert store.revision() != before
    assert sorted(each.key for each in store.list() if each.row) == ["BTC_USDT_turtle", "u_AAPL_turtle"]
    assert "is not JSON" in store.problems()["Y_bad"]


def test_a_text_that_is_no_text_is_a_problem_of_its_row_only(store: SqliteStore) -> None:
    store.put(ROW)
    with closing(sqlite3.connect(store.path)) as other, other:
        other.execute("INSERT INTO strategies (symbol, strategy_key, feed) VALUES ('Y', 'bad', CAST(x'ff' AS TEXT))")
    assert [each.key for each in store.list() if each.row] == ["u_AAPL_turtle"]
    assert "The field 'feed'" in store.problems()["Y_bad"]


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    path.write_text("this is a letter, and a long one", encoding="utf-8")
    with pytest.raises(StoreError, match=r"strategy store '.*other\.db' can't be used"):
        SqliteStore(path).list()


def test_a_store_is_opened_by_its_place(tmp_path: Path) -> None:
    assert open_store(str(tmp_path / "a.db")).place == str(tmp_path / "a.db")
    assert open_store(f"sqlite:///{tmp_path / 'a.db'}").place == str(tmp_path / "a.db")
    with pytest.raises(StoreError, match=r"mongodb://\.\.\.\), was 'mysql://"):
        open_store("mysql://me:secret@here/x")
