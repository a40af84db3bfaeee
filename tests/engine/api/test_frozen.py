"""Columns that are handed out cannot be changed, by whichever way an array can be reached."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api import Bars, Signals, Timeframe
from quantcrafter.engine.api.frozen import LentColumns, OverwrittenError, frozen, frozen_bars, frozen_copy, shown


def _bars(values: Any) -> Bars:
    times = np.arange(len(values), dtype=np.int64)
    return Bars("X", Timeframe(1, "d"), times, times + 1, values, values, values, values, values)


def test_a_view_of_a_frozen_column_cannot_be_made_writeable_again() -> None:
    column = frozen(np.arange(5.0))
    with pytest.raises(ValueError, match="read-only"):
        column[0] = 1.0
    with pytest.raises(ValueError, match="WRITEABLE"):
        column.flags.writeable = True
    with pytest.raises(ValueError, match="WRITEABLE"):
        column[1:].flags.writeable = True


def test_freezing_reaches_the_owner_of_the_memory() -> None:
    owner = np.arange(10.0)
    frozen(owner[2:8][1:3])
    with pytest.raises(ValueError, match="read-only"):
        owner[0] = 1.0


def test_a_copy_does_not_follow_whoever_keeps_the_array() -> None:
    kept = np.arange(5.0)
    column = frozen_copy(kept)
    kept[:] = -1.0
    assert column.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("wrap", [lambda a: a, lambda a: (a, a), lambda a: Signals(a, a), _bars])
def test_everything_that_flows_through_a_wire_is_shown_read_only(wrap: Any) -> None:
    column = frozen(np.arange(3.0))
    value = shown(wrap(column))
    first = value.close if isinstance(value, Bars) else value[0] if isinstance(value, tuple) else value
    assert not first.flags.writeable
    with pytest.raises(ValueError, match="WRITEABLE"):
        first.flags.writeable = True


def test_bars_are_frozen_with_what_was_traded() -> None:
    bars = _bars(np.arange(3.0))
    whole = frozen_bars(Bars(**{**bars.__dict__, "traded": _bars(np.arange(3.0))}))
    assert whole.traded is not None
    assert not whole.traded.open_ns.flags.writeable
    assert not whole.slice(1, 2).close.flags.writeable


@pytest.mark.parametrize("wrap", [lambda a: a, lambda a: (a, a), lambda a: Signals(a, a), _bars, lambda a: {"x": a}])
def test_what_is_lent_is_a_copy_and_a_change_of_it_is_found(wrap: Any) -> None:
    column = frozen(np.array([1.0, np.nan, 3.0]))
    lent = LentColumns()
    value = lent.value(wrap(column))
    lent.check()
    value = value["x"] if isinstance(value, dict) else value.close if isinstance(value, Bars) else value
    owner = (value[0] if isinstance(value, tuple) else value).base
    assert owner is not None
    owner.flags.writeable = True
    owner[0] = 7.0

    assert column[0] == 1.0
    with pytest.raises(OverwrittenError):
        lent.check()
