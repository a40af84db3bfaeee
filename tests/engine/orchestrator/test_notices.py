"""Notices of an orchestrator with real hosts: a strategy's own, failures, the summary of the day."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantcrafter.engine.config.settings import NoticeSettings
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.live.status_file import WorkerStatus, write_status
from quantcrafter.engine.notices.outlet import outlet_of
from quantcrafter.engine.orchestrator.daily_summary import summary_lines
from quantcrafter.engine.orchestrator.orchestrator import Orchestrator, made_folder
from quantcrafter.engine.plugins import load_registry
from tests.support.live_cases import STOPPED
from tests.support.notice_server import NoticeServer, notice_server
from tests.support.plugin_packages import install, plugin_site
from tests.support.supervised import FAULTY, PATIENCE_S, config_of

pytestmark = pytest.mark.slow


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with plugin_site(tmp_path, monkeypatch) as folder:
        install(folder, "faulty-feed", FAULTY)
        yield folder


@pytest.fixture
def server() -> Iterator[NoticeServer]:
    with notice_server() as found:
        yield found


SAYING = STOPPED.replace(
    "advisors:",
    """\
logic:
  up: {use: compare, left: fast, op: ">", right: slow}
  told: {use: notify, condition: up, text: "The fast line is above the slow one."}
advisors:""",
)


def test_a_strategys_own_notices_and_a_failed_worker_are_sent_and_a_dead_channel_slows_no_worker(
    site: Path, tmp_path: Path, server: NoticeServer
) -> None:
    del site
    registry, flag = load_registry(), tmp_path / "flag"
    flag.write_text("raise")
    configs = [config_of(SAYING, "good", registry, "replay:max"), config_of(STOPPED, "bad", registry, f"faulty:{flag}")]
    with notice_server() as dead:
        dead.answers.clear()
        settings = NoticeSettings(
            channels=(f"phone info {server.address('hush')}", f"dead info {dead.address('hush')}"), repeat_s=0
        )
        orchestrator = Orchestrator(outlet=outlet_of(settings, made_folder(), summary_lines)).open()
        try:
            orchestrator.add(configs)
            until = time.monotonic() + PATIENCE_S
            orchestrator.run(
                lambda: (
                    time.monotonic() > until
                    or (orchestrator.workers()["good"].over and "The worker has failed" in server.text())
                )
            )
            assert orchestrator.workers()["good"].over
            status = orchestrator.status()["notices"]
        finally:
            orchestrator.close()
    assert "bad: The worker has failed: the line is broken" in server.text()
    assert "good: told (ONE): The fast line is above the slow one." in server.text()
    assert status["channels"]["dead"]["sent"] == 0
    assert "hush" not in str(status)
    assert (made_folder() / "heartbeat").is_file()

    lines = list(summary_lines())
    with InputLog.read(workers_folder() / "good" / LOG) as log:
        fills = log.fills_of_latest_day()
    assert lines[1] == "Paper and replay:"
    assert f", {fills:,} fills, position " in next(each for each in lines if each.startswith("  good: P&L "))


def test_the_summary_keeps_real_money_apart_and_adds_nothing_up() -> None:
    for key, mode, pnl in (("a", "live", 12.5), ("b", "paper", -3.0), ("c", "live", 1.0)):
        folder = workers_folder() / key
        folder.mkdir(parents=True)
        InputLog.open(folder).close()
        positions = {"SPY": 2.0, "QQQ": 0.0}
        write_status(folder, WorkerStatus("stopped", mode, "S", "SPY", "h", 1, 0, 0, 2.0, positions, pnl))
    assert list(summary_lines()) == [
        "the latest day (UTC) of each worker",
        "Real money:",
        "  a: P&L +12.50, 0 fills, position SPY 2, stopped",
        "  c: P&L +1.00, 0 fills, position SPY 2, stopped",
        "Paper and replay:",
        "  b: P&L -3.00, 0 fills, position SPY 2, stopped",
    ]
