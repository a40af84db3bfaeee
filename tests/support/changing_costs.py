"""Strategies whose costs change over time: a column of spreads, fundings and swaps of a file, ticks by the price."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.support.market_files import ENTER, EXIT

_HOUR = np.timedelta64(1, "h")
COSTS = {
    "spread in points": "symbol: EURUSD, market: forex, timeframe: 1h, spread: {column: spread, unit: points}",
    "spread in ticks": "symbol: EURUSD, market: forex, timeframe: 1h, spread: {column: spread, unit: ticks}",
    "swap": "symbol: EURUSD, market: forex, timeframe: 1h, swap: {file: swap.csv, unit: pips}",
    "spread and swap": (
        "symbol: EURUSD, market: forex, timeframe: 1h, spread: {column: spread, unit: pips}, "
        "swap: {file: swap.csv, unit: percent}"
    ),
    "funding": (
        "symbol: EURUSD, market: crypto_perpetual, timeframe: 1h, tick_size: 0.00001, funding: {file: funding.csv}"
    ),
    "spread by a table": "symbol: EURUSD, timeframe: 1h, tick_table: mifid_3, spread: {ticks: 2, bars: bid}",
    "column by a table": "symbol: EURUSD, timeframe: 1h, tick_table: mifid_3, spread: {column: spread, unit: ticks}",
}
"""Instruments by what of them changes."""


def costly(folder: Path, instrument: str, bars: int = 200, seed: int = 1) -> Path:
    """Write a strategy that enters and leaves often, with hourly bars, and the files of its costs."""
    rng = np.random.default_rng(seed)
    opens = np.datetime64("2024-03-04T00:00", "m") + np.arange(bars) * _HOUR
    close = 1.1 * np.exp(np.cumsum(rng.normal(0.0, 0.004, bars)))
    open_ = np.append(1.1, close[:-1]) * np.exp(rng.normal(0.0, 0.001, bars))
    prices = np.column_stack([open_, np.maximum(open_, close) * 1.001, np.minimum(open_, close) * 0.999, close])
    volume = rng.choice([0, 0, 0, ENTER, EXIT], bars)
    spread = rng.integers(0, 40, bars)
    rows = [
        f"{when},{','.join(f'{each:.5f}' for each in row)},{flag},{wide}"
        for when, row, flag, wide in zip(opens, prices.tolist(), volume, spread, strict=True)
    ]
    _write(folder / "d.csv", "time,open,high,low,close,volume,spread", rows)
    days = np.arange(opens[0].astype("datetime64[D]") - 3, opens[-1].astype("datetime64[D]") + 1)
    _write(
        folder / "swap.csv", "date,long,short", [f"{day},{rng.normal():.3f},{rng.normal():.3f}" for day in days[::2]]
    )
    fundings = np.arange(days[0].astype("datetime64[m]"), opens[-1] + 9 * _HOUR, 8 * _HOUR)
    _write(folder / "funding.csv", "time,rate", [f"{when},{rng.normal(0.0, 0.001):.6f}" for when in fundings])
    file = folder / "strategy.yaml"
    file.write_text(
        f"""quantcrafter: 1
name: costly
instruments:
  - {{data: csv, path: d.csv, timezone: UTC, session: 24x7, stamp: open, {instrument}}}
logic:
  el: {{use: compare, left: bars.volume, op: "==", right: {ENTER}}}
  es: {{use: compare, left: bars.volume, op: "==", right: {EXIT}}}
advisors:
  go: {{use: rule, enter_long: [el], enter_short: [es]}}
risk:
  stop: {{use: percent_stop, percent: 2}}
money:
  size: {{use: fixed_quantity, quantity: 1000}}
execution:
  entry: {{use: market, signals: [go], money: size, risk: [stop]}}
run: {{cash: 100000, margin: {{initial_percent: 5}}}}
""",
        encoding="utf-8",
    )
    return file


def _write(path: Path, head: str, rows: Sequence[str]) -> None:
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
