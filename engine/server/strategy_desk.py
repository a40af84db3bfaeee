"""The strategies of the store as the API shows them, and what it changes there."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from quantcrafter.engine.api import QuantCrafterError, RunError
from quantcrafter.engine.config.sources import load_configuration
from quantcrafter.engine.orchestrator.pushing import Received, receive_push
from quantcrafter.engine.orchestrator.registry import registered_workers
from quantcrafter.engine.orchestrator.row_config import RowRules
from quantcrafter.engine.orchestrator.worker_config import reason_of_error
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.server.users import ApiUser
from quantcrafter.engine.server.workers import ForbiddenError
from quantcrafter.engine.store.bundle import unpacked
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
            ForbiddenError: it is another user's, or trades real money, or its key is that of another strategy.
            StoreError: the store can't be written.
        """
        self._check(user, row)
        self.store().put(row)

    def _check(self, user: ApiUser, row: StrategyRow) -> None:
        if not user.is_owner and (row.user_id != user.name or row.live):
            raise ForbiddenError(f"You may store strategies with the user_id '{user.name}', and without real money.")
        registered = registered_workers().get(row.key)
        is_taken = registered is not None and (registered.config.user_id or None) != row.user_id
        same_key = [each for each in self.store().list() if each.key == row.key]
        if is_taken or any(_identity(each.values) != _identity(row) for each in same_key):
            raise ForbiddenError(f"The key '{row.key}' is that of another strategy. Choose another strategy key.")

    def push(self, user: ApiUser, bundle: Mapping[str, Any]) -> Received:
        """Take a pushed strategy with its files.

        Raises:
            ForbiddenError: it is another user's, or trades real money.
            SpecError, DataError, RunError: it is refused; nothing of it is kept.
        """
        self._check(user, unpacked(bundle)[0])
        found = load_configuration()
        rules = RowRules.of(found.settings, found.folder)
        try:
            return receive_push(bundle, self.store(), load_registry(), rules)
        except ValueError as error:
            raise RunError(reason_of_error(error)) from error

    def problems(self, user: ApiUser, told: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return what is known of the store: `error`, and `problems` of rows by key.

        Args:
            user: who looks.
            told: what the orchestrator says of its store; None if it has none.
        """
        found = {"place": None, "error": None, "problems": {}} | dict(told or {})
        try:
            rows = self.visible(user)
        except QuantCrafterError as error:
            return {**found, "error": str(error), "problems": {}}
        seen = {each.key for each in rows}
        further = {key: text for key, text in found["problems"].items() if user.is_owner or key in seen}
        found["problems"] = {each.key: each.problem for each in rows if each.problem} | further
        return found

    def close(self) -> None:
        """Close the store."""
        with self._lock:
            if self._store is not None:
                self._store.close()
            self._store = None


def shown_entry(entry: StoreEntry, problem: str = "") -> dict[str, Any]:
    """Return a row for JSON; `problem` is what the orchestrator says of it."""
    found = {name: value for name, value in entry.values.items() if name != "_id"}
    values = found if entry.row is None else entry.row.model_dump(mode="json")
    return {"key": entry.key, "problem": entry.problem or problem or None, **values}


def _identity(row: StrategyRow | Mapping[str, Any]) -> tuple[str, ...]:
    """Return what makes a row the same one in a store; different ones can have the same key."""
    values = row.model_dump() if isinstance(row, StrategyRow) else row
    return tuple(str(values.get(name) or "") for name in ("user_id", "symbol", "strategy_key"))


def _may_see(user: ApiUser, entry: StoreEntry) -> bool:
    return user.may_see(entry.key, str(entry.values.get("user_id") or "") or None)
