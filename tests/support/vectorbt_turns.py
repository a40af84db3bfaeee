"""vectorbt's side of a comparison, run by a Python of its own that has vectorbt: it imports nothing of the project.

`python vectorbt_turns.py` reads a strategy's name, its prices and its terms a line, as JSON. It runs the strategy and
prints a line of JSON: the CPU time in milliseconds (`ms` up to the orders, `equity` up to the equity of every bar), and
the number of orders. Prices are arrays of shape (bars, instruments).
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np

CASH, FEE, QUANTITY = 1e7, 0.001, 10.0


def next_bar(signals: Any) -> Any:
    """Return signals as the orders of the next bar."""
    moved = np.zeros_like(signals)
    moved[1:] = signals[:-1]
    return moved


def crosses(vbt: Any, close: Any, fast: int, slow: int) -> tuple[Any, Any]:
    """Return entries and exits at which two averages cross."""
    above = vbt.MA.run(close, fast).ma.values > vbt.MA.run(close, slow).ma.values
    turned = np.zeros_like(above)
    turned[slow:] = above[slow:] != above[slow - 1 : -1]
    return next_bar(turned & above), next_bar(turned & ~above)


def run(vbt: Any, name: str, prices: dict[str, Any], terms: dict[str, Any]) -> Any:
    """Run a strategy and return its portfolio, which computes equity when it is asked for it."""
    close, bars = prices["close"], {key: prices[key] for key in ("open", "high", "low")}
    common = {"price": prices["open"], "size": QUANTITY, "fees": FEE, "init_cash": CASH, "direction": "longonly"}
    made = vbt.Portfolio.from_signals
    if name == "rsi":
        # An exponential mean over 2 x n - 1 bars is Wilder's over n.
        line = vbt.RSI.run(close, 2 * terms["period"] - 1, ewm=True).rsi.values
        entries = next_bar(line < terms["level"])
        stops = {"sl_stop": terms["stop"] / 100.0, "tp_stop": terms["target"] / 100.0}
        return made(close, entries, np.zeros_like(entries), **bars, **stops, **common)
    entries, exits = crosses(vbt, close, *terms["periods"])
    if name == "trailing":
        return made(close, entries, exits, **bars, sl_stop=terms["trail"] / 100.0, sl_trail=True, **common)
    if name == "many":
        return made(close, entries, exits, group_by=True, cash_sharing=True, **common)
    return made(close, entries, exits, **common)


def main() -> None:
    """Answer each line of the input; a line is JSON with the strategy's name, its prices and its terms."""
    import vectorbt as vbt

    from_file: dict[str, dict[str, Any]] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["prices"] not in from_file:
            with np.load(asked["prices"]) as stored:  # noqa: TID251 - one thread, and nothing of the project
                columns = {key: stored[key] for key in stored.files}
            is_one = columns["close"].shape[1] == 1
            from_file[asked["prices"]] = {
                key: values[:, 0].copy() if is_one else values for key, values in columns.items()
            }
        prices = from_file[asked["prices"]]
        begun = time.process_time()
        portfolio = run(vbt, asked["name"], prices, asked["terms"])
        ordered = time.process_time()
        portfolio.value()
        valued = time.process_time()
        answer = {
            "ms": 1e3 * (ordered - begun),
            "orders": len(portfolio.order_records),
            "equity": 1e3 * (valued - begun),
        }
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
