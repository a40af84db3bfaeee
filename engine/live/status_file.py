"""What a worker says of itself, in a small file of its folder, so that other processes see it without asking."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from quantcrafter.engine.live.input_log import is_running
from quantcrafter.engine.live.worker import ALIVE, WorkerState

STATUS = "status.json"

_BLOCK = 1024
"""Its length is a multiple of this many bytes."""


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


def write_status(folder: Path, status: WorkerStatus, *, in_place: bool = False) -> None:
    """Write it whole; readers see the old one or the new one. That it can't be written is no reason to stop.

    Args:
        folder: the worker's.
        status: what it says.
        in_place: write it over the old one unless that is shorter, and so without waiting for the disk, which some
            file systems do when a file takes the place of another one. On a full disk this is done in any case.
    """
    beside, text = folder / f".{STATUS}.part", json.dumps(asdict(status)).encode()
    text = text.ljust(-(-len(text) // _BLOCK) * _BLOCK)
    if in_place and _overwritten(folder / STATUS, text):
        return
    try:
        beside.write_bytes(text)
        beside.replace(folder / STATUS)
    except OSError:
        _overwritten(folder / STATUS, text)


def _overwritten(path: Path, text: bytes) -> bool:
    """Write over a file that is not shorter, in one piece; return whether it was done."""
    with suppress(OSError), path.open("r+b", buffering=0) as there:
        length = os.fstat(there.fileno()).st_size
        if length >= len(text):
            there.write(text.ljust(length))
            return True
    return False


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
