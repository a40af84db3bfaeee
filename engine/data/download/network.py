"""Requests to a server: in a thread, so that they can be left at once; paced, and tried again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from quantcrafter.engine.api import DataError, RunCancelledError, TryAgainError
from quantcrafter.engine.api.message import Message

_LOOK_S = 0.1
"""How often a waiting download looks whether it is to stop."""

Result = TypeVar("Result")
Stop = Callable[[], bool]


class UnreachableError(DataError):
    """The server didn't answer, however often it was asked."""


class Patience(NamedTuple):
    """How often a request is tried, and how long is waited before the second time; twice as long each time after.

    A server that never answered is tried `first_attempts` times: it is rather a missing network than a short fault.
    """

    attempts: int = 6
    first_attempts: int = 3
    first_s: float = 1.0
    longest_s: float = 120.0


class Requests:
    """Calls a server's functions one after another in a thread of their own; ends with `close`.

    Args:
        name: what the server is called in messages.
        pace_s: the least distance of two calls.
        patience: how often a call is tried.
        stop: asked while waiting; a call is left at once when it says yes, and its thread ends when the server answers.
        tell: called with a sentence when a call has to wait.
    """

    def __init__(
        self,
        name: str,
        *,
        pace_s: float = 0.0,
        patience: Patience | None = None,
        stop: Stop = lambda: False,
        tell: Callable[[str], object] = lambda _text: None,
    ) -> None:
        self.name = name
        self.stored = False
        """Whether bars of this download are stored, which the message of a failure then says."""
        self._pace_s = pace_s
        self._patience = patience or Patience()
        self._stop = stop
        self._tell = tell
        self._last = float("-inf")
        self._answered = False
        self._calls: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self._answers: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def call(self, function: Callable[[], Result]) -> Result:
        """Return what the function returns, tried again while the server can't answer.

        Raises:
            UnreachableError: it never answered.
            RunCancelledError: the download is to stop.
            DataError: the server refused.
        """
        patience, attempt = self._patience, 0
        while True:
            self._wait(self._last + self._pace_s - time.monotonic())
            try:
                self._last = time.monotonic()
                found = self._in_thread(function)
            except TryAgainError as error:
                last = error
                self._answered |= error.overloaded
            else:
                self._answered = True
                return found
            attempt += 1
            if attempt >= (patience.attempts if self._answered else min(patience.attempts, patience.first_attempts)):
                break
            seconds = max(last.after_s, min(patience.first_s * 2 ** (attempt - 1), patience.longest_s))
            if seconds > patience.longest_s:
                break
            self._tell(
                Message(
                    "{name}: {reason}. Trying again in {seconds:.0f} s.",
                    name=self.name,
                    reason=str(last),
                    seconds=seconds,
                )
            )
            self._wait(seconds)
        raise UnreachableError(self._given_up(last))

    def close(self) -> None:
        """Let the thread end."""
        if self._thread is not None:
            self._calls.put(None)

    def _given_up(self, error: TryAgainError) -> str:
        if not self.stored:
            return self._given_up_at_once(error)
        if error.overloaded:
            return Message(
                "{name} refuses so many requests: {reason}. What was downloaded is stored; start the download again "
                "later to continue.",
                name=self.name,
                reason=str(error),
            )
        return Message(
            "{name} can't be reached: {reason}. Check the network connection. What was downloaded is stored; start the "
            "download again to continue.",
            name=self.name,
            reason=str(error),
        )

    def _given_up_at_once(self, error: TryAgainError) -> str:
        if error.overloaded:
            return Message(
                "{name} refuses so many requests: {reason}. Start the download again later.",
                name=self.name,
                reason=str(error),
            )
        return Message(
            "{name} can't be reached: {reason}. Check the network connection, and start the download again.",
            name=self.name,
            reason=str(error),
        )

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._stop_if_asked()
            time.sleep(min(left, _LOOK_S))

    def _in_thread(self, function: Callable[[], Result]) -> Result:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="download", daemon=True)
            self._thread.start()
        self._calls.put(function)
        while True:
            self._stop_if_asked()
            try:
                value, error = self._answers.get(timeout=_LOOK_S)
            except Empty:
                continue
            if error is not None:
                raise error
            found: Result = value
            return found

    def _work(self) -> None:
        while (function := self._calls.get()) is not None:
            try:
                self._answers.put((function(), None))
            except BaseException as error:  # noqa: BLE001 - it is raised where the call was made
                self._answers.put((None, error))

    def _stop_if_asked(self) -> None:
        if self._stop():
            raise RunCancelledError(Message("It was cancelled; completed work is kept."))
