"""Estimates the progress and the remaining time of a job from its stages."""

from __future__ import annotations

import time
from collections.abc import Callable

USUAL = {"load": 0.3, "columns": 0.3, "simulate": 0.3, "save": 0.1}
"""How a run's time is shared out as long as none was timed."""

SURE_AFTER_S = 0.4
"""An estimate from less than that would jump about."""

EVEN = "simulate"
"""The stage of a run with a constant speed, from which its duration is estimated."""


class ProgressEstimate:
    """Measures the stages of jobs; the shares of a job are those of the last job of its kind.

    For the first job of a kind, the relative durations of its stages are unknown: the remaining time is reported only
    within the stage with a constant speed. The same applies to a job that had to wait for libraries or for the
    compiler.

    Args:
        clock: seconds of a monotonic clock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._shares: dict[str, dict[str, float]] = {}
        self._kind = ""
        self._stage = ""
        self._begun = self._stage_begun = clock()
        self._spent: dict[str, float] = {}
        self._waited = False

    def begin(self, kind: str) -> None:
        """Begin with a job."""
        self._kind, self._stage, self._spent, self._waited = kind, "", {}, False
        self._begun = self._stage_begun = self._clock()

    def step(self, stage: str, done: int, total: int) -> tuple[float, float | None]:
        """Return how much of the job is done (0 to 1), and the remaining seconds, None while unknown."""
        now = self._clock()
        if stage != self._stage:
            self._leave(now)
            self._stage, self._stage_begun = stage, now
        part = min(max(done / total, 0.0), 1.0) if total > 0 else 0.0
        shares = self._shares.get(self._kind, USUAL)
        if stage not in shares:  # a job of one stage, or one that was never seen
            share = part
        else:
            whole = sum(shares.values()) or 1.0
            share = (sum(shares.get(name, 0.0) for name in self._spent) + shares[stage] * part) / whole
        spent = now - self._begun
        if stage in USUAL and (self._waited or self._kind not in self._shares):
            spent, known = now - self._stage_begun, part if stage == EVEN else 0.0
            return share, spent * (1.0 - known) / known if spent >= SURE_AFTER_S and known > 0.0 else None
        if spent < SURE_AFTER_S or share <= 0.0:
            return share, None
        return share, spent * (1.0 - share) / share

    def wait(self) -> None:
        """Note that the job waits for something that is needed only once."""
        self._waited = True

    def end(self) -> None:
        """Keep how the finished job's time was shared out, if it did not wait."""
        self._leave(self._clock())
        if self._waited:
            return
        whole = sum(self._spent.values())
        if whole > 0.0:
            self._shares[self._kind] = {name: spent / whole for name, spent in self._spent.items()}

    def _leave(self, now: float) -> None:
        if self._stage:
            self._spent[self._stage] = self._spent.get(self._stage, 0.0) + now - self._stage_begun
