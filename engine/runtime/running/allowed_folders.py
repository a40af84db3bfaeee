"""Changing the list of folders that strategies may read beyond their own; see `quantcrafter.engine.api.folders`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.folders import folders_file, listed_folders, system_place
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import did_you_mean
from quantcrafter.engine.stats.whole_files import write_whole


def allow_folder(path: str | Path) -> Path:
    """Let strategies read what is below a folder, or one file, and return it as it is listed now.

    Raises:
        RunError: it does not exist, or is the whole disk or a place of the system; or the list cannot be read or
            written.
    """
    given = Path(path)
    try:
        made = given.expanduser().resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise RunError(Message("'{given}' doesn't exist. Name an existing file or folder.", given=given)) from error
    if system_place(made) or made == Path(made.anchor):
        raise RunError(Message("'{made}' can't be allowed as a whole. Name the folder that holds the data.", made=made))
    if not made.is_dir() and not made.is_file():
        raise RunError(
            Message("'{made}' is neither a folder nor a file. Name the folder that holds the data.", made=made)
        )
    listed = listed_folders()
    if made not in listed:
        _write([*listed, made])
    return made


def forget_folder(path: str | Path) -> Path:
    """Take a folder off the list, whether or not it still exists, and return it.

    Raises:
        RunError: it is not on the list, or the list cannot be read or written.
    """
    listed = listed_folders()
    wanted = {Path(path), Path(path).absolute()}
    with contextlib.suppress(OSError, RuntimeError, ValueError):
        wanted.add(Path(path).expanduser().resolve())
    found = next((each for each in listed if each in wanted), None)
    if found is None:
        remedy = did_you_mean(str(path), map(str, listed))
        remedy = remedy or (
            Message("'quantcrafter folders' lists what is allowed.") if listed else Message("No folder is allowed.")
        )
        raise RunError(Message("'{path}' is not on the list of allowed folders. {remedy}", path=path, remedy=remedy))
    _write([each for each in listed if each != found])
    return found


def _write(folders: Sequence[Path]) -> None:
    text = json.dumps({"allowed": [str(each) for each in folders]}, indent=2, ensure_ascii=True) + "\n"
    write_whole(folders_file(), text.encode(), Message("The list of allowed folders"))
