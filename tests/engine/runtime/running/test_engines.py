"""An engine is found by name, and refused by the name of what it lacks before any bar is loaded."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from quantcrafter.engine.adapters.native import NativeEngine
from quantcrafter.engine.api import (
    BAR_STANDARD,
    Capability,
    EngineAdapter,
    EngineJob,
    EntryRule,
    Ledger,
    Need,
    OrderKind,
    ProtectiveKind,
    ProtectiveRule,
    RunSettings,
    SpecError,
)
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.running.engines import engine_choices, find_engine, installed_engines, needs_of
from quantcrafter.engine.runtime.running.load_graph import load_graph, validate_file
from quantcrafter.engine.runtime.running.run import run
from tests.support.command_line import ROOT
from tests.support.plugin_packages import module

ENGINES = '''
class Simple(EngineAdapter):
    """Fills market orders only."""
    name = "simple"
    def run(self, job):
        raise RunError("must not be reached")

class Absent(EngineAdapter):
    """Needs what is not there."""
    name = "absent"
    packages = ("quantcrafter_no_such_package",)
    install = 'pip install "quantcrafter[absent]"'
    def __init__(self):
        raise RunError("must not be made")
    def run(self, job):
        raise RunError("must not be reached")

@hookimpl
def register_engines():
    return [Simple, Absent]
'''

STRATEGY = """\
quantcrafter: 1
name: Two stocks with a stop
instruments:
  - {symbol: AAPL, data: sample}
  - {symbol: IBM, data: sample}
indicators:
  slow: {use: ta.SMA, input: bars.close, timeperiod: 20}
advisors:
  cross: {use: crossover, fast: bars.close, slow: slow}
risk:
  guard: {use: percent_stop, percent: 3}
  goal: {use: percent_target, percent: 6}
money:
  size: {use: fixed_quantity, quantity: 1}
execution:
  entry: {use: market, signals: [cross], risk: [guard, goal], money: size}
"""


@pytest.fixture
def strategy(tmp_path: Path) -> Path:
    path = tmp_path / "two.yaml"
    path.write_text(STRATEGY)
    return path


def registry() -> Registry:
    return load_registry(extra_plugins=[("mine", module("mine", ENGINES))])


def test_everything_that_an_engine_lacks_is_named_with_the_node_that_asks_for_it(strategy: Path) -> None:
    with pytest.raises(SpecError) as error:
        run(strategy, registry=registry(), engine="simple")

    problems = error.value.problems
    assert [(p.code, p.node) for p in problems] == [
        ("engine_capability", "guard"),
        ("engine_capability", "goal"),
        ("engine_capability", ""),
    ]
    assert problems[0].message == "The engine 'simple' doesn't do stop orders, which node 'guard' needs."
    assert problems[1].message == "The engine 'simple' doesn't do limit orders, which node 'goal' needs."
    assert problems[2].message == "The engine 'simple' doesn't do several instruments, which the strategy needs."
    assert all("native" in p.remedy and p.path == "run.engine" and p.file == str(strategy) for p in problems)


def test_contracts_are_refused_on_an_engine_that_would_pay_for_them(strategy: Path) -> None:
    strategy.write_text(
        STRATEGY.replace("{symbol: AAPL, data: sample}", "{symbol: AAPL, data: sample, kind: contract}")
    )
    with pytest.raises(SpecError, match="'simple' doesn't do contracts on margin, which the strategy needs"):
        run(strategy, registry=registry(), engine="simple")


def test_an_engine_that_is_not_installed_says_what_brings_it(strategy: Path) -> None:
    with pytest.raises(SpecError) as error:
        run(strategy, registry=registry(), engine="absent")

    (problem,) = error.value.problems
    assert problem.code == "engine_not_installed"
    assert problem.message == ("The engine 'absent' is not installed: pip install \"quantcrafter[absent]\".")
    assert "native" in problem.remedy
    assert "absent" not in problem.remedy


def test_a_misspelt_engine_is_answered_with_the_nearest_name(strategy: Path) -> None:
    with pytest.raises(SpecError, match=r"There is no engine 'nativ'. Did you mean 'native'"):
        run(strategy, registry=registry(), engine="nativ")


def test_a_mode_that_the_engine_does_not_know_is_refused_beside_the_rest() -> None:
    with pytest.raises(SpecError) as error:
        find_engine("simple", registry(), mode="live", needs=(Need(Capability.PARTIAL_FILLS, "entry"),))
    assert [problem.code for problem in error.value.problems] == ["unknown_mode", "engine_capability"]


def test_engines_are_listed_with_what_is_missing_without_being_made() -> None:
    choices = {choice.name: choice for choice in engine_choices(registry())}

    assert choices["native"].installed
    assert choices["native"].versions.keys() == {"quantcrafter"}
    assert set(choices["native"].capabilities) == NativeEngine.capabilities > BAR_STANDARD
    assert choices["absent"].missing == 'not installed: pip install "quantcrafter[absent]"'
    assert choices["absent"].versions == {}
    assert choices["absent"].help == "Needs what is not there."
    assert "absent" not in installed_engines(registry())


def test_the_native_engine_does_all_that_a_strategy_file_can_ask() -> None:
    assert NativeEngine.capabilities == frozenset(Capability) - {Capability.STRATEGY_CLASSES}


def test_every_kind_of_rule_asks_for_something(strategy: Path) -> None:
    from quantcrafter.engine.graph import make_plan
    from quantcrafter.engine.graph.plan import PlannedProtection

    (decision,) = make_plan(load_graph(strategy, registry())).decisions
    settings = RunSettings.model_validate({"slippage": {"volume_percent": 10}})
    for kind in ProtectiveKind:
        guarded = replace(decision, protection=(PlannedProtection("guard", ProtectiveRule(kind, percent=1.0), None),))
        needs = {need.capability: need.node for need in needs_of([guarded], ["spot"], settings)}
        wanted = Capability.LIMIT_ORDERS if kind is ProtectiveKind.TAKE_PROFIT else Capability.STOP_ORDERS
        assert needs == {Capability.MARKET_ORDERS: "entry", wanted: "guard", Capability.PARTIAL_FILLS: ""}
    for entry in OrderKind:
        rule = replace(decision.rule, entry=EntryRule(entry))
        bare = replace(decision, rule=rule, protection=())
        needed = {need.capability for need in needs_of([bare], ["spot"], RunSettings())}
        assert len(needed) == (1 if entry in (OrderKind.MARKET, OrderKind.CLOSE) else 2)


def test_an_adapter_must_list_its_capabilities() -> None:
    body = ENGINES.replace('name = "simple"', 'name = "simple"\n    capabilities = ("flying",)')
    info = load_registry(extra_plugins=[("mine", module("mine", body))]).plugins[-1]
    assert "must list Capability values in `capabilities`, was ('flying',)" in info.error


def test_an_engine_without_strategy_classes_says_so() -> None:
    from quantcrafter.engine.api import ClassJob, RunError, RunSettings

    class Plain(EngineAdapter):
        name: ClassVar[str] = "plain"

        def run(self, job: EngineJob) -> Ledger:
            raise NotImplementedError

    with pytest.raises(RunError, match=r"'plain' runs no strategy classes, so 'a.B' can't be run on it"):
        Plain().run_class(ClassJob("a.B", (), RunSettings()))


def test_a_node_without_anything_in_it_is_among_the_problems_though_others_refer_to_it(tmp_path: Path) -> None:
    file = tmp_path / "empty_node.yaml"
    text = (ROOT / "resources" / "examples" / "golden_cross.yaml").read_text(encoding="utf-8")
    file.write_text(re.sub(r"(?m)^( +)size:.*$", r"\1size:", text), encoding="utf-8")

    problems = validate_file(file, load_registry())

    assert any("must be a mapping with 'use', was empty" in problem.message for problem in problems)
