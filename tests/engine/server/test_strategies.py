"""The store, the figures and the paths of the first generation by the API."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from quantcrafter.engine.api.home import home
from quantcrafter.engine.cli.main import main
from quantcrafter.engine.live.api_files import api_token
from quantcrafter.engine.orchestrator.control import ControlServer
from quantcrafter.engine.server.settings import ApiSettings
from quantcrafter.engine.server.users import UserBook, UserRole
from quantcrafter.engine.store.bundle import bundle_of
from quantcrafter.engine.store.rows import row_of
from tests.support.api_server import client, registered, served
from tests.support.live_cases import STOPPED

ROW = {"symbol": "AAPL", "strategy_key": "turtle", "params": {"run.cash": 5000}}


@pytest.fixture
def api() -> Iterator[TestClient]:
    with client() as made:
        yield made


def test_rows_are_put_switched_and_removed(api: TestClient) -> None:
    assert api.get("/store").json()["strategies"] == []
    made = api.put("/store", json=ROW).json()
    assert (made["key"], made["enabled"], made["params"]) == ("AAPL_turtle", True, {"run.cash": 5000})
    assert api.post("/store/AAPL_turtle/disable").json()["enabled"] is False
    assert api.post("/store/AAPL_turtle/enable").json()["enabled"] is True
    assert [each["key"] for each in api.get("/store").json()["strategies"]] == ["AAPL_turtle"]
    assert api.delete("/store/AAPL_turtle", params={"flatten": True}).json() == {"removed": "AAPL_turtle"}
    answer = api.get("/store/AAPL_turtle")
    assert answer.status_code == 400
    assert "has no strategy" in answer.json()["error"]
    assert api.put("/store", json={**ROW, "enabeld": False}).status_code == 422


def test_users_change_their_own_rows_only(api: TestClient) -> None:
    api.put("/store", json=ROW)
    with client(token=UserBook().add("ann", UserRole.OPERATOR)) as other:
        assert other.get("/store").json()["strategies"] == []
        assert other.put("/store", json=ROW).status_code == 403
        assert other.put("/store", json={**ROW, "user_id": "ann", "live": True}).status_code == 403
        assert other.put("/store", json={**ROW, "user_id": "ann"}).json()["key"] == "ann_AAPL_turtle"
        assert [each["key"] for each in other.get("/store").json()["strategies"]] == ["ann_AAPL_turtle"]
        for path in ("AAPL_turtle", "none"):
            assert other.post(f"/store/{path}/disable").status_code == 403
            assert other.delete(f"/store/{path}").status_code == 403
    assert len(api.get("/store").json()["strategies"]) == 2


def test_a_strategy_is_pushed_from_another_folder_with_its_files(
    api: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(STOPPED, encoding="utf-8")
    bundle = bundle_of(file, row_of({"strategy_key": "mine"}))
    assert api.post("/store/push", json=bundle).json() == {"key": "mine", "files": 0}
    assert api.get("/store/mine").json()["strategy"] == STOPPED
    unknown = bundle | {"row": bundle["row"] | {"strategy": STOPPED.replace("use: crossover", "use: mine.wonder")}}
    answer = api.post("/store/push", json=unknown)
    assert answer.status_code == 422
    assert "mine.wonder" in answer.json()["error"]
    assert api.post("/store/push", json={"version": 9}).status_code == 400
    with client(token=UserBook().add("ann", UserRole.OPERATOR)) as other:
        assert other.post("/store/push", json=bundle).status_code == 403
    with served(home()) as base:
        monkeypatch.setenv("QUANTCRAFTER_PUSH_TOKEN", api_token())
        assert main(["store", "push", str(file), "--key", "again", "--to", base]) == 0
    assert [each["key"] for each in api.get("/store").json()["strategies"]] == ["again", "mine"]


def test_problems_of_rows_are_in_the_status_and_on_the_page(api: TestClient) -> None:
    api.put("/store", json=ROW)
    with closing(sqlite3.connect(home() / "strategies.db")) as connection, connection:
        connection.execute("UPDATE strategies SET params = 'no json'")
    assert "is not JSON" in api.get("/status").json()["store"]["problems"]["AAPL_turtle"]
    assert "is not JSON" in api.get("/", headers={"accept": "text/html"}).text


def figures(api: TestClient) -> dict[str, list[tuple[dict[str, str], float]]]:
    text = api.get("/metrics").text
    return {
        each.name: [(sample.labels, sample.value) for sample in each.samples]
        for each in text_string_to_metric_families(text)
    }


def test_figures_keep_paper_and_live_apart(api: TestClient) -> None:
    registered('pa"per')
    registered("real", mode="live")
    found = figures(api)
    assert found["quantcrafter_orchestrator_up"] == [({}, 0.0)]
    assert found["quantcrafter_worker_up"] == [
        ({"worker": 'pa"per', "symbol": "AAPL", "mode": "paper"}, 0.0),
        ({"worker": "real", "symbol": "AAPL", "mode": "live"}, 0.0),
    ]
    created = [each for each in found["quantcrafter_workers"] if each[0]["state"] == "created"]
    assert created == [({"state": "created", "mode": "live"}, 1.0), ({"state": "created", "mode": "paper"}, 1.0)]


def test_figures_have_a_port_of_their_own_or_are_switched_off(free_port: int) -> None:
    registered("one")
    with client(ApiSettings(figures_port=free_port)):
        text = httpx2.get(f"http://127.0.0.1:{free_port}/metrics").text
        assert 'quantcrafter_worker_up{mode="paper",symbol="AAPL",worker="one"} 0.0' in text
    with client(ApiSettings(figures=False)) as api:
        assert api.get("/metrics").status_code == 404


@pytest.fixture
def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_the_paths_of_the_first_generation_are_served(api: TestClient) -> None:
    registered("one")
    found: dict[str, Any] = api.get("/api/status").json()
    assert (found["total_workers"], found["active_configs"]) == (1, 0)
    assert list(found["lifecycle"]) == [
        *("active_workers", "stopped_workers", "auto_start", "auto_stop", "is_trading_time", "last_events")
    ]
    worker = found["workers"]["one"]
    assert worker["alive"] is False
    assert worker["log_stream_url"].startswith("ws://")
    assert api.get("/api/workers").json()["workers"]["one"]["state"] == "created"
    assert api.get("/api/workers/one").json()["key"] == "one"
    assert api.get("/api/workers/one/logs?tail=1").json()["lines"][0]["message"] == "first"
    assert api.get("/api/workers/one/console").headers["location"] == "/view/workers/one"
    assert api.get("/api/workers/two/console").status_code == 404


def test_a_refused_row_is_not_written_and_keys_of_users_do_not_collide(api: TestClient) -> None:
    api.put("/store", json={"symbol": "bob", "strategy_key": "IBM"})
    with client(token=UserBook().add("bob", UserRole.OPERATOR)) as bob:
        answer = bob.put("/store", json={"symbol": "", "strategy_key": "IBM", "user_id": "bob"})
        assert answer.status_code == 403
        assert "another strategy" in answer.json()["error"]
        registered("bob_MSFT")
        taken = {"symbol": "MSFT", "strategy_key": "t.yaml", "user_id": "bob"}
        assert bob.put("/store", json={**taken, "symbol": "", "strategy_key": "MSFT"}).status_code == 403
        assert bob.put("/store", json={**taken}).status_code == 200
    assert [each["symbol"] for each in api.get("/store").json()["strategies"]] == ["bob", "MSFT"]


def test_the_store_says_why_a_row_does_not_run(api: TestClient) -> None:
    api.put("/store", json=ROW)
    told = {"workers": {}, "pid": 1, "store": {"problems": {"AAPL_turtle": "It can't run here."}}}
    orchestrator = ControlServer(lambda _: told)
    try:
        assert api.get("/store").json()["strategies"][0]["problem"] == "It can't run here."
        assert api.get("/store/AAPL_turtle").json()["problem"] == "It can't run here."
    finally:
        orchestrator.close()
