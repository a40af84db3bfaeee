"""The files that a strategy may read: those in its own folder and in data folders, and those that the user allowed.

A strategy file may come from anyone, and the files that it names are read with the user's permissions. A path elsewhere
is therefore rejected until the user allows the file or its folder: `folders.json` in the user's directory lists what
was allowed, and the environment variable QUANTCRAFTER_ALLOW_FOLDERS adds folders (separated as in PATH).  A path that
the user enters, such as a file to import, needs no permission.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from quantcrafter.engine.api.errors import DataError, RunError
from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.message import Message, joined
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wide_folders import is_too_wide
from quantcrafter.engine.api.wording import shown_path

VARIABLE = "QUANTCRAFTER_ALLOW_FOLDERS"
_SHIPPED = Path(__file__).resolve().parents[2] / "resources" / "examples" / "files"
"""The data files of the shipped examples, which may be opened as strategies of no folder."""

_DATA_FOLDERS = ("bars", "blocks", "data")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{1,20}://")
_SYSTEM = ("/dev", "/proc", "/sys")
_given: dict[Path, None] = {}


class PathRefusedError(DataError):
    """A path that is not read.

    Args:
        reason: what is wrong, in one sentence. remedy: what to do about it. file: what the user could allow, a file; ''
            where that would change nothing. symbol: whose path it is, if that is known.
    """

    code = "path"

    def __init__(self, reason: str, remedy: str = "", *, file: str = "", symbol: str = "") -> None:
        text = joined([reason, remedy])
        super().__init__(Message("{symbol}: {text}", symbol=symbol, text=text) if symbol else text, field="path")
        self.reason = reason
        self.remedy = remedy
        self.file = file

    def of(self, symbol: str) -> PathRefusedError:
        """Return the same error, with the symbol before it."""
        return PathRefusedError(self.reason, self.remedy, file=self.file, symbol=symbol)


def folders_file() -> Path:
    """Return the file that lists what the user has allowed."""
    return home() / "folders.json"


def listed_folders() -> tuple[Path, ...]:
    """Return the folders (and single files) that the user allowed, in the order in which they were allowed.

    Raises:
        RunError: the list can't be read; nothing is allowed then.
    """
    path = folders_file()
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))["allowed"]
        if not isinstance(listed, list) or not all(isinstance(each, str) and "\x00" not in each for each in listed):
            raise ValueError(Message("'allowed' must be a list of folders"))  # noqa: TRY301 - one handler for every damage
        return tuple(map(Path, listed))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        why = (
            fault(error, "read").cause if isinstance(error, OSError) else Message("it is not a JSON list of this kind")
        )
        raise RunError(
            Message(
                "The list of allowed folders, '{path}', can't be read: {why}. Repair or delete it; until then no "
                "folder of it is allowed.",
                path=shown_path(path),
                why=why,
            )
        ) from error


def variable_folders() -> tuple[Path, ...]:
    """Return the folders in the environment variable; relative ones are ignored."""
    parts = os.environ.get(VARIABLE, "").split(os.pathsep)
    return tuple(path for part in parts if part.strip() and (path := _with_home(part.strip())).is_absolute())


def allow_for_now(path: str | Path) -> None:
    """Allow this process to read a file or folder that the user entered, such as on the command line."""
    _given[_flat(_with_home(str(path)))] = None


def expanded(path: str, base_dir: str) -> Path:
    """Return the absolute path for a strategy's text, without accessing the disk.

    Raises:
        PathRefusedError: it is not a path of a file of this computer.
    """
    said = shown_path(path)
    if not path.strip():
        raise PathRefusedError(Message("'path' is empty."), Message("Name a file."))
    if "\x00" in path:
        raise PathRefusedError(
            Message("'{said}' has a NUL character, which no file name has.", said=said), Message("Correct 'path'.")
        )
    if _ADDRESS.match(path):
        raise PathRefusedError(
            Message("'{said}' is a network address, and only files of this computer are read.", said=said),
            Message("Download it, and name the file."),
        )
    if path.startswith(("\\\\", "//")):
        raise PathRefusedError(
            Message("'{said}' is a path on another computer, and only files of this one are read.", said=said),
            Message("Copy it, and name the file."),
        )
    if path.startswith("~") and path[1:2] not in ("", "/", os.sep):
        raise PathRefusedError(
            Message("'{said}' refers to another user's home folder, which is not supported.", said=said),
            Message("Write the whole path, or '~/' for your own folder."),
        )
    try:
        return _flat(Path(base_dir or ".") / _with_home(path))
    except (OSError, ValueError, RuntimeError) as error:
        raise PathRefusedError(
            Message("'{said}' is not a valid path: {error}.", said=said, error=error), Message("Correct 'path'.")
        ) from error


def check_place(path: Path, base_dir: str, written: str) -> None:
    """Refuse a path outside of the folders that a strategy may read, by its name alone.

    Args:
        path: the absolute path.
        base_dir: the strategy's folder; '' for a path that the user gave by hand, which is not refused.
        written: the path as the strategy has it, for the message.

    Raises:
        PathRefusedError: it is elsewhere; the message says how to allow it.
    """
    if path.as_posix() == "/dev/stdin" or path.as_posix().startswith("/dev/fd/"):
        raise PathRefusedError(
            Message("'{written}' is the standard input, which is not read.", written=shown_path(written)),
            Message("Name a file."),
        )
    if system_place(path):
        raise PathRefusedError(
            Message("'{written}' is a device or a file of the system.", written=shown_path(written)),
            Message("Name a file with data."),
        )
    if base_dir and not _is_allowed(path, base_dir):
        remedy = Message(
            "If you trust the strategy with that file, allow it: quantcrafter folders allow {quoted} (the "
            "window asks by itself).",
            quoted=_quoted(str(path)),
        )
        if (folder := offered_folder(path)) is not None:
            more = Message("All files of its folder: quantcrafter folders allow {quoted}.", quoted=_quoted(str(folder)))
            remedy = joined([remedy, more])
        raise PathRefusedError(
            Message(
                "'{written}' lies outside the strategy's folder, and strategies may not read '{path}'.",
                written=shown_path(written),
                path=shown_path(str(path)),
            ),
            remedy,
            file=str(path),
        )


def offered_folder(file: str | Path) -> Path | None:
    """Return the folder of a file if the user may be asked to allow all of it; None if it is too wide."""
    folder = Path(file).parent
    return None if is_too_wide(folder) else folder


def system_place(path: Path) -> bool:
    """Return whether a path is in a folder for devices and processes on Linux or macOS."""
    text = path.as_posix()
    return (
        os.name == "posix"
        and any(text == place or text.startswith(f"{place}/") for place in _SYSTEM)
        and not (
            text.startswith("/dev/shm/")  # noqa: S108 - files in memory, which are files all the same
        )
    )


def _is_allowed(path: Path, base_dir: str) -> bool:
    if any(_is_own(path, folder) for folder in _both(_flat(base_dir))):
        return True
    return is_listed(path)


def is_listed(path: Path) -> bool:
    """Return whether every strategy may read a path: it is in a data folder of the user's, or was allowed."""
    return any(each.is_relative_to(root) for each in _both(path) for root in _roots())


def _is_own(path: Path, folder: Path) -> bool:
    """Return whether a path is below a strategy's folder.

    If that is the user's home, or above it, only visible files in the same folder count, because the subfolders contain
    most of the user's files.
    """
    user = _with_home("~")
    if user.is_relative_to(folder) or folder == Path(folder.anchor):
        return path.parent == folder and not path.name.startswith(".")
    return path.is_relative_to(folder)


def _roots() -> Iterator[Path]:
    for name in _DATA_FOLDERS:
        yield from _both(_flat(home() / name))
    for folder in (_SHIPPED, *_given, *variable_folders(), *_listed()):
        yield from _both(folder)


def _listed() -> tuple[Path, ...]:
    try:
        return listed_folders()
    except RunError:
        return ()  # the commands on folders tell of it; here it means that nothing is allowed


def _both(folder: Path) -> tuple[Path, ...]:
    """Return a folder as written and with links resolved."""
    try:
        return folder, folder.resolve()
    except (OSError, RuntimeError, ValueError):
        return (folder,)


def _with_home(path: str) -> Path:
    """Return a path with `~` replaced, or unchanged if the user's folder is unknown."""
    if path == "~" or path.startswith(("~/", f"~{os.sep}")):
        with contextlib.suppress(RuntimeError):
            return Path(path).expanduser()
    return Path(path)


def _flat(path: str | Path) -> Path:
    """Return an absolute path without `.` and `..`, by its name alone."""
    return Path(os.path.normpath(Path(path).absolute()))


def _quoted(text: str) -> str:
    """Return a path quoted for a shell."""
    if re.fullmatch(r"[\w@%+=:,./\\-]+", text):
        return text
    return '"' + text.replace('"', '\\"') + '"' if os.name == "nt" else "'" + text.replace("'", "'\\''") + "'"
