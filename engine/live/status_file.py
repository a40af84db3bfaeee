"""What a worker says of itself, in a small file of its folder, so that other processes see it without asking."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from quantcrafter.engine.live.input_log import is_running
from quantcrafter.engine.live.worker import ALIVE, WorkerState

STATUS = "status.json"


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """The state of a worker; times are UTC nanoseconds. `position` is the quantity held of its first instrument.

    `positions` are those of all instruments that it holds.

    `last_input_at` is when the feed or the broker was heard last, None if never. `pnl_today` is the change of equity
    since the latest UTC day of the feed's clock began.
    """

    state: str
    mode: str
    strategy: str
    symbol: str
    strategy_hash: str
    epoch: int
    started_at: int
    last_input_at: int | None = None
    position: float = 0.0
    positions: Mapping[str, float] = field(default_factory=dict)
    pnl_today: float = 0.0
    error: str = ""


def write_status(folder: Path, status: WorkerStatus) -> None:
    """Write it whole; readers see the old one or the new one.

    On a full disk it is written into the place of the old one, which is there already. That it can't be written is no
    reason to stop.
    """
    beside, text = folder / f".{STATUS}.part", json.dumps(asdict(status)).encode()
    try:
        beside.write_bytes(text)
        beside.replace(folder / STATUS)
    except OSError:
        with suppress(OSError), (folder / STATUS).open("r+b") as there:
            length = len(there.read())
            there.seek(0)
            there.write(text.ljust(length))


def read_status(folder: Path) -> WorkerStatus | None:
    """Return what a worker said last; None if it said nothing yet.

    One that says that it runs, and has no process, was killed: it is `stopped`.
    """
    try:
        read: dict[str, Any] = json.loads((folder / STATUS).read_text(encoding="utf-8"))
        status = WorkerStatus(**read)
    except (OSError, ValueError, TypeError):
        return None
    if status.state in ALIVE and not is_running(folder):
        return WorkerStatus(**{**read, "state": str(WorkerState.STOPPED)})
    return status
