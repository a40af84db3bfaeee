"""The summary of the day: of each worker what the day brought, its trades and its position.

Workers with real money stand apart from the others, and nothing is added up: accounts may have several currencies.
"""

from __future__ import annotations

from collections.abc import Iterator

from quantcrafter.engine.api import QuantCrafterError
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.places import worker_folders, workers_folder
from quantcrafter.engine.live.status_file import WorkerStatus, read_status
from quantcrafter.engine.orchestrator.worker_config import LIVE


def summary_lines() -> Iterator[str]:
    """Yield the summary: a heading for each kind of money, and a line for each worker that has run."""
    found = {key: status for key in sorted(worker_folders()) if (status := read_status(workers_folder() / key))}
    yield "the latest day (UTC) of each worker"
    for heading, is_live in (("Real money", True), ("Paper and replay", False)):
        lines = [_line(key, each) for key, each in found.items() if (each.mode == LIVE) == is_live]
        if lines:
            yield f"{heading}:"
            yield from lines
    if not found:
        yield "No worker has run."


def _line(key: str, status: WorkerStatus) -> str:
    held = ", ".join(f"{symbol} {quantity:g}" for symbol, quantity in status.positions.items() if quantity)
    fills = _fills_of(key)
    counted = "fills unknown" if fills is None else f"{fills:,} fills"
    return f"  {key}: P&L {status.pnl_today:+,.2f}, {counted}, position {held or 'none'}, {status.state}"


def _fills_of(key: str) -> int | None:
    """Return how many fills the latest UTC day of a worker's feed has; None if its log can't be read."""
    path = workers_folder() / key / LOG
    if not path.is_file():
        return None
    try:
        with InputLog.read(path) as log:
            return log.fills_of_latest_day()
    except QuantCrafterError:
        return None
