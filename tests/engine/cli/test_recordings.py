"""`recording`, `replay`, `events` and `trades`: of workers that ran, that wait, and whose log is damaged."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from quantcrafter.engine.cli.main import main
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.orchestrator.registry import register
from quantcrafter.engine.orchestrator.worker_config import WorkerConfig
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from tests.support.live_cases import STOPPED


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    (tmp_path / "small.yaml").write_text(STOPPED, encoding="utf-8")
    assert main(["start", str(tmp_path / "small.yaml"), "--feed", "replay:max", "--until-end", "-q"]) == 0
    return tmp_path


def test_a_recording_is_played_and_gives_state_and_commands_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flight = str(folder / "one.qcflight")
    assert main(["recording", "small", flight]) == 0
    texts = []
    for name in ("a", "b"):
        outputs, state = folder / f"{name}.jsonl", folder / f"{name}.json"
        assert main(["replay", flight, "--outputs", str(outputs), "--state", str(state)]) == 0
        assert "outputs and the state are those of the recording" in capsys.readouterr().err
        texts.append((outputs.read_bytes(), state.read_bytes()))
    assert texts[0] == texts[1]
    with InputLog.read(workers_folder() / "small" / LOG) as log:
        kept, recorded = log.kept(), list(log.outputs())
    assert kept is not None
    assert texts[0][1].decode() == kept.state + "\n"
    lines = [json.loads(line) for line in texts[0][0].splitlines()]
    assert [(each["seq"], each["n"], each["kind"], each["body"]) for each in lines] == [
        (seq, n, each.kind, dict(each.body)) for seq, n, each in recorded
    ]
    with sqlite3.connect(flight) as connection:
        (seq,) = connection.execute("SELECT seq FROM outputs WHERE kind = 'filled' LIMIT 1").fetchone()
        connection.execute("UPDATE outputs SET body = '{}' WHERE seq = ? AND kind = 'filled'", (seq,))
    connection.close()
    assert main(["replay", flight]) == 3
    assert f"what came out of the inputs {seq} is not what is recorded" in capsys.readouterr().err
    assert main(["replay", str(folder / "absent.qcflight")]) == 1
    assert "There is no log" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"bars, and no recording" * 100, b""])
def test_a_file_that_is_no_recording_is_refused_as_a_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    (tmp_path / "cut.qcflight").write_bytes(content)
    assert main(["replay", str(tmp_path / "cut.qcflight")]) == 1
    said = capsys.readouterr().err
    assert "recording" in said
    assert "quantcrafter recording WORKER OUT.qcflight" in said
    assert "start the worker anew" not in said
    assert (tmp_path / "cut.qcflight").read_bytes() == content


def test_a_damaged_log_is_refused_and_what_can_be_read_is_saved(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, flight = workers_folder() / "small" / LOG, folder / "some.qcflight"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'inputs'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    pages = path.read_bytes()
    # The children of the table's root page: the last one is damaged.
    page = pages[(root - 1) * size : root * size]
    count = int.from_bytes(page[3:5])
    cell = int.from_bytes(page[12 + 2 * (count // 2) : 14 + 2 * (count // 2)])
    child = int.from_bytes(page[cell : cell + 4])
    path.write_bytes(pages[: (child - 1) * size] + b"\x55" * size + pages[child * size :])

    assert main(["recording", "small", str(flight)]) == 1
    said = capsys.readouterr().err
    assert "is damaged. " in said
    assert "inputs of it can be read, up to 2010-" in said
    assert "quantcrafter recording small OUT.qcflight --readable" in said
    assert list(folder.glob("*some*")) == []
    assert main(["recording", "small", str(flight), "--readable"]) == 0
    assert main(["recording", "small", str(flight), "--readable"]) == 1
    assert "exists already" in capsys.readouterr().err
    with InputLog.read(flight) as log:
        assert 5 < log.last_seq < 150
    assert main(["replay", str(flight)]) == 0
    path.write_bytes(b"\x55" * len(pages))
    assert main(["recording", "small", str(folder / "none.qcflight")]) == 1
    assert "Nothing of its inputs can be read." in capsys.readouterr().err


def test_a_file_that_can_not_be_written_is_named_and_not_the_log(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("recording", "trades"):
        for place in (folder / "small.yaml" / "out", folder / "small.yaml" / "a" / "out", folder):
            assert main([command, "small", str(place)]) == 1
            said = capsys.readouterr().err
            assert str(place) in said
            assert "can't be used: " in said or "can't be written" in said or "exists already" in said
            assert "log.db" not in said
            assert "Traceback" not in said


def test_every_command_makes_the_missing_folders_of_what_it_writes(folder: Path) -> None:
    for command, name in (("recording", "a/one.qcflight"), ("recording", "b/one.qcflight"), ("trades", "c/d/one.csv")):
        readable = ["--readable"] if name.startswith("b") else []
        assert main([command, "small", str(folder / name), *readable]) == 0
        assert (folder / name).stat().st_size > 0


def test_a_worker_that_waits_has_nothing_yet_and_that_is_no_error(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = load_text(STOPPED, load_registry())
    register(WorkerConfig.of(graph, "waiting", feed="replay:60x", broker="paper", mode="paper"))
    out = folder / "out"
    for command in (["events", "waiting"], ["recording", "waiting", str(out)], ["trades", "waiting", str(out)]):
        assert main(command) == 0
        said = capsys.readouterr()
        assert "The worker 'waiting' has not begun yet" in said.err
        assert said.out == ""
    assert not out.exists()
    assert main(["events", "waitin"]) == 1
    assert "Did you mean 'waiting'?" in capsys.readouterr().err


def test_folders_that_can_not_be_used_are_named_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "small.yaml").write_text(STOPPED, encoding="utf-8")
    start = ["start", str(tmp_path / "small.yaml")]
    for name, commands in (
        ("workers", (["status"], ["events", "a"], ["pause", "a"], ["logs", "a"], [*start, "-q"], ["stop", "a"])),
        ("orchestrator", ([*start, "--detach"], [*start, "-q"])),
    ):
        place = tmp_path / f"home of {name}"
        place.mkdir()
        (place / name).touch()
        monkeypatch.setenv("QUANTCRAFTER_HOME", str(place))
        for command in commands:
            assert main(command) == 1
            said = capsys.readouterr().err
            assert str(place / name) in said
            assert "can't" in said
            assert "QUANTCRAFTER_HOME" in said
            assert "traceback" not in said.lower()
