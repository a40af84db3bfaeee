"""Writing result files whole: beside the target first, then renamed onto it."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

from engine.api.errors import RunError


def write_whole(path: str | Path, content: bytes, what: str) -> Path:
    """Write `content` so that a reader sees the old file or the new one, never a part; make missing folders.

    Raises:
        RunError: the file cannot be written; the message begins with `what` it is.
    """
    target = Path(path).expanduser()
    temporary = target.parent / f".{target.name[:100]}.{secrets.token_hex(4)}.part"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as stream:
            stream.write(content)
        temporary.replace(target)
    except (OSError, ValueError) as error:
        with contextlib.suppress(OSError, ValueError):
            temporary.unlink(missing_ok=True)
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise RunError(f"{what} cannot be written to '{path}': {reason}. Name a file in a folder you own.") from error
    return target
