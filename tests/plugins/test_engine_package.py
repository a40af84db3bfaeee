"""The engine of the guide: a package of its own, accepted by the hook, used by name, and different where it says so."""

from __future__ import annotations

import importlib.util
import re
import textwrap
from pathlib import Path
from types import ModuleType

import pytest

from quantcrafter.engine.adapters.native import NativeEngine
from quantcrafter.engine.api import Capability, EngineJob
from quantcrafter.engine.api.ports import ENTER_LONG
from quantcrafter.engine.api.rules import ProtectiveKind, ProtectiveRule
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.running.engines import engine_choices
from quantcrafter.engine.runtime.running.run import run
from tests.support.jobs import Setup, make_bars, make_job

SOURCE = Path(__file__).parent / "quantcrafter_through" / "quantcrafter_through.py"
GUIDE = Path(__file__).parents[2] / "docs" / "engines.md"
TARGET = ProtectiveRule(ProtectiveKind.TAKE_PROFIT, offset=5.0)


@pytest.fixture(scope="module")
def package() -> ModuleType:
    """Return the package's module, imported from its file."""
    spec = importlib.util.spec_from_file_location("quantcrafter_through", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def registry(package: ModuleType) -> Registry:
    return load_registry(extra_plugins=[("through", package)])


def target_job(high: float) -> EngineJob:
    """Return a job whose take-profit at 105 meets a bar with that high."""
    bars = make_bars([[100, 101, 99, 100], [100, 101, 99, 100], [100, high, 99, 100]])
    return make_job((bars, Setup(flags={0: ENTER_LONG})), protection=(TARGET,))


def test_the_engine_is_registered_with_what_it_can_do(registry: Registry) -> None:
    choice = next(each for each in engine_choices(registry) if each.name == "through")
    assert choice.installed
    assert Capability.LIMIT_ORDERS in choice.capabilities
    assert Capability.PARTIAL_FILLS not in choice.capabilities


@pytest.mark.parametrize(("high", "fills"), [(105.0, 1), (105.01, 2)])
def test_a_touch_fills_nothing_and_a_trade_through_fills(registry: Registry, high: float, fills: int) -> None:
    engine = registry.engine("through")
    assert engine is not None
    assert len(engine().run(target_job(high)).fills) == fills
    assert len(NativeEngine().run(target_job(high)).fills) == 2


def test_a_strategy_file_runs_on_it_by_name(registry: Registry) -> None:
    example = Path(__file__).parents[2] / "resources" / "examples" / "engulfing_candles.yaml"
    result = run(example, registry=registry, engine="through")
    native = run(example, registry=registry)
    assert result.engine == "through"
    assert len(result.trades) > 10
    assert result.fills[:1] == native.fills[:1]


def test_the_guide_shows_the_package_as_it_is() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    block = max(re.findall(r"(?:^(?:    .*)?\n)+", text, flags=re.MULTILINE), key=len)
    shown = textwrap.dedent(block).strip()
    assert shown == SOURCE.read_text(encoding="utf-8").partition('"""\n\n')[2].strip()
