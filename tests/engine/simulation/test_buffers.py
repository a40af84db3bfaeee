"""Memory that is used again: never while somebody can see it, never too much of it, and no run sees what it held."""

from __future__ import annotations

import gc
import threading
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.ledger import Ledger
from quantcrafter.engine.simulation import account_terms, arrays, buffers, pages, state
from quantcrafter.engine.simulation.buffers import LEAST_BYTES, BufferPool, rounded_size
from quantcrafter.engine.simulation.driver import Pace, simulate
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED
from tests.support.counts import sample
from tests.support.ledger_checks import TABLES
from tests.support.random_jobs import jobs

COUNT = LEAST_BYTES // 8
PLENTY = 100 * LEAST_BYTES


def place_of(array: npt.NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])


def test_memory_is_used_again_once_the_array_and_all_its_views_are_gone() -> None:
    pool = BufferPool(PLENTY)
    array = pool.take(COUNT, np.float64)
    place, view = place_of(array), array.reshape(2, -1)[1, 10:].view(np.int64)
    del array
    assert place_of(pool.take(COUNT, np.float64)) != place
    del view
    assert place_of(pool.take(COUNT, np.int64)) == place


def test_a_shorter_array_of_about_the_same_size_uses_the_same_memory() -> None:
    pool = BufferPool(1 << 24)
    place = place_of(pool.take(1_000_000, np.float64))
    assert place_of(pool.take(999_000, np.float64)) == place


@pytest.mark.parametrize("size", [*range(1, 200), 12_345_678, 1 << 30, (1 << 30) + 1])
def test_sizes_are_rounded_up_by_a_quarter_at_most(size: int) -> None:
    assert size <= rounded_size(size) <= max(size + 1, size * 1.25)
    assert rounded_size(rounded_size(size)) == rounded_size(size)


def test_no_more_is_kept_than_the_limit_and_the_oldest_goes_first() -> None:
    pool = BufferPool(3 * rounded_size(8 * COUNT))
    taken = [pool.take(COUNT, np.float64) for _ in range(5)]
    places = [place_of(each) for each in taken]
    for _ in range(5):
        taken.pop(0)
        assert pool.idle_bytes <= 3 * rounded_size(8 * COUNT)
    again = [pool.take(COUNT, np.float64) for _ in range(3)]
    assert [place_of(each) for each in again] == places[:1:-1]


def test_an_array_larger_than_the_limit_is_not_kept() -> None:
    pool = BufferPool(LEAST_BYTES)
    pool.take(10 * COUNT, np.float64)
    assert pool.idle_bytes == 0


def test_memory_that_comes_back_while_the_pool_is_in_use_neither_blocks_nor_is_lost() -> None:
    pool = BufferPool(PLENTY)
    array = pool.take(COUNT, np.float64)
    place = place_of(array)
    with pool._lock:  # as when the garbage collector runs in the middle of `take`
        del array
        gc.collect()
    assert place_of(pool.take(COUNT, np.float64)) == place


def test_threads_never_share_memory() -> None:
    pool, faults = BufferPool(PLENTY), []

    def work(mark: int) -> None:
        for _ in range(300):
            array = pool.take(COUNT, np.int64)
            array[:] = mark
            if not (array == mark).all():
                faults.append(mark)

    threads = [threading.Thread(target=work, args=(mark,)) for mark in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def left_over(count: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return memory as a run might have left it."""
    array = np.empty(count, dtype)
    array.view(np.uint8)[:] = 0xA7
    return array


def assert_same_books(one: Ledger, other: Ledger) -> None:
    """Compare two ledgers value by value: nobody reads what lies between the fields of a row."""
    for name in TABLES:
        mine, theirs = getattr(one, name), getattr(other, name)
        for field in mine.dtype.names or (...,):
            assert np.array_equal(mine[field], theirs[field], equal_nan=mine[field].dtype.kind == "f"), name
    assert one.open_positions == other.open_positions


@settings(max_examples=sample(40, of=1_000), deadline=None, suppress_health_check=list(HealthCheck))
@given(jobs(account=True), jobs())
def test_rows_that_stay_in_their_tables_are_not_changed_by_later_runs(job: EngineJob, other: EngineJob) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state, "FEW_ROWS", 0)
        ledger = simulate(job, kernel=INTERPRETED)
        before = {name: getattr(ledger, name).tobytes() for name in TABLES}
        again = simulate(job, kernel=INTERPRETED)
        simulate(other, kernel=INTERPRETED)
    for name, rows in before.items():
        assert getattr(ledger, name).tobytes() == rows, name
    assert_same_books(ledger, again)
    assert_same_books(ledger, simulate(job, kernel=INTERPRETED))


@settings(max_examples=sample(60, of=1_000), deadline=None, suppress_health_check=list(HealthCheck))
@given(jobs(account=True))
def test_no_run_sees_what_another_left_in_its_memory(job: EngineJob) -> None:
    pace = Pace(chunk_bars=50, table_rows=64)
    clean = simulate(job, pace, kernel=INTERPRETED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buffers, "LEAST_BYTES", 0)
        patch.setattr(arrays, "PORTFOLIOS", BufferPool(0, left_over))
        patch.setattr(arrays, "MOST_ROWS", 1)  # to fill tables of that size takes less time
        for module in (account_terms, pages, state):
            patch.setattr(module, "COLUMNS", BufferPool(0, left_over))
        assert_same_books(clean, simulate(job, pace, kernel=INTERPRETED))
