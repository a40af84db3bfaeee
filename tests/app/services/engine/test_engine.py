"""The engine process as the desktop meets it: real processes, ended in every way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from quantcrafter.app.services.engine import Engine, Job, JobState
from quantcrafter.engine.runtime.compute_process.job_messages import Progressed
from quantcrafter.engine.runtime.compute_process.jobs import Failure, Request
from quantcrafter.engine.runtime.compute_process.jobs.run import RunOutcome, RunRequest
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from tests.support.command_line import ROOT, clean_environment
from tests.support.desktop import EXAMPLES
from tests.support.engine_jobs import Chatty, Count, Faulty, Stubborn

pytestmark = pytest.mark.logs_errors  # what fails here on purpose is logged

PATIENCE_MS = 240_000


@pytest.fixture
def engine(qapp: QApplication) -> Iterator[Engine]:
    made = Engine(qapp)
    yield made
    made.close()
    made.deleteLater()


def result_of(qtbot: QtBot, engine: Engine, request: Request) -> object:
    job = engine.submit(request)
    with qtbot.waitSignal(job.finished, timeout=PATIENCE_MS) as waited:
        pass
    return waited.args[0]


def failure_of(qtbot: QtBot, job: Job) -> Failure:
    with qtbot.waitSignal(job.failed, timeout=PATIENCE_MS) as waited:
        pass
    failure = waited.args[0]
    assert isinstance(failure, Failure)
    return failure


def wait_until_running(qtbot: QtBot, job: Job) -> None:
    qtbot.waitUntil(lambda: job.progress is not None, timeout=PATIENCE_MS)


def test_a_strategy_is_run_in_another_process_and_its_folder_comes_back(qtbot: QtBot, engine: Engine) -> None:
    text = (EXAMPLES / "golden_cross.yaml").read_text(encoding="utf-8")

    outcome = result_of(qtbot, engine, RunRequest(text, base_dir=str(EXAMPLES)))

    assert isinstance(outcome, RunOutcome)
    saved = RunFolder.open(outcome.folder)
    assert saved.id == outcome.id
    assert saved.strategy == "Golden cross"
    assert len(saved.trades) > 0
    assert engine.pid != os.getpid()


def test_jobs_wait_for_each_other_and_share_the_memory_of_the_process(qtbot: QtBot, engine: Engine) -> None:
    order: list[int] = []
    jobs = [engine.submit(Count(2, 0.05)) for _ in range(3)]
    for job in jobs:
        job.finished.connect(order.append)
    qtbot.waitUntil(lambda: engine.running is jobs[0])
    assert engine.waiting == tuple(jobs[1:])

    qtbot.waitUntil(lambda: len(order) == 3, timeout=PATIENCE_MS)

    assert order == [2, 4, 6]
    assert [job.state for job in jobs] == [JobState.DONE] * 3


def test_progress_tells_the_share_and_the_time_left(qtbot: QtBot, engine: Engine) -> None:
    begun = time.monotonic()
    job = engine.submit(Count(40, 0.03))
    seen: list[Progressed] = []
    job.progressed.connect(seen.append)
    with qtbot.waitSignal(job.finished, timeout=PATIENCE_MS):
        pass
    took = time.monotonic() - begun  # a busy machine takes longer than the job sleeps

    assert [each.share for each in seen] == sorted(each.share for each in seen)
    told = [each.left_s for each in seen if each.left_s is not None]
    assert told
    assert max(told) < took * 3


def test_what_a_job_logs_arrives_whole_and_in_order_before_its_end(qtbot: QtBot, engine: Engine) -> None:
    job = engine.submit(Chatty(30_000))
    lines: list[int] = []
    batches: list[int] = []
    job.logged.connect(lambda batch: lines.extend(line.bar for line in batch))
    job.logged.connect(lambda batch: batches.append(len(batch)))
    with qtbot.waitSignal(job.finished, timeout=PATIENCE_MS):
        pass

    assert lines == list(range(30_000))
    assert max(batches) <= 2_000


def test_what_the_program_logs_during_a_job_is_in_its_log(qtbot: QtBot, engine: Engine) -> None:
    job = engine.submit(Count())
    texts: list[str] = []
    job.logged.connect(lambda batch: texts.extend(line.text for line in batch))
    with qtbot.waitSignal(job.finished, timeout=PATIENCE_MS):
        pass

    assert "counting to 1" in texts


def test_a_cancelled_job_ends_at_once_in_the_same_process(qtbot: QtBot, engine: Engine) -> None:
    job = engine.submit(Count(10_000, 0.01))
    wait_until_running(qtbot, job)
    before = engine.pid

    engine.cancel(job)

    assert failure_of(qtbot, job).is_cancelled
    assert job.state is JobState.CANCELLED
    assert result_of(qtbot, engine, Count(3)) == 3
    assert engine.pid == before


def test_a_waiting_job_is_cancelled_without_being_begun(qtbot: QtBot, engine: Engine) -> None:
    first, second = engine.submit(Count(20, 0.02)), engine.submit(Count())
    wait_until_running(qtbot, first)

    with qtbot.waitSignal(second.failed):
        engine.cancel(second)

    assert second.state is JobState.CANCELLED
    assert engine.waiting == ()
    engine.cancel(first)


def test_a_job_that_does_not_obey_is_ended_with_its_process(qtbot: QtBot, engine: Engine) -> None:
    job = engine.submit(Stubborn())
    wait_until_running(qtbot, job)
    before = engine.pid
    broke: list[str] = []
    engine.broke.connect(broke.append)

    engine.cancel(job)

    assert failure_of(qtbot, job).is_cancelled
    assert result_of(qtbot, engine, Count(5)) == 5
    assert engine.pid != before
    assert broke == []  # it was asked for


def test_a_killed_process_is_told_of_and_a_fresh_one_takes_the_jobs_that_waited(qtbot: QtBot, engine: Engine) -> None:
    running, waiting = engine.submit(Count(10_000, 0.01)), engine.submit(Count(7))
    wait_until_running(qtbot, running)
    pid = engine.pid
    assert pid is not None
    results: list[int] = []
    waiting.finished.connect(results.append)
    broke: list[str] = []
    engine.broke.connect(broke.append)

    psutil.Process(pid).kill()

    failure = failure_of(qtbot, running)
    assert failure.code == "engine_ended"
    assert "signal 9" in failure.message
    assert broke == [failure.message]
    qtbot.waitUntil(lambda: results == [7], timeout=PATIENCE_MS)
    assert engine.pid != pid


def test_an_error_of_ours_names_its_node(qtbot: QtBot, engine: Engine) -> None:
    failure = failure_of(qtbot, engine.submit(Faulty()))

    assert (failure.code, failure.node, failure.field) == ("component", "slow", "timeperiod")
    assert failure.message.startswith("Node 'slow'")


def test_an_unexpected_error_ends_the_job_and_not_the_process(qtbot: QtBot, engine: Engine) -> None:
    failure = failure_of(qtbot, engine.submit(Faulty(expected=False)))

    assert failure.message == "ZeroDivisionError: division by zero"
    assert "Traceback" in failure.trace
    pid = engine.pid
    assert result_of(qtbot, engine, Count(2)) == 2
    assert engine.pid == pid


def test_a_strategy_with_mistakes_comes_back_with_every_problem(qtbot: QtBot, engine: Engine) -> None:
    failure = failure_of(qtbot, engine.submit(RunRequest("quantcrafter: 1\nname: Nothing\nrun: {cash: -5}\n")))

    assert failure.code == "spec"
    assert any(problem.path == "run.cash" for problem in failure.problems)


def test_nothing_is_left_of_a_process_that_was_closed(qtbot: QtBot) -> None:
    engine = Engine()
    job = engine.submit(Count(10_000, 0.01))
    wait_until_running(qtbot, job)
    pid = engine.pid
    assert pid is not None

    engine.close()

    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


ORPHAN = """
import sys
from PySide6.QtCore import QCoreApplication
from quantcrafter.app.services.engine import Engine
from tests.support.engine_jobs import Count

application = QCoreApplication([])
engine = Engine()
job = engine.submit(Count(100_000, 0.01))
job.progressed.connect(lambda _: (print(engine.pid, flush=True), job.progressed.disconnect()))
application.exec()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows knows no SIGKILL")
def test_the_process_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", ORPHAN],
        cwd=ROOT,
        env=clean_environment(tmp_path, QT_QPA_PLATFORM="offscreen"),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    child = psutil.Process(int(owner.stdout.readline()))

    owner.kill()
    owner.communicate()

    deadline = time.monotonic() + 20
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_renewed_engine_ends_its_job_in_the_old_process_and_begins_the_next_in_a_fresh_one(
    qtbot: QtBot, engine: Engine
) -> None:
    broke: list[str] = []
    engine.broke.connect(broke.append)
    results: list[object] = []
    first, second = engine.submit(Count(20, 0.05)), engine.submit(Count(3, 0.01))
    for job in (first, second):
        job.finished.connect(results.append)
    wait_until_running(qtbot, first)
    process = engine.pid

    engine.renew()
    engine.renew()
    qtbot.waitUntil(lambda: len(results) == 2, timeout=PATIENCE_MS)

    assert results == [20, 3], "a process counts on from its jobs before"
    assert engine.pid != process
    assert broke == []
    engine.renew()  # with nothing to do
    assert result_of(qtbot, engine, Count(2, 0.01)) == 2
    assert broke == []
