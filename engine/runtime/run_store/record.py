"""RunRecord: what the history keeps of a run."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.npy import read_npz
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.stats.metrics import Value
from quantcrafter.engine.stats.tables import Table

_COMPRESS_BELOW_BYTES = 1_000_000
_MOST_UNPACKED = 64 * _COMPRESS_BELOW_BYTES
_UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    EOFError,
    MemoryError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
_PARTS = ("fills", "trades", "equity")


@dataclass(frozen=True)
class Books:
    """The fills, trades and equity of a run, as in `RunResult`."""

    fills: Table
    trades: Table
    equity: Table


@dataclass(frozen=True)
class RunRecord:
    """One run of the history.

    `id` is empty until the record is kept; `started` is in UTC; `spec_text` is the strategy file as it was run and
    `spec_hash` the hash of what it does, without the layout. `books` is None in lists, and where the file that held
    them is gone. A pinned run stays whatever space runs use. `damage` says what of its row cannot be read.
    """

    strategy: str
    engine: str
    mode: str
    bars: int
    warmup: int
    symbols: tuple[str, ...]
    metrics: Mapping[str, Value]
    settings: Mapping[str, Any]
    timing: Mapping[str, float]
    file: str = ""
    spec_text: str = ""
    spec_hash: str = ""
    data_hash: str = ""
    synthetic: bool = False
    overrides: tuple[str, ...] = ()
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    id: str = ""
    pinned: bool = False
    damage: str = field(default="", compare=False)
    books: Books | None = field(default=None, repr=False, compare=False)

    @classmethod
    def from_result(
        cls,
        result: RunResult,
        *,
        started: datetime | None = None,
    ) -> RunRecord:
        """Return the record of a finished run."""
        return cls(
            strategy=result.strategy,
            engine=result.engine,
            mode=result.mode,
            bars=result.bars,
            warmup=result.warmup,
            symbols=tuple(job.symbol for job in result.instruments),
            metrics=dict(result.metrics),
            settings=result.settings.model_dump(mode="json"),
            timing=dict(result.timing),
            file=str(Path(result.origin.file).absolute()) if result.origin.file else "",
            spec_text=result.origin.text,
            spec_hash=result.origin.spec_hash,
            data_hash=result.data_hash,
            synthetic=result.synthetic,
            overrides=result.origin.overrides,
            started=started or datetime.now(UTC),
            books=Books(result.fills, result.trades, result.equity),
        )


def write_books(path: Path, books: Books) -> None:
    """Write the books to a new .npz file; small ones are compressed.

    Raises:
        FileExistsError: the file exists already, which means that the run's id is taken.
    """
    arrays = {f"{part}.{name}": column for part in _PARTS for name, column in getattr(books, part).columns.items()}
    small = sum(array.nbytes for array in arrays.values()) < _COMPRESS_BELOW_BYTES
    stream = path.open("xb")
    try:
        with stream:
            (np.savez_compressed if small else np.savez)(stream, **arrays)
    except BaseException:  # closing writes what is left, which fails again on a full disk; the file is closed then
        path.unlink(missing_ok=True)
        raise


def read_books(path: Path) -> Books | None:
    """Return the books of an .npz file, or None when there is none.

    Raises:
        RunError: the file is damaged.
    """
    parts: dict[str, dict[str, Any]] = {part: {} for part in _PARTS}
    try:
        with path.open("rb") as stream:
            for key, array in read_npz(stream, _MOST_UNPACKED).items():
                part, _, name = key.partition(".")
                parts[part][name] = array
        _check_lengths(parts)
    except FileNotFoundError:
        return None
    except _UNREADABLE as error:
        cause = fault(error, "read").cause if isinstance(error, OSError) else "the file is damaged"
        text = Message(
            "The fills and trades in '{path}' cannot be read: {cause}. Delete the run or run it again.",
            path=shown_path(path),
            cause=cause,
        )
        raise RunError(text) from error
    return Books(*(Table(parts[part]) for part in _PARTS))


def _check_lengths(parts: Mapping[str, Mapping[str, Any]]) -> None:
    if any(len({column.shape for column in part.values()}) != 1 for part in parts.values()):
        raise ValueError(Message("columns are missing or of different length"))
