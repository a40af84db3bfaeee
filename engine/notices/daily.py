"""When the summary of the day is due, and a thread that sends it then."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

log = logging.getLogger("quantcrafter.notices")

_LOOK_S = 30.0


def next_due(now: datetime, at: str, zone: str) -> datetime:
    """Return the next moment after `now` (UTC) at which a clock of a time zone shows `at`, HH:MM; in UTC.

    A time that is left out when clocks are set forward comes an hour later; one that comes twice counts once.
    """
    hour, minute = map(int, at.split(":"))
    local = now.astimezone(ZoneInfo(zone))
    for days in range(3):
        day = (local + timedelta(days=days)).date()
        due = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        if due > now:
            return due
    raise AssertionError(at)  # a day has an `at`


class Daily:
    """Calls a function each day at a time, in a thread of its own.

    Args:
        at: the time of the day, HH:MM.
        zone: the time zone of it.
        call: what is called; what it raises is logged.
        clock: gives the time in UTC.
        look_s: how often the clock is looked at, in seconds: it may be set, and the computer may sleep.
    """

    def __init__(
        self,
        at: str,
        zone: str,
        call: Callable[[], object],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        look_s: float = _LOOK_S,
    ) -> None:
        self._at, self._zone, self._call, self._clock, self._look_s = at, zone, call, clock, look_s
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="daily-summary", daemon=True)

    def start(self) -> None:
        """Begin to wait."""
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._ends.set()

    def _run(self) -> None:
        due = next_due(self._clock(), self._at, self._zone)
        while not self._ends.wait(self._look_s):
            now = self._clock()
            if now < due:
                continue
            due = next_due(now, self._at, self._zone)
            try:
                self._call()
            except Exception:
                log.exception("The summary of the day could not be made.")
