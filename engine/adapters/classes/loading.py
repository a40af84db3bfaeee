"""Importing a strategy class by its path. Whether the user allows the import is decided before, by the runtime."""

from __future__ import annotations

import importlib
import inspect
import sys
from typing import Any

from engine.api.errors import RunError
from engine.api.foreign import EscapedError, settled, text_of


def load_class(path: str, folder: str, base: type, engine: str) -> type[Any]:
    """Return the class that `package.module.Class` names.

    `folder` is searched before the installed packages, unless it is ''.

    Raises:
        RunError: there is no such module or class, its import raised, or it is not derived from `base`.
    """
    module_name, _, class_name = path.rpartition(".")
    if folder and folder not in sys.path:
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            where = f"in '{folder}' or among the installed packages" if folder else "among the installed packages"
            raise RunError(f"There is no module '{module_name}' {where}. Check the path '{path}'.") from error
        raise RunError(f"Importing '{module_name}' raised ModuleNotFoundError: {error}.") from error
    except BaseException as raised:  # noqa: BLE001 - such as sys.exit
        failure = settled(raised)
        text = text_of(failure) if isinstance(failure, EscapedError) else f"{type(raised).__name__}: {text_of(raised)}"
        raise RunError(f"Importing '{module_name}' raised {text}.") from failure
    found = getattr(module, class_name, None)
    if not inspect.isclass(found):
        names = [name for name, each in vars(module).items() if inspect.isclass(each) and issubclass(each, base)]
        remedy = f"It has: {', '.join(names)}." if names else f"It has no {engine} strategies."
        raise RunError(f"The module '{module_name}' has no class '{class_name}'. {remedy}")
    if not issubclass(found, base):
        raise RunError(
            f"'{path}' must be a {engine} strategy, derived from {base.__module__}.{base.__qualname__}, and is not."
        )
    return found
