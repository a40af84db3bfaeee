"""Which plugins the user disabled, and which node files they allowed: `plugins.json` in the user's directory."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path

from quantcrafter.engine.api import PluginError, Problem, Severity
from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.message import Message, joined
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import shown_path


def state_file() -> Path:
    """Return the path of the file that holds the names of disabled plugins and allowed node files."""
    return home() / "plugins.json"


def read_disabled() -> tuple[frozenset[str], Problem | None]:
    """Return the names of disabled plugins, and a warning when the file cannot be read (it then counts as empty)."""
    return _read("disabled")


def read_allowed() -> frozenset[str]:
    """Return the names of allowed node files; none if the file cannot be read."""
    return _read("allowed_files")[0]


def write_disabled(names: frozenset[str]) -> None:
    """Replace the list of disabled plugins in one step, so that a crash never leaves half a file.

    Raises:
        PluginError: the file cannot be written.
    """
    _write({"disabled": sorted(names), "allowed_files": sorted(read_allowed())})


def write_allowed(names: frozenset[str]) -> None:
    """Replace the list of allowed node files in one step.

    Raises:
        PluginError: the file cannot be read or written.
    """
    disabled, unreadable = read_disabled()
    if unreadable is not None:
        raise PluginError(joined([unreadable.message, unreadable.remedy]))
    _write({"disabled": sorted(disabled), "allowed_files": sorted(names)})


def _read(key: str) -> tuple[frozenset[str], Problem | None]:
    path = state_file()
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        names = state["disabled"] if key == "disabled" else state.get(key, [])
    except FileNotFoundError:
        return frozenset(), None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return frozenset(), _unreadable(path, _reason(error))
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return frozenset(), _unreadable(path, Message("'{key}' must be a list of plugin names", key=key))
    return frozenset(names), None


def _write(state: dict[str, list[str]]) -> None:
    path = state_file()
    state = {key: names for key, names in state.items() if names or key == "disabled"}
    text = json.dumps(state, indent=2) + "\n"
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix="plugins-", suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink(missing_ok=True)
        cause, remedy = fault(error, "home")
        text = Message(
            "The list of disabled plugins must be writable, but '{path}' is not: {cause}. {remedy}",
            path=shown_path(path),
            cause=cause,
            remedy=remedy,
        )
        raise PluginError(text) from error


def _reason(error: Exception) -> str:
    return fault(error, "read").cause if isinstance(error, OSError) else Message("it is not a JSON list of plugins")


def _unreadable(path: Path, why: str) -> Problem:
    return Problem(
        code="plugin_state",
        message=Message(
            "The list of disabled plugins, '{path}', can't be read ({why}); every plugin counts as enabled.",
            path=path,
            why=why,
        ),
        remedy=Message("Repair or delete the file."),
        severity=Severity.WARNING,
    )
