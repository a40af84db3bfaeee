"""The directory with all of a user's data, and its protection from other users of the computer."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.message import Message

USUAL_UMASK = "QUANTCRAFTER_USUAL_UMASK"
"""The user's umask before a command of ours made its files private; in octal."""

log = logging.getLogger("quantcrafter.compiled")

_PRIVATE = 0o077
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OURS = (
    *(
        "accounts",
        "bars",
        "blocks",
        "cache",
        "data",
        "logs",
        "nodes",
        "config",
        "orchestrator",
        "pushed",
        "recovery",
        "runs",
        "strategies",
        "traces",
        "vnpy",
        "workers",
    ),
    *("desktop.json", "engine-classes.json", "folders.json", "history.db", "plugins.json", "strategies.db"),
)


def home() -> Path:
    """Return the user's directory: `QUANTCRAFTER_HOME` if set, else the platform's place for application data.

    The directory need not exist yet.

    Raises:
        RunError: `QUANTCRAFTER_HOME` starts with the home of a user that doesn't exist.
    """
    override = os.environ.get("QUANTCRAFTER_HOME")
    try:
        if override:
            return Path(override).expanduser()
        return Path(platformdirs.user_data_dir("quantcrafter", appauthor=False))
    except (RuntimeError, KeyError) as error:
        why = str(error).rstrip(".")
        raise RunError(
            Message(
                "QUANTCRAFTER_HOME must be a folder, was '{folder}': {error}. Set it to a folder of your own.",
                folder=override,
                error=why,
            )
            if override
            else Message(
                "QUANTCRAFTER_HOME must be a folder, is not set, and your home directory is not known: {error}. "
                "Set it to a folder of your own.",
                error=why,
            )
        ) from error


def node_folder() -> Path:
    """Return the folder for node files; it need not exist."""
    return home() / "nodes"


def close_home() -> Path | None:
    """Remove other users' permissions from files that earlier versions left open in the user's directory.

    Only files with our names are changed. The directory itself is not changed if it also has other purposes: the user's
    own folder, or a shared one. Compiled code that others could have written is deleted. Nothing is done on Windows, or
    in a process that is not one of our commands.

    Returns:
        The directory, where everybody may still put files into it.
    """
    if os.name != "posix" or USUAL_UMASK not in os.environ:
        return None
    with contextlib.suppress(OSError, RuntimeError, ValueError, RunError):
        folder = home()
        status = folder.stat()
        if folder.resolve() != Path.home().resolve() and not status.st_mode & stat.S_ISVTX:
            is_open = _others_write(folder)
            _close(folder)
        else:
            is_open = False
        with contextlib.suppress(OSError):
            _discard_code(folder / "cache", all_of_it=is_open)
        for name in _OURS:
            _close_all(folder / name)
        return folder if folder.stat().st_mode & stat.S_IWOTH else None
    return None


@contextlib.contextmanager
def usual_modes(path: Path) -> Iterator[None]:
    """Create a file of the user outside of the user's directory, with the user's default permissions."""
    usual = os.environ.get(USUAL_UMASK)
    if os.name != "posix" or usual is None or _is_at_home(path):
        yield
        return
    before = os.umask(int(usual, 8))
    try:
        yield
    finally:
        os.umask(before)


def _is_at_home(path: Path) -> bool:
    try:
        return path.absolute().is_relative_to(home().absolute())
    except (OSError, RuntimeError, RunError):
        return False


def _discard_code(cache: Path, *, all_of_it: bool) -> None:
    """Delete compiled code in folders that others can write to: it may not be the user's own."""
    if not cache.is_dir():
        return
    above = all_of_it or _others_write(cache)
    unsafe = [
        code
        for code in cache.glob("numba-*")
        if above or any(_others_write(Path(each)) for each, _, _ in os.walk(code)) or code.is_symlink()
    ]
    if not unsafe:
        return
    _close(cache)
    for code in unsafe:
        _close(code)
        if code.is_symlink():
            code.unlink()
        else:
            shutil.rmtree(code, ignore_errors=True)
    log.warning(
        Message(
            "Compiled code in '{folder}' was deleted: others could write to that folder. It is being recompiled, "
            "which can take a minute.",
            folder=cache,
        )
    )


def _others_write(folder: Path) -> bool:
    """Return whether others can replace the contents of a folder."""
    mode = folder.stat().st_mode
    return bool(mode & _OTHERS_WRITE) and not mode & stat.S_ISVTX


def _close_all(path: Path) -> None:
    """Remove others' permissions from a file or folder, and from the contents of a folder that was open to them."""
    if _close(path) and path.is_dir():
        for folder, names, files in os.walk(path):
            for name in (*names, *files):
                _close(Path(folder, name))


def _close(path: Path) -> bool:
    """Remove others' permissions from a file or folder of the user, and return whether there were any."""
    with contextlib.suppress(OSError):
        status = path.lstat()
        mode = stat.S_IMODE(status.st_mode)
        mine = status.st_uid == os.geteuid() and (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode))
        if mine and mode & _PRIVATE:
            path.chmod(mode & ~_PRIVATE)
            return True
    return False
