"""LoggedWorker: what workers with a log of their inputs have in common, from the start to the end."""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from dataclasses import replace
from pathlib import Path

from quantcrafter.engine.api import FeedConnection, RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.live.input_log import InputLog, NumberedOutput
from quantcrafter.engine.live.status_file import WorkerStatus, read_status, write_status
from quantcrafter.engine.live.worker import StrategyWorker, WorkerState

log = logging.getLogger("quantcrafter.live")

_STATUS_S = 2.0
"""How often the status file is written while inputs come."""


class LoggedWorker(StrategyWorker):
    """A worker on a feed, with a log in its folder from which it goes on. Used by one thread, apart from `stop`.

    Args:
        symbol: the instrument.
        strategy_key: the name of the strategy.
        user_id: whose it is.
        folder: where its data is kept; its name is the worker's key.
        mode: `paper`, `replay` or `live`, which is shown.
    """

    def __init__(self, symbol: str, strategy_key: str, user_id: str | None, *, folder: Path, mode: str) -> None:
        super().__init__(symbol, strategy_key, user_id)
        self.folder, self.mode = folder, mode
        self.started_ns = 0
        self.error = ""
        self._log: InputLog | None = None
        self._feed: FeedConnection | None = None
        self._is_folded = False
        """Whether the log was read, so that what it holds is known."""
        self._pending: list[NumberedOutput] = []
        self._seen_s = 0.0
        self._status_s = 0.0

    @property
    def key(self) -> str:
        """The name of its folder."""
        return self.folder.name

    @property
    @abstractmethod
    def has_ended(self) -> bool:
        """Whether it has nothing more to do."""

    def run(self) -> None:
        """Start, take steps until the feed ends or `stop` is called, and close."""
        try:
            self.start()
            while not self._stop_event.is_set() and not self.has_ended:
                self.step(0.2)
        finally:
            self.close()

    def start(self) -> bool:
        """Open log and feed, and go on where the worker was; return whether it began just now.

        Raises:
            RunError: the worker runs already, its log is missing, or it is that of another strategy.
            DataError, ComponentError, TryAgainError: the bars before the start can't be had, or a component failed.
        """
        self.started_ns, self._is_folded = time.time_ns(), False
        self._change(WorkerState.STARTING)
        try:
            self._prepare()
            self._log = InputLog.open(self.folder)
            began = not self._log.has_anchor
            self._open(self._log, began=began)
        except BaseException as error:
            self._fail(error)
            raise
        self._change(WorkerState.RUNNING)
        return began

    @abstractmethod
    def step(self, timeout_s: float = 0.0) -> int:
        """Take what the feed has now, waiting up to `timeout_s` for it; return how many inputs."""

    @abstractmethod
    def close(self) -> None:
        """Close log and feed. What is held stays."""

    @abstractmethod
    def _prepare(self) -> None:
        """Do what has to be done before the log is opened."""

    @abstractmethod
    def _open(self, opened: InputLog, *, began: bool) -> None:
        """Open the feed, and begin, or go on from the log."""

    @abstractmethod
    def _status(self, seen_ns: int | None) -> WorkerStatus:
        """Return what the worker says of itself; `seen_ns` is when its feed was heard last."""

    # ------------------------------------------------------------------ details

    def _opened_log(self) -> InputLog:
        if self._log is None:
            raise self._not_started()
        return self._log

    def _opened_feed(self) -> FeedConnection:
        if self._feed is None:
            raise self._not_started()
        return self._feed

    def _not_started(self) -> RunError:
        return RunError(Message("The worker '{key}' is not started.", key=self.key))

    def _other_strategy(self) -> RunError:
        return RunError(
            Message(
                "The strategy of the worker '{key}' has changed since it began. Start it under another key, or "
                "remove its folder '{folder}'.",
                key=self.key,
                folder=self.folder,
            )
        )

    def _change(self, state: WorkerState) -> None:
        self._state = state
        self._write_status(now=True)

    def _fail(self, error: BaseException) -> None:
        self.error = str(error)
        log.error("Worker %s ended: %s", self.key, self.error, extra={"is_raised": True})
        self._change(WorkerState.ERROR)

    def _write_status(self, *, now: bool = False) -> None:
        if self._log is None or (not now and time.monotonic() - self._status_s < _STATUS_S):
            return
        self._status_s = time.monotonic()
        seen = time.time_ns() - int((time.monotonic() - self._seen_s) * 1e9) if self._seen_s else None
        status = self._status(seen) if self._is_folded else self._last_known(seen)
        write_status(self.folder, status, in_place=not now)

    def _last_known(self, seen_ns: int | None) -> WorkerStatus:
        """Return the status of a worker that can't say what it holds now, with what it said last."""
        status, last = self._status(seen_ns), read_status(self.folder)
        if last is None:
            return status
        names = ("epoch", "position", "positions", "pnl_today")
        seen = last.last_input_at if seen_ns is None else seen_ns
        return replace(status, last_input_at=seen, **{name: getattr(last, name) for name in names})
