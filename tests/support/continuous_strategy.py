"""A strategy on a continuous series of futures, with files for three contracts."""

from __future__ import annotations

from pathlib import Path

from tests.support.contract_files import write_contracts


def write_continuous(folder: Path, *, instrument: str = "data: csv", contracts: str = "data/ES*.csv") -> Path:
    """Write contracts of the S&P 500, and a strategy that holds two of them through both rolls."""
    write_contracts(folder / "data")
    file = folder / "strategy.yaml"
    file.write_text(
        f"""quantcrafter: 1
name: series
instruments:
  - symbol: ES
    {instrument}
    timeframe: 1d
    market: us_futures
    margin: {{per_contract: 1000}}
    continuous: {{contracts: "{contracts}", roll: {{rule: days_before_expiry, days: 5}}, adjust: back_difference}}
indicators:
  average: {{use: ta.SMA, input: bars.close, timeperiod: 5}}
logic:
  up: {{use: compare, left: bars.close, op: ">", right: average}}
advisors:
  go: {{use: rule, enter_long: [up]}}
money:
  size: {{use: fixed_quantity, quantity: 2}}
execution:
  entry: {{use: market, signals: [go], money: size}}
run: {{cash: 100000}}
""",
        encoding="utf-8",
    )
    return file
