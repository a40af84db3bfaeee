"""An orchestrator with a store, in this process, with real hosts and a real database."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.live.status_file import WorkerStatus, read_status
from quantcrafter.engine.orchestrator.orchestrator import Orchestrator
from quantcrafter.engine.orchestrator.reload import StoreReload
from quantcrafter.engine.orchestrator.row_config import RowRules
from quantcrafter.engine.store.rows import StrategyRow
from quantcrafter.engine.store.store import StrategyStore
from tests.support.counts import is_long
from tests.support.live_cases import PLAIN
from tests.support.supervised import PATIENCE_S

LONG = PLAIN.replace("bars: 160", "bars: 4000")
"""A strategy whose replay at `FEED` lasts for more than a test."""
HOLDER = (
    LONG.replace(
        "advisors: {cross: {use: crossover, fast: fast, slow: slow}}",
        "advisors: {cross: {use: rule, enter_long: [up]}}",
    )
    .replace("risk:\n  stop: {use: percent_stop, percent: 2}", "risk:\n  stop: {use: percent_stop, percent: 90}")
    .replace("indicators:", 'logic: {up: {use: compare, left: bars.close, op: ">", right: 0}}\nindicators:')
)
"""A strategy that buys at its first bar, and keeps it behind a stop far away."""
FEED = "replay:400000x"
"""A day in 0.2 seconds."""


EFFECT_S = 2.0 if is_long() else PATIENCE_S
"""Within how many seconds a change of a row takes effect: two, on a machine that doesn't do other things too."""


class Served:
    """An orchestrator that runs in a thread and follows a store."""

    def __init__(self, store: StrategyStore, rules: RowRules, every_s: float) -> None:
        self.store = store
        self.orchestrator = Orchestrator().open()
        self.reload = StoreReload(self.orchestrator, store, rules, every_s=every_s)
        self.orchestrator.follow(self.reload)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="orchestrator")
        self._thread.start()
        self.reload.start()

    def _run(self) -> None:
        try:
            self.orchestrator.run(self._ends.is_set)
        finally:
            self.orchestrator.close(keep_wanted=True)

    def close(self) -> None:
        """End it, as when the computer is shut down."""
        self._ends.set()
        self._thread.join()

    def state(self, key: str) -> str:
        """Return the state of a worker, '' if there is none."""
        found = self.orchestrator.workers().get(key)
        return "" if found is None else str(found.state)

    def problem(self, key: str) -> str:
        """Return the problem of a row, '' if there is none."""
        return str(self.reload.status()["problems"].get(key, ""))

    def runs(self, key: str, **values: Any) -> bool:
        """Return whether a worker runs, with values of its configuration."""
        found = self.orchestrator.workers().get(key)
        if found is None or str(found.state) != "running":
            return False
        return all(getattr(found.config, name) == value for name, value in values.items())


@contextlib.contextmanager
def served(store: StrategyStore, rules: RowRules | None = None, every_s: float = 60.0) -> Iterator[Served]:
    """Give an orchestrator that follows a store, and is ended in the end."""
    made = Served(store, rules or RowRules(feed=FEED), every_s)
    try:
        yield made
    finally:
        made.close()


def within(seconds: float, condition: Any, shown: Any = None) -> float:
    """Wait until a condition is met; return how long it took, in seconds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + seconds, shown() if shown is not None else ""
        time.sleep(0.02)
    return time.monotonic() - began


def soon(condition: Any, shown: Any = None) -> float:
    """Wait as long as a test waits."""
    return within(PATIENCE_S, condition, shown)


def row(name: str, text: str = LONG, **values: Any) -> StrategyRow:
    """Return a row that holds a strategy's text."""
    return StrategyRow(strategy_key=name, strategy=text, **values)


def status_of(key: str) -> WorkerStatus:
    """Return what a worker says of itself."""
    found = read_status(workers_folder() / key)
    assert found is not None
    return found


def holds(key: str) -> bool:
    """Return whether a worker has a position."""
    found = read_status(workers_folder() / key)
    return found is not None and bool(found.positions)
