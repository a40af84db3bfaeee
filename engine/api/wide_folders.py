"""Folders that are too wide to be suggested for all strategies: most of their contents are not data."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

_SYSTEM = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/root", "/run", "/sbin", "/sys", "/usr"),
    *("/Applications", "/Library", "/System", "/private/etc"),
)
"""What is below them is the system's as well."""
_COLLECTIONS = ("/home", "/media", "/mnt", "/opt", "/private", "/srv", "/tmp", "/var", "/Users", "/Volumes")  # noqa: S108
"""They contain the folders of several users; their subfolders may be a user's data."""
_SHARED = ("/var/tmp", "/var/lib", "/var/log", "/private/tmp", "/private/var", "/dev/shm")  # noqa: S108
_WINDOWS = ("SystemRoot", "ProgramFiles", "ProgramFiles(x86)", "ProgramData")


def is_too_wide(folder: Path) -> bool:
    """Return whether a folder is the whole disk, somebody's home or a hidden folder in it, the system's, or shared."""
    places = [folder]
    with contextlib.suppress(OSError, RuntimeError, ValueError):
        places.append(folder.resolve())
    return any(_is_too_wide(place) for place in dict.fromkeys(places))


def _is_too_wide(folder: Path) -> bool:
    if folder == Path(folder.anchor) or str(folder) in (*_COLLECTIONS, *_SHARED):
        return True
    if str(folder.parent) in ("/home", "/Users") or folder.parent == Path(folder.anchor, "Users"):
        return True
    if any(folder.is_relative_to(place) for place in _system_folders()) and not _is_in_own_home(folder):
        return True
    return _is_most_of_home(folder) or _is_shared(folder)


def _system_folders() -> Iterator[str]:
    if os.name == "posix":
        yield from _SYSTEM
    else:
        yield from (place for name in _WINDOWS if (place := os.environ.get(name)))


def _home() -> Path | None:
    with contextlib.suppress(RuntimeError):
        return Path.home()
    return None


def _is_in_own_home(folder: Path) -> bool:
    """Return whether a folder is in the user's home, which is `/root` for some."""
    user = _home()
    return user is not None and user != Path(user.anchor) and folder != user and folder.is_relative_to(user)


def _is_most_of_home(folder: Path) -> bool:
    user = _home()
    if user is None:
        return False
    if user.is_relative_to(folder):
        return True
    return folder.is_relative_to(user) and any(part.startswith(".") for part in folder.relative_to(user).parts)


def _is_shared(folder: Path) -> bool:
    """Return whether a folder is for the temporary files of everybody."""
    if folder == Path(tempfile.gettempdir()):
        return True
    with contextlib.suppress(OSError, ValueError):
        mode = folder.stat().st_mode
        return os.name == "posix" and bool(mode & stat.S_ISVTX and mode & stat.S_IWOTH)
    return False
