"""Components of a plugin that decide in Python do so on every engine alike, in the vnpy process too."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantcrafter.engine.adapters.vnpy.client import end_shared_process
from quantcrafter.engine.api import ComponentError
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.parity import Cause
from quantcrafter.engine.runtime.parity.run import run_parity
from quantcrafter.engine.runtime.running.load_graph import load_graph
from quantcrafter.engine.runtime.running.run import run
from tests.support.plugin_packages import module

PACKAGE = Path(__file__).parents[3] / "resources" / "plugins" / "quantcrafter_demo"
STRATEGY = """\
quantcrafter: 1
name: Deciding in Python
instruments:
  - {symbol: AAPL, data: sample}
  - {symbol: IBM, data: sample}
indicators:
  line: {use: demo.vwma, length: 15}
advisors:
  streak: {use: demo.streak, line: line, closes: 2}
risk:
  low: {use: demo.lowest_low, bars: 3}
money:
  size: {use: demo.round_lots, percent: 40}
execution:
  entry: {use: demo.half_range, signals: [streak], risk: [low], money: size, patience: 3}
run: {start: 2010-01-01}
"""


@pytest.fixture(autouse=True)
def _one_vnpy() -> Iterator[None]:
    yield
    end_shared_process()


@pytest.fixture
def strategy(tmp_path: Path) -> Path:
    path = tmp_path / "deciding.yaml"
    path.write_text(STRATEGY, encoding="utf-8")
    return path


@pytest.mark.slow
def test_a_plugins_decisions_give_the_same_trades_on_all_three(strategy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PACKAGE))
    registry = load_registry(extra_plugins=[("demo", importlib.import_module("quantcrafter_demo"))])
    report = run_parity(load_graph(strategy, registry), registry=registry)
    assert [outcome.name for outcome in report.outcomes] == ["native", "backtrader", "vnpy"]
    assert report.reference.fills > 100
    assert report.same, report.first


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["backtrader", "vnpy"])
def test_a_component_that_raises_is_named_by_its_node(
    strategy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, engine: str
) -> None:
    source = (PACKAGE / "quantcrafter_demo.py").read_text(encoding="utf-8")
    broken = source.replace("ctx.market.low[-self.bars :].min()", "ctx.market.no_such_thing")
    assert broken != source
    (tmp_path / f"broken_for_{engine}.py").write_text(broken, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = load_registry(extra_plugins=[("demo", importlib.import_module(f"broken_for_{engine}"))])
    with pytest.raises(ComponentError) as error:
        run(strategy, registry=registry, engine=engine)
    assert error.value.node == "low"


@pytest.mark.slow
def test_a_class_that_the_vnpy_process_cannot_find_is_refused_in_words(strategy: Path) -> None:
    source = (PACKAGE / "quantcrafter_demo.py").read_text(encoding="utf-8").replace("from __future__", "#")
    registry = load_registry(extra_plugins=[("demo", module("a_module_without_a_file", source))])
    report = run_parity(load_graph(strategy, registry), registry=registry, engines=("native", "vnpy"))
    found = report.first
    assert found is not None
    assert found.cause is Cause.CAPABILITY
    assert found.found.startswith("The run can't be handed to the vnpy process: ")
