"""Read a file that may be anything."""

from __future__ import annotations

from pathlib import Path

from quantcrafter.engine.api.folders import PathRefusedError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.opening import open_regular
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.spec.limits import MAX_FILE_BYTES
from quantcrafter.engine.spec.source import Place, ProblemLog


def read_text(path: Path, log: ProblemLog) -> str | None:
    """Return the text of a UTF-8 file with its line ends as they are, or None after noting why not."""
    try:
        with open_regular(path) as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except PathRefusedError as error:
        log.add("file", error.reason, Message("Name a strategy file."), at=Place(shown_path(path)))
        return None
    except (OSError, ValueError) as error:
        cause, remedy = fault(error, "read")
        log.add("file", Message("The file can't be read: {cause}.", cause=cause), remedy, at=Place(shown_path(path)))
        return None
    if len(data) > MAX_FILE_BYTES:
        message = Message(
            "A file can have at most {max_file_bytes:,} bytes, this one has more.", max_file_bytes=MAX_FILE_BYTES
        )
        log.add("limit", message, Message("Split it into blocks of their own files."), at=Place(str(path), 1, 1))
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        message = Message("The file must be UTF-8 text, byte {data:#04x} is not.", data=data[error.start])
        log.add("encoding", message, Message("Save it as UTF-8."), at=Place(str(path), line, column))
        return None
