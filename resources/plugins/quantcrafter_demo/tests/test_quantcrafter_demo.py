"""The plugin is accepted, knows no future, and a strategy trades on all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import quantcrafter_demo as plugin

from quantcrafter import Component, testing

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


@pytest.fixture
def strategy(tmp_path: Path) -> Path:
    """Return a strategy file that uses the plugin."""
    path = tmp_path / "demo.yaml"
    path.write_text(STRATEGY, encoding="utf-8")
    return path


COMPONENTS = [
    testing.wired(plugin.VolumeWeightedAverage, length=15),
    testing.wired(plugin.Streak, closes=2),
    testing.wired(plugin.Quiet, limit=10),
    testing.wired(plugin.HalfRange, patience=3),
    testing.wired(plugin.LowestLow, bars=3),
    testing.wired(plugin.WholeHundreds, percent=40),
]


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.name)
def test_each_component_knows_no_future_remembers_what_it_says_and_is_written_and_read(component: Component) -> None:
    testing.check_component(component)


def test_a_strategy_trades_on_it(strategy: Path) -> None:
    registry = testing.registry_with("demo", plugin)
    (info,) = [each for each in registry.plugins if each.name == "demo"]
    assert len(info.provides) == 7
    assert len(testing.run_file(strategy, registry).trades) > 3
    testing.assert_no_lookahead(strategy, registry)
