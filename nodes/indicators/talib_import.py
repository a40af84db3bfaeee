"""Import TA-Lib without what it drags along.

TA-Lib's `__init__` imports polars and pandas when they are installed, only to accept their series as input. We give it
numpy columns, so those imports would cost half a second for nothing. While this thread imports TA-Lib, a finder at the
front of `sys.meta_path` tells this thread (and no other) that the two are not installed; TA-Lib is made for that case.
Where one of them was imported before, it stays visible: that costs nothing.

TA-Lib then takes numpy arrays only, for the life of the process; a plugin with a pandas series passes its values.
"""

from __future__ import annotations

import sys
import threading
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_MASKED = frozenset({"pandas", "polars"})
_import_lock = threading.Lock()


class _NotInstalled(MetaPathFinder):
    """Reports pandas and polars as missing, to the thread that made it."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(self, fullname: str, path: object = None, target: ModuleType | None = None) -> ModuleSpec | None:
        del path, target
        if fullname in _MASKED and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


@cache
def talib() -> Any:
    """Return the `talib` package, imported on the first call (about 30 ms)."""
    with _import_lock:
        finder = _NotInstalled()
        sys.meta_path.insert(0, finder)
        try:
            import talib as package
        finally:
            sys.meta_path.remove(finder)
    return package


def functions() -> Any:
    """Return TA-Lib's extension module: one function for each name, and the calls that describe them."""
    return talib()._ta_lib  # noqa: SLF001 - the public wrappers hide the parameter descriptions
