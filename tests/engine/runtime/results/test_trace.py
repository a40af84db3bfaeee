"""Columns of a run that don't fit into memory are kept in files: few of them, however many columns there are."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.engine.api import RunError
from quantcrafter.engine.runtime.results import trace
from quantcrafter.engine.runtime.results.trace import ColumnStore

TYPES = ("f8", "u1", "?", "i8", "f4")


@given(st.lists(st.tuples(st.sampled_from(TYPES), st.integers(0, 400)), max_size=40), st.integers(0, 3_000))
def test_every_column_is_given_back_as_it_was(shapes: list[tuple[str, int]], limit: int) -> None:
    rng = np.random.default_rng(1)
    columns = [rng.integers(0, 2, count).astype(kind) for kind, count in shapes]
    store = ColumnStore(limit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace, "LEAST_FILE_BYTES", 4_096)
        kept = [store.keep(column.copy()) for column in columns]
    for one, other in zip(columns, kept, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_thousands_of_columns_open_a_few_files() -> None:
    store = ColumnStore(limit=0)
    process = psutil.Process()
    before = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
    kept = [store.keep(np.full(100, number, np.float64)) for number in range(5_000)]
    after = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
    assert after - before < 20
    assert [column[7] for column in kept] == list(range(5_000))
    with pytest.raises(ValueError, match="read-only"):
        kept[0][0] = 1


def test_a_full_disk_ends_the_run_with_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open

    def full(path: Path, *args: Any, **options: Any) -> Any:
        if path.suffix == ".columns":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, *args, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(RunError, match=r"columns of the run can't be saved in .*: the disk is full\. Free some space"):
        ColumnStore(limit=0).keep(np.zeros(10))
