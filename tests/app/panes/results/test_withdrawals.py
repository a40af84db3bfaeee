"""What was withdrawn from an account is shown among the cash flows, at the bar of its step."""

from __future__ import annotations

from pathlib import Path

import quantcrafter
from quantcrafter.app.panes.results.columns import cashflows_sheet

STRATEGY = """\
quantcrafter: 1
instruments:
  - {symbol: LATE, data: csv, path: late.csv, timeframe: 1d}
  - {symbol: ABC, data: csv, path: abc.csv, timeframe: 1d}
logic: {first: {use: compare, left: bars.close, op: "==", right: 100}}
advisors: {rule: {use: rule, enter_long: [first]}}
money: {size: {use: fixed_quantity, quantity: 10}}
execution: {entry: {use: market, signals: [rule], money: size}}
run: {cash: 10000, withdrawal: {percent: 50}}
"""
CLOSES = {"2024-01-29": 100, "2024-01-30": 101, "2024-01-31": 151, "2024-02-01": 151, "2024-02-02": 151}


def test_a_withdrawal_leads_to_the_bar_of_the_first_instrument_at_its_step(tmp_path: Path) -> None:
    for name, days in {"abc": list(CLOSES), "late": list(CLOSES)[2:]}.items():
        rows = [f"{day},{CLOSES[day]},{CLOSES[day]},{CLOSES[day]},{CLOSES[day]},100" for day in days]
        (tmp_path / f"{name}.csv").write_text("\n".join(["date,open,high,low,close,volume", *rows]) + "\n", "utf-8")
    path = tmp_path / "strategy.yaml"
    path.write_text(STRATEGY, encoding="utf-8")
    run = quantcrafter.run(path)
    sheet = cashflows_sheet(run)
    assert sheet.values["bar"].tolist() == [3]
    # The step is the fourth one, and the second bar of LATE.
    assert (sheet.instrument.tolist(), sheet.bar.tolist()) == ([0], [1])
    assert sheet.time_bars["ts_ns"].tolist() == [-1]
