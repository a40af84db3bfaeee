"""What the workers are doing, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

SHOWN = ("state", "mode", "strategy", "symbol", "position", "pnl_today", "feed_age_s", "started_at")
_NUMBERS = ("position", "pnl_today", "feed_age_s")


def worker_table(workers: dict[str, dict[str, Any]]) -> Table:
    """Return a table of all workers."""
    from quantcrafter.engine.cli.console import table

    errors = any(values["error"] for values in workers.values())
    names = (*SHOWN, "error") if errors else SHOWN
    made = table(
        "worker", *(name.replace("_", " ") for name in names), right=tuple(n.replace("_", " ") for n in _NUMBERS)
    )
    for key, values in workers.items():
        made.add_row(key, *(shown(values[name]) for name in names))
    return made


def shown(value: Any) -> str:
    """Return a value for people."""
    if value is None:
        return ""
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
