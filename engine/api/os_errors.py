"""Texts for files that can't be read or written: the cause of a system or SQLite error, and its remedy."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Literal, NamedTuple

from quantcrafter.engine.api.message import Message, joined
from quantcrafter.engine.api.wording import shortened, shown_path

Doing = Literal["read", "write", "home"]
"""What failed: reading a file, writing a file that the user named, or saving something in QUANTCRAFTER_HOME."""

LONGEST_CAUSE = 160


class CauseAndRemedy(NamedTuple):
    """The cause as a clause without full stop, and the remedy as a sentence."""

    cause: str
    remedy: str


class _Words(NamedTuple):
    cause: str
    write: str
    read: str = ""
    home: str = ""

    def to(self, doing: Doing) -> CauseAndRemedy:
        own = {"read": self.read, "home": self.home}.get(doing, "")
        return CauseAndRemedy(self.cause, own or self.write)


_FULL = Message("Free some space, or choose another location.")
_FULL_HOME = Message("Free some space, or set QUANTCRAFTER_HOME to another folder.")
_OTHER_HOME = Message("Set QUANTCRAFTER_HOME to another folder.")
_DENIED = _Words(
    Message("access is denied"),
    Message("Check the permissions of the file and its folder, or choose another location."),
    Message("Check the permissions of the file and its folder."),
    Message("Check the permissions of its folder, or set QUANTCRAFTER_HOME to another one."),
)
_IN_USE = _Words(Message("another program is using it"), Message("Close that program, or try again later."))
_DISK = _Words(Message("the disk reports an error"), Message("Check the disk, and copy what matters to another one."))
_FILES = _Words(Message("too many files are open"), Message("Close other programs, or raise the limit on open files."))
_NETWORK = _Words(Message("its network drive doesn't answer"), Message("Connect the drive and try again."))
_READ_ONLY = _Words(
    Message("the file system is read-only"),
    Message("Choose another location."),
    home=_OTHER_HOME,
)
_MISSING = _Words(
    Message("the file or folder doesn't exist"),
    Message("Choose an existing folder."),
    Message("Check the name and the folder."),
    _OTHER_HOME,
)
_DAMAGED = _Words(Message("the file is damaged"), Message("Move the file away, and try again."))
_FULL_DISK = _Words(Message("the disk is full"), _FULL, home=_FULL_HOME)

_BY_NAME: dict[str, _Words] = {
    "ENOSPC": _FULL_DISK,
    "EDQUOT": _Words(Message("your quota of disk space is used up"), _FULL, home=_FULL_HOME),
    "EFBIG": _Words(
        Message("the file would be larger than is allowed here"),
        Message("Choose another location, or write less data."),
    ),
    "EACCES": _DENIED,
    "EPERM": _DENIED,
    "EROFS": _READ_ONLY,
    "ENAMETOOLONG": _Words(Message("the name is too long"), Message("Choose a shorter one."), home=_OTHER_HOME),
    "ELOOP": _Words(Message("its symbolic links form a loop"), Message("Correct the links.")),
    "EISDIR": _Words(Message("it is a folder"), Message("Name a file.")),
    "ENOTDIR": _Words(
        Message("a part of the path is a file, not a folder"), Message("Correct the path."), home=_OTHER_HOME
    ),
    "ENOENT": _MISSING,
    "EEXIST": _Words(
        Message("a file or folder with that name already exists"), Message("Choose another name."), home=_OTHER_HOME
    ),
    "ENOTEMPTY": _Words(Message("a folder with that name already exists"), Message("Choose another name.")),
    "EMFILE": _FILES,
    "ENFILE": _FILES,
    "EIO": _DISK,
    "EBUSY": _IN_USE,
    "ETXTBSY": _IN_USE,
    "EAGAIN": _IN_USE,
    "ENOMEM": _Words(Message("there is not enough memory"), Message("Close other programs and try again.")),
    "ENXIO": _Words(Message("it is a device or a pipe, not a file"), Message("Name a file.")),
    "ENODEV": _Words(Message("it is a device or a pipe, not a file"), Message("Name a file.")),
    "ESPIPE": _Words(Message("it is a device or a pipe, not a file"), Message("Name a file.")),
    "EILSEQ": _Words(Message("the name has characters that are not allowed"), Message("Choose another name.")),
    "EINVAL": _Words(Message("the system doesn't accept the name or the request"), Message("Choose another name.")),
    "ETIMEDOUT": _NETWORK,
    "ESTALE": _NETWORK,
    "EHOSTDOWN": _NETWORK,
    "EHOSTUNREACH": _NETWORK,
    "ENETDOWN": _NETWORK,
    "ENETUNREACH": _NETWORK,
    "ENOTCONN": _NETWORK,
}
_BY_ERRNO = {getattr(errno, name): words for name, words in _BY_NAME.items() if hasattr(errno, name)}
_BY_WINDOWS = {
    32: _IN_USE,  # sharing violation
    33: _IN_USE,  # lock violation
    39: _FULL_DISK,
    53: _NETWORK,
    112: _FULL_DISK,
    123: _Words(Message("the name has characters that are not allowed"), Message("Choose another name.")),
    206: _BY_NAME["ENAMETOOLONG"],
}
"""Windows error codes that are more specific than their errno."""
_BY_SQLITE = {
    3: _DENIED,  # SQLITE_PERM
    5: _IN_USE,  # SQLITE_BUSY
    6: _IN_USE,  # SQLITE_LOCKED
    7: _BY_NAME["ENOMEM"],  # SQLITE_NOMEM
    8: _DENIED,  # SQLITE_READONLY
    10: _DISK,  # SQLITE_IOERR
    11: _DAMAGED,  # SQLITE_CORRUPT
    13: _FULL_DISK,  # SQLITE_FULL
    14: _Words(
        Message("the file can't be opened"),
        Message("Check the permissions of the file and its folder, or choose another location."),
        home=_DENIED.home,
    ),  # SQLITE_CANTOPEN
    26: _DAMAGED,  # SQLITE_NOTADB
}
_PERHAPS_FULL = (_BY_SQLITE[10], _BY_SQLITE[14])
_LEAST_FREE = 64 * 1024
"""SQLite allocates up to 32 KiB at once, in addition to what it writes."""
_CUT_SHORT = re.compile(r"\d+ requested and \d+ written")
"""numpy's message for a full disk; it doesn't pass on an errno."""
_RUST = re.compile(r"\(os error (\d+)\)")
"""How Rust libraries report an errno."""
_PRIMARY = 0xFF
"""The part of SQLite's extended codes that is the primary code."""


def fault(
    error: BaseException, doing: Doing = "write", *, otherwise: str = "", place: Path | None = None
) -> CauseAndRemedy:
    """Return why a file can't be read or written, and what to do about it.

    Args:
        error: of the system (OSError), of SQLite, or what a library raised about the file.
        doing: what was tried, which decides the remedy.
        otherwise: the remedy if the cause is unknown.
        place: the file of SQLite, which reports a full disk as a disk error, or only that it can't open the file.
    """
    words = _known(error)
    if place is not None and words in _PERHAPS_FULL and _is_full(place):
        words = _FULL_DISK
    if words is not None:
        return words.to(doing)
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    remedy = otherwise or _DENIED.to(doing).remedy
    return CauseAndRemedy(shortened(" ".join(str(said).split()).rstrip("."), LONGEST_CAUSE), remedy)


def all_words() -> tuple[CauseAndRemedy, ...]:
    """Return every cause that is known, with the remedy for a file that the user named."""
    tables: tuple[dict[int, _Words], ...] = (_BY_ERRNO, _BY_WINDOWS, _BY_SQLITE)
    return tuple(dict.fromkeys(words.to("write") for table in tables for words in table.values()))


def is_damage(error: BaseException) -> bool:
    """Return whether SQLite says that the file is not a database, or a damaged one."""
    return _known(error) is _DAMAGED


def is_in_use(error: BaseException) -> bool:
    """Return whether another program has locked the file, so that waiting helps."""
    return _known(error) is _IN_USE


def os_error_text(error: OSError) -> str:
    """Return the text for an unexpected error: the file, if known, the cause and the remedy."""
    cause, remedy = fault(error, "write")
    named = joined([f"'{shown_path(str(error.filename))}'"]) if error.filename else Message("A file")
    return Message("{named} can't be used: {cause}. {remedy}", named=named, cause=cause, remedy=remedy)


def _is_full(path: Path) -> bool:
    """Return whether the disk of a file, which need not exist, has no room for SQLite's files."""
    try:
        place = next(each for each in path.absolute().parents if each.is_dir())
        if shutil.disk_usage(place).free < _LEAST_FREE:
            return True
        if sys.platform == "win32":
            return False
        status = os.statvfs(place)
    except (OSError, ValueError, StopIteration):
        return False
    return status.f_files > 0 and status.f_favail == 0


def _known(error: BaseException) -> _Words | None:
    if isinstance(error, OSError) and error.errno:
        windows = _BY_WINDOWS.get(getattr(error, "winerror", None) or 0)
        return windows or _BY_ERRNO.get(error.errno)
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _BY_SQLITE.get(code & _PRIMARY)
    text = str(error)
    if _CUT_SHORT.search(text):
        return _FULL_DISK
    if isinstance(error, ValueError) and "embedded null" in text:  # byte, or since 3.13 character
        return _BY_NAME["EILSEQ"]
    told = _RUST.search(text)
    return _BY_ERRNO.get(int(told[1])) if told else None
