"""A strategy written for vnpy trades under our roof as on vnpy's own backtester, in a process without us."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.adapters.vnpy.adapter import VnpyEngine
from quantcrafter.engine.adapters.vnpy.client import VnpyProcess
from quantcrafter.engine.api import Bars, ClassInstrument, ClassJob, ClassRun, RunCancelledError, RunError, RunSettings
from quantcrafter.engine.api.home import home
from tests.support.random_jobs import random_bars

FOLDER = Path(__file__).parents[3] / "support" / "own_strategies"
CASH = 50_000.0
PERCENT = 0.05


def job(name: str, *bars: Bars, cancelled: Any = lambda: False, **parameters: Any) -> ClassJob:
    settings = RunSettings.model_validate({"cash": CASH, "commission": {"percent": PERCENT}})
    instruments = tuple(ClassInstrument(each.symbol, each, 0.01) for each in bars)
    return ClassJob(f"vnpy_examples.{name}", instruments, settings, parameters, str(FOLDER), cancelled=cancelled)


def alone(folder: Path, name: str, bars: Bars, **parameters: Any) -> Any:
    """Return trades and net profit from vnpy alone, which keeps its settings in `folder`."""
    (folder / ".vntrader").mkdir()
    rows = np.column_stack([bars.open, bars.high, bars.low, bars.close]).tolist()
    task = {"module": "vnpy_examples", "class": name, "setting": parameters, "bars": rows}
    done = subprocess.run(
        [sys.executable, str(FOLDER / "vnpy_alone.py")],
        input=json.dumps({**task, "rate": PERCENT / 100, "capital": int(CASH)}),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout)


def as_plain(run: ClassRun) -> list[Any]:
    return [
        [
            int(fill["bar"]),
            "LONG" if fill["side"] > 0 else "SHORT",
            pytest.approx(fill["price"], abs=1e-9),
            pytest.approx(fill["lots"] * run.lot_sizes[0], abs=1e-9),
        ]
        for fill in run.ledger.fills
    ]


@pytest.mark.parametrize(("name", "parameters"), [("DoubleMa", {"fast": 4, "slow": 9}), ("Breakout", {})])
def test_a_strategy_makes_the_trades_that_vnpy_makes_without_us(
    tmp_path: Path, name: str, parameters: dict[str, Any]
) -> None:
    bars = random_bars(61, "BRK.B", np.arange(600))
    expected = alone(tmp_path, name, bars, **parameters)
    run = VnpyEngine().run_class(job(name, bars, **parameters))

    trades = [[day, direction, price, volume] for day, direction, _, price, volume in expected["trades"]]
    assert len(trades) > 30
    assert trades == as_plain(run)
    assert run.ledger.equity[-1] - CASH == pytest.approx(expected["pnl"], abs=1e-6)
    orders = run.ledger.orders
    assert len(orders[orders["status"] == 1]) == len(trades)
    if name == "Breakout":
        assert {0.25} == {fill["lots"] * run.lot_sizes[0] for fill in run.ledger.fills}
        assert (orders["status"] == 2).any()


def test_what_goes_wrong_in_a_strategy_is_said_in_one_sentence() -> None:
    bars = random_bars(7, "S", np.arange(20))
    process = VnpyProcess()
    try:
        for name, parameters, message in [
            ("Broken", {}, r"'vnpy_examples\.Broken' raised ValueError at bar 4: five\."),
            ("Broken", {"whne": 3}, r"has no parameter 'whne'\. It has: when\."),
            ("Nothing", {}, r"has no class 'Nothing'\. It has: ArrayManager"),
        ]:
            with pytest.raises(RunError, match=message.replace("ArrayManager", "CtaTemplate, DoubleMa")):
                process.call("class", job(name, bars, **parameters))
        with pytest.raises(RunError, match="trades one instrument, were 2"):
            process.call("class", job("DoubleMa", bars, random_bars(8, "T", np.arange(20))))
        with pytest.raises(RunError, match=r"ended unexpectedly \(exit code 3\)"):
            process.call("class", job("Dies", bars))
        assert not process.alive
    finally:
        process.close()


def test_vnpy_keeps_its_settings_in_our_folder_and_loads_no_qt() -> None:
    process = VnpyProcess()
    try:
        assert process.hello.qt_modules == ()
        assert process.hello.settings_folder == str(home() / "vnpy" / ".vntrader")
        assert process.hello.versions.keys() == {"vnpy", "vnpy_ctastrategy"}
        assert (home() / "vnpy" / ".vntrader" / "vt_setting.json").exists()
    finally:
        process.close()


def test_a_relative_folder_of_the_user_means_the_same_in_the_vnpy_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUANTCRAFTER_HOME", "mine")
    process = VnpyProcess()
    try:
        assert Path(process.hello.settings_folder) == tmp_path / "mine" / "vnpy" / ".vntrader"
        assert not (tmp_path / "mine" / "vnpy" / "mine").exists()
    finally:
        process.close()


def test_a_cancelled_run_ends_the_process() -> None:
    process = VnpyProcess()
    bars = random_bars(7, "S", np.arange(50))
    with pytest.raises(RunCancelledError):
        process.call("class", job("DoubleMa", bars, cancelled=lambda: True))
    assert not process.alive
