"""The plugin is accepted, knows no future, and a strategy trades on all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import quantcrafter_demo as plugin

from quantcrafter.engine.api import Role
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.research.lookahead import find_lookahead
from quantcrafter.engine.runtime.running.run import run

STRATEGY = """\
quantcrafter: 1
name: Riding waves
instruments:
  - {symbol: WAVE, data: demo.waves, timeframe: 1d, count: 400}
indicators:
  line: {use: demo.vwma, length: 15}
advisors:
  streak: {use: demo.streak, line: line, closes: 2}
filters:
  quiet: {use: demo.quiet, limit: 10}
risk:
  low: {use: demo.lowest_low, bars: 3}
money:
  size: {use: demo.round_lots, percent: 40}
execution:
  entry: {use: demo.half_range, signals: [streak], filters: [quiet], risk: [low], money: size, patience: 3}
"""


@pytest.fixture(scope="module")
def registry() -> Registry:
    """Return what is installed, with the plugin as it lies here where it isn't installed yet."""
    installed = load_registry()
    is_there = installed.component(Role.INDICATOR, "demo.vwma") is not None
    return installed if is_there else load_registry(extra_plugins=[("demo", plugin)])


@pytest.fixture
def strategy(tmp_path: Path) -> Path:
    """Return a strategy file that uses the plugin."""
    path = tmp_path / "demo.yaml"
    path.write_text(STRATEGY, encoding="utf-8")
    return path


def test_it_is_accepted(registry: Registry) -> None:
    (info,) = [each for each in registry.plugins if each.name == "demo"]
    assert info.error == ""
    assert len(info.provides) == 7


def test_a_strategy_trades_on_it(registry: Registry, strategy: Path) -> None:
    assert len(run(strategy, registry=registry).trades) > 3


def test_no_component_knows_the_future(registry: Registry, strategy: Path) -> None:
    assert find_lookahead(strategy, registry=registry) == []
