"""The fills and trades of a strategy class that runs as a worker, from the events in its log.

The engine of the class keeps its books, so commissions are not known here: `pnl` is before them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from quantcrafter.engine.live.input_log import InputLog
from quantcrafter.engine.live.inputs import BarsClosed

FILLS = ("ts_ns", "instrument", "side", "quantity", "price", "order_type", "order_id")
TRADES = (
    *("instrument", "side", "quantity", "entry_ts_ns", "entry_price", "exit_ts_ns", "exit_price", "pnl", "parts"),
)
_NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class _Execution:
    """A fill; `quantity` is negative if it was sold."""

    ts_ns: int
    instrument: str
    quantity: float
    price: float
    order_type: str
    order_id: str


def class_fills(log: InputLog) -> dict[str, list[Any]]:
    """Return the fills in the order in which they happened, as columns; `ts_ns` is as in a backtest of the class."""
    rows = [
        (
            *(each.ts_ns, each.instrument, "buy" if each.quantity > 0 else "sell", abs(each.quantity)),
            *(each.price, each.order_type, each.order_id),
        )
        for each in _executions(log)
    ]
    return _columns(FILLS, rows)


def class_trades(log: InputLog) -> dict[str, list[Any]]:
    """Return the closed trades, from flat to flat, as columns; prices are averages, `parts` counts the exits."""
    return _columns(TRADES, list(_trades(_executions(log))))


def _columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    return {name: [row[n] for row in rows] for n, name in enumerate(names)}


def _executions(log: InputLog) -> Iterator[_Execution]:
    submitted = (each for _, _, each in log.outputs() if each.kind == "submit")
    bars = {seq: given.bars for seq, given in log.inputs(kinds=["bar"]) if isinstance(given, BarsClosed)}
    types = {each.client_order_id: str(each.body.get("kind", "")) for each in submitted}
    for seq, _, each in log.outputs():
        body = each.body
        if each.kind == "filled":
            signed = float(body["quantity"]) * (1 if body["side"] == "buy" else -1)
            order = each.client_order_id
            bar, price, kind = bars[seq][body["symbol"]], float(body["price"]), types.get(order, "")
            at_open = kind == "market" or price == bar.open
            yield _Execution(bar.open_ns if at_open else each.ts_ns, body["symbol"], signed, price, kind, order)


def _trades(fills: Iterable[_Execution]) -> Iterator[tuple[Any, ...]]:
    """Yield trades; a fill that turns a position round closes one and opens the next."""
    entries: list[_Execution] = []
    exits: list[_Execution] = []
    held = 0.0
    for fill in fills:
        left = fill.quantity
        if held * left < 0:
            closing = left if abs(left) <= abs(held) + _NOTHING else -held
            exits.append(_part(fill, closing))
            held, left = held + closing, left - closing
            if abs(held) <= _NOTHING:
                yield _trade(entries, exits)
                entries, exits, held = [], [], 0.0
        if abs(left) > _NOTHING:
            entries.append(_part(fill, left))
            held += left


def _part(fill: _Execution, quantity: float) -> _Execution:
    return _Execution(fill.ts_ns, fill.instrument, quantity, fill.price, fill.order_type, fill.order_id)


def _trade(entries: Sequence[_Execution], exits: Sequence[_Execution]) -> tuple[Any, ...]:
    quantity = sum(each.quantity for each in entries)
    bought, sold = (sum(each.quantity * each.price for each in side) for side in (entries, exits))
    return (
        *(entries[0].instrument, "long" if quantity > 0 else "short", abs(quantity)),
        *(entries[0].ts_ns, bought / quantity, exits[-1].ts_ns, sold / -quantity, -(bought + sold), len(exits)),
    )
