"""Pages of written rows: one array while each is behind the one before, and never overwritten."""

from __future__ import annotations

import numpy as np
import pytest

from quantcrafter.engine.simulation.pages import Room, joined_pages

NUMBERS = np.dtype(np.int64)


def numbers(first: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange(first, first + count)


@pytest.mark.parametrize("room", [1, 7, 100])
def test_pages_are_joined_in_order_however_often_memory_ran_out(room: int) -> None:
    memory = Room(NUMBERS, room)
    pages = [memory.put(numbers(first, 5)) for first in range(0, 60, 5)]
    assert joined_pages(pages, NUMBERS).tolist() == list(range(60))


def test_pages_that_lie_behind_one_another_are_not_copied() -> None:
    memory = Room(NUMBERS, 100)
    pages = [memory.put(numbers(0, 3)), memory.put(numbers(3, 0)), memory.put(numbers(3, 4))]
    joined = joined_pages(pages, NUMBERS)
    assert joined.tolist() == list(range(7))
    assert np.shares_memory(joined, pages[0])


def test_pages_after_a_way_back_do_not_touch_those_of_before() -> None:
    memory = Room(NUMBERS, 100)
    first, second = memory.put(numbers(0, 3)), memory.put(numbers(3, 3))
    anew = memory.put(numbers(50, 2))
    assert joined_pages([first, anew], NUMBERS).tolist() == [0, 1, 2, 50, 51]
    assert joined_pages([first, second], NUMBERS).tolist() == list(range(6))


def test_no_pages_are_no_rows() -> None:
    assert joined_pages([], NUMBERS).dtype == NUMBERS
    assert len(joined_pages([Room(NUMBERS, 4).put(numbers(0, 0))], NUMBERS)) == 0
