"""Logs of workers: one line of JSON for each record, in the log of its worker, rotated and followed."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from quantcrafter.engine.orchestrator.worker_log import LOG_FILE, OLDER, LogFollower, WorkerLogs, last_lines, note_in

KEYS = ["timestamp", "level", "message", "logger_name", "module", "func_name", "line_no"]


def logger_to(logs: WorkerLogs) -> logging.Logger:
    made = logging.Logger("quantcrafter.test")  # noqa: LOG001 - one of its own, without the handlers of others
    made.addHandler(logs)
    return made


def texts(folder: Path, count: int = 1000) -> list[str]:
    return [json.loads(line)["message"] for line in last_lines(folder / LOG_FILE, count)]


def test_a_record_is_in_the_log_of_the_worker_that_is_served(tmp_path: Path) -> None:
    logs = WorkerLogs(tmp_path / "deep" / "rest.log")
    logger = logger_to(logs)
    with logs.serving(tmp_path / "a"):
        logger.info("one")
        with logs.serving(tmp_path / "b"):
            logger.warning("two %s", "ü\n")
        logger.debug("not shown")
    logger.info("nobody's")
    try:
        int("no")
    except ValueError:
        with logs.serving(tmp_path / "b"):
            logger.exception("three")
    note_in(tmp_path / "b", "four")
    logs.forget(tmp_path / "b")
    logs.close()
    assert texts(tmp_path / "a") == ["one"]
    first, second, third = map(json.loads, last_lines(tmp_path / "b" / LOG_FILE, 10))
    assert list(first) == KEYS
    assert (first["message"], first["level"], first["module"]) == ("two ü\n", "WARNING", "test_worker_log")
    assert first["func_name"] == "test_a_record_is_in_the_log_of_the_worker_that_is_served"
    assert first["timestamp"].endswith("+00:00")
    assert second["message"].startswith("three\nTraceback")
    assert (list(third), third["message"]) == (KEYS, "four")
    assert "nobody's" in (tmp_path / "deep" / "rest.log").read_text(encoding="utf-8")


def test_logs_are_rotated_and_read_across_their_files(tmp_path: Path) -> None:
    logs = WorkerLogs(tmp_path / "rest.log", most_bytes=2_000)
    logger, follower = logger_to(logs), LogFollower(tmp_path / LOG_FILE)
    seen: list[str] = []
    for number in range(100):
        with logs.serving(tmp_path):
            logger.info("line %s", number)
        seen += [json.loads(line)["message"] for line in follower.lines()]
        seen += [json.loads(line)["message"] for line in follower.lines()]
    follower.close()
    logs.close()
    assert seen == [f"line {number}" for number in range(100)]
    assert len(list(tmp_path.glob(f"{LOG_FILE}*"))) == 1 + OLDER
    found = texts(tmp_path)
    assert found == seen[-len(found) :]
    assert 30 < len(found) < 100
    assert texts(tmp_path, 12) == seen[-12:]
    assert last_lines(tmp_path / "nothing", 5) == []


def test_a_log_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    logs = WorkerLogs(tmp_path / "file" / "rest.log")
    logger_to(logs).error("lost")
    logs.close()
    note_in(tmp_path / "file", "lost too")
    assert (tmp_path / "file").read_text(encoding="utf-8") == ""
    if Path("/dev/full").exists():
        logs = WorkerLogs(Path("/dev/full"))
        logger_to(logs).error("lost")
        logs.close()
