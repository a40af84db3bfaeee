"""BackOff: how long to wait before something that failed is tried again."""

from __future__ import annotations

FIRST_S = 0.2
MOST_S = 60.0


class BackOff:
    """Doubles the wait with each failure, up to a limit; begins again once something has lasted.

    Args:
        first_s: the wait after the first failure, in seconds.
        most_s: the longest wait; what has lasted as long without a failure begins again.
    """

    def __init__(self, first_s: float = FIRST_S, most_s: float = MOST_S) -> None:
        self._first_s, self._most_s = first_s, most_s
        self._failures = 0

    def after(self, lasted_s: float) -> float:
        """Return how long to wait after a failure of something that had lasted so long, in seconds."""
        if lasted_s >= self._most_s:
            self._failures = 0
        wait_s = self._first_s * 2.0 ** min(self._failures, 30)
        self._failures += 1
        return min(wait_s, self._most_s)
