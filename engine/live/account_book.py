"""What the workers that share an account hold of it: their virtual positions, and what belongs to none of them.

1. One SQLite file per account, which its workers write to, in whatever process they run.
2. An execution is counted once, by its id: by the worker that owns its order, or as nobody's if no worker does.
3. It can be made again from the workers' logs and the broker; it decides nothing by itself.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from quantcrafter.engine.api import Broker, RunError, VenueExecution
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.transaction import transaction
from quantcrafter.engine.storage import Database, Schema

ACCOUNTS = "accounts"
DAY_NS = 86_400_000_000_000
MINUTE_NS = 60_000_000_000

_FEES = "CREATE TABLE fees (id TEXT PRIMARY KEY, symbol TEXT NOT NULL, quantity REAL NOT NULL) WITHOUT ROWID"


def _with_fees(database: Any) -> None:
    database.execute(_FEES)
    database.execute("ALTER TABLE workers ADD COLUMN currency TEXT NOT NULL DEFAULT ''")


_SCHEMA = Schema(
    2,
    {
        "workers": (
            "CREATE TABLE workers (prefix TEXT PRIMARY KEY, key TEXT NOT NULL, day INTEGER NOT NULL, "
            "pnl REAL NOT NULL, exposure REAL NOT NULL, compared_ns INTEGER NOT NULL, "
            "currency TEXT NOT NULL DEFAULT '') WITHOUT ROWID"
        ),
        "positions": (
            "CREATE TABLE positions (prefix TEXT NOT NULL, symbol TEXT NOT NULL, quantity REAL NOT NULL, "
            "PRIMARY KEY (prefix, symbol)) WITHOUT ROWID"
        ),
        "counted": "CREATE TABLE counted (id TEXT PRIMARY KEY) WITHOUT ROWID",
        "nobodys": "CREATE TABLE nobodys (symbol TEXT PRIMARY KEY, quantity REAL NOT NULL) WITHOUT ROWID",
        "sent": "CREATE TABLE sent (ts_ns INTEGER NOT NULL, prefix TEXT NOT NULL)",
        "fees": _FEES,
    },
    {1: _with_fees},
)


@dataclass(frozen=True, slots=True)
class AccountFigures:
    """What workers of an account have: exposure, and the profit of a UTC day, in the currency of their accounts."""

    exposure: float
    pnl: float
    currency: str = ""


def account_of(broker: Broker) -> str:
    """Return a name of a broker's account: its name, and a hash of its plain options."""
    plain = {
        name: value
        for name, value in sorted(broker.__dict__.items())
        if value is None or isinstance(value, (str, int, float, bool))
    }
    digest = hashlib.blake2b(repr(plain).encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{type(broker).name}-{digest}"


def signed(execution: VenueExecution) -> float:
    """Return the quantity of an execution, negative if it sold."""
    return execution.quantity if execution.side == "buy" else -execution.quantity


class AccountBook:
    """The book of one account, open in one worker.

    Args:
        database: the file.
        connection: to it.
        stack: closes it.
        prefix: what ids of the worker's orders begin with.
        key: the worker's key.
    """

    def __init__(
        self, database: Database, connection: sqlite3.Connection, stack: ExitStack, prefix: str, key: str
    ) -> None:
        self._database, self._connection, self._stack = database, connection, stack
        self._prefix, self._key = prefix, key
        with self._writing() as write:
            write.execute("INSERT OR IGNORE INTO workers VALUES (?, ?, 0, 0, 0, 0, '')", (prefix, key))

    @classmethod
    def open(cls, folder: Path, account: str, prefix: str, key: str) -> Self:
        """Return the book of an account in a data folder; it is made if it doesn't exist.

        Raises:
            RunError: it can't be used.
        """
        path = folder / ACCOUNTS / f"{account}.db"
        database = Database(
            path=path,
            schema=_SCHEMA,
            name=Message("book of an account"),
            place=path,
            error=RunError,
            if_damaged=Message("Keep the file for inspection and remove it: it is made again when workers start."),
            timeout_s=5.0,
            write_ahead=True,
        )
        with ExitStack() as stack:
            return cls(database, stack.enter_context(database.open()), stack.pop_all(), prefix, key)

    # ------------------------------------------------------------------ what the worker has

    def put(
        self, positions: Mapping[str, float], executions: Collection[str], figures: AccountFigures, day_ns: int
    ) -> None:
        """Write what the worker holds now, with the executions that are in it."""
        with self._writing() as write:
            write.execute("DELETE FROM positions WHERE prefix = ?", (self._prefix,))
            rows = [(self._prefix, symbol, quantity) for symbol, quantity in positions.items()]
            write.executemany("INSERT INTO positions VALUES (?, ?, ?)", rows)
            write.executemany("INSERT OR IGNORE INTO counted VALUES (?)", [(each,) for each in executions])
            write.execute(
                "UPDATE workers SET day = ?, pnl = ?, exposure = ?, currency = ? WHERE prefix = ?",
                (day_ns // DAY_NS, figures.pnl, figures.exposure, figures.currency, self._prefix),
            )

    def others(self, ts_ns: int) -> AccountFigures:
        """Return what the other workers of the account have together on the UTC day of a moment."""
        exposure = self._one("SELECT coalesce(sum(exposure), 0) FROM workers WHERE prefix <> ?", self._prefix)
        pnl = self._one(
            "SELECT coalesce(sum(pnl), 0) FROM workers WHERE prefix <> ? AND day = ?", self._prefix, ts_ns // DAY_NS
        )
        return AccountFigures(float(exposure), float(pnl))

    def currencies(self, ts_ns: int) -> set[str]:
        """Return the currencies in which other workers have an exposure, or a profit on the UTC day of a moment."""
        rows = self._rows(
            "SELECT DISTINCT currency FROM workers WHERE prefix <> ? AND (exposure <> 0 OR (pnl <> 0 AND day = ?))",
            self._prefix,
            ts_ns // DAY_NS,
        )
        return {currency for (currency,) in rows if currency}

    def note_sent(self, ts_ns: int) -> None:
        """Note that an order is sent."""
        with self._writing() as write:
            write.execute("DELETE FROM sent WHERE ts_ns < ?", (ts_ns - MINUTE_NS,))
            write.execute("INSERT INTO sent VALUES (?, ?)", (ts_ns, self._prefix))

    def sent_in_minute(self, ts_ns: int) -> int:
        """Return how many orders the workers of the account sent in the minute before a moment."""
        return int(self._one("SELECT count(*) FROM sent WHERE ts_ns > ?", ts_ns - MINUTE_NS))

    # ------------------------------------------------------------------ what the account has

    @property
    def compared_ns(self) -> int:
        """When the worker was compared with the broker last; 0 for never."""
        return int(self._one("SELECT compared_ns FROM workers WHERE prefix = ?", self._prefix))

    def note_compared(self, ts_ns: int) -> None:
        """Note that the worker was compared with the broker."""
        with self._writing() as write:
            write.execute("UPDATE workers SET compared_ns = ? WHERE prefix = ?", (ts_ns, self._prefix))

    def prefixes(self) -> Mapping[str, str]:
        """Return the keys of the account's workers by what ids of their orders begin with."""
        return dict(self._rows("SELECT prefix, key FROM workers"))

    def held(self, symbol: str) -> float:
        """Return what all workers hold of a symbol together."""
        return float(self._one("SELECT coalesce(sum(quantity), 0) FROM positions WHERE symbol = ?", symbol))

    def nobodys(self) -> dict[str, float]:
        """Return what belongs to no worker, by the symbols that were looked at."""
        return dict(self._rows("SELECT symbol, quantity FROM nobodys ORDER BY symbol"))

    def uncounted(self, executions: Collection[VenueExecution]) -> list[VenueExecution]:
        """Return the executions that no one has counted yet."""
        ids = {each.id for each in executions}
        known = {each for each in ids if self._one("SELECT count(*) FROM counted WHERE id = ?", each)}
        return [each for each in executions if each.id not in known]

    def count_as_nobodys(self, executions: Collection[VenueExecution]) -> None:
        """Count executions that no worker owns; those of symbols that were not looked at yet are counted with them."""
        with self._writing() as write:
            for each in executions:
                if write.execute("INSERT OR IGNORE INTO counted VALUES (?)", (each.id,)).rowcount:
                    write.execute(
                        "UPDATE nobodys SET quantity = quantity + ? WHERE symbol = ?", (signed(each), each.symbol)
                    )

    def count(self, executions: Collection[VenueExecution]) -> None:
        """Note that the worker's log has executions."""
        with self._writing() as write:
            write.executemany("INSERT OR IGNORE INTO counted VALUES (?)", [(each.id,) for each in executions])

    def note_fees(self, executions: Collection[VenueExecution]) -> None:
        """Note what was taken as fees in units of the instruments, of each execution once."""
        rows = [(each.id, each.symbol, each.fee_quantity) for each in executions if each.fee_quantity]
        if rows:
            with self._writing() as write:
                write.executemany("INSERT OR IGNORE INTO fees VALUES (?, ?, ?)", rows)

    def fees(self, symbol: str) -> float:
        """Return how much of a symbol was taken as fees."""
        return float(self._one("SELECT coalesce(sum(quantity), 0) FROM fees WHERE symbol = ?", symbol))

    def begin(self, symbol: str, quantity: float) -> None:
        """Note what belongs to no worker when a symbol is looked at first."""
        with self._writing() as write:
            write.execute("INSERT OR IGNORE INTO nobodys VALUES (?, ?)", (symbol, quantity))

    def forget_nobodys(self, symbols: Collection[str]) -> None:
        """Let symbols be looked at as for the first time: what workers don't hold of them then belongs to nobody."""
        with self._writing() as write:
            write.executemany("DELETE FROM nobodys WHERE symbol = ?", [(each,) for each in symbols])

    def close(self) -> None:
        """Close the file."""
        self._stack.close()

    # ------------------------------------------------------------------ details

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            with transaction(self._connection):
                yield self._connection
        except sqlite3.Error as error:
            raise self._database.failure(error) from error

    def _rows(self, query: str, *values: Any) -> Iterator[Any]:
        try:
            yield from self._connection.execute(query, values)
        except sqlite3.Error as error:
            raise self._database.failure(error) from error

    def _one(self, query: str, *values: Any) -> Any:
        return next(self._rows(query, *values))[0]
