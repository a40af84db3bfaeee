"""Strategy classes of backtrader and vnpy as workers: they trade as in a backtest, and go on after a kill."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.live.events import events_of
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.status_file import read_status
from quantcrafter.engine.live.worker import WorkerState
from quantcrafter.engine.orchestrator.exports import fills_csv, trades_csv
from quantcrafter.engine.orchestrator.own_classes.adapters import BacktraderWorkerAdapter, VnpyWorkerAdapter
from quantcrafter.engine.orchestrator.own_classes.class_worker import BarClassWorker
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.strategy_classes.class_paths import allow
from quantcrafter.engine.runtime.strategy_classes.class_run import ClassSource, run_class
from quantcrafter.engine.stats import tables

OWN = Path(__file__).parents[3] / "support" / "own_strategies"
BARS = 160

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.skipif(find_spec("backtrader") is None or find_spec("vnpy_ctastrategy") is None, reason="an extra"),
]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


@pytest.fixture(autouse=True)
def _allowed() -> None:
    for module in ("bt_examples", "bt_workers", "vnpy_examples"):
        allow(module, OWN)


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    """Return a file with prices that swing, so that averages cross often."""
    rng = np.random.default_rng(7)
    close = 50 + 8 * np.sin(np.arange(BARS) / 6) + rng.normal(0, 0.7, BARS)
    lines = ["date,open,high,low,close,volume"]
    for n, price in enumerate(close.round(2)):
        day = np.datetime64("2024-01-01") + n
        lines.append(f"{day},{price - 0.2:.2f},{price + 0.9:.2f},{price - 0.9:.2f},{price:.2f},1000")
    path = tmp_path / "prices.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def backtrader(prices: Path, registry: Registry, path: str = "bt_examples.SmaCross", **more: Any) -> BarClassWorker:
    params = more.pop("params", {"fast": 3, "slow": 8} if path.endswith("SmaCross") else {})
    given = {"feed": "replay:max", "data": str(prices), "registry": registry, **more}
    return BacktraderWorkerAdapter("prices", "mine", path, params, **given)


def vnpy(prices: Path, registry: Registry, path: str = "vnpy_examples.DoubleMa", **more: Any) -> BarClassWorker:
    params = more.pop("params", {"fast": 3, "slow": 8} if path.endswith("DoubleMa") else {})
    given = {"feed": "replay:max", "data": str(prices), "registry": registry, **more}
    made = VnpyWorkerAdapter("prices", "theirs", path, params, **given)
    assert made.inner is not None
    return made.inner


CASES = [
    (backtrader, "bt_examples.SmaCross", "backtrader", {"fast": 3, "slow": 8}),
    (backtrader, "bt_examples.Steps", "backtrader", {}),
    (backtrader, "bt_examples.Brackets", "backtrader", {}),
    (vnpy, "vnpy_examples.DoubleMa", "vnpy", {"fast": 3, "slow": 8}),
    (vnpy, "vnpy_examples.Breakout", "vnpy", {}),
]
Make = Callable[..., BarClassWorker]


def events(worker: BarClassWorker) -> list[dict[str, Any]]:
    with InputLog.read(worker.folder / LOG) as log:
        return [each for each in events_of(log) if each["kind"] not in ("anchored", "feed")]


def abandon(worker: BarClassWorker) -> None:
    """Leave a worker as a kill does: nothing more is written."""
    assert worker._log is not None
    assert worker._class is not None
    worker._log.close()
    worker._class.close()
    worker._log = None


def brought(worker: BarClassWorker) -> Iterator[object]:
    """Yield what the feed of a started worker brings, one by one."""
    feed = worker._feed
    assert feed is not None
    while not worker.has_ended:
        yield from feed.poll(0.0)


def some_bars(worker: BarClassWorker, count: int, source: Iterator[object] | None = None) -> None:
    """Let a worker take so many bars of a replay that is as fast as can be."""
    for event in islice(source or brought(worker), count):
        worker._took(event)


@pytest.mark.parametrize(("make", "path", "engine", "params"), CASES)
def test_a_class_fills_as_in_its_own_backtest(
    make: Make, path: str, engine: str, params: dict[str, Any], prices: Path, registry: Registry
) -> None:
    worker = make(prices, registry, path, params=params)
    worker.run()
    result = run_class(ClassSource(path, engine, (str(prices),), params), registry=registry)
    fills = [each for each in events(worker) if each["kind"] == "filled"]
    ledger = result.ledger.fills
    assert len(fills) == len(ledger) > 5
    assert [each["price"] for each in fills] == pytest.approx(ledger["price"].tolist(), abs=1e-9)
    signed = [each["quantity"] * (1 if each["side"] == "buy" else -1) for each in fills]
    assert worker.steps == BARS
    assert sum(signed) == pytest.approx(float(np.sum(ledger["lots"] * ledger["side"])) * _lot(result), abs=1e-9)
    # An ended worker says what it holds.
    status = read_status(worker.folder)
    assert status is not None
    assert [worker.get_position(), status.position] == pytest.approx([sum(signed)] * 2, abs=1e-9)
    stats = worker.get_stats()
    assert stats["equity"] > 0
    assert [stats[name] for name in ("symbol", "strategy", "state")] == ["prices", worker.strategy_key, "stopped"]
    assert stats.get("engine", "vnpy") == engine


@pytest.mark.parametrize(("make", "path", "engine", "params"), [CASES[0], CASES[4]])
def test_fills_and_trades_of_a_class_are_those_of_its_backtest(
    make: Make, path: str, engine: str, params: dict[str, Any], prices: Path, registry: Registry
) -> None:
    worker = make(prices, registry, path, params=params)
    worker.run()
    result = run_class(ClassSource(path, engine, (str(prices),), params), registry=registry)
    fills = list(csv.DictReader(fills_csv(worker.folder, registry).splitlines()))
    assert [float(each["price"]) for each in fills] == pytest.approx(result.ledger.fills["price"].tolist())
    assert {each["side"] for each in fills} == {"buy", "sell"}
    assert all(each["time"].startswith("2024-") for each in fills)
    times = tables.fills_table(result.ledger, result.instruments).columns["ts_ns"]
    assert [int(each["ts_ns"]) for each in fills] == times.tolist()[: len(fills)]
    trades = list(csv.DictReader(trades_csv(worker.folder, registry).splitlines()))
    own = result.ledger.trades[: len(trades)]
    assert len(result.ledger.trades) - len(trades) in (0, 1)  # a backtest closes what is left at its end
    assert len(trades) > 3
    assert [float(each["entry_price"]) for each in trades] == pytest.approx(own["entry_price"].tolist())
    assert [float(each["pnl"]) for each in trades] == pytest.approx((own["pnl"] + own["commission"]).tolist())


@pytest.mark.logs_errors
def test_an_interrupted_class_does_not_go_on_with_another_feed(
    prices: Path, registry: Registry, tmp_path: Path
) -> None:
    worker = backtrader(prices, registry, folder=tmp_path / "one")
    worker.start()
    some_bars(worker, 40)
    worker.close()
    again = backtrader(prices, registry, folder=tmp_path / "one", feed="replay:60x")
    again.start()
    assert again.steps > 30  # the speed is no difference
    again.close()
    other = backtrader(prices, registry, folder=tmp_path / "one", feed="synthetic:max")
    other.start()
    assert other.steps == 0
    other.close()
    assert (tmp_path / "one" / "previous" / LOG).exists()


def test_a_class_has_the_tick_that_its_data_shows_as_in_a_backtest(prices: Path, registry: Registry) -> None:
    head, *rows = prices.read_text().splitlines()
    finer = []
    for row in rows:
        day, *values, volume = row.split(",")
        finer.append(",".join([day, *(f"{float(each) / 50:.5f}" for each in values), volume]))
    prices.write_text("\n".join([head, *finer]) + "\n")
    worker = vnpy(prices, registry, "vnpy_examples.Breakout")
    worker.run()
    ledger = run_class(ClassSource("vnpy_examples.Breakout", "vnpy", (str(prices),), {}), registry=registry).ledger
    fills = [each for each in events(worker) if each["kind"] == "filled"]
    assert [each["price"] for each in fills] == ledger.fills["price"].tolist()
    assert len(fills) > 5
    assert not all(round(each["price"] * 100, 9).is_integer() for each in fills)


def _lot(result: Any) -> float:
    return float(result.instruments[0].lot_size)


@pytest.mark.parametrize(("make", "path", "engine", "params"), CASES)
def test_a_worker_that_is_killed_goes_on_with_position_and_variables(
    make: Make, path: str, engine: str, params: dict[str, Any], prices: Path, registry: Registry, tmp_path: Path
) -> None:
    del engine
    whole = make(prices, registry, path, params=params, folder=tmp_path / "whole" / "w")
    whole.start()
    source = brought(whole)
    rng = np.random.default_rng(3)
    killed = make(prices, registry, path, params=params, folder=tmp_path / "killed" / "w")
    while not killed.has_ended:
        killed.start()
        count = int(rng.integers(1, 60))
        some_bars(killed, count)
        some_bars(whole, count, source)
        assert killed.get_stats() == whole.get_stats()
        if not killed.has_ended:
            abandon(killed)
    whole.close()
    killed.close()
    assert events(killed) == events(whole)
    assert len(events(whole)) > BARS + 10


@pytest.mark.logs_errors
def test_a_class_that_is_no_function_of_its_bars_ends_in_error(prices: Path, registry: Registry) -> None:
    worker = backtrader(prices, registry, "bt_workers.Random")
    worker.start()
    some_bars(worker, 20)
    abandon(worker)
    with pytest.raises(RunError, match="did something else on the same bars than before, at input 5"):
        worker.start()
    assert worker.state is WorkerState.ERROR
    worker.close()
    status = read_status(worker.folder)
    assert status is not None
    assert status.state == "error"


@pytest.mark.logs_errors
def test_other_parameters_are_another_strategy(prices: Path, registry: Registry, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    worker = backtrader(prices, registry, folder=folder)
    worker.start()
    some_bars(worker, 5)
    worker.close()
    other = backtrader(prices, registry, folder=folder, params={"fast": 4, "slow": 8})
    with pytest.raises(RunError, match=r"The strategy of the worker 'w' has changed since it began\."):
        other.start()
    other.close()


def test_bars_before_the_start_are_seen_and_not_traded_on(prices: Path, registry: Registry) -> None:
    worker = backtrader(prices, registry, "bt_workers.Counting", settings=("run.start=2024-05-01",))
    worker.run()
    days_before = 121
    assert worker.steps == BARS - days_before
    fills = [each for each in events(worker) if each["kind"] == "filled"]
    assert len(fills) == worker.steps - 1
    with InputLog.read(worker.folder / LOG) as log:
        anchor, seq = log.anchored()
        assert len(log.histories(anchor.number, seq)["prices"]) == days_before


def test_a_few_days_of_warm_up(prices: Path, registry: Registry) -> None:
    worker = vnpy(prices, registry, settings=("run.start=2024-05-01",), warmup_days=10)
    worker.start()
    with InputLog.read(worker.folder / LOG) as log:
        anchor, seq = log.anchored()
        assert len(log.histories(anchor.number, seq)["prices"]) == 10
    worker.close()


def test_variables_of_a_class_are_shown(prices: Path, registry: Registry) -> None:
    worker = backtrader(prices, registry, "bt_workers.Counting")
    worker.start()
    some_bars(worker, 10)
    stats = worker.get_stats()
    assert stats["variables"]["seen"] == 10
    assert stats["position"] == 9.0
    template = vnpy(prices, registry)
    template.start()
    some_bars(template, 50)
    assert template.get_stats()["variables"]["trading"] is True
    assert template.get_stats()["variables"]["fast_now"] > 0
    for each in (worker, template):
        each.close()
        status = read_status(each.folder)
        assert status is not None
        assert status.state == "stopped"


@pytest.mark.logs_errors
@pytest.mark.parametrize(
    ("make", "path", "params"), [(backtrader, "bt_examples.Broken", {}), (vnpy, "vnpy_examples.Broken", {"when": 5})]
)
def test_a_class_that_raises_ends_in_error_with_its_reason(
    make: Make, path: str, params: dict[str, Any], prices: Path, registry: Registry
) -> None:
    worker = make(prices, registry, path, params=params)
    with pytest.raises(RunError, match=r"raised ValueError at bar 4: five"):
        worker.run()
    assert worker.state is WorkerState.ERROR
    assert "five" in worker.error


def test_a_worker_is_stopped_from_another_thread(prices: Path, registry: Registry) -> None:
    import threading

    worker = backtrader(prices, registry, feed="replay:0.1x")
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        for _ in range(6000):
            if worker.state is WorkerState.RUNNING or not thread.is_alive():
                break
            threading.Event().wait(0.01)
    finally:
        worker.stop()
        thread.join(60)
    assert not thread.is_alive()
    assert worker.state is WorkerState.STOPPED


def test_vnpy_keeps_its_settings_in_our_folder(prices: Path, registry: Registry) -> None:
    vnpy(prices, registry)
    from vnpy.trader.utility import TEMP_DIR

    assert TEMP_DIR.parent.name == "vnpy"
    assert TEMP_DIR.parent != Path.home()
