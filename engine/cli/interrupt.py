"""Ctrl-C: it is said at once that it was heard, and the second one ends the process at once.

The first one ends what a command does. A run is asked to end, as it looks at that now and then; anything else is
interrupted where it is. A thread says so and waits for the second one, so that both work while Python is busy: in a
component that computes, sleeps, or catches whatever is raised.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from types import FrameType
from typing import Any

INTERRUPTED = 130
STOPPING = "Stopping; press Ctrl-C again to end at once.\n"
FINISHING = "The results are being written; press Ctrl-C again to end at once.\n"
_AT_ONCE_S = 0.2
_SHOW_CURSOR = "\x1b[?25h"


class _Way(Enum):
    END = "the command is interrupted"
    ASK = "the run is asked to end"
    FINISH = "results are put in their places, which is not stopped halfway"


class Interrupts:
    """Listens for Ctrl-C from its making until `close`; made in the main thread."""

    def __init__(self) -> None:
        self.way = _Way.END
        self.pressed = threading.Event()
        self.at_work = threading.Lock()
        self._presses = 0
        self._receive, self._send = _pipe()
        self._descriptor = _number(self._send)
        self._before: Any = signal.signal(signal.SIGINT, self._on_signal)
        self._wakeup = signal.set_wakeup_fd(self._descriptor, warn_on_full_buffer=False)
        threading.Thread(target=self._listen, name="ctrl-c", daemon=True).start()

    def rearm(self) -> None:
        """Listen again, where somebody's event loop has taken the wake-up away."""
        if threading.current_thread() is threading.main_thread() and self.is_handler():
            _set_wakeup(self._descriptor, warn_on_full_buffer=False)

    def is_handler(self) -> bool:
        """Return whether Ctrl-C comes here; the desktop has a way of its own."""
        return signal.getsignal(signal.SIGINT) == self._on_signal

    def close(self) -> None:
        """Leave Ctrl-C to whoever had it before."""
        signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, self._before)
        _close(self._send)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.pressed.set()
        if self.way is _Way.END:
            raise KeyboardInterrupt

    def _listen(self) -> None:
        while True:
            numbers = _read(self._receive)
            if not numbers:
                return
            for _ in range(numbers.count(signal.SIGINT)):
                self._presses += 1
                self.pressed.set()
                if self._presses == 1:
                    if self.way is _Way.END:
                        time.sleep(_AT_ONCE_S)  # most commands have ended by then
                    _say(FINISHING if self.way is _Way.FINISH else STOPPING)
                else:
                    self._end_now()

    def _end_now(self) -> None:
        """End the process, with nothing half-written left."""
        self.at_work.acquire(timeout=2.0)
        files = sys.modules.get("quantcrafter.engine.stats.whole_files")
        if files is not None:
            files.discard_all()
        _say((_SHOW_CURSOR if sys.stderr is not None and sys.stderr.isatty() else "") + "Interrupted.\n")
        _leave(INTERRUPTED)


_leave = os._exit
_set_wakeup = signal.set_wakeup_fd
_current: Interrupts | None = None


def install() -> Interrupts:
    """Listen for Ctrl-C until the process ends, and return who listens."""
    global _current  # noqa: PLW0603 - one for the process, as Ctrl-C is
    if _current is None:
        _current = Interrupts()
    return _current


def ends_at_once() -> bool:
    """Return whether Ctrl-C was pressed where it interrupts."""
    return _current is not None and _current.way is _Way.END and _current.pressed.is_set()


@contextmanager
def cancel_on_interrupt() -> Iterator[Callable[[], bool]]:
    """Give a function that says whether Ctrl-C was pressed: what is done within is asked to end, not interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield threading.Event().is_set
        return
    global _current  # noqa: PLW0603 - one for the process, as Ctrl-C is
    own = _current is None
    interrupts = install()
    before, interrupts.way = interrupts.way, _Way.ASK
    try:
        yield interrupts.pressed.is_set
    finally:
        interrupts.way = before
        if own:
            interrupts.close()
            _current = None


@contextmanager
def not_halfway() -> Iterator[None]:
    """Let what is done within be finished, unless Ctrl-C is pressed twice and it takes seconds."""
    if _current is None:
        yield
        return
    before, _current.way = _current.way, _Way.FINISH
    try:
        with _current.at_work:
            yield
    finally:
        _current.way = before


def _say(text: str) -> None:
    """Write to standard error past all buffers and locks, which the main thread may hold."""
    try:
        os.write(2, text.encode())
    except OSError:
        return


def _pipe() -> tuple[Any, Any]:
    """Return both ends of a pipe; Windows wakes up by sockets only."""
    if sys.platform == "win32":
        import socket

        receive, send = socket.socketpair()
        send.setblocking(False)
        return receive, send
    read, write = os.pipe()
    os.set_blocking(write, False)
    return read, write


def _number(end: Any) -> int:
    return end if isinstance(end, int) else int(end.fileno())


def _read(end: Any) -> bytes:
    try:
        return os.read(end, 64) if isinstance(end, int) else bytes(end.recv(64))
    except OSError:
        return b""


def _close(end: Any) -> None:
    if isinstance(end, int):
        os.close(end)
    else:
        end.close()
