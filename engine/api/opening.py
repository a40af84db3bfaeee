"""Opening of files that a strategy or an import names. Such a path may be anything, and opening it must not hang.

1. The path is made absolute, and rejected by its name if it can't be a file (an address, another user's folder).
2. It must be in a folder that the strategy may read, as written and with all links resolved.
3. It must be a regular file, not a folder, device, pipe or socket. Nothing else is ever opened.
4. It is opened without blocking and without following a link, and checked again: it must still be the same file.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path

from quantcrafter.engine.api.folders import PathRefusedError, check_place, expanded, system_place
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import did_you_mean, shown_path

_KINDS = (
    (stat.S_ISDIR, Message("a folder")),
    (stat.S_ISFIFO, Message("a pipe")),
    (stat.S_ISCHR, Message("a device")),
    (stat.S_ISBLK, Message("a device")),
    (stat.S_ISSOCK, Message("a socket")),
)
_PATTERN = frozenset("*?[")


def find_named(path: str, base_dir: str = "", *, within: str = "") -> Path:
    """Return the regular file that a strategy or a user names, with all links resolved.

    Args:
        path: as written; a relative one is relative to `base_dir`.
        base_dir: the strategy's folder; '' for a path that the user gave by hand, which may lead anywhere.
        within: the folder whose strategy wrote `path`, where that is absolute already.

    Raises:
        PathRefusedError: there is no such file, it is not a regular file, or it must not be read.
    """
    owner = within or base_dir
    whole = expanded(path, base_dir)
    said = shown_path(path)
    check_place(whole, owner, path)
    try:
        real = whole.resolve(strict=True)
        mode = real.stat().st_mode
    except FileNotFoundError:
        raise _missing(path, whole) from None
    except (OSError, RuntimeError, ValueError) as error:
        raise _unopened(error, said) from error
    _refuse_kind(mode, said)
    if real != whole:
        check_place(real, owner, path)
    return real


def open_named(path: str, base_dir: str = "", *, within: str = "") -> io.BufferedReader:
    """Open the regular file that a strategy or a user names, for reading bytes; see `find_named`.

    Raises:
        PathRefusedError: there is no such file, it cannot be opened, is not a regular file, or must not be read.
    """
    try:
        return open_regular(find_named(path, base_dir, within=within), path)
    except OSError as error:
        raise _unopened(error, shown_path(path)) from error


def open_regular(path: Path, written: str = "") -> io.BufferedReader:
    """Open a regular file, and nothing else, for reading bytes; never block on a pipe or a device.

    Args:
        path: the file.
        written: what the message calls it.

    Raises:
        PathRefusedError: it is not a regular file.
        OSError: it cannot be opened.
    """
    said = shown_path(written or str(path))
    try:
        real = path.resolve(strict=True)
    except RuntimeError as error:  # how Python 3.11 and 3.12 report a link that leads to itself
        raise OSError(errno.ELOOP, str(error)) from error
    if system_place(real):
        raise PathRefusedError(
            Message("'{said}' is a device or a file of the system.", said=said), Message("Name a file with data.")
        )
    _refuse_kind(real.lstat().st_mode, said)
    handle = os.open(real, _flags())
    try:
        _refuse_kind(os.fstat(handle).st_mode, said)
        _refuse_swapped(handle, real, said)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def _flags() -> int:
    flags = os.O_RDONLY
    for name in ("O_NONBLOCK", "O_NOFOLLOW", "O_CLOEXEC", "O_NOCTTY", "O_BINARY", "O_NOINHERIT"):
        flags |= getattr(os, name, 0)
    return flags


def _refuse_kind(mode: int, said: str) -> None:
    for is_kind, name in _KINDS:
        if is_kind(mode):
            raise PathRefusedError(
                Message("'{said}' is {name}, not a file.", said=said, name=name), Message("Name a file with data.")
            )
    if not stat.S_ISREG(mode):
        raise PathRefusedError(Message("'{said}' is not a regular file.", said=said), Message("Name a file with data."))


def _refuse_swapped(handle: int, real: Path, said: str) -> None:
    """Reject a file that has replaced the checked one, such as through a folder that became a link."""
    try:
        now = str(Path(f"/proc/self/fd/{handle}").readlink())
    except OSError:
        return  # only Linux tells
    if now.startswith("/") and now.removesuffix(" (deleted)") != str(real):
        raise PathRefusedError(Message("'{said}' was replaced while it was opened.", said=said), Message("Try again."))


def _missing(path: str, whole: Path) -> PathRefusedError:
    said = shown_path(str(whole))
    if _PATTERN & set(path):
        return PathRefusedError(
            Message("File '{said}' doesn't exist; wildcards are not expanded.", said=said), Message("Name one file.")
        )
    try:
        names = [entry.name for entry in whole.parent.iterdir()] if whole.parent.is_dir() else []
    except OSError:
        names = []
    near = did_you_mean(whole.name, [name for name in names if name != whole.name])
    if whole.is_symlink():
        return PathRefusedError(
            Message("'{said}' is a link to a file that no longer exists.", said=said), Message("Correct 'path'.")
        )
    remedy = near or Message("Check the path. In a strategy file, it is relative to the file's folder.")
    return PathRefusedError(Message("File '{said}' doesn't exist.", said=said), remedy)


def _unopened(error: Exception, said: str) -> PathRefusedError:
    if isinstance(error, RuntimeError):
        error = OSError(errno.ELOOP, str(error))
    cause, remedy = fault(error, "read", otherwise=Message("Correct 'path'."))
    return PathRefusedError(Message("'{said}' can't be opened: {cause}.", said=said, cause=cause), remedy)
