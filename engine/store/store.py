"""StrategyStore: what every database of strategies can do, and how one is opened by its name."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import did_you_mean
from quantcrafter.engine.store.rows import RowError, StoreError, StrategyRow, row_of, worker_key


@dataclass(frozen=True, slots=True)
class StoreEntry:
    """What a store has under a key: the values as they are there, and the row, or why they are none."""

    key: str
    values: Mapping[str, Any]
    row: StrategyRow | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """That a row was removed by a command: what is gone without one may be a failed restore.

    `flatten` says that its position is to be closed first.
    """

    key: str
    flatten: bool = False


class StrategyStore(Protocol):
    """A database of strategies. All methods can be called by any thread, and raise `StoreError` if it can't be used."""

    @property
    def place(self) -> str:
        """Where it is, without passwords."""
        ...

    def list(self) -> tuple[StoreEntry, ...]:
        """Return all rows, in the order of their keys; those that are no strategies have a problem."""
        ...

    def get(self, key: str) -> StoreEntry:
        """Return a row.

        Raises:
            RunError: there is none.
        """
        ...

    def put(self, row: StrategyRow) -> None:
        """Add a row, or replace the one with its symbol, strategy key and user."""
        ...

    def enable(self, key: str) -> None:
        """Let a row run.

        Raises:
            RunError: there is none.
        """
        ...

    def disable(self, key: str) -> None:
        """Let a row run no more; orders and positions stay as they are.

        Raises:
            RunError: there is none.
        """
        ...

    def remove(self, key: str, *, flatten: bool = False) -> None:
        """Remove a row, and note that this was meant; `flatten` closes its position first.

        Raises:
            RunError: there is none.
        """
        ...

    def note_removal(self, key: str, *, flatten: bool = False) -> None:
        """Note that a row which is gone already was meant to be removed."""
        ...

    def removals(self) -> dict[str, Removal]:
        """Return the rows that were removed and have not come back, by key."""
        ...

    def problems(self) -> dict[str, str]:
        """Return why rows are no strategies, by key."""
        ...

    def identity(self) -> Hashable:
        """Return a value that is another one if the database itself is: None if it is a file that doesn't exist."""
        ...

    def revision(self) -> Hashable:
        """Return a value that is another one after each change; equal ones mean that nothing has changed."""
        ...

    def wait(self, timeout_s: float) -> bool:
        """Wait until something may have changed since `list`, `timeout_s` seconds at most; return whether it may."""
        ...

    def close(self) -> None:
        """Give up connections and threads."""
        ...


def entries_of(rows: Iterable[Mapping[str, Any]]) -> tuple[StoreEntry, ...]:
    """Return what rows of a database are. Of several with the same key, only the first is a strategy."""
    found: dict[str, StoreEntry] = {}
    for values in rows:
        key = _key_of(values) or f"row-{_mark_of(values)}"
        if key in found:
            text = Message("Another row has the key '{key}' too. Give it another strategy key or user.", key=key)
            key = f"{key}#{_mark_of(values)}"
            while key in found:
                key += "#"
            found[key] = StoreEntry(key, values, None, text)
            continue
        try:
            found[key] = StoreEntry(key, values, row_of(values))
        except RowError as error:
            found[key] = StoreEntry(key, values, None, str(error))
        except Exception as error:  # noqa: BLE001 - one row is no reason not to read the others
            found[key] = StoreEntry(key, values, None, f"{type(error).__name__}: {error}")
    return tuple(found[key] for key in sorted(found))


def _mark_of(values: Mapping[str, Any]) -> str:
    """Return what tells a row from others without a key of its own, whichever others there are."""
    identity = {name: values[name] for name in ("_id", "user_id", "symbol", "strategy_key") if name in values}
    text = str(values["_id"]) if "_id" in values else repr(identity or dict(values))
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=4).hexdigest()


def _key_of(values: Mapping[str, Any]) -> str:
    parts = [str(values.get(name) or "") for name in ("symbol", "strategy_key", "user_id")]
    return worker_key(parts[0], parts[1], parts[2]) if parts[1] else ""


def entry_in(entries: Iterable[StoreEntry], key: str) -> StoreEntry:
    """Return the entry of a key.

    Raises:
        RunError: there is none.
    """
    known = {each.key: each for each in entries}
    if key not in known:
        remedy = did_you_mean(key, known) or Message("'quantcrafter store list' shows all.")
        raise RunError(Message("The store has no strategy '{key}'. {remedy}", key=key, remedy=remedy))
    return known[key]


def open_store(
    place: str, *, database: str = "quantcrafter", collection: str = "watchlist_strategies"
) -> StrategyStore:
    """Return the store at a place; no connection is made yet.

    Args:
        place: the path of an SQLite file, also as `sqlite:///path`, or the URI of a MongoDB.
        database: the database of a MongoDB.
        collection: its collection.

    Raises:
        StoreError: it is neither, or pymongo is not installed.
    """
    kind = urlsplit(place).scheme
    if kind in ("mongodb", "mongodb+srv"):
        from quantcrafter.engine.store.mongo import MongoStore

        return MongoStore(place, database, collection)
    from quantcrafter.engine.store.sqlite import SqliteStore

    if kind == "sqlite":
        return SqliteStore(Path(unquote(place.removeprefix("sqlite:///"))).expanduser())
    if "://" in place:
        raise StoreError(
            Message("A store is an SQLite file or a MongoDB (mongodb://...), was '{kind}://...'.", kind=kind)
        )
    return SqliteStore(Path(place).expanduser())
