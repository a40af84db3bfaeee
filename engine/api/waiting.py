"""Notifies a listener that a computation is waiting for the import of libraries or for the compiler."""

from __future__ import annotations

from collections.abc import Callable

IMPORT = "libraries"
COMPILE = "compile"

_listeners: list[Callable[[str], None]] = []


def listen_to_waits(listener: Callable[[str], None]) -> Callable[[], None]:
    """Call `listener` with `IMPORT` or `COMPILE` in the waiting thread; return a function that stops this."""
    _listeners.append(listener)

    def end() -> None:
        if listener in _listeners:
            _listeners.remove(listener)

    return end


def report_wait(reason: str) -> None:
    """Tell that this thread waits."""
    for listener in tuple(_listeners):
        listener(reason)
