"""Read-only columns: what is handed out of the engine cannot be changed by whoever gets it, and keeps it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from engine.api.bars import BAR_COLUMNS, Bars, CorporateActions
from engine.api.ports import Signals

Column = TypeVar("Column", bound=npt.NDArray[Any])

_BAR_ARRAYS = ("open_ns", "close_ns", *BAR_COLUMNS)


def read_only(column: Column) -> Column:
    """Return a read-only view; whoever else holds the array can still write to it."""
    view: Column = column.view()
    view.flags.writeable = False
    return view


def frozen(column: Column) -> Column:
    """Make an array that nobody else holds read-only, down to the owner of its memory, and return a view of it.

    A view of memory whose owner is read-only cannot be made writeable again.
    """
    owner: Any = column
    while isinstance(owner, np.ndarray):
        owner.flags.writeable = False
        owner = owner.base
    return read_only(column)


def frozen_copy(column: Column) -> Column:
    """Return a read-only copy: of an array that somebody else may hold, in whatever way."""
    copy: Any = np.array(column, order="C")
    kept: Column = frozen(copy)
    return kept


def frozen_bars(bars: Bars) -> Bars:
    """Return bars, whose arrays nobody else holds, with read-only columns down to the owners of their memory."""
    return _with(bars, frozen)


def shown_bars(bars: Bars) -> Bars:
    """Return bars of their own for somebody to look at, with read-only views of the columns."""
    return _with(bars, read_only)


def shown(value: Any) -> Any:
    """Return what flows through a wire for a component to look at: a column, `Signals`, `Bars`, or a tuple of these."""
    if isinstance(value, np.ndarray):
        return read_only(value)
    if isinstance(value, Signals):
        return Signals(read_only(value.flags), None if value.strength is None else read_only(value.strength))
    if isinstance(value, Bars):
        return shown_bars(value)
    return tuple(map(shown, value)) if isinstance(value, tuple) else value


def _with(bars: Bars, make: Any) -> Bars:
    actions = bars.actions
    return replace(
        bars,
        traded=None if bars.traded is None else _with(bars.traded, make),
        actions=None if actions is None else CorporateActions(make(actions.split), make(actions.dividend)),
        **{name: make(getattr(bars, name)) for name in _BAR_ARRAYS},
    )
