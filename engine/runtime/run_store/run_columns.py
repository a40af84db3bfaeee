"""The columns of a run folder by name: of the commits of a folder that grows, or of one that was written whole."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from quantcrafter.engine.api.npy import map_npy
from quantcrafter.engine.runtime.run_store.run_log import LATEST, Column, Commit, map_data


class RunColumns(Protocol):
    """Arrays by name: columns with a row a bar, of each instrument, and records of the whole run."""

    @property
    def bars(self) -> Sequence[int]:
        """How many bars each instrument has."""
        ...

    def has(self, name: str) -> bool:
        """Return whether there is such an array."""
        ...

    def part(self, name: str, instrument: int) -> Column:
        """Return a column of an instrument, shape (n,).

        Raises:
            KeyError: there is none.
        """
        ...

    def whole(self, name: str, dtype: np.dtype[Any] | None) -> Column:
        """Return records with these fields; those that they were kept without are 0. None takes them as they are.

        Raises:
            KeyError: there are none.
        """
        ...


class GrownColumns:
    """The arrays of commits. Those of one commit are mapped, those of several put together when they are asked for."""

    def __init__(self, folder: Path, commits: Sequence[Commit], neutral: Mapping[str, float]) -> None:
        """Take the commits; `neutral` has what stands in a column where a commit has none."""
        self._folder = folder
        self._neutral = neutral
        self._commits = commits
        self._made: dict[tuple[str, int], Column] = {}
        count = len(commits[0].bars) if commits else 0
        self.bars = tuple(sum(each.bars[number] for each in commits) for number in range(count))
        self._names = {name for each in commits for name in each.blocks}

    @cached_property
    def _data(self) -> Column:
        return map_data(self._folder, self._commits)

    def has(self, name: str) -> bool:
        """Return whether there is such an array."""
        return name in self._names

    def part(self, name: str, instrument: int) -> Column:
        """Return a column of an instrument, shape (n,)."""
        if (name, instrument) not in self._made:
            parts = [self._of(each, name, instrument) for each in self._commits if each.bars[instrument]]
            self._made[name, instrument] = self._joined(name, parts)
        return self._made[name, instrument]

    def whole(self, name: str, dtype: np.dtype[Any] | None) -> Column:
        """Return records with these fields: those of all commits.

        Where the name begins with `latest.` they are those of the last commit that has them.
        """
        if (name, -1) not in self._made:
            blocks = [each.blocks[name] for each in self._commits if name in each.blocks]
            parts = [with_fields(self._data[each.offset : each.end].view(each.dtype), dtype) for each in blocks]
            self._made[name, -1] = self._joined(name, parts[-1:] if name.startswith(LATEST) else parts)
        return self._made[name, -1]

    def _of(self, commit: Commit, name: str, instrument: int) -> Column:
        block = commit.blocks.get(name)
        count = commit.bars[instrument]
        if block is None:
            if name not in self._neutral:
                raise KeyError(name)
            return np.full(count, self._neutral[name])
        start = block.offset + commit.starts[instrument] * block.dtype.itemsize
        return self._data[start : start + count * block.dtype.itemsize].view(block.dtype)

    def _joined(self, name: str, parts: Sequence[Column]) -> Column:
        if len(parts) == 1:
            return parts[0]
        if parts:
            made = np.concatenate(parts)
        else:
            found = next((each.blocks[name] for each in self._commits if name in each.blocks), None)
            if found is None:
                raise KeyError(name)
            made = np.empty(0, found.dtype)
        made.flags.writeable = False
        return made


def with_fields(rows: Column, dtype: np.dtype[Any] | None) -> Column:
    """Return rows with these fields: of an earlier version's rows those that it did not have are 0."""
    if dtype is None or rows.dtype == dtype or rows.dtype.names is None:
        return rows
    made = np.zeros(len(rows), dtype)
    for name in set(rows.dtype.names) & set(dtype.names or ()):
        made[name] = rows[name]
    made.flags.writeable = False
    return made


class WholeColumns:
    """The arrays of a folder of format 1: a .npy file for each, with the instruments one after the other."""

    def __init__(self, folder: Path, bars: Sequence[int]) -> None:
        self._folder = folder
        self.bars = tuple(bars)
        self._starts = tuple(accumulate(self.bars, initial=0))
        self._opened: dict[str, Column] = {}

    def has(self, name: str) -> bool:
        """Return whether there is such an array."""
        return (self._folder / f"{name}.npy").exists()

    def part(self, name: str, instrument: int) -> Column:
        """Return a column of an instrument, shape (n,)."""
        return self._array(name)[self._starts[instrument] : self._starts[instrument + 1]]

    def whole(self, name: str, dtype: np.dtype[Any] | None) -> Column:
        """Return records with these fields."""
        return with_fields(self._array(name), dtype)

    def _array(self, name: str) -> Column:
        """Return an array as it is in its file."""
        if name not in self._opened:
            self._opened[name] = map_npy(self._folder / f"{name}.npy")
        return self._opened[name]


def description_1(text: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what `run.json` of format 1 says as that of format 2 does, and what the state of a commit has there."""
    about = json.loads(json.dumps(dict(text)))
    names = ("metrics", "timing", "data_hash", "open_positions", "months", "warmup", "findings", "notes", "synthetic")
    state = {name: about.pop(name) for name in names}
    state["first_bars"] = [each.pop("first_bar") for each in about["instruments"]]
    state["ready"] = {each["id"]: each.pop("ready") for each in about["nodes"]}
    state["finished"] = True
    about["feeds"] = [[each["feed"], each["column"]] for each in about.get("feeds", ())]
    about["warnings"] = []
    return about, state
