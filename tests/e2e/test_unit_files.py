"""Stops of each entry in a strategy file: run as a user would, and refused by name where they can't be."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import validate_file
from quantcrafter.engine.runtime.running.run import run

STRATEGY = """\
quantcrafter: 1
name: Pyramid
instruments:
  - {symbol: AAPL, data: sample, timeframe: 1d}
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 20}
  slow: {use: ta.SMA, input: bars.close, timeperiod: 50}
  atr: {use: ta.ATR, timeperiod: 14}
advisors:
  cross: {use: crossover, fast: fast, slow: slow}
risk:
  stop: {use: atr_stop, atr: atr, multiple: 2, scope: unit}
money:
  size: {use: fixed_quantity, quantity: 10}
execution:
  entry: {use: scale_in, signals: [cross], risk: [stop], money: size, max_entries: 4, spacing_atr: 0.5, atr: atr}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "strategy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_each_entry_of_a_pyramid_has_its_stop_on_every_engine(tmp_path: Path) -> None:
    registry = load_registry()
    fills = {}
    for engine in ("native", "backtrader", "vnpy"):
        path = written(tmp_path, STRATEGY + f"run: {{engine: {engine}}}\n")
        result = run(path, registry=registry)
        fills[engine] = result.fills.to_dict("list") if hasattr(result.fills, "to_dict") else result.fills
    orders = run(written(tmp_path, STRATEGY), registry=registry).orders
    stops = sum(rule == "stop" for rule in orders["rule"])
    entries = sum(reason in {"entry", "scale_in"} for reason in orders["reason"])
    # With a stop of the position each further entry would have replaced the one before.
    assert stops == entries > 40
    assert "replaced" not in set(orders["status_reason"])
    assert fills["native"] == fills["backtrader"] == fills["vnpy"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([("risk: [stop]", "risk: [stop, trail]")], "can't be combined with a stop of the whole position"),
        (
            [("max_entries: 4", "max_entries: 20"), ("risk: [stop]", "risk: [stop, a, b]")],
            "need up to 60 orders at once",
        ),
        ([("scale_in", "grid"), ("max_entries: 4, ", "levels: 3, ")], "Only entries by signals"),
    ],
)
def test_what_units_can_not_have_is_told_at_the_stop(
    changes: list[tuple[str, str]], message: str, tmp_path: Path
) -> None:
    more = """\
  trail: {use: trailing_stop, percent: 5}
  a: {use: partial_target, percent: 5, share: 50, scope: unit}
  b: {use: partial_target, percent: 9, share: 50, scope: unit}
money:
"""
    text = STRATEGY.replace("money:\n", more)
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    errors = [each for each in validate_file(written(tmp_path, text), load_registry()) if each.severity == "error"]
    assert [(each.code, each.node) for each in errors] == [("unit_scope", "stop")]
    assert message in errors[0].message
    assert errors[0].remedy
