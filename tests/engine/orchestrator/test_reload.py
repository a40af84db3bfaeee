"""Workers are kept equal to the rows of a store, while they run."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

from quantcrafter.engine.live.events import events_of
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.orchestrator.registry import registered_worker
from quantcrafter.engine.orchestrator.row_config import RowRules
from quantcrafter.engine.orchestrator.worker_listing import every_worker
from quantcrafter.engine.runtime.strategy_classes.class_paths import allow
from quantcrafter.engine.store.rows import row_of
from quantcrafter.engine.store.sqlite import SqliteStore
from tests.support.command_line import ROOT
from tests.support.store_reload import EFFECT_S, HOLDER, LONG, Served, holds, row, served, soon, status_of, within


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "strategies.db")


@pytest.fixture
def running(store: SqliteStore) -> Iterator[Served]:
    """Give an orchestrator with one row that runs."""
    store.put(row("one"))
    with served(store) as found:
        soon(lambda: found.runs("one"), found.reload.status)
        yield found


def notices(key: str) -> list[str]:
    with InputLog.read(workers_folder() / key / LOG) as log:
        return [str(each["text"]) for each in events_of(log) if each["kind"] == "notice"]


@pytest.mark.slow
def test_rows_are_added_changed_disabled_enabled_and_removed_within_two_seconds(
    running: Served, store: SqliteStore
) -> None:
    store.put(row("two"))
    within(EFFECT_S, lambda: running.runs("two"))
    before = status_of("two").strategy_hash
    store.put(row("two", LONG.replace("timeperiod: 8", "timeperiod: 12")))
    within(EFFECT_S, lambda: status_of("two").strategy_hash != before)
    soon(lambda: running.runs("two", strategy_hash=status_of("two").strategy_hash))
    registered = registered_worker("two")
    assert registered is not None
    assert registered.config.strategy_hash == status_of("two").strategy_hash
    assert any("The strategy was changed between two bars" in each for each in notices("two"))
    store.disable("two")
    within(EFFECT_S, lambda: running.state("two") == "stopped")
    store.enable("two")
    within(EFFECT_S, lambda: running.runs("two"))
    assert status_of("one").state == "running"
    store.remove("two", flatten=True)
    soon(lambda: "two" not in running.orchestrator.workers())
    assert running.runs("one")
    soon(lambda: "two" not in every_worker(None) and "one" in every_worker(None))
    store.put(row("two"))
    soon(lambda: running.runs("two") and "two" in every_worker(None))
    store.put(row("bad", feed="csv:/etc/passwd"))
    soon(lambda: "Its worker has failed: " in running.problem("bad"), running.reload.status)


@pytest.mark.slow
def test_a_store_that_is_gone_broken_or_suddenly_empty_changes_nothing(running: Served, store: SqliteStore) -> None:
    store.put(row("two"))
    soon(lambda: running.runs("two"))
    saved = store.path.read_bytes()
    store.path.with_name("strategies.db-wal").unlink(missing_ok=True)
    store.path.write_bytes(b"no database at all, and long enough to be taken for one")
    soon(lambda: "can't be used" in running.reload.status()["error"])
    store.path.unlink()
    soon(lambda: "The file of the strategy store is missing" in running.reload.status()["error"])
    assert running.runs("one")
    assert running.runs("two")
    store.path.write_bytes(saved)
    soon(lambda: not running.reload.status()["error"], running.reload.status)
    with closing(sqlite3.connect(store.path)) as other, other:
        other.execute("DELETE FROM strategies")
    soon(lambda: "no strategies any more" in running.reload.status()["error"])
    assert running.runs("one")
    assert running.runs("two")
    store.put(row("one"))
    soon(lambda: "no command has removed it" in running.problem("two") and not running.reload.status()["error"])
    assert running.runs("two")
    store.put(row("two"))
    soon(lambda: not running.problem("two"))
    for key in ("one", "two"):
        store.remove(key, flatten=True)  # said by a command, also the last one is removed
    soon(lambda: not running.orchestrator.workers(), running.reload.status)


@pytest.mark.slow
def test_a_bad_row_is_reported_and_what_ran_goes_on(
    running: Served, store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.put(row("one", LONG.replace("timeperiod: 3", "timeperiod: -3")))
    soon(lambda: "timeperiod" in running.problem("one"))
    store.put(row("other", live=True))
    soon(lambda: "real money, which the server doesn't allow" in running.problem("other"))
    with closing(sqlite3.connect(store.path)) as other, other:
        other.execute("INSERT INTO strategies (symbol, strategy_key, params) VALUES ('Y', 'bad', 'no json')")
    soon(lambda: "is not JSON" in running.problem("Y_bad"))
    assert running.runs("one")
    assert "other" not in running.orchestrator.workers()
    assert any("Y_bad" in record.getMessage() for record in caplog.records)
    store.put(row("one"))
    soon(lambda: not running.problem("one"))
    assert running.runs("one")


@pytest.fixture
def holder(store: SqliteStore) -> Iterator[Served]:
    """Give an orchestrator with a row that holds a position, and one that doesn't matter."""
    store.put(row("one", HOLDER))
    store.put(row("two"))
    with served(store) as found:
        soon(lambda: holds("one"), found.reload.status)
        yield found


def _events(key: str) -> list[dict[str, object]]:
    with InputLog.read(workers_folder() / key / LOG) as log:
        return list(events_of(log))


@pytest.mark.slow
def test_a_strategy_that_holds_is_not_removed_unless_it_is_flattened(holder: Served, store: SqliteStore) -> None:
    with closing(sqlite3.connect(store.path)) as other, other:
        other.execute("DELETE FROM strategies WHERE strategy_key = 'one'")
    soon(lambda: "it goes on. It holds 10 ONE." in holder.problem("one"), holder.reload.status)
    assert holder.runs("one")
    store.put(row("one", HOLDER))
    soon(lambda: not holder.problem("one"))
    store.remove("one")
    soon(lambda: "it goes on. It holds 10 ONE." in holder.problem("one"), holder.reload.status)
    store.put(row("one", HOLDER))
    store.remove("one", flatten=True)
    soon(lambda: "one" not in holder.orchestrator.workers(), holder.reload.status)
    assert [each["lots"] for each in _events("one") if each["kind"] == "filled"] == [10, 10]
    assert registered_worker("one") is None
    assert holder.runs("two")


@pytest.mark.slow
def test_a_stopped_strategy_that_holds_is_said_to_be_unmanaged_when_its_row_is_removed(
    holder: Served, store: SqliteStore
) -> None:
    store.disable("one")
    soon(lambda: holder.problem("one") == "It is disabled. It holds 10 ONE. Nothing manages that now.")
    store.remove("one", flatten=True)
    soon(lambda: "its worker is not running. It holds 10 ONE. Nothing manages that" in holder.problem("one"))
    assert not holder.runs("one")


@pytest.mark.slow
def test_a_change_that_cannot_carry_the_position_is_refused_and_the_row_says_why(
    holder: Served, store: SqliteStore
) -> None:
    before = status_of("one").strategy_hash
    store.put(row("one", HOLDER.replace("symbol: ONE", "symbol: TWO")))
    store.put(row("two", LONG.replace("symbol: ONE", "symbol: TWO"), symbol="TWO"))
    soon(lambda: "before the row was changed: It trades TWO in place of ONE" in holder.problem("one"))
    assert holder.runs("one", symbol="ONE")
    assert (status_of("one").strategy_hash, dict(status_of("one").positions)) == (before, {"ONE": 10.0})
    store.put(row("one", HOLDER.replace("percent: 90", "percent: 80")))
    within(EFFECT_S, lambda: status_of("one").strategy_hash != before)
    soon(lambda: not holder.problem("one"))
    assert dict(status_of("one").positions) == {"ONE": 10.0}


@pytest.mark.slow
def test_a_strategy_without_position_begins_anew_where_the_new_one_cannot_carry_on(
    running: Served, store: SqliteStore
) -> None:
    store.put(row("calm", HOLDER.replace("right: 0", "right: 100000")))
    soon(lambda: running.runs("calm") and any(each["kind"] == "bar" for each in _events("calm")))
    store.put(row("calm", HOLDER.replace("seed: 3", "seed: 4")))
    soon(lambda: (workers_folder() / "calm" / "previous" / LOG).exists() and running.runs("calm"))
    soon(lambda: holds("calm"))
    assert not running.problem("calm")
    registered = registered_worker("calm")
    assert registered is not None
    assert "seed: 4" in registered.config.text


@pytest.mark.slow
def test_rows_that_changed_while_nothing_ran_are_changed_when_it_runs_again(store: SqliteStore) -> None:
    store.put(row("one", HOLDER))
    store.put(row("two"))
    with served(store) as first:
        soon(lambda: first.runs("one") and first.runs("two"))
        soon(lambda: holds("one"))
    store.put(row("one", HOLDER.replace("percent: 90", "percent: 80")))
    store.disable("two")
    with served(store) as second:
        soon(lambda: second.state("two") == "stopped")
        soon(lambda: any("The strategy was changed between two bars" in each for each in notices("one")))
        soon(lambda: second.runs("one"))
    assert dict(status_of("one").positions) == {"ONE": 10.0}
    assert not (workers_folder() / "one" / "previous").exists()


@pytest.mark.slow
def test_a_user_who_stops_a_worker_is_obeyed_until_the_row_changes(running: Served, store: SqliteStore) -> None:
    running.orchestrator.stop(["one"])
    soon(lambda: running.state("one") == "stopped")
    store.put(row("two"))
    soon(lambda: running.runs("two"))
    assert running.state("one") == "stopped"
    store.put(row("one", LONG.replace("timeperiod: 8", "timeperiod: 12")))
    soon(lambda: running.runs("one"))


@pytest.mark.slow
def test_other_options_of_the_feed_open_it_again_and_a_change_outside_the_rules_is_said(
    running: Served, store: SqliteStore
) -> None:
    store.put(row("one", feed="replay:300000x"))
    soon(lambda: running.runs("one", feed="replay:300000x"))
    assert not (workers_folder() / "one" / "previous").exists()
    store.put(row("one", feed="ccxt:binance,url=http://127.0.0.1:1"))
    soon(lambda: "The feed 'ccxt:binance,url=http://127.0.0.1:1' is not allowed for rows" in running.problem("one"))
    assert running.runs("one", feed="replay:300000x")


@pytest.mark.slow
@pytest.mark.skipif(find_spec("backtrader") is None, reason="an extra")
def test_a_row_of_the_first_generation_runs_a_class_and_starts_it_anew_when_it_changes(store: SqliteStore) -> None:
    allow("bt_workers", ROOT / "tests" / "support" / "own_strategies")
    document = {
        "user_id": "u1",
        "symbol": "AAPL",
        "strategy_key": "count",
        "enabled": True,
        "engine": "backtrader",
        "engine_class": "bt_workers.Counting",
        "params": {},
    }
    store.put(row_of(document))
    store.put(row_of({**document, "strategy_key": "other", "engine_class": "os.Counting"}))
    with served(store, RowRules(feed="synthetic:1000000x")) as found:
        soon(lambda: found.runs("u1_AAPL_count"), found.reload.status)
        assert "is not allowed: a class is code" in found.problem("u1_AAPL_other")
        first = found.orchestrator.workers()["u1_AAPL_count"]
        store.put(row_of({**document, "feed": "synthetic:900000x"}))
        soon(lambda: found.runs("u1_AAPL_count") and found.orchestrator.workers()["u1_AAPL_count"] is not first)
        store.disable("u1_AAPL_count")
        soon(lambda: found.state("u1_AAPL_count") == "stopped")
    with served(store, RowRules(engines=("vnpy",))) as found:
        store.enable("u1_AAPL_count")
        soon(lambda: "turned off by the configuration" in found.problem("u1_AAPL_count"))
