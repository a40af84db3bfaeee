"""Writing result files whole: beside the target first, then renamed onto it."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

from engine.api.errors import RunError
from engine.api.os_errors import fault, shown_path


def write_whole(path: str | Path, content: bytes, what: str) -> Path:
    """Write `content` so that a reader sees the old file or the new one, never a part; make missing folders.

    Raises:
        RunError: the file cannot be written; the message begins with `what` it is.
    """
    try:
        target = Path(path).expanduser()
    except RuntimeError as error:  # there is no such user
        text = f"{what} cannot be written to '{shown_path(path)}': there is no user of that name. Correct the path."
        raise RunError(text) from error
    temporary = target.parent / f".{target.name[:100]}.{secrets.token_hex(4)}.part"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as stream:
            stream.write(content)
        temporary.replace(target)
    except (OSError, ValueError) as error:
        with contextlib.suppress(OSError, ValueError):
            temporary.unlink(missing_ok=True)
        cause, remedy = fault(error)
        raise RunError(f"{what} cannot be written to '{shown_path(path)}': {cause}. {remedy}") from error
    return target
