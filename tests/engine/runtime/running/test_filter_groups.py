"""`invert` and the group `reset_volume` of filters, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.engine.api import SpecError
from quantcrafter.engine.graph.history import bar_of
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.running.load_graph import load_graph
from quantcrafter.engine.runtime.running.prepare import load_market
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from tests.support.bar_by_bar import run_on, until

# Enter at 'go' 1, exit at 0; 'reset' is what the filter reads. Every trade buys at 10 and sells at 9.
ROWS = [
    (10, 1, 0),
    (10, 0, 0),
    (9, 1, 0),
    (10, 0, 0),
    (9, 1, 0),
    (10, 0, 1),
    (9, 1, 1),
    (10, 0, 0),
    (9, 1, 0),
    (10, 0, 0),
]
STRATEGY = """\
quantcrafter: 1
instruments: [{symbol: ABC, data: csv, path: abc.csv, timeframe: 1d, columns: {go: go, reset: reset}}]
logic:
  up: {use: compare, left: bars.go, op: "==", right: 1}
  down: {use: compare, left: bars.go, op: "==", right: 0}
  calm: {use: compare, left: bars.reset, op: "==", right: 1}
advisors: {rule: {use: rule, enter_long: [up], exit_long: [down]}}
filters: {start_over: {use: condition, input: calm, group: reset_volume}}
money: {size: {use: martingale, percent: 5, maximum_percent: 80}}
execution: {entry: {use: market, signals: [rule], filters: [start_over], money: size}}
run: {cash: 10000}
"""


@pytest.fixture(name="registry")
def _registry() -> Registry:
    return load_registry()


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    lines = [f"2024-01-{n + 1:02},{p},{p},{p},{p},100,{go},{reset}" for n, (p, go, reset) in enumerate(ROWS)]
    (tmp_path / "abc.csv").write_text(
        "\n".join(["date,open,high,low,close,volume,go,reset", *lines]) + "\n", encoding="utf-8"
    )
    path = tmp_path / "strategy.yaml"
    path.write_text(STRATEGY, encoding="utf-8")
    return path


def bought(file: Path, registry: Registry) -> list[float]:
    return [row["quantity"] for row in run(file, registry=registry).fills if row["side"] == "buy"]


def sizes(shares: list[float]) -> list[int]:
    """Return what is bought when these parts of the equity are put in: decided at 10, then at 9, sold at 9."""
    cash, found = 10_000.0, []
    for number, share in enumerate(shares):
        units = int(cash * share / (10 if number == 0 else 9))
        cash -= units
        found.append(units)
    return found


def test_a_filter_that_holds_at_the_decision_starts_the_martingale_over(file: Path, registry: Registry) -> None:
    # Losses in a row: 0, 1, 2, then the filter holds (0), then 1.
    assert bought(file, registry) == sizes([0.05, 0.10, 0.20, 0.05, 0.10])


def test_inverted_it_starts_over_where_it_does_not_hold(file: Path, registry: Registry) -> None:
    file.write_text(STRATEGY.replace("group: reset_volume", "group: reset_volume, invert: true"), encoding="utf-8")
    assert bought(file, registry) == sizes([0.05, 0.05, 0.05, 0.10, 0.05])


@pytest.mark.parametrize(
    ("keys", "entries"),
    [
        ("group: trade", [3]),
        ("group: trade, invert: true", [0, 1, 2, 4]),
        ("group: block", [0, 1, 2, 4]),
        ("group: block, invert: true", [3]),
    ],
)
def test_invert_turns_a_filter_round(file: Path, registry: Registry, keys: str, entries: list[int]) -> None:
    file.write_text(STRATEGY.replace("group: reset_volume", keys), encoding="utf-8")
    result = run(file, registry=registry)
    assert [row["bar"] for row in result.fills if row["side"] == "buy"] == [2 * entry + 1 for entry in entries]
    assert [row["bar"] for row in result.blocked] == [2 * entry for entry in range(5) if entry not in entries]


def test_a_session_that_gets_bar_by_bar_starts_over_too(file: Path, registry: Registry) -> None:
    graph = load_graph(file, registry)
    market = load_market(graph, lambda *_: None, lambda: False)
    session = StrategySession.open(graph, until(graph, market, 0))
    run_on(session, graph, market)
    assert session.ledger().fills.tolist() == run(file, registry=registry).ledger.fills.tolist()
    assert bar_of(market.bars[0], 5).extra == {"go": 0.0, "reset": 1.0}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "martingale, percent: 5, maximum_percent: 80",
            "fixed_quantity, quantity: 5",
            "starts a martingale over, and 'entry' has none",
        ),
        ("filters: [start_over]", "filters: [start_over, other]", "has several filters of the group reset_volume"),
        (
            "calm: {use: compare, left: bars.reset",
            "pos: {use: position}\n  calm: {use: compare, left: pos.bars",
            "What starts a martingale over is computed before the run",
        ),
    ],
)
def test_what_cannot_start_it_over_is_said(file: Path, registry: Registry, old: str, new: str, message: str) -> None:
    text = (
        STRATEGY.replace(old, new).replace(
            "group: reset_volume}}", "group: reset_volume}, other: {use: condition, input: calm, group: reset_volume}}"
        )
        if "other" in new
        else STRATEGY.replace(old, new)
    )
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=message):
        run(file, registry=registry)
