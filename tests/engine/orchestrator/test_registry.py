"""The registry of workers: one whose file is garbage is named, and the others go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quantcrafter.engine.cli.main import main
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.orchestrator.orchestrator import Orchestrator
from quantcrafter.engine.orchestrator.registry import REGISTERED, register, registered_workers, unreadable_workers, want
from quantcrafter.engine.orchestrator.worker_config import WorkerConfig
from quantcrafter.engine.orchestrator.worker_listing import every_worker
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from tests.support.live_cases import STOPPED


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))


def config_of(key: str) -> WorkerConfig:
    graph = load_text(STOPPED, load_registry())
    return WorkerConfig.of(graph, key, feed="replay:60x", broker="paper", mode="paper")


def garbage() -> list[bytes]:
    register(config_of("one"))
    path = workers_folder() / "one" / REGISTERED
    good = json.loads(path.read_text(encoding="utf-8"))
    config = good["config"]
    values: list[object] = [
        *([], 5, {}, {"wanted": True}, {"wanted": True, "config": 5}, {**good, "config": {**config, "colour": "red"}}),
        *({**good, "config": {**config, "key": 5}}, {**good, "config": {**config, "key": "another"}}),
        *({**good, "config": {**config, "overrides": [5]}}, {**good, "config": {**config, "text": None}}),
    ]
    return [b"", b"\xff\xfe", b"{", b"[" * 100_000, *(json.dumps(each).encode() for each in values)]


def test_a_file_that_is_garbage_is_named_with_a_remedy_and_the_others_stay(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    register(config_of("two"), wanted=False)
    for content in garbage():
        path = workers_folder() / "one" / REGISTERED
        path.write_bytes(content)
        assert list(registered_workers()) == ["two"]
        (reason,) = unreadable_workers().values()
        assert REGISTERED in reason
        assert "the worker 'one' doesn't run. Start its strategy file again, or remove that file." in reason
        assert len(reason) < 500
        assert "Error" not in reason
        assert "codec" not in reason
        want("one", wanted=True)
        assert path.read_bytes() == content
        found = every_worker(None)
        assert (found["one"]["state"], found["one"]["error"], found["two"]["state"]) == ("error", reason, "created")
    Orchestrator().open().close()
    assert sum("'one' doesn't run" in record.getMessage() for record in caplog.records) == 1
    assert main(["status"]) == 0
    assert "error" in capsys.readouterr().out
    assert main(["events", "one"]) == 1
    assert "Start its strategy file again" in capsys.readouterr().err
    register(config_of("one"))
    assert sorted(registered_workers()) == ["one", "two"]
    assert unreadable_workers() == {}
