"""Locks between processes: held as long as a file is open, released by the system when the process dies. No Qt."""

from __future__ import annotations

import contextlib
import hashlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from quantcrafter.engine.api.home import home

_LOOK_S = 0.01

if sys.platform == "win32":
    import msvcrt

    def try_lock(stream: IO[bytes]) -> bool:
        """Take a lock for as long as the file is open; return whether it was free."""
        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def try_lock(stream: IO[bytes]) -> bool:
        """Take a lock for as long as the file is open; return whether it was free."""
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


@contextlib.contextmanager
def writing(target: Path, *, timeout_s: float = 0.5) -> Iterator[bool]:
    """Let only one process of the user at a time write a file; yield whether the lock was acquired.

    The lock file is one of 256 in the user's directory, so that no file is left next to the target. A process that
    doesn't get the lock in time continues anyway: a hanging process must not prevent others from saving.
    """
    name = hashlib.sha256(str(target).encode("utf-8", "surrogatepass")).hexdigest()[:2]
    path = home() / "locks" / f"{name}.lock"
    with contextlib.ExitStack() as stack:
        had = False
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            stream = stack.enter_context(path.open("ab"))
            until = time.monotonic() + timeout_s
            while not (had := try_lock(stream)) and time.monotonic() < until:
                time.sleep(_LOOK_S)
        yield had
