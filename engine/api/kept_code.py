"""Machine code that is cached on disk between runs and checked before it is used.

numba's own cache doesn't check files: a damaged file raises an exception from the call of the function in every run,
and a folder that can't be written to fails the run. Here, a file is used only if it is complete, ours and made for
exactly this function:
1. A file's name contains a hash of everything that the code depends on: versions, processor, signature, sources.
2. Its content starts with a checksum. If it doesn't match, the file is deleted and the function is compiled again.
3. It is written under a temporary name in the same folder, and renamed once it is on the disk.
4. Code is a pickle, so only files and folders that nobody else can write to are read. A failure costs time but doesn't
   fail the run; it is logged once.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import os
import pickle
import secrets
import stat
import sys
import time
import types
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from quantcrafter.engine.api.errors import QuantCrafterError
from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.waiting import COMPILE, report_wait

log = logging.getLogger("quantcrafter.compiled")

FOLDER = "quantcrafter"
SUFFIX = ".code"
_CHECK = 32
_LEFTOVER_S = 3600.0
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


class KeptCode:
    """The cache of one compiled function, instead of numba's own (`Dispatcher._cache`).

    Args:
        function: the function in Python.
        root: returns the folder for all compiled code; called when code is loaded or saved.
    """

    def __init__(self, function: Callable[..., Any], root: Callable[[], Path]) -> None:
        self._function = function
        self._root = root

    @property
    def cache_path(self) -> str:
        """The folder, for numba's statistics."""
        return str(self._root() / FOLDER)

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Return the compiled function for a signature, or None when it is to be compiled."""
        try:
            target.refresh()
            path = self._path(signature, target.codegen())
            content = _read(path)
            found = None if content is None else _rebuilt(target, content, path)
        except Exception:
            log.exception("Compiled code of '%s' can't be looked up; it is compiled anew", self._function.__name__)
            found = None
        if found is None:
            report_wait(COMPILE)
        return found

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep a compiled function, if that is possible."""
        try:
            if any(not lifted.can_cache for lifted in compiled.lifted) or compiled.library.has_dynamic_globals:
                return
            from numba.core.serialize import dumps

            _write(self._path(signature, compiled.codegen), dumps(compiled._reduce()))  # type: ignore[no-untyped-call] # noqa: SLF001 - as numba's own
        except Exception:
            log.exception("Compiled code of '%s' can't be kept", self._function.__name__)

    def enable(self) -> None:
        """Do nothing: the cache is always enabled."""

    def disable(self) -> None:
        """Do nothing: the cache is always enabled."""

    def flush(self) -> None:
        """Do nothing: stale code has another name."""

    def _path(self, signature: Any, codegen: Any) -> Path:
        digest = hashlib.blake2b(_versions(), digest_size=16)
        digest.update(repr((str(signature), codegen.magic_tuple())).encode())
        digest.update(fingerprint(self._function))
        name = "".join(c if c.isalnum() or c == "_" else "-" for c in self._function.__qualname__)[-60:]
        return self._root() / FOLDER / f"{name}-{digest.hexdigest()}{SUFFIX}"


def fingerprint(function: Callable[..., Any]) -> bytes:
    """Return a hash of a function's code, its source file, and all functions and constants that it uses."""
    digest = hashlib.blake2b(digest_size=16)
    for part in _parts(function, set()):
        digest.update(part)
    return digest.digest()


def _parts(function: Any, seen: set[int]) -> Iterator[bytes]:
    function = getattr(function, "py_func", function)
    code = getattr(function, "__code__", None)
    if code is None or id(code) in seen:
        return
    seen.add(id(code))
    yield _source_hash(code.co_filename)
    yield from _code_parts(code)
    names = dict.fromkeys(_names(code))
    scope = function.__globals__
    used = [scope[name] for name in names if name in scope]
    used += [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
    for value in used:
        if isinstance(value, types.ModuleType):
            yield from _members(value, names, seen)
        else:
            yield from _value_parts(value, seen)


def _value_parts(value: Any, seen: set[int]) -> Iterator[bytes]:
    if isinstance(value, types.FunctionType) or hasattr(value, "py_func"):
        yield from _parts(value, seen)
    elif isinstance(value, _PLAIN) or (isinstance(value, tuple) and all(isinstance(each, _PLAIN) for each in value)):
        yield repr(value).encode()
    elif hasattr(value, "tobytes"):
        yield bytes(value.tobytes())


def _members(module: types.ModuleType, names: dict[str, None], seen: set[int]) -> Iterator[bytes]:
    """Yield what a function uses from other modules of ours; libraries are covered by their versions."""
    if module.__name__.partition(".")[0] in {"numpy", "numba", "math"}:
        return
    for name in names:
        yield from _value_parts(vars(module).get(name), seen)


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _code_parts(code: types.CodeType) -> Iterator[bytes]:
    yield code.co_code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code_parts(constant)
        else:
            yield repr(constant).encode()


def _is_filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - an empty one raises
    except ValueError:
        return False
    return True


@functools.cache
def _source_hash(path: str) -> bytes:
    try:
        return hashlib.blake2b(Path(path).read_bytes(), digest_size=16).digest()
    except (OSError, ValueError):
        return path.encode(errors="replace")


@functools.cache
def _versions() -> bytes:
    packages = (f"{name} {metadata.version(name)}" for name in ("numba", "llvmlite", "numpy"))
    return "\n".join((sys.version, sys.implementation.cache_tag or "", *packages)).encode()


def _rebuilt(target: Any, content: bytes, path: Path) -> Any:
    from numba.core.compiler import CompileResult

    try:
        return CompileResult._rebuild(target, *pickle.loads(content))  # type: ignore[no-untyped-call] # noqa: S301, SLF001 - checked, and ours
    except Exception as error:  # noqa: BLE001 - whatever it is, compiling mends it
        _refuse(path, f"{type(error).__name__}: {error}")
        return None


def _read(path: Path) -> bytes | None:
    """Return the content of a file that is complete and ours, or None."""
    if not is_safe(path.parent, make=False):
        return None
    try:
        with path.open("rb") as stream:
            if not _is_ours(os.fstat(stream.fileno())):
                _refuse(path, "it belongs to somebody else, or others can write it")
                return None
            whole = stream.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        _refuse(path, fault(error, "read").cause)
        return None
    check, content = whole[:_CHECK], whole[_CHECK:]
    if hashlib.blake2b(content, digest_size=_CHECK).digest() != check:
        _refuse(path, "it is incomplete or changed")
        return None
    return content


def _refuse(path: Path, reason: str) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
    say_once(
        "damaged",
        Message(
            "Compiled code in '{folder}' can't be used ({file}...: {reason}). It is being recompiled, which can "
            "take a minute.",
            folder=path.parent,
            file=path.name[:24],
            reason=reason,
        ),
    )


def _write(path: Path, content: bytes) -> None:
    folder = path.parent
    if not is_safe(folder, make=True):
        return
    clear_leftovers(folder)
    temporary = folder / f"{secrets.token_hex(6)}.part"
    try:
        with open(temporary, "xb", opener=_private) as stream:
            stream.write(hashlib.blake2b(content, digest_size=_CHECK).digest())
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        say_not_kept(folder, fault(error).cause)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def is_safe(folder: Path, *, make: bool) -> bool:
    """Return whether code may be read from a folder, or with `make` also written to it; log the reason if not."""
    try:
        if make:
            _make(folder)
        found = [each.stat() for each in (folder, *_own_folders_above(folder))]
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not make:
            return False
        say_not_kept(folder, fault(error).cause)
        return False
    if not all(map(_is_ours, found)):
        say_not_kept(folder, "it belongs to somebody else, or others can write to it")
        return False
    return True


def _own_folders_above(folder: Path) -> Iterator[Path]:
    """Yield the parent folders within the user's directory: whoever can write to them can replace the folder."""
    with contextlib.suppress(QuantCrafterError):
        yield from (each for each in folder.parents if each.is_relative_to(home() / "cache"))


def _make(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


@functools.cache
def clear_leftovers(folder: Path) -> None:
    """Delete temporary files of processes that were killed while writing."""
    with contextlib.suppress(OSError):
        for path in folder.glob("*.part"):
            if time.time() - path.stat().st_mtime > _LEFTOVER_S:
                path.unlink()


def _is_ours(found: os.stat_result) -> bool:
    """Return whether a file or folder belongs to the user and others can't write to it; known on POSIX only."""
    if sys.platform == "win32":
        return True
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


_said: set[str] = set()


def say_not_kept(folder: Path, reason: str) -> None:
    """Log that code can't be cached, and what to do about it."""
    say_once(
        "not kept",
        Message(
            "Compiled code can't be stored in '{folder}': {reason}. Until then, every run recompiles it, which "
            "can take a minute. Give it a folder of your own with free space: set NUMBA_CACHE_DIR, or delete "
            "this one.",
            folder=folder,
            reason=reason,
        ),
    )


def say_once(kind: str, text: str) -> None:
    """Log a warning of a kind once per process."""
    if kind not in _said:
        _said.add(kind)
        log.warning(text)
