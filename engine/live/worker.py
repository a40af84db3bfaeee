"""StrategyWorker: what the program knows of anything that trades on and on, and the states it can be in."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from enum import StrEnum
from typing import Any

from quantcrafter.engine.live.api_files import log_stream_url


class WorkerState(StrEnum):
    """The state of a worker. `reducing` allows only orders that reduce positions."""

    CREATED = "created"
    STARTING = "starting"
    WARMING_UP = "warming_up"
    RUNNING = "running"
    PAUSED = "paused"
    REDUCING = "reducing"
    STOPPING = "stopping"
    STOPPED = "stopped"
    ERROR = "error"


ALIVE = frozenset(
    {
        WorkerState.STARTING,
        WorkerState.WARMING_UP,
        WorkerState.RUNNING,
        WorkerState.PAUSED,
        WorkerState.REDUCING,
        WorkerState.STOPPING,
    }
)
"""The states in which a worker does something."""


class StrategyWorker(ABC):
    """A strategy that runs until it is stopped. `run` is called in a thread or process of its own.

    A subclass sets `_state` and looks at `_stop_event`, which `stop` sets.

    Args:
        symbol: the instrument.
        strategy_key: the name of the strategy.
        user_id: whose it is, if several users share the program.
        **kwargs: parameters of the strategy.
    """

    def __init__(self, symbol: str, strategy_key: str, user_id: str | None = None, **kwargs: Any) -> None:
        self.symbol = symbol
        self.strategy_key = strategy_key
        self.user_id = user_id
        self.params: dict[str, Any] = kwargs
        self._state = WorkerState.CREATED
        self._stop_event = threading.Event()

    @property
    def key(self) -> str:
        """The name of the worker: user, symbol and strategy."""
        return "_".join(each for each in (self.user_id, self.symbol, self.strategy_key) if each)

    @property
    def state(self) -> WorkerState:
        """The state now."""
        return WorkerState(self._state)

    @property
    def is_running(self) -> bool:
        """Whether it does something, or is about to."""
        return self.state in ALIVE

    @abstractmethod
    def run(self) -> None:
        """Run until the worker is stopped or has nothing more to do."""

    def stop(self, save_state: bool = True) -> None:  # noqa: FBT001, FBT002 - as its users call it
        """Ask the worker to end; `run` returns soon after. Orders and positions stay as they are."""
        if save_state and self.is_running:
            self.save_state()
        self._stop_event.set()

    def get_stats(self) -> dict[str, Any]:
        """Return figures about the worker, as plain values."""
        return {}

    def get_position(self) -> float:
        """Return the quantity held of the symbol, negative if short."""
        return 0.0

    def save_state(self) -> None:  # noqa: B027 - not all have something to keep
        """Keep what is needed to continue later."""

    def load_state(self) -> None:  # noqa: B027 - the same
        """Load what `save_state` kept."""

    def get_worker_info(self) -> dict[str, Any]:
        """Return what the worker is, as plain values."""
        return {
            "key": self.key,
            "symbol": self.symbol,
            "strategy_key": self.strategy_key,
            "user_id": self.user_id,
            "state": str(self.state),
            "log_stream_url": self.get_log_stream_url(),
        }

    def get_log_stream_url(self) -> str | None:
        """Return where its log can be followed by a WebSocket; None while the API of the data folder doesn't run."""
        return log_stream_url(self.key)
