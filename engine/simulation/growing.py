"""Growing market columns: bars are appended to each instrument's columns independently.

Each instrument has its own range of rows in every column. Bar numbers are serial: bar `b` is in row `start + b`, where
`start` changes when rows are moved, and `b` never does. When a range is full, all are laid out again: rows that are no
longer needed are dropped, and if the others fill more than half of the range, it is doubled. The cost of an append
therefore doesn't depend on the number of bars, and memory is bounded by what the open orders still need.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.rules import GuardKind
from quantcrafter.engine.simulation.account_terms import counts_days, has_venue_rules, is_financed, needs_volume
from quantcrafter.engine.simulation.arrays import execution_columns_of, market_of, shared_columns
from quantcrafter.engine.simulation.closed_bar import ClosedBar
from quantcrafter.engine.simulation.execution_terms import SIZE_COLUMN, is_by_day
from quantcrafter.engine.simulation.financing_columns import FUNDING_COLUMNS, NIGHT_COLUMNS, has_funding_column
from quantcrafter.engine.simulation.records import MarketArrays, Table
from quantcrafter.engine.simulation.risk_records import AccountColumns
from quantcrafter.engine.simulation.step_arrays import with_steps
from quantcrafter.engine.simulation.venue_columns import has_limits, has_rolls, has_spreads

LEAST_ROWS = 256
"""How many rows a stretch has at least."""

KEPT_ROWS = 2
"""Minimum number of kept bars: the one that closes, and the one before it."""

_ALWAYS: dict[str, Any] = {**dict.fromkeys(("open", "high", "low", "close"), np.float64), "flags": np.uint8}
_OF_EXECUTIONS: dict[str, Any] = {"signals": np.uint8, "allowed": np.bool_}
"""Columns that each execution has."""

_FINANCED = {"open_ns": np.int64, "close_ns": np.int64}


@dataclass
class Stretch:
    """The rows of one instrument: bar `base` is in row `offset`, and `known` bars are known in all."""

    offset: int = 0
    capacity: int = 0
    base: int = 0
    known: int = 0

    @property
    def start(self) -> int:
        """The row in which bar 0 would be."""
        return self.offset - self.base


class GrowingMarket:
    """The market of an open session, and the `steps` that write to it; both are replaced by `make_room`.

    Args:
        job: its terms say which columns there are.
    """

    def __init__(self, job: EngineJob) -> None:
        self._dtypes = _dtypes(job)
        self._groups = [rules[0] for rules in shared_columns(job)]
        self._names = execution_columns_of(job)
        self.stretches = [Stretch() for _ in job.instruments]
        self._columns: dict[str, npt.NDArray[Any]] = {name: np.empty(0, of) for name, of in self._dtypes.items()}
        self._spreads = [each.spread for each in job.instruments] if has_spreads(job) else []
        self._rolls = has_rolls(job)
        count = len(self._groups) + len(self._names)
        self._rows = np.empty((count + int(bool(self._spreads)) + int(self._rolls), 0))
        count = len(job.executions)
        self._decisions: dict[str, Any] = {name: np.empty((count, 0), of) for name, of in _OF_EXECUTIONS.items()}
        _, self.steps = with_steps(job, market_of(job))
        self._stepped = job.steps is not None
        self.day = np.zeros(1 if counts_days(job) else 0, np.int64)
        self.market: MarketArrays
        self.make_room([0] * len(self.stretches))

    def is_full(self, i: int) -> bool:
        """Return whether there is no free row for another bar of an instrument."""
        stretch = self.stretches[i]
        return stretch.known - stretch.base == stretch.capacity

    def make_room(self, needed: list[int]) -> None:
        """Lay out the stretches again, without the bars before the `needed` one of each instrument."""
        moved = []
        offset = 0
        for old, first in zip(self.stretches, needed, strict=True):
            base = max(min(first, old.known - KEPT_ROWS), old.base)
            kept = old.known - base
            capacity = max(LEAST_ROWS, old.capacity if 2 * kept <= old.capacity else 2 * old.capacity, 2 * kept)
            moved.append(Stretch(offset, capacity, base, old.known))
            offset += capacity
        for name, column in self._columns.items():
            self._columns[name] = self._moved(column, np.zeros(offset, column.dtype), moved)
        for name, rows in self._decisions.items():
            self._decisions[name] = self._moved(rows, np.zeros((len(rows), offset), rows.dtype), moved)
        self._rows = self._moved(self._rows, np.zeros((len(self._rows), offset)), moved)
        if self._stepped:
            columns, outputs = (np.zeros((len(of), offset)) for of in (self.steps.columns, self.steps.outputs))
            self._inputs = self._moved(self.steps.columns, columns, moved)
            self.steps = self.steps._replace(
                columns=_lent(self._inputs),
                outputs=self._moved(self.steps.outputs, outputs, moved),
                flags=self._columns["flags"],
                signals=self._decisions["signals"],
                allowed=self._decisions["allowed"],
            )
        self.stretches = moved
        self.market = self._view()

    def _moved(self, source: Table, target: Table, moved: list[Stretch]) -> Table:
        for old, new in zip(self.stretches, moved, strict=True):
            kept, first = new.known - new.base, old.offset + new.base - old.base
            target[..., new.offset : new.offset + kept] = source[..., first : first + kept]
        return target

    def append(self, i: int, bar: ClosedBar, calendar: Mapping[str, float]) -> int:
        """Write the next bar of an instrument, which must have a free row, and return its number.

        `calendar` contains the values of the columns that depend on its times, such as `closing`.
        """
        stretch = self.stretches[i]
        number = stretch.known
        row = stretch.start + number
        for name, column in self._columns.items():
            value = calendar.get(name)
            column[row] = _value(bar, name) if value is None else value
        signals, allowed = self._decisions["signals"], self._decisions["allowed"]
        signals[0, row], allowed[0, row] = bar.flags, bar.allowed
        for e, each in enumerate(bar.further, 1):
            signals[e, row], allowed[e, row] = each.flags, each.allowed
            self._columns["flags"][row] |= each.flags
        self._write(row, bar)
        if self._spreads:
            spread = self._spreads[i] if bar.spread is None else bar.spread
            self._rows[len(self._groups) + len(self._names), row] = spread
        if self._rolls:
            self._rows[-1, row] = calendar["moved"]
        stretch.known += 1
        return number

    def _write(self, row: int, bar: ClosedBar) -> None:
        """Write the values of the rules' columns to a row."""
        for k, rule in enumerate(self._groups):
            self._rows[k, row] = bar.rule_columns[rule]
        for k, (e, name) in enumerate(self._names, len(self._groups)):
            if name == SIZE_COLUMN:
                size = bar.size if e == 0 else bar.further[e - 1].size
                self._rows[k, row] = np.nan if size is None else size
            else:
                self._rows[k, row] = (bar.execution_columns if e == 0 else bar.further[e - 1].columns)[name]
        for k, value in enumerate(bar.step_columns):
            self._inputs[k, row] = value

    # ------------------------------------------------------------------ keeping it

    def row_fields(self, i: int, bar: int, rules: Sequence[str]) -> dict[str, Any]:
        """Return the decision columns of a bar: those of rules by their names."""
        row = self.stretches[i].start + bar
        values = self._rows[:, row].tolist()
        own = values[len(self._groups) :]
        execution = dict(zip(map(column_key, self._names), own, strict=False))
        moved = {"moved": values[-1]} if self._rolls else {}
        return {
            **moved,
            "bar": bar,
            "rules": {rules[rule]: value for rule, value in zip(self._groups, values, strict=False)},
            "size": execution.pop(SIZE_COLUMN, None),
            "execution": execution,
        }

    def resume(self, known: Sequence[int], needed: Sequence[int]) -> None:
        """Go on with so many known bars, with room for those from the needed ones on."""
        for stretch, bars, first in zip(self.stretches, known, needed, strict=True):
            stretch.base = stretch.known = bars
            stretch.capacity = max(stretch.capacity, 2 * (bars - first))
        self.make_room(list(known))
        for stretch, first in zip(self.stretches, needed, strict=True):
            stretch.base = first

    def put_last(self, i: int, close: float, moved: float) -> None:
        """Write the close of an instrument's last bar, and how far rolls have moved prices up to it."""
        if self._rolls:
            row = self.stretches[i].start + self.stretches[i].known - 1
            self._columns["close"][row], self._rows[-1, row] = close, moved

    def put_rows(self, i: int, rows: Sequence[Mapping[str, Any]], rules: Sequence[str], close_ns: int | None) -> None:
        """Write saved rows of an instrument, and the time of the close of its last bar.

        Raises:
            RunError: a value that a rule of this job needs is missing.
        """
        stretch = self.stretches[i]
        if "close_ns" in self._columns and close_ns is not None:
            self._columns["close_ns"][stretch.start + stretch.known - 1] = close_ns
        for kept in rows:
            row = stretch.start + int(kept["bar"])
            try:
                for k, rule in enumerate(self._groups):
                    self._rows[k, row] = kept["rules"][rules[rule]]
                for k, key in enumerate(map(column_key, self._names), len(self._groups)):
                    value = kept["size"] if key == SIZE_COLUMN else kept["execution"][key]
                    self._rows[k, row] = np.nan if value is None else value
                if self._rolls:
                    self._rows[-1, row] = kept["moved"]
            except KeyError as error:
                raise RunError(
                    Message("The state of a session can't be read: a kept bar has no value of {error}.", error=error)
                ) from None

    def _view(self) -> MarketArrays:
        """Return the columns as the bar loop is given them, read-only; those that the job does not have are empty."""
        nothing = {"day_edge": np.uint8, "closing": np.uint8, "session_day": np.int64, **_FINANCED}
        views = {
            name: _lent(self._columns.get(name, np.empty(0, nothing.get(name, np.float64))))
            for name in (*_ALWAYS, "day_edge", *AccountColumns._fields)
            if name != "day"
        }
        account = AccountColumns(day=_lent(self.day), **{n: views[n] for n in AccountColumns._fields if n != "day"})
        bars = {name: views[name] for name in _ALWAYS}
        bars |= {name: _lent(rows) for name, rows in self._decisions.items()}
        return MarketArrays(**bars, columns=_lent(self._rows), day_edge=views["day_edge"], account=account)


def column_key(of: tuple[int, str]) -> str:
    """Return the name of an execution's column in a state: with its number, except for the first execution."""
    e, name = of
    return f"{e}.{name}" if e else name


_DEFAULTS = {"rate_open": 1.0, "rate_close": 1.0, "split": 1.0, "dividend": 0.0}


def _value(bar: ClosedBar, name: str) -> Any:
    if bar.roll is not None and name in ("split", "dividend"):
        if math.isnan(bar.roll):
            return _DEFAULTS[name]
        return math.nan if name == "split" else bar.roll
    value = getattr(bar, name)
    return _DEFAULTS[name] if value is None else value


def _lent(column: Table) -> Table:
    """Return a read-only view: all runs use the same types, so that one compilation is enough."""
    view = column.view()
    view.flags.writeable = False
    return view


def _dtypes(job: EngineJob) -> dict[str, Any]:
    """Return the columns of a job, other than those of its rules, with their types."""
    dtypes = dict(_ALWAYS)
    if is_by_day(job):
        dtypes["day_edge"] = np.uint8
    if any(guard.kind is GuardKind.SESSION_END for guard in job.guards):
        dtypes["closing"] = np.uint8
    if is_financed(job):
        dtypes |= _FINANCED
    if needs_volume(job):
        dtypes["volume"] = np.float64
    dtypes |= _rule_dtypes(job)
    for name in _DEFAULTS:
        rolls = name in ("split", "dividend") and any(each.roll is not None for each in job.instruments)
        if rolls or any(getattr(each, name) is not None for each in job.instruments):
            dtypes[name] = np.float64
    return dtypes


def _rule_dtypes(job: EngineJob) -> dict[str, Any]:
    """Return the columns for rules of exchanges, funding and swap, with their types."""
    dtypes: dict[str, Any] = {}
    if has_venue_rules(job):
        dtypes["session_day"] = np.int64
    if any(map(has_limits, job.instruments)):
        dtypes |= {"limit_up": np.float64, "limit_down": np.float64}
    if any(map(has_funding_column, job.instruments)):
        dtypes |= dict.fromkeys(FUNDING_COLUMNS, np.float64)
    if any(each.swap for each in job.instruments):
        dtypes |= dict.fromkeys(NIGHT_COLUMNS, np.float64)
    return dtypes
