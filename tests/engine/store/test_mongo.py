"""Strategies in a MongoDB: a server with its real protocol, which goes away, comes back, and refuses change streams."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pymongo
import pymongo.errors
import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.store.mongo import MongoStore
from quantcrafter.engine.store.rows import StoreError, StrategyRow
from quantcrafter.engine.store.store import Removal, open_store
from tests.support.mongo_server import MongoServer, mongo_server

DOCUMENT = {
    "user_id": "u1",
    "symbol": "002050.SZ",
    "strategy_key": "hidden_dragon",
    "enabled": True,
    "engine": "native",
    "params": {"limit_up_rate": 0.1},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    with mongo_server(tmp_path_factory.mktemp("mongo") / "server") as found:
        yield found


@pytest.fixture
def store(server: MongoServer, request: pytest.FixtureRequest) -> Iterator[MongoStore]:
    with closing(MongoStore(server.uri, "quant", f"rows_{abs(hash(request.node.name))}")) as made:
        yield made


@pytest.fixture
def rows(server: MongoServer, store: MongoStore) -> Iterator[Any]:
    """Give the collection, as another program has it."""
    with pymongo.MongoClient[dict[str, Any]](server.uri) as client:
        yield client["quant"][store.place.rpartition(".")[2]]


def test_documents_are_rows_and_rows_are_documents(rows: Any, store: MongoStore) -> None:
    rows.insert_one(dict(DOCUMENT))
    rows.insert_one({"symbol": "X", "enable": True})
    key = "u1_002050.SZ_hidden_dragon"
    found = store.get(key).row
    assert found is not None
    assert dict(found.params) == {"limit_up_rate": 0.1}
    assert any("'strategy_key' is missing" in said for key, said in store.problems().items() if key.startswith("row-"))
    store.put(found.model_copy(update={"params": {"limit_up_rate": 0.2}}))
    assert rows.count_documents({}) == 2
    store.put(StrategyRow(symbol="Y", strategy_key="turtle"))
    store.put(StrategyRow(symbol="Y", strategy_key="turtle", live=True))
    assert rows.count_documents({}) == 3
    store.disable(key)
    disabled = store.get(key).row
    assert disabled is not None
    assert (disabled.enabled, dict(disabled.params)) == (False, {"limit_up_rate": 0.2})
    store.enable(key)
    store.remove(key, flatten=True)
    assert store.removals() == {key: Removal(key, flatten=True)}
    store.put(StrategyRow(**DOCUMENT))
    assert store.removals() == {}
    with pytest.raises(RunError, match=r"no strategy 'Y_turtl'\. Did you mean 'Y_turtle'"):
        store.enable("Y_turtl")


def changed_while_waiting(store: MongoStore, change: Any) -> bool:
    """Return whether a store that waits notices a change."""
    while store.wait(0.7):
        if not store._has_streams:
            break
    before = store.revision()
    timer = threading.Timer(0.3, change)
    timer.start()
    noticed = store.wait(20.0)
    timer.join()
    assert not store._has_streams or store.revision() != before
    return noticed


def test_changes_are_told_by_a_change_stream(rows: Any, store: MongoStore) -> None:
    rows.insert_one({"symbol": "A", "strategy_key": "t"})
    assert changed_while_waiting(store, lambda: rows.insert_one({"symbol": "B", "strategy_key": "t"}))
    assert store._has_streams
    assert changed_while_waiting(store, lambda: rows.delete_one({"symbol": "B"}))
    assert not store.wait(0.3)


def test_a_server_that_refuses_change_streams_is_asked_instead(
    rows: Any, store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:  # as a standalone mongod does, which the test's server does not
        raise pymongo.errors.OperationFailure(
            "The $changeStream stage is only supported on replica sets", 40573, {"code": 40573}
        )

    monkeypatch.setattr(pymongo.collection.Collection, "watch", refuse)
    rows.insert_one({"symbol": "A", "strategy_key": "t"})
    assert changed_while_waiting(store, lambda: rows.insert_one({"symbol": "B", "strategy_key": "t"}))
    assert not store._has_streams
    assert [each.key for each in store.list()] == ["A_t", "B_t"]


@pytest.mark.slow
def test_a_server_that_is_away_is_said_without_its_password_and_used_again_when_it_is_back(tmp_path: Path) -> None:
    with mongo_server(tmp_path / "server") as server:
        place = server.uri.replace("mongodb://", "mongodb://me:geheim@")
        with closing(MongoStore(server.uri, "quant", "rows")) as store:
            store.put(StrategyRow(symbol="A", strategy_key="t"))
            assert store.wait(5.0)
            server.stop()
            with pytest.raises(StoreError, match="can't be used"):
                store.list()
            with pytest.raises(StoreError, match="can't be used"):
                store.wait(5.0)
            away = open_store(place, database="quant")
            assert "geheim" not in away.place
            with pytest.raises(StoreError, match="strategy store 'mongodb://127") as error:
                away.list()
            assert "geheim" not in str(error.value)
            away.close()
            with pytest.raises(StoreError, match="is closed"):
                away.list()
            server.start()
            assert [each.key for each in store.list()] == ["A_t"]


def test_why_a_server_can_not_be_used_is_one_sentence_without_what_logs_in(caplog: pytest.LogCaptureFixture) -> None:
    options = "authMechanismProperties=SERVICE:geheim,NOSUCH:geheim"
    with (
        warnings.catch_warnings(record=True) as heard,
        closing(MongoStore(f"mongodb://me:geheim@127.0.0.1:9,127.0.0.1:10/?{options}", "quant", "rows")) as store,
    ):
        warnings.simplefilter("always")
        with pytest.raises(StoreError) as error:
            store.list()
    assert not heard
    assert "that pymongo doesn't know" in caplog.text
    assert "geheim" not in f"{error.value}{caplog.text}"
    assert len(str(error.value)) < 200
    assert "Topology" not in str(error.value)


@pytest.mark.slow
def test_a_server_that_answers_a_login_with_nonsense_is_an_unusable_store(server: MongoServer) -> None:
    place = server.uri.replace("mongodb://", "mongodb://me:geheim@")
    with closing(MongoStore(place, "quant", "rows")) as store:
        for use in (store.list, lambda: store.wait(1.0)):
            with pytest.raises(StoreError, match="can't be used") as error:
                use()
            assert "geheim" not in str(error.value)
