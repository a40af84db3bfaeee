"""Read-only columns: data that is passed out of the engine can't be changed by its recipients.

Third-party code can write to any memory that it is given: read-only flags can be taken off an array that owns its
memory, and an address is enough for ctypes. It therefore gets its own copies (`LentColumns`), which are compared
after the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.bars import BAR_COLUMNS, Bars, CorporateActions
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.ports import Signals

Column = TypeVar("Column", bound=npt.NDArray[Any])

_BAR_ARRAYS = ("open_ns", "close_ns", *BAR_COLUMNS)


def read_only(column: Column) -> Column:
    """Return a read-only view; other owners of the array can still write to it."""
    view: Column = column.view()
    view.flags.writeable = False
    return view


def frozen(column: Column) -> Column:
    """Make an array without other references read-only, down to the owner of its memory, and return a view of it.

    A view of memory whose owner is read-only cannot be made writeable again.
    """
    owner: Any = column
    while isinstance(owner, np.ndarray):
        owner.flags.writeable = False
        owner = owner.base
    return read_only(column)


def frozen_copy(column: Column) -> Column:
    """Return a read-only copy of an array that may be referenced elsewhere."""
    copy: Any = np.array(column, order="C")
    kept: Column = frozen(copy)
    return kept


def frozen_bars(bars: Bars) -> Bars:
    """Return bars, whose arrays have no other references, with read-only columns down to the owners of their memory."""
    return _with(bars, frozen)


def shown_bars(bars: Bars) -> Bars:
    """Return a new bars object with read-only views of the columns."""
    return _with(bars, read_only)


def shown(value: Any) -> Any:
    """Return the value of a wire as read-only views: a column, `Signals`, `Bars`, or a tuple of these."""
    return _mapped(value, read_only)


class OverwrittenError(ValueError):
    """Third-party code wrote into its inputs, past their being read-only."""

    def __init__(self) -> None:
        super().__init__(Message("the input is read-only, and was changed"))


class LentColumns:
    """Read-only copies of columns for third-party code; changes to them have no other effect."""

    def __init__(self) -> None:
        self._copies: dict[tuple[Any, ...], tuple[npt.NDArray[Any], npt.NDArray[Any]]] = {}

    def value(self, value: Any) -> Any:
        """Return a copy of the value of a wire: a column, `Signals`, `Bars`, or several of these."""
        return _mapped(value, self._column)

    def check(self) -> None:
        """Compare the copies with the originals.

        Raises:
            OverwrittenError: one of them was changed.
        """
        for column, copy in self._copies.values():
            if not np.array_equal(np.ascontiguousarray(column).view(np.uint8), copy.view(np.uint8)):
                raise OverwrittenError

    def _column(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        place = column.__array_interface__["data"][0], column.dtype.str, column.shape, column.strides
        if place not in self._copies:
            self._copies[place] = column, np.array(column, order="C")
        return frozen(self._copies[place][1])


def _mapped(value: Any, make: Any) -> Any:
    if isinstance(value, np.ndarray):
        return make(value)
    if isinstance(value, Signals):
        return Signals(make(value.flags), None if value.strength is None else make(value.strength))
    if isinstance(value, Bars):
        return _with(value, make)
    if isinstance(value, Mapping):
        return {key: _mapped(each, make) for key, each in value.items()}
    return tuple(_mapped(each, make) for each in value) if isinstance(value, tuple) else value


def _with(bars: Bars, make: Any) -> Bars:
    actions = bars.actions
    return replace(
        bars,
        traded=None if bars.traded is None else _with(bars.traded, make),
        actions=None if actions is None else CorporateActions(make(actions.split), make(actions.dividend)),
        extra={name: make(column) for name, column in bars.extra.items()},
        **{name: make(getattr(bars, name)) for name in _BAR_ARRAYS},
    )
