"""`compiled`: a loop over columns that numba compiles on first use, and keeps on disk."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.waiting import IMPORT, tell_of_wait

F = TypeVar("F", bound=Callable[..., Any])

SHORT_ROWS = 5_000
"""Columns that are shorter take less time in Python than numba takes to be imported."""


def prepare_numba() -> Any:
    """Import numba with its disk cache under the user's directory, and return the module.

    That cache serves functions of others; ours keep their code as `KeptCode` does.
    """
    os.environ.setdefault("NUMBA_CACHE_DIR", str(numba_cache_dir()))
    import numba

    return numba


@functools.cache
def numba_cache_dir() -> Path:
    """Return the folder that holds compiled code for exactly this version of the sources.

    Its name holds numba's version and a hash of the sources of the compiled code, and of the numbers and records that
    it has from `engine.api`, so that neither an upgrade nor a change in another file can bring back stale machine code.
    """
    digest = hashlib.blake2b(digest_size=6)
    digest.update(metadata.version("numba").encode())
    root = Path(__file__).resolve().parents[1]
    for folder in ("api", "simulation"):
        for source in sorted((root / folder).glob("*.py")):
            digest.update(source.read_bytes())
    return home() / "cache" / f"numba-{digest.hexdigest()}"


def code_folder() -> Path:
    """Return the folder for compiled code: `NUMBA_CACHE_DIR` if set, else `numba_cache_dir()`."""
    chosen = os.environ.get("NUMBA_CACHE_DIR", "").strip()
    try:
        return Path(chosen).expanduser().absolute() if chosen else numba_cache_dir()
    except RuntimeError:  # ~nobody: taken as it is, it cannot be written, and that is said
        return Path(chosen).absolute()


def njit_kept(function: F, **options: Any) -> F:
    """Return `function` as numba compiles it on its first call (nopython, without the GIL), its code kept on disk.

    Args:
        function: numba must know all that it calls: numpy, math, or `numba.njit` functions.
        options: those of `numba.njit`.
    """
    from quantcrafter.engine.api.kept_code import KeptCode

    dispatcher = prepare_numba().njit(function, nogil=True, **options)
    dispatcher._cache = KeptCode(function, code_folder)  # noqa: SLF001 - numba has no other place for a cache
    made: F = dispatcher
    return made


def compiled(function: F) -> F:
    """Compile `function` by numba (nopython) when it is first called; importing it costs nothing.

    Short columns are looped over in Python, without numba, as long as no longer one has come. So the function must give
    the same bits both ways: logarithms and powers by `math` rather than by numpy, for one.

    The function may call other functions only if numba knows them: numpy, math, or `numba.njit` functions.
    """
    is_compiled = False

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        nonlocal is_compiled
        if not is_compiled and all(len(arg) < SHORT_ROWS for arg in args if isinstance(arg, np.ndarray)):
            with np.errstate(all="ignore"):
                return function(*args)
        if not is_compiled:
            tell_of_wait(IMPORT)
        is_compiled = True
        return _dispatcher(function)(*args)

    return call  # type: ignore[return-value]


@functools.cache
def _dispatcher(function: Callable[..., Any]) -> Callable[..., Any]:
    return njit_kept(function)
