"""The disk space of a user's runs, and what is deleted beyond the limit, which covers everything.

Counted are the history itself, the folders of its runs with columns or with fills, trades and equity alone, trials, and
what runs that were cancelled or killed left behind. When they take more than the limit:

1. Leftovers are deleted: partly written folders without a writer, and files of runs that are not in the history.
2. Then the oldest, run by run: the bars and columns of a run, or a trial. Fills, trades and equity of a run are kept.
3. If that is not enough, fills, trades and equity of the oldest are deleted. Their rows are kept: metrics and strategy.
4. If that is not enough, the rows of the oldest runs are deleted.

Pinned runs stay, and so do runs that are being looked at or written. Nothing is renamed or deleted while another
process adds, pins or deletes runs; who dies in between leaves nothing that looks like a whole run.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.runtime.run_store.history import RunHistory
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_log import is_being_written
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.run_store.trace_folders import (
    TRIALS,
    UNFINISHED_AGE_S,
    age,
    folders,
    is_abandoned,
    is_alive,
    remove,
    unfinished,
)

_Kind = Literal["columns", "tables", "trial", "part"]
DEFAULT_GB = 5.0
GB = 1024**3
_LEAST_GB, _MOST_GB = 0.01, 1_000_000.0
_ROW_BYTES = "length(spec_text) + length(metrics) + length(settings) + length(timing) + 300"


@dataclass(frozen=True, slots=True)
class Usage:
    """The disk space of runs in bytes, by kind; `pinned_bytes` is the part that is always kept.

    `tables` are fills, trades and equity of runs whose columns are not kept; `columns` are runs with everything.
    """

    limit: int
    history: int = 0
    tables: int = 0
    columns: int = 0
    trials: int = 0
    unfinished: int = 0
    runs: int = 0
    pinned: int = 0
    pinned_bytes: int = 0

    @property
    def used(self) -> int:
        """Everything together."""
        return self.history + self.tables + self.columns + self.trials + self.unfinished


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was deleted: columns and fills of how many runs, how many whole runs and trials, and the bytes."""

    columns: int = 0
    tables: int = 0
    deleted: int = 0
    trials: int = 0
    freed: int = 0


@dataclass(slots=True)
class _Item:
    """A folder or file on the disk: of a run with its columns, its tables alone, of a trial, or half-written."""

    key: str
    kind: _Kind
    place: Path
    size: int
    age_s: float


def settings_file() -> Path:
    """Return the file that holds the limit."""
    return home() / "runs.json"


def keep_gb() -> float:
    """Return how much runs may take on the disk, in GB of 1024^3 bytes; the default where nothing valid is set."""
    try:
        value = json.loads(settings_file().read_text(encoding="utf-8"))["keep_gb"]
        return _checked(value)
    except (OSError, ValueError, LookupError, TypeError, RunError, RecursionError):
        return DEFAULT_GB


def set_keep_gb(value: float) -> None:
    """Set how much runs may take on the disk, in GB.

    Raises:
        RunError: the value is out of range, or the file cannot be written.
    """
    checked = _checked(value)
    path = settings_file()
    beside = unfinished(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps({"keep_gb": checked}) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        remove(beside)
        cause, remedy = fault(error, "home")
        raise RunError(
            Message(
                "The limit of runs can't be saved in '{path}': {cause}. {remedy}",
                path=shown_path(path),
                cause=cause,
                remedy=remedy,
            )
        ) from error


def measure() -> Usage:
    """Return what runs take on the disk now.

    Raises:
        RunError: the history cannot be read.
    """
    history = RunHistory()
    rows = _rows(history)
    items = _items(history)
    sums = {kind: sum(item.size for item in items if item.kind == kind) for kind in get_args(_Kind)}
    return Usage(
        limit=round(keep_gb() * GB),
        history=_history_size(history),
        tables=sums["tables"],
        columns=sums["columns"],
        trials=sums["trial"],
        unfinished=sums["part"],
        runs=len(rows),
        pinned=sum(rows.values()),
        pinned_bytes=sum(item.size for item in items if rows.get(item.key)),
    )


def clean(in_use: Collection[Path] = (), *, limit: int | None = None) -> Cleaned:
    """Bring what runs take down to the limit (in bytes; the user's if left out), and return what went.

    Args:
        in_use: folders of runs and trials that are being looked at; they stay.
        limit: the bytes that may be used.

    Raises:
        RunError: the history cannot be used; nothing was deleted then.
    """
    history = RunHistory()
    if not any(place.exists() for place in (history.path, history.folder, history.traces)):
        return Cleaned()
    limit = round(keep_gb() * GB) if limit is None else limit
    before = _history_size(history)
    with history.held() as connection:
        rows = _pinned(connection)
        items = _items(history)
        litter = [item for item in items if _is_litter(item, rows)]
        items = [item for item in items if item not in litter]
        stay = {key for key, pinned in rows.items() if pinned}
        stay |= {item.key for item in items if item.kind == "columns" and is_being_written(item.place)}
        stay |= {place.name for place in in_use} | {place.name for place in _latest_trials(history)}
        going, left = _chosen(history, items, rows, stay, before + sum(item.size for item in items) - limit)
        renamed = [beside for item in (*going, *litter) if (beside := _put_aside(item.place))]
        freed = sum(item.size for item in going) - sum(item.size for item in left)
        deleted = _delete_rows(connection, before + sum(item.size for item in items) - limit - freed)
    for beside in renamed:
        remove(beside)
    freed += sum(item.size for item in litter)
    if deleted:
        _shrink(history)
        freed += max(before - _history_size(history), 0)
    columns, tables, trials = (sum(item.kind == kind for item in going) for kind in ("columns", "tables", "trial"))
    return Cleaned(columns, tables, deleted, trials, freed)


def _chosen(
    history: RunHistory, items: list[_Item], rows: Collection[str], stay: Collection[str], excess: int
) -> tuple[list[_Item], list[_Item]]:
    """Return the oldest runs and trials that go, so many that `excess` bytes do, and what was kept of them first."""
    going: list[_Item] = []
    left: list[_Item] = []
    by_age = sorted(items, key=lambda item: -item.age_s)
    for item in by_age:
        if (
            excess > 0
            and item.key not in stay
            and (item.kind == "trial" or (item.kind == "columns" and item.key in rows))
        ):
            kept = _tables_of(history, item) if item.kind == "columns" else None
            left += [] if kept is None else [kept]
            going.append(item)
            excess -= item.size - (0 if kept is None else kept.size)
    for item in sorted([*by_age, *left], key=lambda item: -item.age_s):
        if excess > 0 and item.key not in stay and item.kind == "tables" and item.key in rows:
            going.append(item)
            excess -= item.size
    return going, left


def _tables_of(history: RunHistory, whole: _Item) -> _Item | None:
    """Keep fills, trades and equity of a run whose columns go, as old as it is.

    Returns None where they are kept already, cannot be read, or there is no room for them.
    """
    folder = history.folder / whole.key
    if folder.exists() or folder.with_suffix(".npz").exists():
        return None
    try:
        save_run(RunFolder.open(whole.place), folder, "tables")
        made = whole.place.stat().st_mtime
        os.utime(folder, (made, made))
    except (RunError, OSError):
        return None
    return _Item(whole.key, "tables", folder, _size(folder), whole.age_s)


def usage_text(usage: Usage) -> str:
    """Return what runs use in a sentence such as "Runs use 1.2 of 5 GB; 3 pinned"."""
    pinned = f"; {usage.pinned:,} pinned" if usage.pinned else ""
    return f"Runs use {gb(usage.used)} of {gb(usage.limit)} GB{pinned}"


def gb(count: int) -> str:
    """Return bytes in GB, with as many digits as tell something."""
    value = round(count / GB, 2)
    return f"{value:.2f}".rstrip("0").rstrip(".") if value or not count else "<0.01"


def _checked(value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not _LEAST_GB <= value <= _MOST_GB:
        raise RunError(
            Message(
                "Runs can take {least_gb:g} to {most_gb:,.0f} GB, was {value}.",
                least_gb=_LEAST_GB,
                most_gb=_MOST_GB,
                value=value,
            )
        )
    return float(value)


def _rows(history: RunHistory) -> dict[str, bool]:
    """Return for each run of the history whether it is pinned."""
    if not history.path.exists():
        return {}
    with history.reading() as connection:
        return _pinned(connection)


def _pinned(connection: sqlite3.Connection) -> dict[str, bool]:
    return {str(run_id): pinned == 1 for run_id, pinned in connection.execute("SELECT id, pinned FROM runs")}


def _items(history: RunHistory) -> list[_Item]:
    """Return everything on the disk: runs by their id, trials by their name, and what is half-written."""
    places: list[tuple[_Kind, Path]] = [("tables", place) for place in _listed(history.folder)]
    places += [("columns", place) for place in _listed(history.traces) if place.name != TRIALS]
    places += [("trial", place) for owner in _listed(history.traces / TRIALS) for place in _listed(owner)]
    return [
        _Item(place.stem, "part" if place.name.startswith(".") else kind, place, _size(place), age(place))
        for kind, place in places
    ]


def _listed(folder: Path) -> Iterator[Path]:
    try:
        yield from list(folder.iterdir())
    except OSError:
        return


def _is_litter(item: _Item, rows: dict[str, bool]) -> bool:
    """Return whether an item was half-written by who is gone, or is of no run of the history."""
    if item.kind == "part":
        return is_abandoned(item.place)
    return item.kind in ("columns", "tables") and item.key not in rows and item.age_s > UNFINISHED_AGE_S


def _latest_trials(history: RunHistory) -> list[Path]:
    """Return the latest trial of each program that runs: its window shows it."""
    owners = (owner for owner in _listed(history.traces / TRIALS) if is_alive(owner.name))
    return [latest for owner in owners for latest in folders(owner)[:1]]


def _put_aside(place: Path) -> Path | None:
    """Rename what is to be deleted, which is quick; None where that cannot be done."""
    beside = unfinished(place)
    try:
        place.rename(beside)
    except OSError:
        return None
    return beside


def _delete_rows(connection: sqlite3.Connection, excess: int) -> int:
    """Delete the rows of the oldest runs that are not pinned, so many that `excess` bytes go; the latest one stays."""
    oldest = f"SELECT id, {_ROW_BYTES} FROM runs WHERE NOT pinned ORDER BY number"  # noqa: S608 - names of our own
    rows = connection.execute(oldest).fetchall() if excess > 0 else []
    going = []
    for run_id, size in rows[:-1]:
        if excess <= 0:
            break
        going.append((run_id,))
        excess -= size or 0
    connection.executemany("DELETE FROM runs WHERE id = ?", going)
    return len(going)


def _shrink(history: RunHistory) -> None:
    """Release the space of deleted rows; if another process is reading, later rows use it again."""
    with suppress(RunError), history.reading() as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _history_size(history: RunHistory) -> int:
    return sum(_size(history.path.with_name(f"{history.path.name}{end}")) for end in ("", "-wal"))


def _size(place: Path) -> int:
    """Return the bytes of a file, or of everything in a folder."""
    try:
        if not place.is_dir():
            return place.stat().st_size
        return sum(_size(each) for each in place.iterdir())
    except OSError:
        return 0
