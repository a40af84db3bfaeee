"""`start` in the foreground and in the background, what it hands over, and how it is watched and stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from quantcrafter.engine.cli import orchestrating
from quantcrafter.engine.cli.main import main
from quantcrafter.engine.cli.orchestrating import in_background
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.orchestrator.control import ask
from quantcrafter.engine.orchestrator.orchestrator import Orchestrator, is_taken
from quantcrafter.engine.orchestrator.registry import register
from quantcrafter.engine.orchestrator.supervisor import orchestrator_folder
from quantcrafter.engine.orchestrator.worker_config import WorkerConfig
from quantcrafter.engine.orchestrator.worker_log import note_in
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_graph, load_text
from tests.support.live_cases import STOPPED, worker_of
from tests.support.orchestrators import cleaned_up, kill, started, told
from tests.support.supervised import SLOW, wait_until

pytestmark = pytest.mark.slow

KEYS = [
    *("state", "mode", "strategy", "symbol", "strategy_hash", "epoch", "started_at", "feed_age_s", "position"),
    *("pnl_today", "log_stream_url"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("QUANTCRAFTER_USER_ID", "")
    for name, bars in (("one", 4000), ("two", 4000)):
        (tmp_path / f"{name}.yaml").write_text(STOPPED.replace("bars: 160", f"bars: {bars}"), encoding="utf-8")
    return tmp_path


def status(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["status", "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert list(found) == ["workers", "base_url", "token_file", "store", "notices"]
    return found


def state(key: str, capsys: pytest.CaptureFixture[str]) -> str:
    return str(status(capsys)["workers"].get(key, {}).get("state"))


def is_in(expected: str, capsys: pytest.CaptureFixture[str]) -> bool:
    return state("one", capsys) == expected


def check_commands(capsys: pytest.CaptureFixture[str]) -> None:
    for command, expected in (("pause", "paused"), ("resume", "running"), ("kill no-entries", "reducing")):
        assert main([*command.split(), "one"]) == 0
        wait_until(partial(is_in, expected, capsys))
    assert main(["pause", "onne"]) == 1
    assert "There is no worker 'onne'" in capsys.readouterr().err
    assert main(["pause"]) == 2
    assert "name workers, or give --all" in capsys.readouterr().err
    assert main(["kill", "flatten", "--all"]) == 0
    assert "two: flatten" in capsys.readouterr().err
    assert main(["resume", "one"]) == 0


def check_logs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["logs", "two"]) == 0
    assert "INFO The worker is stopped." in capsys.readouterr().out
    assert main(["logs", "two", "--json", "-n", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["message"] == "The worker is stopped."
    assert main(["logs"]) == 0
    own = capsys.readouterr().out.splitlines()
    assert any(each.endswith("two: stopped") for each in own)
    assert [each for each in own if each != each.rstrip()] == []
    assert main(["status"]) == 0
    assert "running" in capsys.readouterr().out


def test_workers_run_are_handed_over_stopped_and_continued_after_a_kill(  # noqa: PLR0915 - one after the other
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = str(folder / "one.yaml"), str(folder / "two.yaml")
    with cleaned_up():
        with started(one, "--feed", SLOW, home=folder / "home") as process:
            wait_until(lambda: state("one", capsys) == "running")
            whole = status(capsys)
            assert list(whole["workers"]["one"]) == KEYS
            assert whole["base_url"] is None
            assert whole["token_file"] is None  # of the API, which is switched off

            assert main(["start", two, "--feed", SLOW]) == 0
            assert "'two' is handed over" in capsys.readouterr().err
            wait_until(lambda: state("two", capsys) == "running")
            assert main(["start", one, "--feed", SLOW]) == 0
            assert "'one' is running already" in capsys.readouterr().err
            assert main(["start", one, "--feed", SLOW, "--set", "run.cash=5"]) == 1
            assert "'one' runs with another strategy" in capsys.readouterr().err
            assert main(["start"]) == 1
            assert "running already" in capsys.readouterr().err
            assert len(told()["hosts"]) == 1

            check_commands(capsys)
            assert main(["stop", "two"]) == 0
            assert state("two", capsys) == "stopped"
            assert main(["stop", "tow"]) == 1
            assert "Did you mean 'two'?" in capsys.readouterr().err
            check_logs(capsys)
            kill(process)
        assert ask("status") is None
        assert state("one", capsys) == "stopped"
        assert main(["kill", "cancel", "one"]) == 1
        assert "'one' is not running" in capsys.readouterr().err
        for command in ("pause", "resume", "kill cancel"):
            assert main([*command.split(), "onne"]) == 1
            assert "There is no worker 'onne'. Did you mean 'one'?" in capsys.readouterr().err
        assert main(["kill", "cancel", "--all"]) == 0
        assert "No worker is running" in capsys.readouterr().err
        assert main(["status"]) == 0
        assert "No orchestrator is running" in capsys.readouterr().err

        assert main(["start", "--detach"]) == 0
        wait_until(lambda: state("one", capsys) == "running")
        assert state("two", capsys) == "stopped"
        assert main(["start", two, "--feed", SLOW, "--detach"]) == 0
        wait_until(lambda: state("two", capsys) == "reducing")  # what was asked holds until 'resume'
        os.kill(told()["pid"], signal.SIGTERM)  # as when the computer is shut down
        wait_until(lambda: ask("status") is None)
        assert main(["start", "--detach"]) == 0
        wait_until(lambda: state("two", capsys) == "reducing")
        assert main(["stop"]) == 0
        found = status(capsys)
        assert {each["state"] for each in found["workers"].values()} == {"stopped"}
        assert found["token_file"] is None
    assert main(["logs", "one"]) == 0
    assert "goes on after" in capsys.readouterr().out
    assert main(["start"]) == 1
    assert "There are no workers to continue" in capsys.readouterr().err
    assert main(["stop"]) == 0
    assert "No orchestrator is running" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_a_worker_without_the_orchestrator_is_reached_by_a_kill_file(capsys: pytest.CaptureFixture[str]) -> None:
    worker = worker_of(load_text(STOPPED, load_registry()), workers_folder() / "alone")
    worker.start()
    try:
        assert main(["pause", "alone"]) == 1
        assert "runs without the orchestrator" in capsys.readouterr().err
        assert main(["kill", "flatten", "alone"]) == 0
        assert "by the file" in capsys.readouterr().err
        assert (worker.folder / "kill").read_text(encoding="utf-8") == "flatten"
        wait_until(lambda: worker.step() >= 0 and str(worker.state) == "reducing")
    finally:
        worker.close()


def register_one(folder: Path, file: Path) -> WorkerConfig:
    graph = load_graph(file, load_registry())
    config = WorkerConfig.of(graph, "one", feed=SLOW, broker="paper", mode="paper")
    register(config, wanted=False)
    assert config.folder.is_relative_to(folder)
    return config


def test_a_registered_worker_that_has_not_begun_is_listed_and_keeps_its_key(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "other").mkdir()
    (folder / "other" / "one.yaml").write_text(STOPPED, encoding="utf-8")
    config = register_one(folder, folder / "one.yaml")
    found = status(capsys)["workers"]["one"]
    assert (list(found), found["state"], found["strategy"]) == (KEYS, "created", "Small")
    assert found["strategy_hash"] == config.strategy_hash
    assert main(["start", str(folder / "other" / "one.yaml")]) == 1
    assert "registered for" in capsys.readouterr().err

    monkeypatch.setattr(orchestrating, "is_terminal", lambda _: True)
    with orchestrating._shown() as show:
        show()
        show()
    assert "created" in capsys.readouterr().err
    monkeypatch.setattr(orchestrating, "is_terminal", lambda _: False)
    with orchestrating._shown() as show:
        show()
    assert "one: created, position 0.00, today 0.00" in capsys.readouterr().err


def test_a_log_is_followed_until_ctrl_c(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = register_one(folder, folder / "one.yaml")
    note_in(config.folder, "first")
    further = iter(["second", "third"])

    def sleep(_: float) -> None:
        try:
            note_in(config.folder, next(further))
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr("quantcrafter.engine.cli.controls.time.sleep", sleep)
    assert main(["logs", "one", "-f"]) == 130
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines] == ["first", "second", "third"]


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--detach", "--until-end"], "with --until-end it can't be used"), (["--until-end"], "--until-end needs a file")],
)
def test_wrong_combinations_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    files = [str(folder / "one.yaml")] if "--detach" in options else []
    assert main(["start", *files, *options]) == 2
    assert words in " ".join(capsys.readouterr().err.split())


@pytest.mark.usefixtures("folder")
def test_of_two_starts_in_the_background_the_later_one_tells_the_process_of_the_other(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, later, plain = [], [], subprocess.Popen

    def started_after_another(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        first.append(Orchestrator().open())
        later.append(plain(*arguments, **options))
        return later[0]

    monkeypatch.setattr(subprocess, "Popen", started_after_another)
    assert not is_taken(orchestrator_folder())
    try:
        in_background([], live=False, api=False)
        assert is_taken(orchestrator_folder())
        later[0].returncode = None  # the command doesn't wait for it
        assert later[0].wait(60.0) == 1
    finally:
        for each in first:
            each.close()
    assert f"(process {os.getpid()})" in capsys.readouterr().err


def test_a_worker_that_nobody_knows_cannot_be_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stop", "nope"]) == 1
    assert "There is no worker 'nope'" in capsys.readouterr().err


def test_a_start_in_the_foreground_ends_when_its_only_worker_has_failed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "absent.yaml"
    file.write_text(STOPPED.replace("data: synthetic", "data: store").replace(", bars: 160, seed: 3", ""))
    with cleaned_up():
        assert main(["start", str(file), "-q", "--user-id", "u1"]) == 1
    said = capsys.readouterr().err
    assert "error: The worker 'u1_absent' has failed: " in said
    assert ask("status") is None
    assert main(["start"]) == 1
    assert "There are no workers to continue" in capsys.readouterr().err
