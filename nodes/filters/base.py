"""What the filters share."""

from __future__ import annotations

from quantcrafter.engine.api import Filter


class WindowedFilter(Filter):
    """Base of the filters here: they read their warm-up and the newest bar."""

    def lookback(self) -> int | None:
        return self.warmup()
