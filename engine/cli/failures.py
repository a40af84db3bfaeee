"""Reports errors of commands: the reason as text, with a traceback only on request."""

from __future__ import annotations

import os
import platform
import sys
import traceback
from datetime import UTC, datetime

from quantcrafter.engine.api import PluginError, QuantCrafterError, RunCancelledError, SpecError
from quantcrafter.engine.api.foreign import text_of
from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.os_errors import fault, os_error_text
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.cli.console import complain, note
from quantcrafter.engine.cli.main import FAILED, INTERRUPTED, WRONG_INPUT
from quantcrafter.engine.cli.problems import print_problems
from quantcrafter.engine.config.errors import ConfigError


def report_failure(error: BaseException, *, verbose: bool = False) -> int:
    """Print an error that a command raised and return the exit code.

    A QuantCrafter error is printed unchanged. Other errors are faults of QuantCrafter or a plugin: one line is printed,
    and the traceback goes to a file under the user's directory.
    """
    if isinstance(error, RunCancelledError):
        note("Stopped. Nothing was written.")
        return INTERRUPTED
    if isinstance(error, SpecError):
        print_problems(error.problems)
        return WRONG_INPUT
    if isinstance(error, QuantCrafterError):
        complain(text_of(error))
        if verbose and error.__cause__ is not None:  # else the text says all that is known
            note(_traceback_of(error))
        return WRONG_INPUT if isinstance(error, (ConfigError, PluginError)) else FAILED
    return _report_crash(error, verbose=verbose)


def _report_crash(error: BaseException, *, verbose: bool) -> int:
    text = _traceback_of(error)
    complain(_unexpected(error))
    if verbose:
        note(text)
    note(f"The full traceback was written to {_write_crash(text)}")
    return FAILED


def _unexpected(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "There is not enough memory for this. Use fewer bars, or close other programs."
    if isinstance(error, OSError) and error.errno:
        return os_error_text(error)
    return f"Unexpected {type(error).__name__}: {' '.join(text_of(error).split()) or 'no message'}"


def _traceback_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)).rstrip()


def _write_crash(text: str) -> str:
    """Write the traceback to a file of its own and return the path, or say why there is none."""
    now = datetime.now(UTC)
    try:
        path = home() / "logs" / f"crash-{now:%Y%m%d-%H%M%S}-{os.getpid()}.txt"
    except QuantCrafterError as failure:
        return f"nowhere: {failure} Use --verbose to see it."
    heading = f"{now:%Y-%m-%d %H:%M:%S} UTC, Python {platform.python_version()} on {platform.platform()}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{heading}\nArguments: {sys.argv[1:]}\n\n{text}\n", encoding="utf-8")
    except (OSError, ValueError) as failure:
        return f"nowhere: '{shown_path(path)}' can't be written ({fault(failure).cause}). Use --verbose to see it."
    return str(path)
