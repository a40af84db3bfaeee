"""MissingRows: rows that a store has lost without a command, as after a restore that is not complete yet.

1. After a store was empty, could not be read or was replaced by another one, a missing row says nothing about what its
   owner wants. Its worker goes on, and the row has a problem.
2. That ends when the row is back, or when a command says that it is to be removed.
3. What is missing is noted in the folder of the orchestrator: the next one knows it too.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Hashable
from pathlib import Path

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.labels import local_time
from quantcrafter.engine.orchestrator.supervisor import orchestrator_folder
from quantcrafter.engine.stats.whole_files import write_whole

log = logging.getLogger("quantcrafter.store")

NOTED = "missing-rows.json"


class MissingRows:
    """The rows that are missing without a command, and since when: UTC nanoseconds by key."""

    def __init__(self) -> None:
        self._since = _noted()
        self._is_doubtful = False
        self._identity: Hashable = None
        self._was_seen = False

    @property
    def has_store(self) -> bool:
        """Whether the store was there when it was looked at last."""
        return self._identity is not None

    def doubt(self) -> None:
        """Take what is missing at the next look for lost, and not for removed."""
        self._is_doubtful = True

    def seen(self, identity: Hashable) -> None:
        """Note which database it is; another one than before is in doubt."""
        if self._was_seen and identity != self._identity:
            self.doubt()
        self._identity, self._was_seen = identity, True

    def of(self, gone: set[str]) -> dict[str, str]:
        """Return the problems of the rows that are lost, by key.

        Args:
            gone: the rows that are not in the store, without those that a command removed.
        """
        kept = {key: since for key, since in self._since.items() if key in gone}
        if self._is_doubtful:
            now_ns = time.time_ns()
            kept |= dict.fromkeys(gone - kept.keys(), now_ns)
        self._is_doubtful = False
        if kept != self._since:
            self._since = kept
            _note(kept)
        return {key: _problem(key, since) for key, since in kept.items()}


def _problem(key: str, since_ns: int) -> str:
    return str(
        Message(
            "It is not in the store since {since} UTC, and no command has removed it. What runs goes on. Put the row "
            "back; or remove it: quantcrafter store remove {key}",
            since=local_time(since_ns, "UTC").strftime("%Y-%m-%d %H:%M:%S"),
            key=key,
        )
    )


def _path() -> Path:
    return orchestrator_folder() / NOTED


def _noted() -> dict[str, int]:
    try:
        read = json.loads(_path().read_text(encoding="utf-8"))
        return {str(key): int(since) for key, since in read.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        log.warning("%s", Message("Which rows were missing in the store can't be read: {error}", error=str(error)))
        return {}


def _note(since: dict[str, int]) -> None:
    try:
        if since:
            write_whole(_path(), json.dumps(since).encode(), Message("The list of missing rows"))
        else:
            _path().unlink(missing_ok=True)
    except (OSError, RunError) as error:
        log.warning("%s", error)
