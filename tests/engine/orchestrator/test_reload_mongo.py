"""A MongoDB that goes away, comes back empty, and refuses change streams: what runs goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pymongo
import pymongo.errors
import pytest

from quantcrafter.engine.store.mongo import MongoStore
from tests.support.mongo_server import MongoServer, mongo_server
from tests.support.store_reload import HOLDER, holds, row, served, soon, status_of


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MongoServer]:
    with mongo_server(tmp_path / "server") as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("streams", [True, False], ids=["change streams", "asked every second"])
def test_a_database_that_goes_away_and_comes_back_empty_changes_nothing_that_runs(
    server: MongoServer, *, streams: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:  # as a standalone mongod does, which the test's server does not
        raise pymongo.errors.OperationFailure("The $changeStream stage is only supported on replica sets", 40573)

    if not streams:
        monkeypatch.setattr(pymongo.collection.Collection, "watch", refuse)
    with closing(MongoStore(server.uri, "quant", "watchlist_strategies")) as store:
        store.put(row("one", HOLDER))
        with served(store) as found:
            soon(lambda: holds("one"), found.reload.status)
            server.stop()
            soon(lambda: "can't be used" in found.reload.status()["error"], found.reload.status)
            assert found.runs("one")
            server.start()
            soon(lambda: not found.reload.status()["error"], found.reload.status)
            before = status_of("one").strategy_hash
            with pymongo.MongoClient[dict[str, Any]](server.uri) as other:
                rows = other["quant"]["watchlist_strategies"]
                rows.update_one(
                    {"strategy_key": "one"}, {"$set": {"strategy": HOLDER.replace("percent: 90", "percent: 80")}}
                )
            soon(lambda: status_of("one").strategy_hash != before, found.reload.status)
            server.stop()
            server.forget()
            server.start()
            soon(lambda: "no strategies any more" in found.reload.status()["error"], found.reload.status)
            assert found.runs("one")
            assert dict(status_of("one").positions) == {"ONE": 10.0}
            store.put(row("one", HOLDER.replace("percent: 90", "percent: 80")))
            soon(lambda: not found.reload.status()["error"], found.reload.status)
            store.remove("one", flatten=True)
            soon(lambda: "one" not in found.orchestrator.workers(), found.reload.status)
