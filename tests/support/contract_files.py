"""Files of futures contracts whose prices are simple numbers: a point a day, and a fixed distance between contracts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

FIRST = date(2024, 1, 1)


class ContractData(NamedTuple):
    """A contract's bars: from one day to another, how far above the first contract it trades, and volumes by day."""

    first: date
    last: date
    above: float
    volume: Mapping[date, int] | int = 1000


QUARTERS = {
    "ESH24": ContractData(date(2024, 1, 2), date(2024, 3, 15), 0.0),
    "ESM24": ContractData(date(2024, 1, 2), date(2024, 6, 21), 50.0),
    "ESU24": ContractData(date(2024, 3, 20), date(2024, 9, 20), 110.0),
}
"""Three contracts of the S&P 500: the roll from H to M is 50 points up, that from M to U another 60."""


def price(day: date, contract: str, contracts: Mapping[str, ContractData] = QUARTERS) -> float:
    """Return the close of a contract: 5001 on the first day of 2024 and a point more each day, for the first one."""
    return 5001.0 + (day - FIRST).days + contracts[contract].above


def write_contracts(folder: Path, contracts: Mapping[str, ContractData] = QUARTERS) -> Path:
    """Write a file of daily bars for each contract, and return the folder; open interest is thrice the volume."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in contracts.items():
        lines = ["Date,Open,High,Low,Close,Volume,Open Interest"]
        day = data.first
        while day <= data.last:
            if day.weekday() < 5 and day != date(2024, 3, 29):
                close = price(day, name, contracts)
                volume = data.volume if isinstance(data.volume, int) else data.volume.get(day, 1)
                lines.append(f"{day},{close - 1},{close + 1},{close - 3},{close},{volume},{3 * volume}")
            day += timedelta(1)
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def write_series(folder: Path, adjust: str = "none", more: str = "") -> Path:
    """Write three contracts of the S&P 500, and a strategy that is long with a stop and a target, again and again."""
    write_contracts(folder / "data")
    file = folder / "strategy.yaml"
    file.write_text(
        f"""quantcrafter: 1
name: series
instruments:
  - symbol: ES
    data: csv
    timeframe: 1d
    market: us_futures
    margin: {{per_contract: 1000}}
    spread: {{ticks: 1}}
    continuous: {{contracts: data/ES*.csv, roll: {{rule: days_before_expiry, days: 5}}, adjust: {adjust}}}
indicators:
  average: {{use: ta.SMA, input: bars.close, timeperiod: 5}}
logic:
  up: {{use: compare, left: bars.close, op: ">", right: average}}
advisors:
  go: {{use: rule, enter_long: [up]}}
risk:
  stop: {{use: percent_stop, percent: 3}}
  target: {{use: percent_target, percent: 0.4}}
money:
  size: {{use: fixed_quantity, quantity: 2}}
execution:
  entry: {{use: market, signals: [go], money: size, risk: [stop, target]}}
run: {{cash: 100000, commission: {{per_unit: 2.5}}, slippage: {{ticks: 1}}{more}}}
""",
        encoding="utf-8",
    )
    return file
