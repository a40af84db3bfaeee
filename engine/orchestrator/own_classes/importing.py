"""The import of a user's class: from modules that the user has allowed, and that a configuration has not excluded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quantcrafter.engine.adapters.classes.loading import load_class
from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.runtime.strategy_classes.class_paths import AllowedPath, check_allowed, modules_in


def import_class(path: str, base: type = object, engine: str = "Python", within: Sequence[str] = ()) -> type[Any]:
    """Return the class that `package.module.Class` names.

    Args:
        path: the class.
        base: what it must be derived from.
        engine: whose class it is, for messages.
        within: the import paths of a configuration, modules or folders. It can only narrow the user's list
            (`quantcrafter engines allow`): a class must be in both. Empty narrows nothing.

    Raises:
        RunError: it is not allowed, or there is no such class.
    """
    allowed = check_import(path, within)
    return load_class(path, allowed.folder, base, engine, modules_in(allowed.folder))


def check_import(path: str, within: Sequence[str] = ()) -> AllowedPath:
    """Return the entry of the user's list that allows a class; nothing is imported.

    Raises:
        RunError: it is not allowed.
    """
    allowed = check_allowed(path)
    if within and not any(_covers(each, path, allowed) for each in within):
        raise RunError(
            Message(
                "Importing '{path}' is not within the import paths of the configuration, which are {within}.",
                path=path,
                within=", ".join(within),
            )
        )
    return allowed


def _covers(entry: str, path: str, allowed: AllowedPath) -> bool:
    """Return whether an import path, a module or a folder, has a class in it."""
    if AllowedPath(entry).covers(path):
        return True
    if not allowed.folder or not ("/" in entry or "\\" in entry):
        return False
    folder = Path(entry).expanduser().resolve()
    return Path(allowed.folder).resolve().is_relative_to(folder)
