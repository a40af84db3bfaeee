"""What a strategy key means, and which of several that know it wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from quantcrafter.engine.api import RunError, StrategyTemplate
from quantcrafter.engine.orchestrator.own_classes.lookup import (
    SHIPPED,
    find_strategy,
    strategies_folder,
    strategy_keys,
)
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.running.load_graph import validate_file
from quantcrafter.engine.runtime.script import run
from tests.support.command_line import ROOT

FILE = ROOT / "resources" / "examples" / "golden_cross.yaml"
LIMIT_UP = {"symbol": "600100", "data": "csv", "path": "limit_up.csv", "timeframe": "1d", "market": "cn_stocks"}


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


@pytest.mark.parametrize("key", sorted(SHIPPED))
@pytest.mark.parametrize("symbol", ["002050.SZ", "600990.SH", "AAPL"])
def test_strategies_that_ship_are_valid_for_any_symbol(key: str, symbol: str, registry: Registry) -> None:
    found = find_strategy(key, registry, symbol=symbol)
    assert found.path is not None
    assert validate_file(found.path, registry, found.overrides) == []


@pytest.mark.parametrize("key", ["dragon", "hidden_dragon"])
def test_strategies_that_ship_trade(key: str, tmp_path: Path) -> None:
    text = (ROOT / "resources" / SHIPPED[key]).read_text(encoding="utf-8")
    (tmp_path / "limit_up.csv").write_bytes((ROOT / "resources/examples/files/limit_up.csv").read_bytes())
    path = tmp_path / f"{key}.yaml"
    path.write_text(text, encoding="utf-8")
    result = run(path, instruments__0=LIMIT_UP)
    assert len(result.trades) > 3


def test_parameters_of_the_first_generation_reach_their_places(registry: Registry) -> None:
    params = {"limit_up_rate": 0.095, "max_callback_days": 15, "stop_loss_pct": 0.04, "take_profit_pct": 0.2}
    found = find_strategy("hidden_dragon", registry, symbol="002050.SZ", params=params)
    assert found.overrides[1:] == (
        "logic.boom.right=9.5",
        "logic.booms.bars=15",
        "risk.stop.percent=4.0",
        "risk.target.percent=20.0",
    )


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"fast.timeperiod": 20}, "indicators.fast.timeperiod=20"),
        ({"indicators.fast.timeperiod": 20}, "indicators.fast.timeperiod=20"),
        ({"run.cash": 5000}, "run.cash=5000"),
    ],
)
def test_parameters_are_named_by_node_or_place(params: dict[str, Any], expected: str, registry: Registry) -> None:
    found = find_strategy("cross", registry, params=params, known={"cross": str(FILE)})
    assert found.path == FILE
    assert found.overrides == (expected,)


@pytest.mark.parametrize(
    ("key", "params", "expected"),
    [
        ("hiden_dragon", {}, r"There is no strategy 'hiden_dragon'\. Did you mean 'hidden_dragon'\?"),
        ("../turtle", {}, r"There is no strategy '\.\./turtle'\."),
        ("hidden_dragon", {"stop_loss": 1}, r"has no parameter 'stop_loss'\. Did you mean 'stop_loss_pct'\?"),
        ("dragon", {"percent": 3}, r"could be stop\.percent, trail\.percent, size\.percent\. Name one\."),
    ],
)
def test_what_is_unknown_is_told(key: str, params: dict[str, Any], expected: str, registry: Registry) -> None:
    with pytest.raises(RunError, match=expected):
        find_strategy(key, registry, params=params)


def test_a_row_wins_over_configuration_hook_folder_and_ours(registry: Registry, tmp_path: Path) -> None:
    ours = find_strategy("turtle", registry).path
    assert ours is not None
    strategies_folder().mkdir(parents=True)
    (strategies_folder() / "turtle.yaml").write_bytes(FILE.read_bytes())
    assert find_strategy("turtle", registry).path == strategies_folder() / "turtle.yaml"
    assert "turtle" in strategy_keys(registry)
    hooked = tmp_path / "theirs.yaml"
    hooked.write_bytes(FILE.read_bytes())
    plugged = load_registry()
    plugged._others["strategies"] = {"turtle": StrategyTemplate("turtle", hooked)}
    assert find_strategy("turtle", plugged).path == hooked
    assert find_strategy("theirs", plugged).path == hooked
    known: dict[str, Any] = {"turtle": "mine.Turtle"}
    assert find_strategy("turtle", plugged, known=known).engine_class == "mine.Turtle"
    known = {"turtle": {"engine": "vnpy", "engine_class": "mine.Other"}}
    found = find_strategy("turtle", plugged, known=known)
    assert (found.engine, found.engine_class, found.is_class) == ("vnpy", "mine.Other", True)
    row = find_strategy("turtle", plugged, known=known, engine_class="row.Class", engine="backtrader")
    assert (row.engine, row.engine_class) == ("backtrader", "row.Class")
