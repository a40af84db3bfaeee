"""What an engine does not know it refuses: a phase of the bar, and a capability that is newer than the engine."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

from quantcrafter.engine.adapters.backtrader.adapter import BacktraderEngine
from quantcrafter.engine.adapters.backtrader.simulation import StepBroker
from quantcrafter.engine.adapters.matching import known_phase
from quantcrafter.engine.adapters.native import NativeEngine
from quantcrafter.engine.adapters.vnpy.adapter import VnpyEngine
from quantcrafter.engine.api import (
    BAR_STANDARD,
    Capability,
    EngineAdapter,
    Need,
    Phase,
    RunError,
    SpecError,
    WorkingOrder,
)
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.engines import find_engine
from tests.support.command_line import ROOT

ENGINES = (NativeEngine, BacktraderEngine, VnpyEngine)
NEXT_PHASE = len(Phase)
VNPY = """
from quantcrafter.engine.adapters.vnpy.simulation import OneInstrument
from quantcrafter.engine.api import RunError, WorkingOrder
from tests.support.jobs import Setup, make_bars, make_job
matcher = OneInstrument(make_job((make_bars([(100.0, 101.0, 99.0, 100.0)] * 3), Setup())).instruments[0])
for phase in (0, 3):
    try:
        print(matcher.match(WorkingOrder(0, 0, 1, phase, 1, 10, 100.0, 100.5, 101.0, 99.0, 100.0)))
    except RunError as error:
        print(error)
"""


def order(phase: int) -> WorkingOrder:
    return WorkingOrder(0, 0, 1, phase, 1, 10, 100.0, 100.5, 101.0, 99.0, 100.0)


@pytest.mark.parametrize("phase", Phase)
def test_the_phases_of_today_are_known(phase: Phase) -> None:
    assert known_phase("vnpy", order(int(phase))) is phase


def test_backtrader_refuses_an_order_of_a_phase_that_it_does_not_know() -> None:
    broker = StepBroker()
    broker.feeds = (object(),)
    with pytest.raises(RunError, match=f"'backtrader' can't match orders in phase {NEXT_PHASE} of a bar"):
        broker.match(order(NEXT_PHASE))


def test_vnpy_refuses_an_order_of_a_phase_that_it_does_not_know(tmp_path: Path) -> None:
    (tmp_path / ".vntrader").mkdir()
    run = subprocess.run(
        [sys.executable, "-c", VNPY],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    price, refusal = run.stdout.splitlines()[-2:]
    assert float(price) == 100.5
    assert refusal.startswith("The engine 'vnpy' can't match orders in phase 3 of a bar, only open, stop, limit.")


@pytest.mark.parametrize("engine", ENGINES)
def test_each_engine_names_its_capabilities_one_by_one(engine: type[EngineAdapter]) -> None:
    tree = ast.parse(inspect.getsource(sys.modules[engine.__module__]))
    (value,) = (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "capabilities"
    )
    named = {node.attr for node in ast.walk(value) if isinstance(node, ast.Attribute)}
    assert isinstance(value, ast.Call)
    assert ast.unparse(value.func) == "frozenset"
    assert {Capability[name] for name in named} == engine.capabilities
    assert engine.capabilities >= BAR_STANDARD


@pytest.mark.parametrize("capability", Capability)
def test_what_an_engine_does_not_declare_is_refused_by_name(
    capability: Capability, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NativeEngine, "capabilities", NativeEngine.capabilities - {capability})
    with pytest.raises(SpecError) as error:
        find_engine("native", load_registry(), mode="backtest", needs=(Need(capability, "node"),))
    assert f"'native' doesn't do {capability}, which node 'node' needs" in error.value.problems[0].message
