"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_text(ts_ns: int) -> str:
    """Return UTC nanoseconds as `2024-05-31 14:30`."""
    return f"{datetime.fromtimestamp(ts_ns // 1_000_000_000, UTC):%Y-%m-%d %H:%M}"
