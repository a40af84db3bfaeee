"""The store of strategies, as `quantcrafter start` without files uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message

if TYPE_CHECKING:
    from quantcrafter.engine.config.sources import Configuration
    from quantcrafter.engine.orchestrator.orchestrator import Orchestrator
    from quantcrafter.engine.orchestrator.row_config import RowRules
    from quantcrafter.engine.store.store import StrategyStore


@dataclass(frozen=True)
class StoreRows:
    """A store of strategies whose rows are run, by which rules, and whose; it is read every so many seconds."""

    store: StrategyStore
    rules: RowRules
    user_id: str
    every_s: float

    def follow(self, orchestrator: Orchestrator) -> None:
        """Keep the workers of an orchestrator in line with the store, until that closes."""
        from quantcrafter.engine.orchestrator.reload import StoreReload

        reload = StoreReload(orchestrator, self.store, self.rules, user_id=self.user_id, every_s=self.every_s)
        orchestrator.follow(reload)
        reload.start()


def store_of(configuration: Configuration) -> StrategyStore:
    """Return the store of a configuration.

    Raises:
        StoreError: there is no such kind of store.
    """
    from quantcrafter.engine.store.store import open_store

    settings = configuration.settings
    return open_store(configuration.store_place(), database=settings.mongo_db, collection=settings.config_collection)


def rows_of(configuration: Configuration, *, live: bool) -> StoreRows:
    """Return the rows of a configuration; `live` says that real money may be moved.

    Raises:
        StoreError: there is no such kind of store.
    """
    from quantcrafter.engine.orchestrator.row_config import RowRules

    settings = configuration.settings
    rules = RowRules.of(settings, configuration.folder, live=live)
    return StoreRows(store_of(configuration), rules, settings.user_id, settings.auto_reload_interval)


def check_rows(rows: StoreRows | None) -> None:
    """Refuse to start with nothing to do.

    Raises:
        RunError: the store is an SQLite file that doesn't exist.
    """
    from quantcrafter.engine.store.sqlite import SqliteStore

    if rows is None or (isinstance(rows.store, SqliteStore) and not rows.store.path.exists()):
        raise RunError(
            Message(
                "There are no workers to continue, and no strategies in a store. Name a strategy file, or put one into "
                "the store: quantcrafter store import FILE"
            )
        )
