"""kill -9 of hosts and supervisors around the sending of orders: none is lost, none is sent twice."""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.live.recording import replay_recording
from quantcrafter.engine.live.worker_folder import order_prefix
from quantcrafter.engine.orchestrator.registry import registered_workers
from quantcrafter.engine.orchestrator.worker_config import make_worker
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.sessions.strategy_session import Host
from tests.support import kept_venue
from tests.support.counts import sample, seed
from tests.support.kept_venue import account, executions_of
from tests.support.kill_chains import files_of, gone_through, kills, quick_folder
from tests.support.kill_points import DEATHS, STARTING, TRADING, Kill
from tests.support.live_cases import PLAIN
from tests.support.plugin_packages import install
from tests.support.warm_process import PATIENCE_S, WarmProcess

pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="hosts end with their supervisor by a service of Linux"),
]

POINTS = (*TRADING, *TRADING, *DEATHS, *STARTING)
PARTS = 2
ROUNDS = sample(2, of=20)
"""How often a part kills at each point."""
IN_A_ROW = 16
RISK = "risk:\n  stop: {use: percent_stop, percent: 2}\n"
BARE = PLAIN.replace("bars: 160", "bars: 500").replace(RISK, "").replace("risk: [stop], ", "")
TEXTS = {"bare": BARE, "stopped": PLAIN.replace("bars: 160", "bars: 500").replace("seed: 3", "seed: 5")}
OVER = {"filled", "cancelled", "rejected", "expired", "denied"}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with quick_folder() as made:
        install(made / "site", "kept-venue", "from tests.support.kept_venue import register_brokers")
        yield made


@pytest.fixture(scope="module")
def warm(folder: Path) -> Iterator[WarmProcess]:
    made = WarmProcess(folder / "home", folder / "said", folder / "site")
    yield made
    made.close()


def settled(key: str, registry: Registry) -> dict[str, float]:
    """Start a worker once more, until the broker has answered everything; return its position."""
    worker = make_worker(registered_workers()[key].config, registry, Host(), load_bars, lambda _: None)
    worker.start()
    end_s = time.monotonic() + PATIENCE_S
    try:
        assert worker._desk is not None
        while (
            worker.step()
            or worker._desk.waiting()
            or any(each.state.value == "partly_filled" for each in worker.core.session.orders.values())
        ):
            assert time.monotonic() < end_s, worker.core.session.orders
        return dict(worker.core.session.positions)
    finally:
        worker.close()


def assert_nothing_is_lost(path: Path, registry: Registry) -> int:
    """Compare the workers with the account; return how many orders there were."""
    count = 0
    for key in TEXTS:
        positions, prefix = settled(key, registry), order_prefix(key)
        with account(path) as opened:
            arrivals = [tuple(row) for row in opened.execute("SELECT id, what FROM arrivals")]
            executions = [each for each in executions_of(opened) if each.client_order_id.startswith(prefix)]
            there = {row["id"] for row in opened.execute("SELECT id FROM orders") if row["id"].startswith(prefix)}
        sent = [order for order, what in arrivals if what == "Submit" and order.startswith(prefix)]
        assert max(Counter(sent).values()) == 1
        with InputLog.read(workers_folder() / key / LOG) as log:
            outputs = [each.given for each in log.outputs()]
        submitted = [each.client_order_id for each in outputs if each.kind == "submit"]
        ended = {each.client_order_id: each.kind for each in outputs if each.kind in OVER}
        assert len(set(submitted)) == len(submitted)
        assert there <= set(submitted)
        assert {each for each in submitted if each not in there} <= {
            order for order, kind in ended.items() if kind in ("rejected", "denied")
        }
        filled = [each.body["execution"] for each in outputs if each.kind == "filled"]
        assert sorted(filled) == sorted(each.id for each in executions)
        signs = {"buy": 1.0, "sell": -1.0}
        assert positions.get("ONE", 0.0) == sum(signs[each.side] * each.quantity for each in executions)
        assert replay_recording(workers_folder() / key / LOG, registry).different == ()
        count += len(there)
    return count


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_around_the_sending_no_order_is_lost_and_none_is_sent_twice(
    warm: WarmProcess, folder: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(warm.home))
    files, killed, orders = files_of(folder, TEXTS), [0], [0]
    registry = load_registry(extra_plugins=[("kept-venue", kept_venue)])

    @settings(max_examples=ROUNDS, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @hypothesis.seed(seed(f"kill points at a broker {part}"))
    @given(rows=kills(POINTS, IN_A_ROW))
    def through(rows: Sequence[Sequence[Kill]]) -> None:
        for row in rows:
            path = folder / "account.db"
            try:
                gone_through(warm, row, files, "--feed", "replay:max", "--broker", f"kept:{path}", "-q")
                orders[0] += assert_nothing_is_lost(path, registry)
            except BaseException:
                warm.kill_all()
                raise
            finally:
                shutil.rmtree(warm.home, ignore_errors=True)
                for each in folder.glob("account.db*"):
                    each.unlink()
            killed[0] += len(row)

    through()
    assert killed[0] >= len(POINTS) * ROUNDS
    assert orders[0] > 100
