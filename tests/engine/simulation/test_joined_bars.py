"""Bars of several instruments are joined once, as long as they are the same and in use."""

from __future__ import annotations

import gc

import numpy as np

from quantcrafter.engine.api.bars import Bars
from quantcrafter.engine.simulation.joined_bars import Latest
from tests.support.jobs import make_bars


def bars_of(symbol: str, first: float, count: int = 5) -> Bars:
    close = first + np.arange(count)
    return make_bars(np.column_stack([close, close + 1.0, close - 1.0, close]), symbol)


def test_the_same_bars_are_joined_once() -> None:
    latest, bars = Latest(), [bars_of("A", 10.0), bars_of("B", 20.0)]
    joined = latest.of(bars)
    assert joined.close.tolist() == [*range(10, 15), *range(20, 25)]
    assert joined.high.tolist() == [*range(11, 16), *range(21, 26)]
    assert joined.same_times
    assert latest.of(list(bars)) is joined


def test_other_bars_of_the_same_number_are_joined_anew() -> None:
    latest, first, second = Latest(), bars_of("A", 10.0), bars_of("B", 20.0)
    latest.of([first, second])
    assert latest.of([second, first]).close.tolist() == [*range(20, 25), *range(10, 15)]
    shorter = latest.of([first, bars_of("B", 20.0, 4)])
    assert shorter.close.tolist() == [*range(10, 15), *range(20, 24)]
    assert not shorter.same_times


def test_what_is_joined_goes_with_the_first_of_its_bars() -> None:
    latest, bars = Latest(), [bars_of("A", 10.0), bars_of("B", 20.0)]
    latest.of(bars)
    bars.pop()
    gc.collect()
    assert not latest._latest


def test_bars_of_one_instrument_are_not_copied_and_do_not_replace_those_of_several() -> None:
    latest, bars = Latest(), bars_of("A", 10.0)
    several = [bars, bars_of("B", 20.0)]
    joined, alone = latest.of(several), latest.of([bars])
    assert np.shares_memory(alone.close, bars.close)
    assert latest.of(several) is joined
    assert latest.of([bars]) is alone
    assert latest.of([bars_of("C", 30.0)]).close.tolist() == [*range(30, 35)]
