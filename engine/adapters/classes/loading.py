"""Importing a strategy class by its path. Whether the user allows the import is decided before, by the runtime."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.foreign import EscapedError, settled, text_of
from quantcrafter.engine.api.message import Message, joined


class AllowedModules(MetaPathFinder):
    """Finds the modules that the user has allowed in a folder, after everything that is installed.

    No other file of the folder is ever imported by its name: a `plotly.py` beside a strategy takes no library's place.
    """

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}

    def allow(self, names: Iterable[str], folder: str) -> None:
        """Let these top-level modules be found in a folder."""
        self._folders |= dict.fromkeys(names, folder)
        if self not in sys.meta_path:
            sys.meta_path.append(self)
        importlib.invalidate_caches()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where an allowed module is; what is below a package, the package itself knows."""
        folder = self._folders.get(fullname) if path is None else None
        return None if folder is None else PathFinder.find_spec(fullname, [folder], target)

    def invalidate_caches(self) -> None:
        """Forget nothing: the folders' own finders are asked again by `importlib`."""


_allowed = AllowedModules()


def load_class(path: str, folder: str, base: type, engine: str, others: Iterable[str] = ()) -> type[Any]:
    """Return the class that `package.module.Class` names.

    Args:
        path: the class.
        folder: where its module or package is searched for when it is not installed; '' for nowhere.
        base: what it must be derived from.
        engine: whose strategy it is, for messages.
        others: further modules that are allowed in that folder.

    Raises:
        RunError: there is no such module or class, its import raised, or it is not derived from `base`.
    """
    module_name, _, class_name = path.rpartition(".")
    if folder:
        _allowed.allow((module_name.partition(".")[0], *others), folder)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            text = (
                Message(
                    "There is no module '{module_name}' in '{folder}' or among the installed packages. "
                    "Check the path '{path}'.",
                    module_name=module_name,
                    folder=folder,
                    path=path,
                )
                if folder
                else Message(
                    "There is no module '{module_name}' among the installed packages. Check the path '{path}'.",
                    module_name=module_name,
                    path=path,
                )
            )
            raise RunError(text) from error
        text = Message(
            "Importing '{module_name}' raised ModuleNotFoundError: {text}.",
            module_name=module_name,
            text=text_of(error),
        )
        remedy = (
            Message(
                "If it lies in '{folder}' and you trust it, allow it too: quantcrafter engines allow {module} "
                "--folder FOLDER",
                folder=folder,
                module=error.name,
            )
            if folder and error.name
            else ""
        )
        raise RunError(joined([text, remedy])) from error
    except BaseException as raised:  # noqa: BLE001 - such as sys.exit
        failure = settled(raised)
        what = text_of(failure) if isinstance(failure, EscapedError) else f"{type(raised).__name__}: {text_of(raised)}"
        raise RunError(
            Message("Importing '{module_name}' raised {text}.", module_name=module_name, text=what)
        ) from failure
    found = getattr(module, class_name, None)
    if not inspect.isclass(found):
        names = [name for name, each in vars(module).items() if inspect.isclass(each) and issubclass(each, base)]
        remedy = (
            Message("It has: {names}.", names=", ".join(names))
            if names
            else Message("It has no {engine} strategies.", engine=engine)
        )
        raise RunError(
            Message(
                "The module '{module_name}' has no class '{class_name}'. {remedy}",
                module_name=module_name,
                class_name=class_name,
                remedy=remedy,
            )
        )
    if not issubclass(found, base):
        raise RunError(
            Message(
                "'{path}' must be a {engine} strategy, derived from {module}.{qualname}, and is not.",
                path=path,
                engine=engine,
                module=base.__module__,
                qualname=base.__qualname__,
            )
        )
    return found
