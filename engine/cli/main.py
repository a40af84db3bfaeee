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
_FOR_PROGRAMS = ("--json", "--markdown", "schema")
"""What makes standard output a thing that programs read."""
_VERSION = (["--version"], ["-V"])
_leave = os._exit


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    Args:
        argv: the arguments; those of the process, which then ends, if left out.
    """
    if argv is None:
        return _process(sys.argv[1:])
    from quantcrafter.engine.cli.streams import prepare_streams

    arguments = list(argv)
    prepare_streams()
    if arguments in _VERSION:
        return print_version()
    verbose = "--verbose" in arguments
    try:
        return _run([argument for argument in arguments if argument != "--verbose"] or ["--help"])
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        return _reader_gone()
    except BaseException as error:  # noqa: BLE001 - the last resort, which writes the traceback to a file
        return _report(error, verbose=verbose)


def _process(arguments: Sequence[str]) -> int:
    """Run the command line as the whole of a process.

    Starting makes many objects and hardly any garbage: collecting seldom, and not at all on the way out, takes a fifth
    off a short command.
    """
    if getattr(sys, "frozen", False):  # in a bundle the desktop's engine process is this program again
        from multiprocessing import freeze_support

        freeze_support()
    _write_private_files()
    gc.set_threshold(400_000, 20, 20)
    code = FAILED
    try:
        _set_up(arguments)
        code = main(arguments)
        return code
    finally:
        gc.freeze()
        from quantcrafter.engine.cli.streams import leave

        guard = sys.modules.get("quantcrafter.engine.api.foreign_process")
        if guard is not None:
            guard.ending(code)

        leave(code)


def _set_up(arguments: Sequence[str]) -> None:
    """Make the process ready for third-party code, and for Ctrl-C."""
    if list(arguments) in _VERSION:
        return
    from quantcrafter.engine.cli import streams
    from quantcrafter.engine.cli.interrupt import install

    streams.prepare_streams()
    interrupts = install()
    try:
        if any(each.startswith(_FOR_PROGRAMS) for each in arguments) and not {"--help", "-h"} & set(arguments):
            streams.keep_stdout_for_results()
        streams.show_log()
        from quantcrafter.engine.api.foreign import listen

        listen(streams.Console(interrupts))
    except KeyboardInterrupt:
        _leave(_interrupted())


def _write_private_files() -> None:
    """Let only the user read what this process and those it starts write; see `quantcrafter.engine.api.home`."""
    if os.name == "posix":
        os.environ.setdefault("QUANTCRAFTER_USUAL_UMASK", f"{os.umask(0o077):o}")


def _run(arguments: list[str]) -> int:
    from quantcrafter.engine.cli.commands import run_app
    from quantcrafter.engine.cli.streams import results

    try:
        code = run_app(arguments)
        results().flush()
    except SystemExit as leaving:
        # Nothing of ours ends by itself in the middle: an exit code of 0 here would tell of a success that was none.
        code = leaving.code if isinstance(leaving.code, int) and leaving.code else FAILED
    return _interrupted() if code == INTERRUPTED else code


def _report(error: BaseException, *, verbose: bool) -> int:
    try:
        from quantcrafter.engine.cli.failures import report_failure

        return report_failure(error, verbose=verbose)
    except BaseException as failure:  # noqa: BLE001 - what reports failures has failed
        sys.stderr.write(f"error: Unexpected {type(error).__name__}; reporting it failed: {type(failure).__name__}\n")
        return FAILED


def _interrupted() -> int:
    sys.stderr.write("Interrupted.\n")
    return INTERRUPTED


def _reader_gone() -> int:
    """Send what is still to be said nowhere: the interpreter flushes at its end, and must not fail at that."""
    from quantcrafter.engine.cli.streams import results

    os.dup2(os.open(os.devnull, os.O_WRONLY), results().fileno())
    return FAILED


def print_version() -> int:
    """Print the version and return the exit code."""
    from importlib.metadata import version

    sys.stdout.write(f"QuantCrafter {version('quantcrafter')}\n")
    return DONE
