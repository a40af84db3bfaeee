"""Backtests by the API: queued, watched, cancelled, refused with every problem, and read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.run_store.history import RunHistory
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.server.users import UserBook, UserRole
from tests.support.api_server import client
from tests.support.live_cases import STOPPED
from tests.support.supervised import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def api() -> Iterator[TestClient]:
    with client() as made:
        yield made


def queued(api: TestClient, strategy: str = STOPPED, **more: Any) -> str:
    answer = api.post("/runs", json={"strategy": strategy, **more})
    assert answer.status_code == 202
    return str(answer.json()["id"])


def over(api: TestClient, key: str) -> dict[str, Any]:
    wait_until(lambda: api.get(f"/runs/{key}").json()["state"] not in ("queued", "running"))
    found: dict[str, Any] = api.get(f"/runs/{key}").json()
    return found


def test_a_run_gives_what_the_command_line_gives_and_is_in_the_history(api: TestClient) -> None:
    found = over(api, queued(api, overrides=["run.cash=5000"]))
    assert found["state"] == "done"
    expected = run(load_text(STOPPED, load_registry(), overrides=["run.cash=5000"]), registry=load_registry())
    assert found["result"]["metrics"]["net_profit"] == expected.metrics["net_profit"]
    assert found["result"]["metrics"]["trades"] == expected.metrics["trades"] != 0
    assert [each["id"] for each in api.get("/runs").json()["stored"]] == [found["run_id"]]
    report = api.get(f"/runs/{found['run_id']}/report")
    assert "sandbox allow-scripts" in report.headers["content-security-policy"]
    assert "<title>Small" in report.text
    assert RunHistory().get(found["run_id"]).settings["cash"] == 5000


def test_a_wrong_file_is_refused_with_every_problem_and_reads_nothing_outside(api: TestClient) -> None:
    wrong = STOPPED.replace("use: crossover", "use: crosover")
    found = over(api, queued(api, wrong))
    assert (found["state"], found["result"]) == ("failed", None)
    assert "crosover" in found["problems"][0]["message"]
    assert found["problems"][0]["line"] > 0
    outside = "quantcrafter: 1\nname: x\ninstruments:\n  - {symbol: A, data: csv, path: /etc/passwd, timeframe: 1d}\n"
    found = over(api, queued(api, outside))
    assert found["state"] == "failed"
    assert "root:" not in str(found)
    assert api.post("/runs", json={"strategy": STOPPED, "file": "/etc/passwd"}).status_code == 422


def test_overrides_read_nothing_outside(api: TestClient, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere" / "payroll.csv"
    secret.parent.mkdir()
    secret.write_text("date,open,high,low,close,volume\n2020-01-02,1,1,1,41234,1\n")
    inside = STOPPED.replace(
        "data: synthetic, timeframe: 1d, bars: 160, seed: 3", "data: csv, timeframe: 1d, path: x.csv"
    )
    found = over(api, queued(api, inside, overrides=[f"instruments.0.path={secret}"]))
    assert found["state"] == "failed"
    assert "outside the strategy's folder" in found["error"]
    assert "41234" not in str(found)


def test_runs_are_cancelled_before_and_while_they_run(api: TestClient) -> None:
    first = queued(api, STOPPED.replace("bars: 160", "bars: 4000"))
    second = queued(api)
    assert api.delete(f"/runs/{second}").json()["state"] == "cancelled"
    wait_until(lambda: api.get(f"/runs/{first}").json()["state"] == "running")
    api.delete(f"/runs/{first}")
    found = over(api, first)
    assert (found["state"], found["error"]) == ("cancelled", "")
    assert api.get(f"/runs/{second}").json()["state"] == "cancelled"
    assert RunHistory().list() == []


def test_users_see_their_own_runs_only(api: TestClient) -> None:
    key = queued(api)
    over(api, key)
    with client(token=UserBook().add("ann", UserRole.OPERATOR)) as other:
        assert other.get("/runs").json() == {"queue": [], "stored": []}
        assert other.get(f"/runs/{key}").status_code == 404
        assert other.delete(f"/runs/{key}").status_code == 404
        assert other.get("/runs/last").status_code == 404
    assert api.get("/runs/nothing/report").status_code == 404


def test_no_user_fills_the_queue(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantcrafter.engine.server.backtests.queue.RunQueue._work", lambda _: None)
    with client(token=UserBook().add("ann", UserRole.OPERATOR)) as other:
        answers = [other.post("/runs", json={"strategy": STOPPED}) for _ in range(21)]
        assert [each.status_code for each in answers] == [202] * 20 + [429]
        assert "of your runs are waiting" in answers[-1].json()["error"]
    assert api.post("/runs", json={"strategy": STOPPED}).status_code == 202
