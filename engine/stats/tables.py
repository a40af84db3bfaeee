"""The ledger's records as tables that people and JSON can read: symbols, words, quantities, times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.engine import InstrumentJob
from quantcrafter.engine.api.ledger import (
    BlockReason,
    CashflowKind,
    InterventionKind,
    Ledger,
    OrderKind,
    OrderStatus,
    Reason,
    StatusReason,
)
from quantcrafter.engine.api.ports import FloatColumn, TimeColumn
from quantcrafter.engine.stats.pair_trades import pair_numbers
from quantcrafter.engine.stats.position_worth import entry_values

Column = npt.NDArray[Any]
Row = dict[str, Any]
_NO_BAR = -1
_DIGITS, _LARGE = 10, 1e6


class Table(Sequence[Row]):
    """Equally long named columns: `table["pnl"]` is a numpy column, `table[3]` a row as a dict of plain values.

    Numbers that are not finite are None in rows.
    """

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.columns = dict(columns)

    @overload
    def __getitem__(self, key: str) -> Column: ...
    @overload
    def __getitem__(self, key: int) -> Row: ...
    @overload
    def __getitem__(self, key: slice) -> list[Row]: ...

    def __getitem__(self, key: str | int | slice) -> Column | Row | list[Row]:
        if isinstance(key, str):
            return self.columns[key]
        if isinstance(key, slice):
            return Table({name: column[key] for name, column in self.columns.items()}).rows()
        index = range(len(self))[key]
        return Table({name: column[index : index + 1] for name, column in self.columns.items()}).rows()[0]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows())

    def __eq__(self, other: object) -> bool:
        return self.rows() == (other.rows() if isinstance(other, Table) else other)

    __hash__ = None  # type: ignore[assignment]  # tables compare by content, as lists do

    def __repr__(self) -> str:
        return f"Table({len(self)} rows: {', '.join(self.columns)})"

    def rows(self) -> list[Row]:
        """Return every row as a dict of plain Python values."""
        names = tuple(self.columns)
        values = [plain_list(column) for column in self.columns.values()]
        return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


def plain_list(column: Column) -> list[Any]:
    """Return the column as a list of Python values, with None for NaN and infinity."""
    values: list[Any] = column.tolist()
    if column.dtype.kind == "f" and not np.isfinite(column).all():
        return [value if finite else None for value, finite in zip(values, np.isfinite(column).tolist(), strict=True)]
    return values


def fills_table(ledger: Ledger, instruments: Sequence[InstrumentJob]) -> Table:
    """Return the fills in the ledger's order.

    `ts_ns` is when a fill was known: the bar's open for one at the open (market orders, and stops and limits that the
    bar gapped past), else its close, since nobody knows when inside the bar it happened. `bar` is what counts.
    """
    fills = ledger.fills
    return Table(
        {
            "bar": fills["bar"],
            "ts_ns": _fill_times(
                *(instruments, fills["instrument"], fills["bar"], fills["price"], fills["kind"], fills["reason"])
            ),
            "instrument": _symbols(instruments, fills["instrument"]),
            "side": _sides(fills["side"], "buy", "sell"),
            "quantity": _quantities(instruments, fills["instrument"], fills["lots"]),
            "price": fills["price"],
            "order_type": _words(OrderKind, fills["kind"]),
            "commission": fills["commission"],
            "slippage": fills["slippage"],
            "reason": _words(Reason, fills["reason"]),
            "order_id": fills["order_id"],
        }
    )


def trades_table(ledger: Ledger, instruments: Sequence[InstrumentJob]) -> Table:
    """Return the closed trades, from flat to flat, in the order in which they ended.

    Times are as in `fills_table`, `mae` and `mfe` in price units. `entry_value` is what the entries were worth in the
    account's currency, of a contract its whole value. `parts` counts the fills that closed it; prices are averages.
    Where pairs were traded, `pair` is the number of the first leg's trade, counted from 1, for both legs; 0 for others.
    """
    trades, numbers = ledger.trades, ledger.trade_of_parts
    mine = np.flatnonzero(numbers >= 0)
    in_order = mine[np.argsort(numbers[mine], kind="stable")]
    ends = {
        "entry": ledger.parts[in_order[np.searchsorted(numbers[in_order], np.arange(len(trades)))]],
        "exit": ledger.parts[in_order[np.searchsorted(numbers[in_order], np.arange(len(trades)), side="right") - 1]],
    }
    columns = _closed_columns(ledger, instruments, trades, ends)
    pairs = pair_numbers(ledger)
    columns |= {"entry_value": entry_values(ledger, instruments), "parts": trades["parts"]}
    return Table(columns if pairs is None else {**columns, "pair": pairs})


def parts_table(ledger: Ledger, instruments: Sequence[InstrumentJob]) -> Table:
    """Return the parts in which positions were closed, in the ledger's order, each with a price of its own.

    `trade` is the row of its trade in `trades_table`, -1 where the position is still open.
    Other columns are as there.
    """
    parts = ledger.parts
    columns = _closed_columns(ledger, instruments, parts, {"entry": parts, "exit": parts})
    return Table({"trade": ledger.trade_of_parts, **columns})


def parts_of_trades(trades: Table) -> Table:
    """Return the parts of trades that were saved as tables before trades had several: each is a part of its own."""
    return Table({"trade": np.arange(len(trades)), **trades.columns})


def _closed_columns(
    ledger: Ledger, instruments: Sequence[InstrumentJob], rows: Column, ends: Mapping[str, Column]
) -> dict[str, Column]:
    """Return the columns that trades and their parts share; `ends` are the parts that say when they began and ended."""
    index = rows["instrument"]
    kinds = _order_kinds(ledger)
    times = {
        end: _fill_times(instruments, index, part[f"{end}_bar"], part[f"{end}_price"], kinds.of(part[f"{end}_order"]))
        for end, part in ends.items()
    }
    return {
        "instrument": _symbols(instruments, index),
        "side": _sides(rows["side"], "long", "short"),
        "quantity": _quantities(instruments, index, rows["lots"]),
        "entry_bar": rows["entry_bar"],
        "entry_ts_ns": times["entry"],
        "entry_price": rows["entry_price"],
        "exit_bar": rows["exit_bar"],
        "exit_ts_ns": times["exit"],
        "exit_price": rows["exit_price"],
        "pnl": rows["pnl"],
        "commission": rows["commission"],
        "exit_reason": _words(Reason, rows["exit_reason"]),
        "slippage": rows["slippage"],
        "mae": rows["mae"],
        "mfe": rows["mfe"],
    }


def orders_table(ledger: Ledger, instruments: Sequence[InstrumentJob], rule_nodes: Sequence[str] = ()) -> Table:
    """Return the orders with their life; `rule` is the node id of the protective rule, or empty.

    `price` is the trigger or limit, `limit` that of a stop-limit, which is one from `touched_bar` on; `filled` is the
    quantity filled so far, `expires_bar` the last bar at which the order may fill (of one that is good for a day, once
    that is over), `grid_line` counts from 0. What does not exist is None: in a row, and in the columns of whole
    numbers; prices that do not exist are NaN in their column.
    """
    orders = ledger.orders
    nodes = np.array([*rule_nodes, ""] if len(rule_nodes) else [""], dtype=np.str_)
    rule = np.where(orders["rule"] < len(rule_nodes), orders["rule"], -1)
    return Table(
        {
            "order_id": orders["id"],
            "parent": _optional(orders["parent"]),
            "instrument": _symbols(instruments, orders["instrument"]),
            "rule": nodes[rule],
            "side": _sides(orders["side"], "buy", "sell"),
            "quantity": _quantities(instruments, orders["instrument"], orders["lots"]),
            "order_type": _words(OrderKind, orders["kind"]),
            "price": orders["price"],
            "created_bar": orders["created_bar"],
            "closed_bar": _optional(orders["closed_bar"]),
            "fill_price": orders["fill_price"],
            "status": _words(OrderStatus, orders["status"]),
            "reason": _words(Reason, orders["reason"]),
            "status_reason": _words(StatusReason, orders["status_reason"]),
            "limit": orders["limit"],
            "touched_bar": _optional(orders["touched_bar"]),
            "filled": _quantities(instruments, orders["instrument"], orders["filled"]),
            "expires_bar": _optional(orders["expires"]),
            "grid_line": _optional(orders["level"]),
        }
    )


def blocked_table(ledger: Ledger, instruments: Sequence[InstrumentJob]) -> Table:
    """Return the entry signals that became no order, and why."""
    blocked = ledger.blocked
    return Table(
        {
            "bar": blocked["bar"],
            "ts_ns": _close_times(instruments, blocked),
            "instrument": _symbols(instruments, blocked["instrument"]),
            "flags": blocked["flags"],
            "reason": _words(BlockReason, blocked["reason"]),
        }
    )


def interventions_table(ledger: Ledger, instruments: Sequence[InstrumentJob], rule_nodes: Sequence[str] = ()) -> Table:
    """Return what rules did beyond, or against, the signals; `node` is empty where the broker did it.

    `instrument` is empty for the whole account, whose `bar` counts the steps of the run. `before` and `after` are the
    prices of an order that was moved, the quantity asked for and allowed of an entry, the position and 0 when it is
    flattened, the equity that a halt measures from (or that the margin asks for) and the equity there was.
    """
    rows = ledger.interventions
    whole = rows["instrument"] < 0
    nodes = np.array([*rule_nodes, ""], dtype=np.str_)
    return Table(
        {
            "bar": rows["bar"],
            "ts_ns": np.where(whole, _step_times(ledger, rows["bar"], whole), _close_times(instruments, rows)),
            "instrument": np.where(whole, "", _symbols(instruments, rows["instrument"])),
            "node": nodes[np.where(rows["rule"] < len(rule_nodes), rows["rule"], -1)],
            "kind": _words(InterventionKind, rows["kind"]),
            "before": rows["before"],
            "after": rows["after"],
        }
    )


def cashflows_table(ledger: Ledger, instruments: Sequence[InstrumentJob]) -> Table:
    """Return money that came or went without a fill: borrow fees, dividends, parts of shares paid out after a split.

    `instrument` is empty for what was withdrawn from the account, whose `bar` is the step before whose open it was.
    """
    rows = ledger.cashflows
    whole = rows["instrument"] < 0
    return Table(
        {
            "bar": rows["bar"],
            "ts_ns": np.where(whole, _step_times(ledger, rows["bar"], whole), _close_times(instruments, rows)),
            "instrument": np.where(whole, "", _symbols(instruments, rows["instrument"])),
            "kind": _words(CashflowKind, rows["kind"]),
            "amount": rows["amount"],
        }
    )


def _close_times(instruments: Sequence[InstrumentJob], rows: Column) -> TimeColumn:
    """Return when the bars of rows closed; 0 for those of the whole account."""
    ts_ns = np.zeros(len(rows), dtype=np.int64)
    for number, job in enumerate(instruments):
        own = rows["instrument"] == number
        ts_ns[own] = job.bars.close_ns[rows["bar"][own]]
    return ts_ns


def _step_times(ledger: Ledger, steps: Column, chosen: Column) -> TimeColumn:
    return np.asarray(ledger.ts_ns[np.where(chosen, steps, 0)]) if len(ledger.ts_ns) else np.zeros(len(steps), np.int64)


def open_positions_table(ledger: Ledger, instruments: Sequence[InstrumentJob]) -> Table:
    """Return the positions that were still open at the end."""
    held = ledger.open_positions
    index = np.array([position.instrument for position in held], dtype=np.int32)
    lots = np.array([position.lots for position in held], dtype=np.int64)
    return Table(
        {
            "instrument": _symbols(instruments, index),
            "side": _sides(np.sign(lots), "long", "short"),
            "quantity": _quantities(instruments, index, np.abs(lots)),
            "entry_bar": np.array([position.entry_bar for position in held], dtype=np.int64),
            "entry_price": np.array([position.entry_price for position in held], dtype=np.float64),
            "unrealised_pnl": np.array([position.unrealised_pnl for position in held], dtype=np.float64),
        }
    )


def equity_table(ledger: Ledger) -> Table:
    """Return time and equity of every step."""
    return Table({"ts_ns": ledger.ts_ns, "value": ledger.equity})


def _symbols(instruments: Sequence[InstrumentJob], index: Column) -> Column:
    return np.array([job.symbol for job in instruments] or [""], dtype=np.str_)[index]


def _sides(side: Column, up: str, down: str) -> Column:
    return np.where(side > 0, up, down)


def _words(kind: type[IntEnum], codes: Column) -> Column:
    return np.array([member.name.lower() for member in kind], dtype=np.str_)[codes]


def _optional(column: Column) -> Column:
    """Return whole numbers of which -1 means none as Python objects, with None."""
    values = column.astype(object)
    values[column == _NO_BAR] = None
    return values


def _quantities(instruments: Sequence[InstrumentJob], index: Column, lots: Column) -> FloatColumn:
    """Return lots x lot size, without the last digits in which 3 x 0.1 differs from 0.3."""
    quantity = lots * np.array([job.lot_size for job in instruments] or [1.0], dtype=np.float64)[index]
    small = np.abs(quantity) < _LARGE
    return np.asarray(np.where(small, np.round(np.where(small, quantity, 0.0), _DIGITS), quantity))


def _fill_times(
    instruments: Sequence[InstrumentJob],
    index: Column,
    bar: Column,
    price: Column,
    kind: Column,
    reason: Column | None = None,
) -> TimeColumn:
    """Return when fills happened: a roll with the last close before its bar."""
    ts_ns = np.zeros(len(bar), dtype=np.int64)
    for number, job in enumerate(instruments):
        own = index == number
        at = bar[own]
        at_open = (kind[own] == OrderKind.MARKET) | (job.bars.open[at] == price[own])
        at_open &= ~np.isin(kind[own], (OrderKind.CLOSE, OrderKind.AT_CLOSE))
        ts_ns[own] = np.where(at_open, job.bars.open_ns[at], job.bars.close_ns[at])
        if reason is not None:
            rolled = own & (reason == Reason.ROLL)
            ts_ns[rolled] = job.bars.close_ns[bar[rolled] - 1]
    return ts_ns


class _OrderKinds:
    """Which kind each order had, by its id."""

    def __init__(self, ids: Column, kinds: Column) -> None:
        order = np.argsort(ids, kind="stable")
        self.ids, self.kinds = ids[order], kinds[order]

    def of(self, ids: Column) -> Column:
        """Return the kinds of these orders; an order that never filled counts as a stop (known at the close)."""
        if not len(self.ids):
            return np.full(len(ids), OrderKind.STOP, dtype=np.uint8)
        place = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.where(self.ids[place] == ids, self.kinds[place], OrderKind.STOP)


def _order_kinds(ledger: Ledger) -> _OrderKinds:
    return _OrderKinds(ledger.fills["order_id"], ledger.fills["kind"])
