"""Workers around engines of a user's own: they run as they were written for the first generation."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import strategy_manager.core
from quantcrafter.engine.api import RunError
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.inputs import BarsClosed
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.live.worker import StrategyWorker, WorkerState
from quantcrafter.engine.orchestrator.factories import made_by
from quantcrafter.engine.orchestrator.lifecycle import LifecycleManager
from quantcrafter.engine.orchestrator.own_classes.adapters import VnpyWorkerAdapter, create_vnpy_worker
from quantcrafter.engine.orchestrator.own_classes.importing import import_class
from quantcrafter.engine.orchestrator.own_classes.kept_variables import VARIABLES
from quantcrafter.engine.runtime.strategy_classes.class_paths import allow
from tests.support.command_line import ROOT

OWN = ROOT / "tests" / "support" / "own_strategies"


@pytest.fixture(autouse=True)
def _allowed() -> None:
    allow("own_engines", OWN)


def until(condition: Callable[[], bool], limit_s: float = 60.0) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def first_generation(**params: Any) -> StrategyWorker:
    made = import_class("own_engines.MyEngineAdapter")("AAPL", "mine", params)
    assert isinstance(made, StrategyWorker)
    return made


# ---------------------------------------------------------------------- the example of the first generation


def test_the_example_of_the_first_generation_runs_unchanged() -> None:
    worker = first_generation(target=5)
    lifecycle = LifecycleManager(check_interval_sec=0.05)
    lifecycle.add_worker(worker)
    lifecycle.start()
    try:
        until(lambda: worker.get_stats()["position"] == 5)
        assert worker.state is WorkerState.RUNNING
        assert worker.is_running
        assert worker.key == "AAPL_mine"
    finally:
        lifecycle.stop()
    assert str(worker.state) == "stopped"
    assert lifecycle.get_status()["active_workers"] == 0


@pytest.mark.slow
def test_classes_run_in_processes_of_their_own_by_an_orchestrator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(OWN))
    monkeypatch.setenv("PYTHONPATH", str(OWN))
    allow("bt_examples", OWN)
    adapter = import_class("own_engines.MyEngineAdapter")
    failing = import_class("own_engines.Failing")
    orchestrator = strategy_manager.core.MultiStrategyOrchestrator(
        worker_factories={"mine": adapter, "failing": failing}, feed="synthetic:60x", auto_reload_interval=0
    )
    keys = [
        orchestrator.add_strategy("AAPL", "anything", engine="mine", params={"target": 6}),
        orchestrator.add_strategy("IBM", "anything", engine="failing"),
        orchestrator.add_strategy("002050.SZ", "hidden_dragon", engine="vnpy"),
    ]

    def about(key: str) -> dict[str, Any]:
        found: dict[str, Any] = orchestrator.get_status()["workers"].get(key, {})
        return found

    orchestrator.start_all()
    try:
        until(lambda: about(keys[0]).get("stats") == {"position": 6}, 120)
        until(lambda: about(keys[1]).get("state") == "error", 120)
        assert "out of range" in about(keys[1])["error"]
        until(lambda: about(keys[2]).get("state") == "running", 120)
    finally:
        orchestrator.stop_all()
    assert keys == ["AAPL_anything", "IBM_anything", "002050.SZ_hidden_dragon"]


@pytest.mark.slow
@pytest.mark.skipif(find_spec("backtrader") is None, reason="an extra")
def test_a_class_by_its_strategy_key_runs_and_goes_on_after_a_kill() -> None:
    allow("bt_workers", OWN)
    row = {"symbol": "AAPL", "strategy_key": "count", "engine": "backtrader", "engine_class": "bt_workers.Counting"}
    with pytest.raises(RunError, match="is not within the import paths"):
        _orchestrator(row, import_paths=("other",)).add_strategy("AAPL", "count", engine="backtrader")

    def seen(orchestrator: Any) -> int:
        worker = orchestrator.get_status()["workers"].get("AAPL_count", {})
        return int(worker.get("stats", {}).get("steps", 0))

    first = _orchestrator(row)
    first.start_all()
    try:
        until(lambda: seen(first) > 5, 120)
        before = seen(first)
        pids = first._orchestrator._supervisor.host_pids
        (pid,) = pids().values()
        os.kill(pid, signal.SIGKILL)
        until(lambda: bool(pids()) and pid not in pids().values() and seen(first) > before + 5, 120)
    finally:
        first.stop_all()
    with InputLog.read(workers_folder() / "AAPL_count" / LOG) as log:
        bars = [given for _, given in log.inputs() if isinstance(given, BarsClosed)]
        closes = [bar.close_ns for given in bars for bar in given.bars.values()]
    assert closes == sorted(set(closes))
    assert len(closes) > 10


def _orchestrator(row: dict[str, Any], **options: Any) -> Any:
    known = {row["strategy_key"]: {"engine": row["engine"], "engine_class": row["engine_class"]}}
    made = strategy_manager.core.MultiStrategyOrchestrator(
        feed="synthetic:1000000x", auto_reload_interval=0, strategies=known, **options
    )
    if not options:
        made.add_strategy(row["symbol"], row["strategy_key"], engine=row["engine"])
    return made


def test_the_names_of_the_first_generation_are_ours() -> None:
    for name in (
        "StrategyWorker",
        "WorkerState",
        "LifecycleManager",
        "LifecycleEvent",
        "TradingScheduler",
        "StrategyConfig",
    ):
        assert hasattr(strategy_manager.core, name)
    assert strategy_manager.core.StrategyWorker is StrategyWorker
    from strategy_manager.adapters import BacktraderWorkerAdapter
    from strategy_manager.adapters.backtrader_adapter import create_backtrader_worker
    from strategy_manager.adapters.vnpy_adapter import VnpyWorkerAdapter as Theirs

    assert Theirs is VnpyWorkerAdapter
    assert issubclass(BacktraderWorkerAdapter, StrategyWorker)
    assert callable(create_backtrader_worker)


def test_the_command_of_the_first_generation_is_ours() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "strategy_manager.cli", "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.stdout.startswith("QuantCrafter")


# ---------------------------------------------------------------------- real-time engines


def real_time(folder: Path, cls: str = "RealTimeEngine", **more: Any) -> VnpyWorkerAdapter:
    return create_vnpy_worker(
        {
            "symbol": "002050.SZ",
            "strategy_key": "hidden_dragon",
            "engine_class": f"own_engines.{cls}",
            "params": {"a": 1},
            "folder": folder / "w",
            **more,
        }
    )


def run_once(worker: VnpyWorkerAdapter) -> None:
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        until(lambda: worker.engine.running or not thread.is_alive())
    finally:
        worker.stop()
        thread.join(60)
    assert not thread.is_alive()


def test_a_real_time_engine_is_started_and_stopped_with_position_and_variables_kept(tmp_path: Path) -> None:
    first = real_time(tmp_path, user_id="user123", securities_account_id="s", warmup_days=30)
    assert (first.engine.symbol, first.engine.params, first.engine.warmup_days) == ("002050.SZ", {"a": 1}, 30)
    run_once(first)
    assert not first.engine.running
    assert first.state is WorkerState.STOPPED
    assert first.get_position() == 100.0
    assert first.get_stats()["variables"] == {"pos": 100, "entry_price": 9.5}
    second = real_time(tmp_path)
    run_once(second)
    assert second.get_position() == 200.0, "it went on from the 100 that it held"


def test_a_strategy_that_keeps_its_own_state_does_so(tmp_path: Path) -> None:
    run_once(real_time(tmp_path, "KeepingEngine"))
    again = real_time(tmp_path, "KeepingEngine")
    again.load_state()
    assert again.get_position() == 100.0
    assert not (tmp_path / "w" / VARIABLES).exists()


def test_kept_variables_that_are_damaged_end_the_worker_before_it_trades(tmp_path: Path) -> None:
    run_once(real_time(tmp_path))
    (tmp_path / "w" / VARIABLES).write_text("{")
    worker = real_time(tmp_path)
    with pytest.raises(RunError, match=r"The kept variables of the strategy, .*, can't be read"):
        worker.run()
    assert worker.get_position() == 0.0
    assert worker.state is WorkerState.ERROR
    (tmp_path / "w" / VARIABLES).write_text(json.dumps({"pos": 7, "inited": True}))
    worker.load_state()
    assert worker.get_position() == 7.0


def test_an_engine_that_fails_to_start_or_cannot_start_ends_in_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no gateway"):
        real_time(tmp_path, "BrokenEngine").run()
    with pytest.raises(RunError, match=r"The class 'NoEngine' can't be started.*start_with_polling, start, run\."):
        real_time(tmp_path, "NoEngine").run()


# ---------------------------------------------------------------------- what may be imported


def test_only_allowed_modules_are_imported_and_a_configuration_can_only_narrow_them(tmp_path: Path) -> None:
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')")
    for path in ("trap.Anything", "subprocess.Popen", "builtins.eval"):
        with pytest.raises(RunError, match="is not allowed: a class is code"):
            import_class(path, within=("trap", "subprocess", "builtins", str(tmp_path)))
    for within in ((), ("own_engines",), (str(OWN),), (str(OWN.parent),), ("other", str(OWN) + "/")):
        assert import_class("own_engines.MyEngine", within=within).__name__ == "MyEngine"
    for within in (("other",), (str(tmp_path),), ("own_engine",)):
        with pytest.raises(RunError, match="is not within the import paths of the configuration, which are"):
            import_class("own_engines.MyEngine", within=within)


def test_a_worker_takes_its_parameters_in_one_of_three_ways() -> None:
    def with_params(symbol: str, strategy_key: str, params: dict[str, Any], **more: Any) -> tuple[Any, ...]:
        return symbol, strategy_key, params, more

    def with_few(symbol: str, params: dict[str, Any]) -> tuple[Any, ...]:
        return symbol, params

    def with_config(config: dict[str, Any]) -> dict[str, Any]:
        return config

    def with_any(**all_of_it: Any) -> dict[str, Any]:
        return all_of_it

    def with_symbol_and_any(symbol: str, **more: Any) -> tuple[Any, ...]:
        return symbol, more["strategy_key"], more["fast"], more["params"]

    given = ("AAPL", "mine", "u", {"fast": 3})
    named = {"symbol": "AAPL", "strategy_key": "mine", "user_id": "u"}
    assert made_by(with_any, *given) == {**named, "params": {"fast": 3}, "fast": 3}
    assert made_by(with_any, "AAPL", "mine", "u", {"symbol": "B"})["symbol"] == "AAPL"
    assert made_by(with_symbol_and_any, *given) == ("AAPL", "mine", 3, {"fast": 3})
    assert made_by(with_params, *given) == ("AAPL", "mine", {"fast": 3}, {"user_id": "u"})
    assert made_by(with_few, *given) == ("AAPL", {"fast": 3})
    assert made_by(with_config, *given)["params"] == {"fast": 3}
    worker = made_by(import_class("own_engines.Failing"), *given)
    assert (worker.key, worker.params) == ("u_AAPL_mine", {"fast": 3})
