"""Every execution node in a strategy file, run as a user would run it."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.run import run

STRATEGY = """\
quantcrafter: 1
name: Executions
instruments:
  - {{symbol: AAPL, data: sample, timeframe: 1d}}
  - {{symbol: IBM, data: sample, timeframe: 1d}}
indicators:
  fast: {{use: ta.SMA, input: bars.close, timeperiod: 20}}
  slow: {{use: ta.SMA, input: bars.close, timeperiod: 50}}
  atr: {{use: ta.ATR, timeperiod: 14}}
advisors:
  cross: {{use: crossover, fast: fast, slow: slow}}
risk:
  stop: {{use: percent_stop, percent: 12}}
  half: {{use: partial_target, share: 50, percent: 6}}
money:
  size: {{use: percent_of_equity, percent: 20}}
execution:
  entry: {execution}
"""
TRADED = "signals: [cross], risk: [stop, half], money: size"
EXECUTIONS = {
    f"{{use: limit, {TRADED}, offset_atr: 0.3, atr: atr, time_in_force: bars, bars: 5}}": {"entry"},
    f"{{use: limit, {TRADED}, line: fast, follow: true}}": {"entry"},
    f"{{use: stop_entry, {TRADED}, offset_percent: 0.2, time_in_force: day}}": {"entry"},
    f"{{use: stop_limit, {TRADED}, offset_percent: 0.2, limit_percent: 0.5}}": {"entry"},
    f"{{use: scale_in, {TRADED}, spacing_percent: 3, size_factor: 0.7}}": {"entry", "scale_in"},
    f"{{use: grid, {TRADED}, levels: 4, spacing_atr: 0.5, atr: atr}}": {"grid"},
    "{use: rebalance, weight: 0.4, monthly: true, drift_percent: 5, risk: [stop]}": {"rebalance"},
}


@pytest.mark.parametrize("execution", list(EXECUTIONS))
def test_an_execution_node_trades_from_its_file_alone(execution: str, tmp_path: Path) -> None:
    path = tmp_path / "strategy.yaml"
    path.write_text(STRATEGY.format(execution=execution), encoding="utf-8")
    result = run(path, registry=load_registry())
    orders = result.orders
    opened = {reason for reason in orders["reason"] if reason in ("entry", "scale_in", "grid", "rebalance")}
    assert opened == EXECUTIONS[execution]
    assert set(result.fills["instrument"]) == {"AAPL", "IBM"}
    assert len(result.trades) > 4
    if "half" in execution:
        assert "half" in set(orders["rule"])
