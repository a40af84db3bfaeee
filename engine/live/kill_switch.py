"""The kill switch by file: a file named `kill`, in a worker's folder or in the data folder for all workers.

Its text is one of the verbs; a file that is empty, unreadable or says something else means `no-entries`. As long as it
is there, `resume` is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from quantcrafter.engine.live.inputs import Verb, checked_verb

KILL = "kill"
_LOOK_S = 0.5
_MOST = 100


class KillSwitch:
    """Looks at the files now and then.

    Args:
        folders: where they may be.
        clock: counts seconds.
    """

    def __init__(self, folders: Sequence[Path], clock: Callable[[], float] = time.monotonic) -> None:
        self._paths, self._clock = [each / KILL for each in folders], clock
        self._looked_s = -_LOOK_S
        self._seen: dict[Path, object] = {}

    def triggered(self) -> tuple[Verb, ...]:
        """Return the verbs of files that are new or have changed since the last call."""
        if self._clock() - self._looked_s < _LOOK_S:
            return ()
        self._looked_s = self._clock()
        verbs = []
        for path in self._paths:
            mark = _mark(path)
            if mark != self._seen.get(path) and mark is not None:
                verbs.append(_verb_in(path))
            self._seen[path] = mark
        return tuple(verbs)

    def holding(self) -> Path | None:
        """Return a file that is there; None if there is none."""
        return next((path for path in self._paths if _mark(path) is not None), None)


def _mark(path: Path) -> object:
    """Return something that changes with a file, None if there is none. What can't be known counts as there."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        return type(error).__name__
    return found.st_mtime_ns, found.st_size, found.st_ino


def _verb_in(path: Path) -> Verb:
    try:
        verb = checked_verb(path.read_bytes()[:_MOST].decode().strip())
    except (OSError, ValueError):
        return "no-entries"
    return "no-entries" if verb in ("pause", "resume") else verb
