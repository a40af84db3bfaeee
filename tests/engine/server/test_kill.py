"""The kill switch by the API, where the orchestrator is of no help."""

from __future__ import annotations

import threading
import time

import pytest

from quantcrafter.engine.cli.main import main
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.orchestrator.control import ControlServer
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from tests.support.api_server import client, registered
from tests.support.live_cases import STOPPED, worker_of
from tests.support.supervised import wait_until


def test_without_the_orchestrator_running_workers_are_killed_by_a_file() -> None:
    registered("other")
    worker = worker_of(load_text(STOPPED, load_registry()), workers_folder() / "alone")
    worker.start()
    try:
        with client() as api:
            assert api.post("/workers/alone/pause").status_code == 409
            assert api.post("/kill", json={"verb": "flatten"}).json() == {"answers": {"alone": ""}}
            assert (worker.folder / "kill").read_text(encoding="utf-8") == "flatten"
            found = api.post("/workers/other/kill", json={"verb": "stop"}).json()["answers"]
            assert found == {"other": "The worker 'other' is not running."}
        wait_until(lambda: worker.step() >= 0 and str(worker.state) == "reducing")
    finally:
        worker.close()


def test_an_orchestrator_that_hangs_delays_neither_the_kill_file_nor_the_status(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("engine.server.workers", "engine.orchestrator.control"):
        monkeypatch.setattr(f"quantcrafter.{module}.STATUS_S", 0.5)
    worker = worker_of(load_text(STOPPED, load_registry()), workers_folder() / "alone")
    worker.start()
    freed = threading.Event()
    hanging = ControlServer(lambda _: {"late": freed.wait(60.0)})
    try:
        with client() as api:
            began_s = time.monotonic()
            assert api.post("/workers/alone/kill", json={"verb": "no-entries"}).json() == {"answers": {"alone": ""}}
            assert time.monotonic() - began_s < 10.0
            assert (worker.folder / "kill").read_text(encoding="utf-8") == "no-entries"
            found = api.get("/status").json()
            assert time.monotonic() - began_s < 15.0
            assert found["orchestrator"]["running"] is True
            assert "does not respond" in found["orchestrator"]["error"]
            assert found["workers"]["alone"]["state"] == str(worker.state)
        (worker.folder / "kill").unlink()
        assert main(["kill", "no-entries", "alone"]) == 0
        assert (worker.folder / "kill").read_text(encoding="utf-8") == "no-entries"
        assert "does not respond" in capsys.readouterr().err
    finally:
        freed.set()
        hanging.close()
        worker.close()
