"""Protection of the process from third-party code, which can't end it, replace it, or intercept Ctrl-C.

In the original process, from `guard_process` on:
1. `os._exit` raises `SystemExit` within a call. Elsewhere, in a thread or at the end of the program, it ends the
   process with 1 and prints a line about it; after `ending`, with the exit code given there.
2. `os.execv` and similar functions raise an exception.
3. Handlers of SIGINT and SIGTERM can't be changed within a call.

A process created by fork is not restricted, but can't return from the call (`leave_fork`).
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what `signal` is made of, without types
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from quantcrafter.engine.api.message import Message

if sys.platform == "win32":
    import nt as _system
else:
    import posix as _system

Who = Callable[[bool], str]
"""Names whose call the thread is in, or with True, any thread; '' for nobody's."""

FAILED = 1
_KEPT_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))

leave_process = os._exit
_set_handler = _signal.signal
_set_wakeup = signal.set_wakeup_fd
_exec = {name: getattr(os, name) for name in ("execv", "execve") if hasattr(os, name)}

_process = 0
_who: Who
_code: int | None = None


class ReplacedError(Exception):
    """Third-party code tried to replace this program by another one."""


def guard_process(who: Who) -> None:
    """Begin to guard the process."""
    global _process, _who
    _process, _who = os.getpid(), who
    _patch(_exit, {name: _refuse(name) for name in _exec}, _signal_within, _wakeup_within)


def release_process() -> None:
    """Guard it no more."""
    _patch(leave_process, _exec, _set_handler, _set_wakeup)


def set_handler(number: int, handler: Any) -> None:
    """Set the handler of a signal, guarded or not."""
    _set_handler(int(number), int(handler) if isinstance(handler, signal.Handlers) else handler)


def ending(code: int) -> None:
    """Declare that the program is ending by itself, with this exit code, whatever is called from now on."""
    global _code  # noqa: PLW0603 - one for the process
    _code = code


def leave_fork(process: int) -> None:
    """End the process if it is a child of the original one, so that what follows runs only once."""
    if os.getpid() != process:
        leave_process(FAILED)


def _patch(leave: Any, execs: dict[str, Any], handler: Any, wakeup: Any) -> None:
    modules: tuple[Any, ...] = (os, _system)
    for module in modules:
        module._exit = leave  # noqa: SLF001 - that is its name
        for name, function in execs.items():
            setattr(module, name, function)
    _signal.signal = handler  # `signal.signal` calls this one
    _signal.set_wakeup_fd = signal.set_wakeup_fd = wakeup


def _is_here() -> bool:
    return os.getpid() == _process


def _exit(status: int = 0) -> Any:
    """Stand for `os._exit`."""
    if not _is_here():
        leave_process(status)
    if _code is not None:
        leave_process(_code)
    if _who(False):
        raise SystemExit(status)
    files = sys.modules.get("quantcrafter.engine.stats.whole_files")
    if files is not None:
        with contextlib.suppress(Exception):
            files.discard_all()
    who = _who(True)
    during = f" while in a call of: {who}" if who else ""
    _say(f"error: A plugin ended the program by os._exit({status}){during}. Nothing was finished.\n")
    leave_process(FAILED)


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, text.encode(errors="replace"))


def _refuse(name: str) -> Callable[..., Any]:
    def refuse(*arguments: Any) -> Any:
        if not _is_here():
            return _exec[name](*arguments)
        raise ReplacedError(
            Message("it calls os.{name}, which would end QuantCrafter. Start a process by 'subprocess'", name=name)
        )

    return refuse


def _signal_within(number: int, handler: Any) -> Any:
    if number in _KEPT_SIGNALS and _is_here() and _who(False):
        return signal.getsignal(number)
    return _set_handler(number, handler)


def _wakeup_within(descriptor: int, **options: Any) -> int:
    if _is_here() and _who(False):
        return -1
    return _set_wakeup(descriptor, **options)
