"""Where a function is not compiled yet, its columns are looped over in Python for as long as that is quicker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api import FloatColumn
from quantcrafter.engine.api.compiled import COLD_STEPS, SHORT_ROWS, compiled
from quantcrafter.engine.api.waiting import IMPORT, listen_to_waits
from tests.support.counts import is_interpreted

pytestmark = pytest.mark.skipif(is_interpreted(), reason="nothing is compiled in make coverage")


def added(values: FloatColumn, bars: int) -> FloatColumn:
    return values + bars


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is waited for, on a computer without machine code."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    waits: list[str] = []
    end = listen_to_waits(waits.append)
    yield waits
    end()


def function(*, window: str = "") -> Callable[[FloatColumn, int], FloatColumn]:
    """Return the function as a process has it that has just begun."""
    return compiled(window=window)(added) if window else compiled(added)


def test_columns_are_looped_over_in_python_until_that_takes_as_long_as_the_compiler(told: list[str]) -> None:
    add, column = function(), np.ones(COLD_STEPS // 2)
    assert add(column, 2)[0] == 3.0
    assert add(column, 2)[-1] == 3.0
    assert told == []
    assert add(np.ones(SHORT_ROWS), 2)[0] == 3.0
    assert told[:1] == [IMPORT]


def test_what_is_looked_at_for_each_row_counts(told: list[str]) -> None:
    add = function(window="bars")
    add(np.ones(SHORT_ROWS), COLD_STEPS // SHORT_ROWS)
    assert told == []
    add(np.ones(SHORT_ROWS), 1)
    assert told[:1] == [IMPORT]


def test_code_that_is_kept_is_used_from_the_first_long_column_on(told: list[str]) -> None:
    function()(np.ones(COLD_STEPS + 1), 2)
    told.clear()
    add = function()
    add(np.ones(SHORT_ROWS - 1), 2)
    assert told == []
    add(np.ones(SHORT_ROWS), 2)
    assert told[:1] == [IMPORT]
