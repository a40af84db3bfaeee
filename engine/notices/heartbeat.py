"""The heartbeat: an address that is asked for every minute, and a file that is written, while the main loop turns.

An outside monitor tells when it stays away: the process has ended, hangs, or has no network.
"""

from __future__ import annotations

import logging
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from quantcrafter.engine.notices.sender import MASK, parts_of

log = logging.getLogger("quantcrafter.notices")

EVERY_S = 60.0
_ANSWER_S = 10.0


class Heartbeat:
    """Beats in a thread of its own as long as `turned` is called.

    Args:
        file: is written with the time at each beat.
        address: is asked for at each beat; none if empty. It is a secret.
        every_s: the time between two beats, in seconds. Without a turn for as long there is none.
    """

    def __init__(self, file: Path, address: str = "", *, every_s: float = EVERY_S) -> None:
        self._file, self._address, self._every_s = file, address, every_s
        self._hidden = parts_of(address)
        self._turned_s = time.monotonic()
        self._beats, self._error = 0, ""
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def turned(self) -> None:
        """Note that the main loop turns."""
        self._turned_s = time.monotonic()

    def status(self) -> dict[str, Any]:
        """Return how often it has beaten, and why the address could not be reached last time, '' if it could."""
        return {"beats": self._beats, "error": self._error, "asks": bool(self._address)}

    def close(self) -> None:
        """End it."""
        self._ends.set()

    def _run(self) -> None:
        while not self._ends.is_set():
            if time.monotonic() - self._turned_s <= self._every_s:
                self._beat()
            self._ends.wait(self._every_s)

    def _beat(self) -> None:
        try:
            self._file.write_text(datetime.now(UTC).isoformat() + "\n", encoding="ascii")
            if self._address:
                request = urllib.request.Request(self._address, headers={"User-Agent": "quantcrafter"})  # noqa: S310
                with urllib.request.urlopen(request, timeout=_ANSWER_S) as answer:  # noqa: S310 - http(s) is checked
                    answer.read(1)
            error = ""
        except (OSError, ValueError, urllib.error.URLError) as failure:
            error = str(failure)
            for each in self._hidden:
                error = error.replace(each, MASK)
        if error and not self._error:
            log.warning("The heartbeat could not be sent: %s", error)
        self._beats += not error
        self._error = error
