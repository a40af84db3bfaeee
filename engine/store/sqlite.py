"""SqliteStore: strategies in an SQLite file, which other programs may change too."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Hashable
from contextlib import suppress
from pathlib import Path
from typing import Any

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.transaction import transaction
from quantcrafter.engine.storage import Database, Schema
from quantcrafter.engine.store.rows import StoreError, StrategyRow, worker_key
from quantcrafter.engine.store.store import Removal, StoreEntry, entries_of, entry_in

SCHEMA = Schema(
    1,
    {
        "strategies": (
            "CREATE TABLE strategies (user_id TEXT NOT NULL DEFAULT '', symbol TEXT NOT NULL DEFAULT '', "
            "strategy_key TEXT NOT NULL, enabled INTEGER NOT NULL DEFAULT 1, engine TEXT NOT NULL DEFAULT 'native', "
            "engine_class TEXT NOT NULL DEFAULT '', params TEXT NOT NULL DEFAULT '{}', "
            "strategy TEXT NOT NULL DEFAULT '', feed TEXT NOT NULL DEFAULT '', broker TEXT NOT NULL DEFAULT '', "
            "mode TEXT NOT NULL DEFAULT '', live INTEGER NOT NULL DEFAULT 0, files TEXT NOT NULL DEFAULT '', "
            "changed_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (user_id, symbol, strategy_key))"
        ),
        "removals": (
            "CREATE TABLE removals (key TEXT PRIMARY KEY, flatten INTEGER NOT NULL, "
            "removed_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)"
        ),
    },
)
TIMEOUT_S = 5.0
LOOK_S = 0.25
"""How often the file is looked at for changes."""

_PUT = (
    "INSERT INTO strategies (user_id, symbol, strategy_key, enabled, engine, engine_class, params, strategy, feed, "
    "broker, mode, live, files) VALUES (:user_id, :symbol, :strategy_key, :enabled, :engine, :engine_class, :params, "
    ":strategy, :feed, :broker, :mode, :live, :files) ON CONFLICT DO UPDATE SET enabled = excluded.enabled, "
    "engine = excluded.engine, engine_class = excluded.engine_class, params = excluded.params, "
    "strategy = excluded.strategy, feed = excluded.feed, broker = excluded.broker, mode = excluded.mode, "
    "live = excluded.live, files = excluded.files, changed_at = CURRENT_TIMESTAMP"
)
_NOTE = "INSERT OR REPLACE INTO removals (key, flatten) VALUES (?, ?)"
_Rows = list[dict[str, Any]]
_OF_ROW = "user_id = :user_id AND symbol = :symbol AND strategy_key = :strategy_key"


class SqliteStore:
    """Strategies in a file; see `StrategyStore` for its methods.

    The file is made when something is written. Changes by other programs are seen by the time and size of the file.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database = Database(
            path=path,
            schema=SCHEMA,
            name=Message("strategy store"),
            place=path,
            error=StoreError,
            if_damaged=Message("Restore it from a backup. What runs goes on meanwhile."),
            timeout_s=TIMEOUT_S,
            write_ahead=True,
        )
        self._closed = threading.Event()
        self._listed: Hashable = None

    @property
    def place(self) -> str:
        return str(self.path)

    def list(self) -> tuple[StoreEntry, ...]:
        self._listed = self.revision()  # before the reading: what changes meanwhile is seen by the next 'wait'
        return entries_of(self._rows("SELECT * FROM strategies"))

    def get(self, key: str) -> StoreEntry:
        return entry_in(self.list(), key)

    def put(self, row: StrategyRow) -> None:
        values = row.model_dump()
        values |= {"params": json.dumps(row.params, ensure_ascii=False), "user_id": row.user_id or ""}
        self._write((_PUT, values), ("DELETE FROM removals WHERE key = ?", (row.key,)))

    def enable(self, key: str) -> None:
        self._set_enabled(key, on=True)

    def disable(self, key: str) -> None:
        self._set_enabled(key, on=False)

    def remove(self, key: str, *, flatten: bool = False) -> None:
        found = _identity(self.get(key))
        self._write(
            (f"DELETE FROM strategies WHERE {_OF_ROW}", found),  # noqa: S608 - no values in it
            (_NOTE, (_key_of(found), flatten)),
        )

    def note_removal(self, key: str, *, flatten: bool = False) -> None:
        self._write((_NOTE, (key, flatten)))

    def removals(self) -> dict[str, Removal]:
        rows = self._rows("SELECT key, flatten FROM removals")
        return {row["key"]: Removal(row["key"], bool(row["flatten"])) for row in rows}

    def problems(self) -> dict[str, str]:
        return {each.key: each.problem for each in self.list() if each.problem}

    def identity(self) -> Hashable:
        with suppress(OSError):
            return self.path.stat().st_ino
        return None

    def revision(self) -> Hashable:
        found = []
        for path in (self.path, self.path.with_name(f"{self.path.name}-wal")):
            with suppress(OSError):
                status = path.stat()
                found.append((status.st_ino, status.st_mtime_ns, status.st_size))
        return tuple(found)

    def wait(self, timeout_s: float) -> bool:
        until = time.monotonic() + timeout_s
        while self.revision() == self._listed:
            left = until - time.monotonic()
            if left <= 0 or self._closed.wait(min(LOOK_S, left)):
                return False
        return True

    def close(self) -> None:
        self._closed.set()

    # ------------------------------------------------------------------ details

    def _set_enabled(self, key: str, *, on: bool) -> None:
        values = {**_identity(self.get(key)), "enabled": on}
        self._write(
            (f"UPDATE strategies SET enabled = :enabled, changed_at = CURRENT_TIMESTAMP WHERE {_OF_ROW}", values)  # noqa: S608
        )

    def _rows(self, query: str) -> _Rows:
        if not self.path.exists():
            return []
        with self._database.open() as connection:
            connection.text_factory = _text
            cursor = connection.execute(query)
            names = [each[0] for each in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def _write(self, *statements: tuple[str, Any]) -> None:
        with self._database.open() as connection, transaction(connection):
            for statement, values in statements:
                connection.execute(statement, values)


def _text(data: bytes) -> str | bytes:
    """Return a text of the database; bytes that are none stay so, and are told as a problem of their row."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _identity(entry: StoreEntry) -> dict[str, Any]:
    return {name: entry.values[name] for name in ("user_id", "symbol", "strategy_key")}


def _key_of(identity: dict[str, Any]) -> str:
    return worker_key(str(identity["symbol"]), str(identity["strategy_key"]), identity["user_id"] or None)
