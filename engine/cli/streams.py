"""The streams of the command line: results go to standard output, and nothing else gets there.

Third-party code, which plugins bring, may print, warn, close streams, or write to descriptor 1 itself.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from quantcrafter.engine.api.foreign import ForeignCall
    from quantcrafter.engine.cli.interrupt import Interrupts


def prepare_streams() -> None:
    """Make sure that the three streams are open and accept any character.

    A closed one would give its number to the next file that is opened, and prints would go into that.
    """
    for number, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            with contextlib.suppress(OSError):
                _open_nothing(number)
                mode = "r" if number == 0 else "w"
                setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - it stays
    # Kept for results, standard output is ready and leads elsewhere now: to look for its place in a pipe would fail.
    for stream in (sys.stdout, sys.stderr) if _results is None else (sys.stderr,):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8" if sys.platform == "win32" else None, errors="replace")


def _open_nothing(number: int) -> None:
    opened = os.open(os.devnull, os.O_RDWR)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)


_results: TextIO | None = None


def results() -> TextIO:
    """Return the stream for results: standard output, which may be reserved for them."""
    return sys.stdout if _results is None else _results


def keep_stdout_for_results() -> None:
    """Give standard output to `results` alone, until the process ends.

    What prints, or writes to descriptor 1, reaches standard error, whenever and in whichever thread it does.
    """
    global _results  # noqa: PLW0603 - one for the process, as standard output is
    with contextlib.suppress(OSError, ValueError, io.UnsupportedOperation):
        sys.stdout.flush()
        ours = os.dup(1)
        os.dup2(2, 1)
        encoding, newline = sys.stdout.encoding, "\n" if sys.platform != "win32" else None
        _results = open(ours, "w", encoding=encoding, errors="replace", newline=newline)  # noqa: PTH123, SIM115 - it is open until the end


class Console:
    """Prints the output and the duration of third-party code on standard error (`engine.api.foreign.Listener`)."""

    def __init__(self, interrupts: Interrupts) -> None:
        self._interrupts = interrupts
        self._lines: dict[str, int] = {}
        self._stderr = sys.stderr
        with contextlib.suppress(OSError):
            self._spare = os.dup(2)

    def printed(self, call: ForeignCall | None, text: str, *, warning: bool) -> None:
        """Show a line that was printed, or a warning."""
        import logging

        from quantcrafter.engine.api.foreign import MOST_LINES

        who = call.who if call is not None else "A plugin"
        count = self._lines[who] = self._lines.get(who, 0) + 1
        if count <= MOST_LINES:
            self._show(f"{who} {'warns' if warning else 'prints'}: {text}")
            logging.getLogger("quantcrafter.host").info("%s: %s", who, text)
        elif count == MOST_LINES + 1:
            self._show(f"{who} prints more than {MOST_LINES:,} lines; the rest is omitted.")

    def slow(self, call: ForeignCall, seconds: float) -> None:
        """Print how long a call has taken so far."""
        self._show(f"{call.who} has been {call.doing} for {seconds:.0f} s. Press Ctrl-C to stop it.")

    def interrupted(self) -> bool:
        """Return whether Ctrl-C was pressed where it interrupts."""
        from quantcrafter.engine.cli.interrupt import ends_at_once

        return ends_at_once()

    def restore(self) -> None:
        """Restore Ctrl-C and the descriptors."""
        self._interrupts.rearm()
        for number in (2, 1):
            try:
                os.fstat(number)
            except OSError:
                with contextlib.suppress(OSError):
                    os.dup2(self._spare, number)

    def _show(self, text: str) -> None:
        from quantcrafter.engine.cli.console import printable

        with contextlib.suppress(OSError, ValueError):
            self._stderr.write(f"{printable(text)}\n")
            self._stderr.flush()


def show_log() -> None:
    """Show warnings that the engine and components log."""
    import logging

    class Shown(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            from quantcrafter.engine.api.foreign import text_of
            from quantcrafter.engine.cli.console import warn

            if getattr(record, "is_raised", False):  # the command ends with that error, and shows it
                return
            node = getattr(record, "node", "")
            where = f"Node '{node}': " if node else ""
            text = record.getMessage()
            if record.exc_info and record.exc_info[1] is not None:
                text = f"{text} ({type(record.exc_info[1]).__name__}: {text_of(record.exc_info[1])})"
            with contextlib.suppress(Exception):
                warn(f"{where}{text}")

    logger = logging.getLogger("quantcrafter")
    logger.addHandler(Shown(logging.WARNING))


def leave(code: int) -> None:
    """End the process if a third-party thread would delay its end; otherwise return."""
    import threading

    main = threading.main_thread()
    others: list[Any] = [each for each in threading.enumerate() if each is not main and not each.daemon]
    until = time.monotonic() + 2.0
    for each in others:
        each.join(max(0.0, until - time.monotonic()))
    if not any(each.is_alive() for each in others):
        return
    import atexit

    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()  # noqa: SLF001 - there is no other way to have both
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
