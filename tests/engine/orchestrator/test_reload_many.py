"""Hundreds of rows in either database: each change is in effect within two seconds while all run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from quantcrafter.engine.orchestrator.row_config import RowRules
from quantcrafter.engine.store.mongo import MongoStore
from quantcrafter.engine.store.rows import StrategyRow
from quantcrafter.engine.store.sqlite import SqliteStore
from quantcrafter.engine.store.store import StrategyStore
from tests.support.counts import sample
from tests.support.mongo_server import MongoServer, mongo_server
from tests.support.store_reload import EFFECT_S, HOLDER, Served, holds, row, served, soon, status_of, within

COUNT = sample(12, of=200)
START_S = 300.0
"""How long all of them may take to start."""
ROWS = [f"s{number:03}" for number in range(COUNT)]


def edited(name: str, percent: int) -> StrategyRow:
    return row(name, HOLDER.replace("percent: 90", f"percent: {percent}"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MongoServer]:
    with mongo_server(tmp_path / "server") as found:
        yield found


def check_changes(store: StrategyStore, found: Served, bad: StrategyRow) -> dict[str, float]:
    """Change rows one after another while the others run; return how long each took, in seconds."""
    took: dict[str, float] = {}
    for number, name in enumerate(ROWS[:: max(1, COUNT // 10)]):
        before = status_of(name)
        store.put(edited(name, 80 - number))
        took[f"edit {name}"] = soon(
            lambda name=name, before=before: status_of(name).strategy_hash != before.strategy_hash
        )
        assert dict(status_of(name).positions) == dict(before.positions) == {"ONE": 10.0}
    store.put(edited("new", 70))
    took["add"] = soon(lambda: found.runs("new"))
    store.disable("new")
    took["disable"] = soon(lambda: found.state("new") == "stopped")
    store.enable("new")
    took["enable"] = soon(lambda: found.runs("new"))
    store.put(bad)
    took["bad"] = soon(lambda: bool(found.problem(bad.key)), found.reload.status)
    store.remove("new", flatten=True)
    took["remove"] = soon(lambda: "new" not in found.orchestrator.workers())
    return took


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("kind", ["sqlite", "mongo"])
def test_changes_of_many_rows_are_in_effect_within_two_seconds(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    made: StrategyStore = SqliteStore(tmp_path / "strategies.db")
    if kind == "mongo":
        made = MongoStore(request.getfixturevalue("server").uri, "quant", "rows")
    with closing(made) as store:
        for name in ROWS:
            store.put(edited(name, 90))
        with served(store, RowRules(feed="replay:100000x")) as found:
            within(START_S, lambda: all(map(holds, ROWS)), found.reload.status)
            took = check_changes(store, found, row("broken", HOLDER.replace("timeperiod: 3", "timeperiod: -3")))
            assert all(found.runs(name) for name in ROWS), found.orchestrator.status()
            assert list(found.reload.status()["problems"]) == ["broken"]
    late = {name: seconds for name, seconds in took.items() if seconds > EFFECT_S and name != "remove"}
    print({name: round(seconds, 2) for name, seconds in took.items()})  # noqa: T201 - figures for the reader
    assert not late  # a removal waits for the bar at which the position is closed
