"""The entry point of the `quantcrafter` command: streams, exit codes, and what happens when something fails.

Exit codes: 0 done, 1 the run failed, 2 the file or the arguments are wrong, 3 engines differ, 130 interrupted. Starting
is kept fast: typer, rich and the engine are imported once they are needed.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

DONE = 0
FAILED = 1
WRONG_INPUT = 2
DIFFERENT = 3
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    Args:
        argv: the arguments; those of the process, which then ends, if left out.
    """
    if argv is None:
        return _process(sys.argv[1:])
    arguments = list(argv)
    _prepare_streams()
    if arguments in (["--version"], ["-V"]):
        return print_version()
    verbose = "--verbose" in arguments
    try:
        return _run([argument for argument in arguments if argument != "--verbose"] or ["--help"])
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        return _reader_gone()
    except Exception as error:  # noqa: BLE001 - the last resort, which writes the traceback to a file
        from engine.cli.failures import report_failure

        return report_failure(error, verbose=verbose)


def _process(arguments: Sequence[str]) -> int:
    """Run the command line as the whole of a process.

    Starting makes many objects and hardly any garbage: collecting seldom, and not at all on the way out, takes a fifth
    off a short command.
    """
    if getattr(sys, "frozen", False):  # in a bundle the desktop's engine process is this program again
        from multiprocessing import freeze_support

        freeze_support()
    gc.set_threshold(100_000, 20, 20)
    try:
        return main(arguments)
    finally:
        gc.freeze()


def _run(arguments: list[str]) -> int:
    from engine.cli.app import run_app

    try:
        code = run_app(arguments)
        sys.stdout.flush()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else FAILED
    return _interrupted() if code == INTERRUPTED else code


def _interrupted() -> int:
    sys.stderr.write("Interrupted.\n")
    return INTERRUPTED


def _reader_gone() -> int:
    """Send what is still to be said nowhere: the interpreter flushes at its end, and must not fail at that."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED


def print_version() -> int:
    """Print the version and return the exit code."""
    from importlib.metadata import version

    sys.stdout.write(f"QuantCrafter {version('quantcrafter')}\n")
    return DONE


def _prepare_streams() -> None:
    """Make the streams take any character: UTF-8 on Windows, and replacement where the encoding has no such letter."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8" if sys.platform == "win32" else None, errors="replace")
