"""MultiStrategyOrchestrator: strategies from Python and from a store, which may fail without stopping anything."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.live.status_file import WorkerStatus, write_status
from quantcrafter.engine.orchestrator.class_host import class_at, path_of_class
from quantcrafter.engine.orchestrator.multi_strategy import MultiStrategyOrchestrator
from quantcrafter.engine.orchestrator.strategy_config import StrategyConfig
from quantcrafter.engine.orchestrator.worker_log import LOG_FILE, last_lines
from tests.support.live_cases import STOPPED
from tests.support.own_workers import CountingWorker, PlainEngine
from tests.support.supervised import SLOW, wait_until

LONG = STOPPED.replace("bars: 160", "bars: 4000")


@pytest.fixture
def strategies(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(LONG, encoding="utf-8")
    return tmp_path


Make = Callable[..., MultiStrategyOrchestrator]


@pytest.fixture
def made(strategies: Path) -> Iterator[Make]:
    """Make orchestrators that are stopped after the test."""
    found: list[MultiStrategyOrchestrator] = []

    def make(**options: Any) -> MultiStrategyOrchestrator:
        found.append(MultiStrategyOrchestrator(**{"strategies_folder": strategies, "feed": SLOW, **options}))
        return found[-1]

    yield make
    for each in found:
        each.stop_all()


def state(orchestrator: MultiStrategyOrchestrator, key: str) -> str:
    return str(orchestrator.get_status()["workers"].get(key, {}).get("state"))


@pytest.mark.slow
def test_strategies_are_added_run_and_removed(made: Make, tmp_path: Path) -> None:
    orchestrator = made(worker_factories={"own": CountingWorker, "plain": PlainEngine}, user_id="u")
    key = orchestrator.add_strategy("TWO", "small", params={"run.cash": 5000})
    own = orchestrator.add_strategy("002050.SZ", "counter", engine="own", params={"place": str(tmp_path)})
    plain = orchestrator.add_strategy("BTC/USDT", "engine", engine="plain")
    bad = orchestrator.add_strategy("X", "bad", engine="own", params={"place": str(tmp_path), "fail": True})
    off = orchestrator.add_strategy("OFF", "small", enabled=False)
    assert (key, own, plain) == ("u_TWO_small", "u_002050.SZ_counter", "u_BTC_USDT_engine")
    orchestrator.start_all()
    orchestrator.start_all()
    wait_until(lambda: all(state(orchestrator, each) == "running" for each in (key, own, plain)))
    wait_until(lambda: state(orchestrator, bad) == "error")
    status = orchestrator.get_status()
    assert (status["active_configs"], status["total_workers"], off in status["workers"]) == (4, 4, False)
    assert (status["lifecycle"]["active_workers"], status["lifecycle"]["stopped_workers"]) == (3, 1)
    assert "it counts too far" in status["workers"][bad]["error"]
    assert json.dumps(status)
    wait_until(lambda: orchestrator.get_status()["workers"][own]["stats"].get("count", 0) > 10)
    assert orchestrator.get_status()["workers"][own]["stats"]["never"] is None
    wait_until(lambda: orchestrator.get_status()["workers"][plain]["stats"])
    log = [json.loads(line)["message"] for line in last_lines(workers_folder() / plain / LOG_FILE, 10)]
    assert "The worker began." in log

    with pytest.raises(RunError, match=r"'u_002050\.SZ_counter' holds 7 of 002050\.SZ"):
        orchestrator.remove_strategy("002050.SZ", "counter")
    orchestrator.remove_strategy("BTC/USDT", "engine")
    wait_until(lambda: plain not in orchestrator.get_status()["workers"])
    with pytest.raises(RunError, match=r"no strategy 'u_TWO_smal'\. Did you mean 'u_TWO_small'"):
        orchestrator.remove_strategy("TWO", "smal")
    for wrong in ((None, "small"), (None, None), (5, None), ("TWO", 5)):
        with pytest.raises(RunError, match=r"^The (symbol|strategy key) of a strategy must be text, was (None|5)\."):
            orchestrator.remove_strategy(*wrong)
    orchestrator.stop_all()
    assert json.loads((tmp_path / f"{own}.json").read_text(encoding="utf-8")) > 10
    again = made(worker_factories={"own": CountingWorker}, user_id="u")
    again.add_strategy("002050.SZ", "counter", engine="own", params={"place": str(tmp_path)})
    again.start_all()
    wait_until(lambda: again.get_status()["workers"].get(own, {}).get("stats", {}).get("count", 0) > 10)
    assert key not in again.get_status()["workers"]


@pytest.mark.slow
@pytest.mark.logs_errors
def test_a_store_that_fails_or_is_suddenly_empty_changes_nothing(made: Make) -> None:
    rows: list[Any] = [{"symbol": "TWO", "strategy_key": "small"}, {"symbol": "X", "strategy_key": "no such file"}]
    broken = False

    def store() -> list[Any]:
        if broken:
            raise OSError("the database is gone")
        return rows

    orchestrator = made(store=store, auto_reload_interval=0)
    assert len(orchestrator.load_configurations()) == 2
    orchestrator.start_all()
    wait_until(lambda: state(orchestrator, "TWO_small") == "running")
    broken = True
    orchestrator.sync_workers()
    broken, before = False, rows
    rows = []
    orchestrator.sync_workers()
    assert state(orchestrator, "TWO_small") == "running"
    rows = [*before, {"symbol": "THREE", "strategy_key": "small"}]
    orchestrator.sync_workers()
    wait_until(lambda: state(orchestrator, "THREE_small") == "running")
    rows = rows[1:]
    orchestrator.sync_workers()
    wait_until(lambda: "TWO_small" not in orchestrator.get_status()["workers"])
    assert state(orchestrator, "THREE_small") == "running"


def test_the_status_says_whether_any_schedule_has_a_session_now(made: Make) -> None:
    orchestrator = made()
    assert orchestrator.get_status()["lifecycle"]["is_trading_time"] is False
    now = datetime.now(UTC)
    later = f"{now + timedelta(hours=3):%H:%M}-{now + timedelta(hours=4):%H:%M}"
    orchestrator.add_strategy("ONE", "small", params={"run.schedule.weekly": [f"daily {later}"]})
    assert orchestrator.get_status()["lifecycle"]["is_trading_time"] is False
    orchestrator.add_strategy("TWO", "small")
    assert orchestrator.get_status()["lifecycle"]["is_trading_time"] is True
    orchestrator.remove_strategy("TWO", "small")
    assert orchestrator.get_status()["lifecycle"]["is_trading_time"] is False


def test_what_cannot_be_added_is_refused_with_a_reason(made: Make, strategies: Path) -> None:
    orchestrator = made()
    with pytest.raises(RunError, match="no workers of the engine 'zipline'; there are backtrader, native, vnpy"):
        orchestrator.add_strategy("002050.SZ", "hidden_dragon", engine="zipline")
    with pytest.raises(RunError, match="There is no strategy 'large'"):
        orchestrator.add_strategy("ONE", "large")
    orchestrator.add_strategy("ONE", str(strategies / "small.yaml"))
    folder = workers_folder() / "ONE_small"
    folder.mkdir(parents=True)
    for position in (3.0, 0.0):
        write_status(folder, WorkerStatus("stopped", "paper", "s", "ONE", "", 0, 0, position=position))
        if position:
            with pytest.raises(RunError, match="holds 3 of ONE"):
                orchestrator.remove_strategy("ONE_small")
    orchestrator.sync_workers()
    orchestrator.remove_strategy("ONE_small")
    with pytest.raises(RunError, match="can't be imported"):
        class_at("tests.support.own_workers:Nothing")
    assert class_at(path_of_class(CountingWorker)) is CountingWorker
    with pytest.raises(RunError, match="Define it in a module"):
        path_of_class(lambda: None)
    assert StrategyConfig("A/B", "x.yaml").key == "A_B_x"


def test_rows_of_a_database_are_those_of_the_user(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymongo", None)
    with pytest.raises(RunError, match="pip install pymongo"):
        made(mongo_uri="mongodb://nowhere")
    asked: list[Any] = []

    class Client(dict[str, Any]):
        def __missing__(self, name: str) -> Any:
            asked.append(name)
            return self

        def find(self, wanted: Any) -> list[Any]:
            asked.append(wanted)
            return [{"symbol": "ONE", "strategy_key": "small"}]

    monkeypatch.setitem(sys.modules, "pymongo", SimpleNamespace(MongoClient=lambda *_, **__: Client()))
    orchestrator = made(mongo_uri="mongodb://here", mongo_db="db", user_id="u")
    assert orchestrator.load_configurations() == [{"symbol": "ONE", "strategy_key": "small"}]
    assert asked == ["db", "watchlist_strategies", {"user_id": "u"}]
