"""MongoStore: strategies in a MongoDB, in documents as the first generation has them.

Changes are told by a change stream where the server has them; a standalone server refuses them, and is asked every
second instead.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import threading
import time
import warnings
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from quantcrafter.engine.api import QuantCrafterError, RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.place import MASK, shown_address
from quantcrafter.engine.store.rows import StoreError, StrategyRow
from quantcrafter.engine.store.store import Removal, StoreEntry, entries_of, entry_in

log = logging.getLogger("quantcrafter.store")

POLL_S = 1.0
"""How often a server without change streams is asked."""
_TIMEOUT_MS = 2_000
_AWAIT_MS = 500
_LONGEST_REASON = 300
_DETAILS = re.compile(r" \(configured timeouts|, Timeout: |, Topology Description: |, full error: ")
"""What follows the reason in the texts of pymongo."""
_SHORTEST = 3
_SECRET_OPTIONS = re.compile(r"auth|password|user|token", re.IGNORECASE)
_REFUSED = (40573, 40324, 59, 13, 20, 115, 303)
"""What servers answer that have no change streams, or not for this user."""


class MongoStore:
    """Strategies in a collection; see `StrategyStore` for its methods. No connection is made before it is used.

    What was removed is noted in a second collection, with `_removals` at the end of its name.

    Args:
        uri: the server, with what logs in.
        database: the name of the database.
        collection: the name of the collection.

    Raises:
        StoreError: pymongo is not installed.
    """

    def __init__(self, uri: str, database: str, collection: str) -> None:
        try:
            import pymongo.errors
        except ImportError as error:
            raise StoreError(
                Message("Strategies of a MongoDB need pymongo, which is not installed: pip install pymongo")
            ) from error
        self._failure: type[Exception] = pymongo.errors.PyMongoError
        self._refusal: type[Exception] = pymongo.errors.OperationFailure
        self._uri, self._database, self._collection = uri, database, collection
        self._client: Any = None
        self._lock = threading.Lock()
        self._stream: Any = None
        self._has_streams = True
        self._listed_s = 0.0
        self._closed = threading.Event()

    @property
    def place(self) -> str:
        scheme, _, rest = shown_address(self._uri).partition("://")
        return f"{scheme}://{rest.rpartition('@')[2].partition('/')[0]}/{self._database}.{self._collection}"

    def list(self) -> tuple[StoreEntry, ...]:
        self._listed_s = time.monotonic()
        with self._used() as rows:
            return entries_of(rows.find({}))

    def get(self, key: str) -> StoreEntry:
        return entry_in(self.list(), key)

    def put(self, row: StrategyRow) -> None:
        values = {**row.model_dump(), "changed_at": datetime.now(UTC)}
        same = {name: values[name] for name in ("symbol", "strategy_key")}
        same |= {"user_id": row.user_id} if row.user_id else {"user_id": {"$in": [None, ""]}}
        with self._used() as rows:
            rows.update_one(same, {"$set": values}, upsert=True)
            self._removed(rows).delete_one({"_id": row.key})

    def enable(self, key: str) -> None:
        self._set_enabled(key, on=True)

    def disable(self, key: str) -> None:
        self._set_enabled(key, on=False)

    def remove(self, key: str, *, flatten: bool = False) -> None:
        found = self.get(key)
        self.note_removal(found.key, flatten=flatten)  # noted first: who finds the row gone then finds why
        with self._used() as rows:
            rows.delete_one({"_id": found.values["_id"]})

    def note_removal(self, key: str, *, flatten: bool = False) -> None:
        noted = {"flatten": flatten, "removed_at": datetime.now(UTC)}
        with self._used() as rows:
            self._removed(rows).update_one({"_id": key}, {"$set": noted}, upsert=True)

    def removals(self) -> dict[str, Removal]:
        with self._used() as rows:
            found = [*self._removed(rows).find({})]
        return {str(each["_id"]): Removal(str(each["_id"]), bool(each.get("flatten"))) for each in found}

    def problems(self) -> dict[str, str]:
        return {each.key: each.problem for each in self.list() if each.problem}

    def identity(self) -> Hashable:
        return self.place

    def revision(self) -> Hashable:
        with self._used() as rows:
            found = [*rows.find({}), *self._removed(rows).find({})]
        texts = sorted(json.dumps(each, default=str, sort_keys=True) for each in found)
        return hashlib.blake2b("\n".join(texts).encode(), digest_size=16).hexdigest()

    def wait(self, timeout_s: float) -> bool:
        until = time.monotonic() + timeout_s
        while not self._closed.is_set() and time.monotonic() < until:
            if not self._has_streams:
                due_s = self._listed_s + POLL_S
                self._closed.wait(max(0.0, min(due_s, until) - time.monotonic()))
                return time.monotonic() >= due_s
            try:
                if self._told():
                    return True
            except self._refusal as error:
                self._end_stream()
                if getattr(error, "code", None) not in _REFUSED:
                    raise self._unusable(error) from error
                self._has_streams = False
                log.info("%s has no change streams; it is asked every %g s.", self.place, POLL_S)
            except QuantCrafterError:
                raise
            except Exception as error:  # as in `_used`
                self._end_stream()
                raise self._unusable(error) from error
        return False

    def close(self) -> None:
        self._closed.set()
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            with suppress(self._failure):
                client.close()

    # ------------------------------------------------------------------ details

    def _told(self) -> bool:
        """Return whether a change was told, waiting a moment for it. A new stream counts as a change."""
        if self._stream is None or not self._stream.alive:
            rows = self._opened()[self._database][self._collection]
            self._stream = rows.watch(max_await_time_ms=_AWAIT_MS)
            return True
        found = self._stream.try_next()
        if found is None:
            return False
        while self._stream.alive and self._stream.try_next() is not None:  # many changes are read once
            pass
        return True

    def _end_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with suppress(self._failure):
                stream.close()

    def _set_enabled(self, key: str, *, on: bool) -> None:
        found = self.get(key)
        with self._used() as rows:
            rows.update_one({"_id": found.values["_id"]}, {"$set": {"enabled": on, "changed_at": datetime.now(UTC)}})

    @contextmanager
    def _used(self) -> Iterator[Any]:
        """Yield the collection.

        Raises:
            StoreError: the server can't be reached, or refuses.
        """
        try:
            yield self._opened()[self._database][self._collection]
        except QuantCrafterError:
            raise
        except Exception as error:  # beside its own errors, pymongo raises those of its parser for odd answers
            raise self._unusable(error) from error

    def _opened(self) -> Any:
        import pymongo

        with self._lock:
            if self._closed.is_set():
                raise StoreError(Message("The strategy store '{place}' is closed.", place=self.place))
            if self._client is None:
                with warnings.catch_warnings(record=True) as heard:  # their texts have the values of options
                    warnings.simplefilter("always")
                    self._client = pymongo.MongoClient(
                        self._uri,
                        serverSelectionTimeoutMS=_TIMEOUT_MS,
                        connectTimeoutMS=_TIMEOUT_MS,
                        socketTimeoutMS=5 * _TIMEOUT_MS,
                        appname="quantcrafter",
                    )
                if heard:
                    log.warning(
                        "The address of %s has an option, or a value of one, that pymongo doesn't know and leaves out.",
                        self.place,
                    )
            return self._client

    def _removed(self, rows: Any) -> Any:
        return rows.database[f"{rows.name}_removals"]

    def _unusable(self, error: Exception) -> RunError:
        text = _DETAILS.split(" ".join(str(error).split()), maxsplit=1)[0]
        for each in self._secrets():
            text = text.replace(each, MASK)
        if not isinstance(error, self._failure):
            text = str(Message("the server's answer can't be read ({error})", error=f"{type(error).__name__}: {text}"))
        return StoreError(
            Message(
                "The strategy store '{place}' can't be used: {error}. What runs goes on meanwhile.",
                place=self.place,
                error=text[:_LONGEST_REASON].rstrip("."),
            )
        )

    def _secrets(self) -> tuple[str, ...]:
        """Return what of the address must not be shown, the longest first."""
        parts = urlsplit(self._uri)
        login = parts.netloc.rpartition("@")[0].split(":")
        options = [value for name, value in parse_qsl(parts.query) if _SECRET_OPTIONS.search(name)]
        values = {part for text in (*login, *options) for part in (text, unquote(text), *re.split("[:,]", text))}
        return tuple(sorted((each for each in values if len(each) > _SHORTEST), key=len, reverse=True))
