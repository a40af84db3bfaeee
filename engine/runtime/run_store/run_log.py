"""The two growing files of a run folder: blocks of columns, and the commits that make them valid.

`data.bin` holds blocks, each one an array's bytes. `commits.jsonl` has a line for each commit, with a checksum: where
its blocks lie, how many bars of each instrument they bring, and what has changed of what is small.

- Bytes are only ever added, and a commit is written when all its blocks are: whoever reads sees whole commits, from the
  first one on, while a writer is at it and after it was killed at any point.
- Blocks are on the disk before their commit's line is written, and the line before `append` returns, so a reported
  commit survives a power failure. A run that may be lost (a trial) is written without waiting for the disk.
- A writer holds a lock on `writer.lock` until it closes or dies; a second one is refused.
- What a killed writer left behind the last commit is cut off the commits' file by the next one, and passed by in the
  data: a reader may have bytes mapped that belonged to a commit which was dropped.
"""

from __future__ import annotations

import errno
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from io import FileIO
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.locks import try_lock
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.npy import dtype_of

DATA, COMMITS, LOCK = "data.bin", "commits.jsonl", "writer.lock"
LATEST = "latest."
"""Begins the names of records that take the place of those of earlier commits."""
PER_BAR = ("bars.", "market.", "column.", "feed.")
"""Begin the names of columns that have a row a bar, with the instruments one after the other."""
_ALIGNED = 64
Column = npt.NDArray[Any]


def execution_column(name: str, execution: int) -> str:
    """Return what `flags` or `allowed` of an execution is stored under; the first one has no number."""
    return f"market.{name}" if not execution else f"market.{name}.{execution}"


@dataclass(frozen=True, slots=True)
class Block:
    """Where an array is in the data file: its first byte, and how many rows it has."""

    dtype: np.dtype[Any]
    offset: int
    rows: int

    @property
    def end(self) -> int:
        """The byte behind it."""
        return self.offset + self.rows * self.dtype.itemsize


@dataclass(frozen=True)
class Commit:
    """One addition. `bars` counts the bars of each instrument, `starts` those of the instruments before."""

    revision: int
    bars: tuple[int, ...]
    blocks: Mapping[str, Block]
    state: Mapping[str, Any]
    starts: tuple[int, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Chunk:
    """One addition to a run.

    Attributes:
        bars: how many bars of each instrument it brings.
        columns: by name, an array for each instrument with a row a bar.
        records: by name, rows of the ledger.
        state: what is small, by name; a later value takes the place of an earlier one.
    """

    bars: Sequence[int]
    columns: Mapping[str, Sequence[Column]] = field(default_factory=dict)
    records: Mapping[str, Column] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)


class LogReader:
    """Reads the commits of a folder, as far as they are whole, and on from there when asked again.

    Raises:
        OSError: a file cannot be read.
        ValueError, LookupError, TypeError: it is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._commits: list[Commit] = []
        self._last, self._end = b"", 0

    def read(self) -> tuple[Commit, ...]:
        """Return all commits, oldest first."""
        with (self._folder / COMMITS).open("rb") as stream:
            stream.seek(self._end - len(self._last))
            if stream.read(len(self._last)) != self._last:  # a writer went back
                self._commits, self._last, self._end = [], b"", 0
                stream.seek(0)
            lines = stream.read().split(b"\n")[:-1]
        size = (self._folder / DATA).stat().st_size
        for number, line in enumerate(lines, 1):
            described = _checked(line)
            if described is None:
                if number < len(lines):
                    raise ValueError(Message("commit {count} is damaged", count=len(self._commits) + 1))
                break
            self._commits.append(_commit(described, len(self._commits) + 1, size))
            self._last = line + b"\n"
            self._end += len(self._last)
        return tuple(self._commits)

    @property
    def end(self) -> int:
        """The byte behind the last whole commit."""
        return self._end


class LogWriter:
    """Adds commits to a folder.

    Args:
        folder: the folder; its files are made if they are missing.
        revision: go on behind this commit and drop later ones; behind the last one if left out.
        durable: wait at each commit until it is on the disk.
        shared: others know the folder, so that there could be a second writer.

    Raises:
        BlockingIOError: there is a writer already.
        OSError: the files cannot be written.
        ValueError, LookupError, TypeError: they are damaged, or there is no such commit.
    """

    def __init__(self, folder: Path, revision: int | None = None, *, durable: bool = True, shared: bool = True) -> None:
        self._durable = durable
        with ExitStack() as opened:
            if shared:
                lock = opened.enter_context((folder / LOCK).open("ab"))
                if not try_lock(lock):
                    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN), str(folder))
            for name in (DATA, COMMITS):
                (folder / name).touch()
            reader = LogReader(folder)
            self._commits = len(reader.read())
            self._end = reader.end
            if revision is not None and revision != self._commits:
                self._end = _end_of(folder, revision, self._commits)
                self._commits = revision
            # Unbuffered, so that nothing of a write that failed waits for the next one.
            self._data = opened.enter_context((folder / DATA).open("r+b", buffering=0))
            self._log = opened.enter_context((folder / COMMITS).open("r+b", buffering=0))
            self._log.truncate(self._end)
            self._opened = opened.pop_all()

    @property
    def revision(self) -> int:
        """The number of commits."""
        return self._commits

    def append(self, chunk: Chunk) -> int:
        """Add a commit and return its number.

        Raises:
            OSError: it cannot be written; the folder has the commits that it had before.
            ValueError: a column has not a row for each bar.
        """
        for name, parts in chunk.columns.items():
            if [len(part) for part in parts] != list(chunk.bars):
                raise ValueError(Message("the column '{name}' has not one row a bar", name=name))
        start = self._data.seek(0, os.SEEK_END)
        self._log.seek(self._end)
        try:
            arrays = {**chunk.columns, **{name: [rows] for name, rows in chunk.records.items()}}
            blocks = {name: _write(self._data, parts) for name, parts in arrays.items()}
            described = {
                "revision": self._commits + 1,
                "bars": list(chunk.bars),
                "blocks": blocks,
                "state": chunk.state,
            }
            text = json.dumps(described).encode()
            self._sync(self._data)
            _write_all(self._log, b"%08x %s\n" % (zlib.crc32(text), text))
            self._sync(self._log)
        except BaseException:
            with suppress(OSError):
                self._log.truncate(self._end)
                self._data.truncate(start)
            raise
        self._end = self._log.tell()
        self._commits += 1
        return self._commits

    def _sync(self, stream: FileIO) -> None:
        if self._durable:
            os.fsync(stream.fileno())

    def close(self) -> None:
        """Close the files, and let another writer take over."""
        self._opened.close()


def is_being_written(folder: Path) -> bool:
    """Return whether a writer is at a folder."""
    with suppress(OSError), (folder / LOCK).open("r+b") as lock:
        return not try_lock(lock)
    return False


def map_data(folder: Path, commits: Sequence[Commit]) -> Column:
    """Return the bytes of all blocks of some commits, mapped and read-only.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is too short.
    """
    end = max((block.end for commit in commits for block in commit.blocks.values()), default=0)
    if not end:
        return np.empty(0, np.uint8)
    with (folder / DATA).open("rb") as stream:
        return np.memmap(stream, np.uint8, "r", 0, (end,)).view(np.ndarray)


def _write(stream: FileIO, parts: Sequence[Column]) -> list[Any]:
    """Write arrays one behind the other as one block and return where it lies, as a commit has it."""
    place = stream.tell()
    offset = -(-place // _ALIGNED) * _ALIGNED
    _write_all(stream, bytes(offset - place))
    for part in parts:
        if len(part):
            _write_all(stream, np.ascontiguousarray(part).view(np.uint8).data)
    return [np.lib.format.dtype_to_descr(parts[0].dtype), offset, sum(len(part) for part in parts)]


def _write_all(stream: FileIO, content: bytes | memoryview) -> None:
    left = memoryview(content)
    while left:
        left = left[stream.write(left) :]


def _checked(line: bytes) -> dict[str, Any] | None:
    """Return what a line says, None if it is not as it was written."""
    checksum, _, text = line.partition(b" ")
    try:
        if int(checksum, 16) != zlib.crc32(text):
            return None
        described: dict[str, Any] = json.loads(text)
    except ValueError:
        return None
    return described


def _commit(described: Mapping[str, Any], number: int, size: int) -> Commit:
    """Return a commit whose blocks are within the data file of `size` bytes."""
    bars = tuple(int(each) for each in described["bars"])
    blocks = {name: Block(dtype_of(kind), at, rows) for name, (kind, at, rows) in described["blocks"].items()}
    if described["revision"] != number or min(bars, default=0) < 0:
        raise ValueError(Message("commit {number} is not the next one", number=number))
    for name, block in blocks.items():
        if block.offset < 0 or block.rows < 0 or block.end > size:
            raise ValueError(Message("the file '{data}' is missing '{name}'", data=DATA, name=name))
        if name.startswith(PER_BAR) and block.rows != sum(bars):
            raise ValueError(
                Message("'{name}' has {rows} rows for {sum} bars", name=name, rows=block.rows, sum=sum(bars))
            )
    return Commit(number, bars, blocks, described["state"], tuple(accumulate(bars, initial=0)))


def _end_of(folder: Path, revision: int, count: int) -> int:
    """Return the byte behind a commit."""
    if not 0 <= revision <= count:
        raise ValueError(Message("there is no commit {revision} among {count}", revision=revision, count=count))
    lines = (folder / COMMITS).read_bytes().split(b"\n")[:revision]
    return sum(len(line) + 1 for line in lines)
