"""The kill switch by the API, where the orchestrator is of no help."""

from __future__ import annotations

from quantcrafter.engine.live.places import workers_folder
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
