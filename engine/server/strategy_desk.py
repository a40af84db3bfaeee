"""The strategies of the store as the API shows them, and what it changes there."""

from __future__ import annotations

import threading
from typing import Any

from quantcrafter.engine.config.sources import load_configuration
from quantcrafter.engine.server.users import ApiUser
from quantcrafter.engine.server.workers import ForbiddenError
from quantcrafter.engine.store.rows import StrategyRow
from quantcrafter.engine.store.store import StoreEntry, StrategyStore, open_store


class StrategyDesk:
    """The store of the configuration; it is opened when it is first asked for."""

    def __init__(self) -> None:
        self._store: StrategyStore | None = None
        self._lock = threading.Lock()

    def store(self) -> StrategyStore:
        """Return the store.

        Raises:
            ConfigError: the configuration is broken.
            StoreError: there can't be such a store.
        """
        with self._lock:
            if self._store is None:
                found = load_configuration()
                self._store = open_store(
                    found.store_place(),
                    database=found.settings.mongo_db,
                    collection=found.settings.config_collection,
                )
            return self._store

    def visible(self, user: ApiUser) -> list[StoreEntry]:
        """Return the rows that a user sees.

        Raises:
            StoreError: the store can't be read.
        """
        return [each for each in self.store().list() if _may_see(user, each)]

    def get(self, user: ApiUser, key: str) -> StoreEntry:
        """Return a row that a user sees.

        Raises:
            ForbiddenError: the user doesn't see it, or wouldn't if it existed.
            RunError: there is none, or the store can't be read.
        """
        found = next((each for each in self.visible(user) if each.key == key), None)
        if found is None and not user.is_owner:
            raise ForbiddenError("You don't see this strategy.")
        return found or self.store().get(key)

    def put(self, user: ApiUser, row: StrategyRow) -> None:
        """Add a row, or replace it.

        Raises:
            ForbiddenError: it is another user's, or trades real money.
            StoreError: the store can't be written.
        """
        if not user.is_owner and (row.user_id != user.name or row.live):
            raise ForbiddenError(f"You may store strategies with the user_id '{user.name}', and without real money.")
        self.store().put(row)

    def problems(self, user: ApiUser) -> dict[str, str]:
        """Return why rows that a user sees are no strategies, by key.

        Raises:
            StoreError: the store can't be read.
        """
        return {each.key: each.problem for each in self.visible(user) if each.problem}

    def close(self) -> None:
        """Close the store."""
        with self._lock:
            if self._store is not None:
                self._store.close()
            self._store = None


def shown_entry(entry: StoreEntry) -> dict[str, Any]:
    """Return a row for JSON."""
    found = {name: value for name, value in entry.values.items() if name != "_id"}
    values = found if entry.row is None else entry.row.model_dump(mode="json")
    return {"key": entry.key, "problem": entry.problem or None, **values}


def _may_see(user: ApiUser, entry: StoreEntry) -> bool:
    return user.may_see(entry.key, str(entry.values.get("user_id") or "") or None)
