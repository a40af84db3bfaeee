"""`compiled`: a loop over columns that numba compiles on first use, and keeps on disk."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import os
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np

from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.waiting import IMPORT, report_wait

F = TypeVar("F", bound=Callable[..., Any])

SHORT_ROWS = 5_000
"""For shorter columns, Python takes less time than the import of numba."""

COLD_STEPS = 2_000_000
"""Total number of values that a function processes in Python before it is compiled, which takes about as long."""


def prepare_numba() -> Any:
    """Import numba with its disk cache under the user's directory, and return the module.

    That cache is for third-party functions; ours use `KeptCode`.
    """
    os.environ.setdefault("NUMBA_CACHE_DIR", str(numba_cache_dir()))
    # numba adds colours to the texts of errors before it knows whether they occur: 5 percent of the compiler's time.
    os.environ.setdefault("NUMBA_DISABLE_ERROR_MESSAGE_HIGHLIGHTING", "1")
    import numba

    return numba


@functools.cache
def numba_cache_dir() -> Path:
    """Return the folder that holds compiled code for exactly this version of the sources.

    Its name contains numba's version and a hash of the sources of the compiled code and of the constants and records
    from `engine.api`. Neither an upgrade nor a change in another file can therefore lead to stale machine code.
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

    Args: function: numba must know all that it calls: numpy, math, or `numba.njit` functions. options: those of
    `numba.njit`.
    """
    from quantcrafter.engine.api.kept_code import KeptCode

    dispatcher = prepare_numba().njit(function, nogil=True, **options)
    dispatcher._cache = KeptCode(function, code_folder)  # noqa: SLF001 - numba has no other place for a cache
    made: F = dispatcher
    return made


@overload
def compiled(function: F) -> F: ...
@overload
def compiled(*, window: str) -> Callable[[F], F]: ...
def compiled(function: Callable[..., Any] | None = None, *, window: str = "") -> Any:
    """Compile `function` by numba (nopython) when it is first called; importing it costs nothing.

    Short columns are processed in Python, without numba, until a longer one occurs. Longer columns are also processed
    in Python if the function has not been compiled on this computer, as long as this takes less time than the compiler
    would. The function must therefore have identical results both ways, which requires `math` instead of numpy for
    logarithms and powers.

    The function may call other functions only if numba knows them: numpy, math, or `numba.njit` functions.

    Args: function: the loop; without it, what `compiled` returns is called with it.
        window: the name of the argument that says how many values the loop looks at for each row.
    """
    if function is None:
        return functools.partial(compiled, window=window)
    place = list(inspect.signature(function).parameters).index(window) if window else -1
    is_compiled, steps = False, 0

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        nonlocal is_compiled, steps
        if not is_compiled:
            rows = max((len(arg) for arg in args if isinstance(arg, np.ndarray)), default=0)
            work = rows * (args[place] if window else 1)
            is_quicker = rows < SHORT_ROWS
            if not is_quicker and steps + work <= COLD_STEPS and not _marker(function).exists():
                steps += work
                is_quicker = True
            if is_quicker:
                with np.errstate(all="ignore"):
                    return function(*args)
            report_wait(IMPORT)
        result = _dispatcher(function)(*args)
        if not is_compiled:
            is_compiled = True
            note_kept(function)
        return result

    _CODE[call] = lambda: is_compiled or _marker(function).exists()
    return call


_CODE: dict[Callable[..., Any], Callable[[], bool]] = {}
_KEPT: set[Callable[..., Any]] = set()


def is_kept(function: Callable[..., Any]) -> bool:
    """Return whether the code of a `compiled` function is there: in this process, or on the disk."""
    if function not in _KEPT and _CODE[function]():
        _KEPT.add(function)
    return function in _KEPT


def compile_kept(function: Callable[..., Any], *args: Any) -> None:
    """Compile a `compiled` function for arguments of these types, and keep its code, whatever it costs."""
    _dispatcher(inspect.unwrap(function))(*args)
    note_kept(inspect.unwrap(function))


@functools.cache
def _dispatcher(function: Callable[..., Any]) -> Callable[..., Any]:
    return njit_kept(function)


def _marker(function: Callable[..., Any]) -> Path:
    """Return the marker file for cached code of a function."""
    from quantcrafter.engine.api.kept_code import fingerprint

    name = f"{function.__name__}-{fingerprint(function).hex()}-{numba_cache_dir().name}"
    return code_folder() / f"{name}-{sys.implementation.cache_tag}.ready"


def note_kept(function: Callable[..., Any]) -> None:
    """Mark the code of a function as cached, so that it is used for long columns from the first call on."""
    # Only a hint: a disk that cannot be written is no reason to fail.
    with contextlib.suppress(OSError):
        _marker(function).parent.mkdir(parents=True, exist_ok=True)
        _marker(function).touch()
