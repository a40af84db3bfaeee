"""A broker whose account outlives the processes of its workers, as an exchange does: it is in a file.

Market orders fill in two parts, the second one later; other orders fill at their prices after a while, or are
cancelled. Reports are told once, to whoever is connected; all of them can be asked for.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import (
    Balance,
    Broker,
    BrokerConnection,
    OrderCommand,
    OrderEvent,
    Submit,
    VenueExecution,
    VenueOrder,
    VenuePosition,
    hookimpl,
)
from quantcrafter.engine.api.order_id import OrderId
from quantcrafter.engine.api.orders import Accepted, AmendRejected, Cancel, Cancelled, CancelRejected, Filled, Rejected

PRICE = 100.0
WAITS = 4
"""After how many looks a part of an order that works is filled."""

_TABLES = """
CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, number INTEGER, symbol TEXT, side TEXT, kind TEXT, lots INTEGER,
    lot_size REAL, price REAL, filled INTEGER, looks INTEGER, state TEXT);
CREATE TABLE IF NOT EXISTS executions (number INTEGER PRIMARY KEY, id TEXT, lots INTEGER, price REAL, ts_ns INTEGER);
CREATE TABLE IF NOT EXISTS arrivals (id TEXT, what TEXT);
"""


class KeptVenue(Broker):
    """A broker whose account is the file `path`."""

    name = "kept"
    place = "path"
    can_amend = False

    path: str

    @property
    def is_live(self) -> bool:
        return False

    def connect(self) -> BrokerConnection:
        return KeptConnection(Path(self.path))


@contextmanager
def account(path: Path) -> Iterator[sqlite3.Connection]:
    """Give the account's file, in a transaction; the end of a process loses nothing of it."""
    with closing(sqlite3.connect(path, timeout=60.0)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        setattr(connection, "row_factory", sqlite3.Row)  # noqa: B010 - no code reads it
        with connection:
            yield connection


class KeptConnection(BrokerConnection):
    """A connection to the account."""

    def __init__(self, path: Path) -> None:
        self._path, self._worker = path, ""
        self._reports: list[OrderEvent] = []
        with account(path) as opened:
            opened.executescript(_TABLES)

    def begin(self, worker: str, lot_sizes: Any) -> None:
        del lot_sizes
        self._worker = worker

    def send(self, command: OrderCommand) -> None:
        key = str(command.order)
        with account(self._path) as opened:
            opened.execute("INSERT INTO arrivals VALUES (?, ?)", (key, type(command).__name__))
            if isinstance(command, Submit):
                self._new(opened, command, key)
            elif isinstance(command, Cancel):
                done = opened.execute("UPDATE orders SET state = 'cancelled' WHERE id = ? AND state = 'works'", (key,))
                answer = Cancelled if done.rowcount else CancelRejected
                self._reports.append(answer(command.order, time.time_ns()))
            else:
                self._reports.append(AmendRejected(command.order, command.change, time.time_ns(), text="not supported"))

    def _new(self, opened: sqlite3.Connection, command: Submit, key: str) -> None:
        number = opened.execute("SELECT count(*) FROM orders").fetchone()[0] + 1
        row = (
            key, number, command.symbol, command.side, command.kind, command.lots, command.lot_size,
            command.price or PRICE, 0, 0, "works",
        )  # fmt: skip
        opened.execute("INSERT OR IGNORE INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        self._reports.append(Accepted(command.order, time.time_ns(), venue_id=f"V{number}"))
        if command.kind == "market":
            self._fill(opened, key, max(1, command.lots // 2))

    def _fill(self, opened: sqlite3.Connection, key: str, lots: int) -> None:
        number = opened.execute("SELECT count(*) FROM executions").fetchone()[0] + 1
        price, now_ns = opened.execute("SELECT price FROM orders WHERE id = ?", (key,)).fetchone()[0], time.time_ns()
        opened.execute("INSERT INTO executions VALUES (?, ?, ?, ?, ?)", (number, key, lots, price, now_ns))
        opened.execute("UPDATE orders SET filled = filled + ?, looks = 0 WHERE id = ?", (lots, key))
        opened.execute("UPDATE orders SET state = 'filled' WHERE id = ? AND filled = lots", (key,))
        self._reports.append(Filled(OrderId.parse(key), f"E{number}", lots, price, now_ns, fee=0.0))

    def poll(self, timeout_s: float) -> Sequence[OrderEvent]:
        with account(self._path) as opened:
            mine = f"{self._worker}%"
            opened.execute("UPDATE orders SET looks = looks + 1 WHERE state = 'works' AND id LIKE ?", (mine,))
            found = opened.execute(
                "SELECT id, lots - filled AS left FROM orders WHERE state = 'works' AND looks >= ? AND id LIKE ?",
                (WAITS, mine),
            ).fetchall()
            for row in found:
                self._fill(opened, row["id"], row["left"])
        if not self._reports and timeout_s:
            time.sleep(timeout_s)
        reports, self._reports = self._reports, []
        return reports

    def executions(self, since_ns: int) -> Sequence[VenueExecution]:
        with account(self._path) as opened:
            return executions_of(opened, since_ns)

    def open_orders(self) -> Sequence[VenueOrder]:
        with account(self._path) as opened:
            return [
                VenueOrder(
                    f"V{row['number']}", row["symbol"], row["side"], row["kind"], row["lots"] * row["lot_size"],
                    filled=row["filled"] * row["lot_size"], price=row["price"], client_order_id=row["id"],
                )
                for row in opened.execute("SELECT * FROM orders WHERE state = 'works' ORDER BY number")
            ]  # fmt: skip

    def positions(self) -> Sequence[VenuePosition]:
        with account(self._path) as opened:
            return [VenuePosition(symbol, quantity) for symbol, quantity in held(opened).items() if quantity]

    def balances(self) -> Sequence[Balance]:
        return [Balance("USD", 1e6, 1e6)]

    def outcome(self, order: OrderId) -> Sequence[OrderEvent]:
        key, now_ns = str(order), time.time_ns()
        with account(self._path) as opened:
            row = opened.execute("SELECT * FROM orders WHERE id = ?", (key,)).fetchone()
            if row is None:
                return [Rejected(order, now_ns, text="not known here")]
            done = opened.execute("SELECT * FROM executions WHERE id = ? ORDER BY number", (key,)).fetchall()
        fills = [Filled(order, f"E{each['number']}", each["lots"], each["price"], now_ns, fee=0.0) for each in done]
        end = [Cancelled(order, now_ns)] if row["state"] == "cancelled" else []
        return [Accepted(order, now_ns, venue_id=f"V{row['number']}"), *fills, *end]

    def close(self) -> None:
        """Keep nothing open."""


def executions_of(opened: sqlite3.Connection, since_ns: int = 0) -> list[VenueExecution]:
    """Return the executions of an account."""
    query = "SELECT * FROM executions JOIN orders USING (id) WHERE ts_ns >= ? ORDER BY executions.number"
    rows = opened.execute(query.replace("*", "executions.number AS n, executions.lots AS part, *"), (since_ns,))
    return [
        VenueExecution(
            f"E{row['n']}", row["symbol"], row["side"], row["part"] * row["lot_size"], row["price"], row["ts_ns"],
            client_order_id=row["id"], fee=0.0,
        )
        for row in rows
    ]  # fmt: skip


def held(opened: sqlite3.Connection) -> dict[str, float]:
    """Return the positions of an account."""
    found: dict[str, float] = {}
    for each in executions_of(opened):
        found[each.symbol] = found.get(each.symbol, 0.0) + (each.quantity if each.side == "buy" else -each.quantity)
    return found


@hookimpl
def register_brokers() -> list[type[Broker]]:
    """Bring the broker."""
    return [KeptVenue]
