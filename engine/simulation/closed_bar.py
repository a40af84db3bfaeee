"""A closed bar for a session: its prices, and the values of the decision columns at it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from quantcrafter.engine.api.bar_checks import longest_bar_ns, type_fault
from quantcrafter.engine.api.bars import Bars, DatedAmounts
from quantcrafter.engine.api.engine import EngineJob, ExecutionColumns, InstrumentJob
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.ports import Signals
from quantcrafter.engine.simulation.arrays import timeline_of
from quantcrafter.engine.simulation.financing_columns import Due, due_at
from quantcrafter.engine.simulation.venue_columns import expires_at_end, expiry_ns

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ExecutionValues:
    """The values of an `ExecutionColumns`'s columns at a bar."""

    flags: int = 0
    allowed: bool = True
    columns: Mapping[str, float] = field(default_factory=lambda: _NOTHING)
    size: float | None = None


@dataclass(frozen=True, slots=True)
class ClosedBar:
    """A bar that has closed, with the values of an `InstrumentJob`'s columns at it.

    Times are UTC nanoseconds. `ready` is whether decisions may be made at it: they are made from the first such bar on.
    A value is set only if the job has the column; `rule_columns` only if a rule has one. `flags`, `allowed`,
    `execution_columns` and `size` are those of the first execution, `further` has the others'. `inputs` holds the
    inputs of decision components, by node and port, and `history` the instrument's bars: columns whose last value is
    this bar's. `expires` is whether the contract, or the last one of a series, is known to expire with this
    bar, `expires_ns` when it expires.
    `funding` and `swap` are what is due from the close of the bar before up to this one's, of rates that
    change.
    """

    open: float
    high: float
    low: float
    close: float
    open_ns: int
    close_ns: int
    volume: float = 0.0
    flags: int = 0
    allowed: bool = True
    ready: bool = True
    rule_columns: tuple[float | None, ...] = ()
    execution_columns: Mapping[str, float] = field(default_factory=lambda: _NOTHING)
    size: float | None = None
    rate_open: float | None = None
    rate_close: float | None = None
    split: float | None = None
    dividend: float | None = None
    roll: float | None = None
    expires: bool = False
    expires_ns: int | None = None
    spread: float | None = None
    funding: DatedAmounts | None = None
    swap: DatedAmounts | None = None
    step_columns: tuple[float, ...] = ()
    inputs: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _NOTHING)
    history: Bars | None = None
    further: tuple[ExecutionValues, ...] = ()

    @property
    def executions(self) -> tuple[ClosedBar | ExecutionValues, ...]:
        """What has `flags` and whether entries are `allowed`, for each execution."""
        return self, *self.further


_NUMBERS = (float, int, np.floating, np.integer)
_ABOVE_ZERO = frozenset({"rate_open", "rate_close", "split"})
_NO_OPTIONAL = (None,) * 7
_FAR_NS = 2**62
_MOST_FLAGS = 255
_OF_ACCOUNT = ("rate_open", "rate_close", "split", "dividend", "roll")
_OPTIONAL = (("size", "size_column"), *((name, name) for name in _OF_ACCOUNT), ("spread", "spreads"))


def _is_plain(bar: ClosedBar) -> bool:
    """Return whether the values of a bar have the types that they mostly have."""
    return (
        type(bar.open) is type(bar.high) is type(bar.low) is type(bar.close) is type(bar.volume) is float
        and type(bar.open_ns) is type(bar.close_ns) is type(bar.flags) is int
        and type(bar.allowed) is type(bar.ready) is bool
        and -_FAR_NS < bar.open_ns < bar.close_ns < _FAR_NS
        and 0 <= bar.flags <= _MOST_FLAGS
    )


class Needs:
    """What every bar of an instrument must have."""

    def __init__(self, job: EngineJob, i: int) -> None:
        instrument = job.instruments[i]
        self._name = instrument.symbol
        self._timeframe = instrument.bars.timeframe
        self._longest_ns = longest_bar_ns(self._timeframe, instrument.bars.session)
        self._rules = [column is not None for column in instrument.rule_columns]
        self._no_rules = not any(self._rules)
        self._execution = instrument.execution_columns.keys()
        self._further = [(each.columns.keys(), each.size is not None) for each in instrument.further]
        self._steps = len(instrument.step_columns)
        self._optional = [(name, getattr(instrument, column) is not None) for name, column in _OPTIONAL]
        self._has_optional = any(has for _, has in self._optional)
        swap = instrument.swap
        self._due = (
            ("funding", instrument.funding is not None),
            ("swap", swap is not None and swap.dated is not None),
        )
        self._nodes = [part.node for part in job.components]

    def check(self, bar: ClosedBar, last: tuple[int, int] | None) -> None:
        """Reject a bar with wrong types, or one that overlaps the last one, is too long, or is incomplete.

        `last` is when the last one opened and closed.

        Raises:
            RunError: the check fails.
        """
        if type(bar) is not ClosedBar or not _is_plain(bar):
            self._check_types(bar)
        open_, high, low, close = bar.open, bar.high, bar.low, bar.close
        # Comparisons with NaN are False, so that this holds for finite prices alone.
        if not (-math.inf < low <= open_ <= high < math.inf and low <= close <= high):
            self._refuse_prices((open_, high, low, close))
        if not 0.0 <= bar.volume < math.inf:
            raise RunError(
                Message(
                    "The volume of a bar of {name} must be 0 or more, was {volume}.", name=self._name, volume=bar.volume
                )
            )
        self._check_times(bar, last)
        self._check_due(bar, last)
        try:
            self._check_columns(bar)
            for node in self._nodes:
                if bar.history is None or node not in bar.inputs:
                    raise RunError(
                        Message(
                            "A bar of {name} must come with its history and the inputs of node '{node}'.",
                            name=self._name,
                            node=node,
                        )
                    )
        except (TypeError, AttributeError) as error:
            raise RunError(
                Message(
                    "Columns of a bar of {name} must be those of a ClosedBar: {error}.", name=self._name, error=error
                )
            ) from error

    def _check_types(self, bar: ClosedBar) -> None:
        fault = type_fault(self._name, bar, ClosedBar)
        if fault:
            raise RunError(fault)
        self._check_decision(bar)
        self._check_truth("ready", bar.ready)

    def _check_decision(self, given: ClosedBar | ExecutionValues) -> None:
        flags, most = given.flags, _MOST_FLAGS
        if not isinstance(flags, (int, np.integer)) or not 0 <= flags <= most:
            raise RunError(
                Message(
                    "'flags' of a bar of {name} must be a whole number from 0 to {most}, was {flags}.",
                    name=self._name,
                    most=most,
                    flags=repr(flags),
                )
            )
        self._check_truth("allowed", given.allowed)

    def _check_truth(self, field_name: str, value: Any) -> None:
        if not isinstance(value, (bool, np.bool_)):
            raise RunError(
                Message(
                    "'{name}' of a bar of {name_2} must be true or false, was {getattr}.",
                    name=field_name,
                    name_2=self._name,
                    getattr=repr(value),
                )
            )

    def _refuse_prices(self, prices: tuple[float, ...]) -> None:
        if not all(map(math.isfinite, prices)):
            raise RunError(
                Message(
                    "Prices of a bar of {name} must be finite numbers, were {prices}. Leave the bar out.",
                    name=self._name,
                    prices=prices,
                )
            )
        raise RunError(
            Message(
                "Open and close of a bar of {name} must lie between low and high, were {prices}.",
                name=self._name,
                prices=prices,
            )
        )

    def _check_times(self, bar: ClosedBar, last: tuple[int, int] | None) -> None:
        length = bar.close_ns - bar.open_ns
        if 0 < length <= self._longest_ns and (last is None or last[1] <= bar.open_ns):
            return
        span = Message("{open_ns} to {close_ns} ns", open_ns=bar.open_ns, close_ns=bar.close_ns)
        if length <= 0:
            raise RunError(
                Message("A bar of {name} must open before it closes, was {span}.", name=self._name, span=span)
            )
        if length > self._longest_ns:
            raise RunError(
                Message(
                    "A bar of {name} in {timeframe} must be no longer than {longest_ns} ns, was {length}"
                    " ns, from {span}. Give bars of the strategy's timeframe.",
                    name=self._name,
                    timeframe=self._timeframe,
                    longest_ns=self._longest_ns,
                    length=length,
                    span=span,
                )
            )
        if last is not None:
            raise RunError(
                Message(
                    "A bar of {name} must come after the last one and open no earlier than that closed; the last is "
                    "{last} to {last_2} ns, was {span}. Leave out what is known already.",
                    name=self._name,
                    last=last[0],
                    last_2=last[1],
                    span=span,
                )
            )

    def _check_due(self, bar: ClosedBar, last: tuple[int, int] | None) -> None:
        """Refuse a bar that doesn't say what is due, or says it of another time than its own."""
        for field_name, is_needed in self._due:
            amounts = getattr(bar, field_name)
            if is_needed != (amounts is not None):
                raise RunError(
                    Message(
                        "A bar of {name} must have '{value}', as its rates change.", name=self._name, value=field_name
                    )
                    if is_needed
                    else Message(
                        "A bar of {name} must have no '{value}', as its rates don't change.",
                        name=self._name,
                        value=field_name,
                    )
                )
            begin_ns = -_FAR_NS if last is None else last[1]  # before a first bar there is no position
            if amounts is not None and len(amounts.within(begin_ns, bar.close_ns).times_ns) != len(amounts.times_ns):
                raise RunError(
                    Message(
                        "'{value}' of a bar of {name} must be due from {begin} ns on and before {end} ns, was due at "
                        "{times} ns.",
                        value=field_name,
                        name=self._name,
                        begin=begin_ns,
                        end=bar.close_ns,
                        times=amounts.times_ns.tolist(),
                    )
                )

    def _check_columns(self, bar: ClosedBar) -> None:
        name = self._name
        if bar.rule_columns or not self._no_rules:
            given = [value is not None for value in bar.rule_columns]
            if given != self._rules:
                count = sum(self._rules)
                raise RunError(
                    Message(
                        "A bar of {name} must have a value for just the {count} rules that have a column.",
                        name=name,
                        count=count,
                    )
                )
        if bar.execution_columns.keys() != self._execution:
            wanted, had = sorted(self._execution), sorted(bar.execution_columns)
            raise RunError(
                Message(
                    "A bar of {name} must have values for the execution's columns {wanted}, had {had}.",
                    name=name,
                    wanted=wanted,
                    had=had,
                )
            )
        if bar.further or self._further:
            self._check_further(bar)
        if len(bar.step_columns) != self._steps:
            lengths = Message(
                "{steps} columns of the steps, had {count}", steps=self._steps, count=len(bar.step_columns)
            )
            raise RunError(Message("A bar of {name} must have values for the {lengths}.", name=name, lengths=lengths))
        optional = (bar.size, bar.rate_open, bar.rate_close, bar.split, bar.dividend, bar.roll, bar.spread)
        values = (*bar.rule_columns, *bar.execution_columns.values(), *bar.step_columns, *optional)
        if any(value is not None and not isinstance(value, _NUMBERS) for value in values):
            raise RunError(
                Message(
                    "Values of columns at a bar of {name} must be numbers, were {values}.", name=name, values=values
                )
            )
        if self._has_optional or optional != _NO_OPTIONAL:
            self._check_optional(bar, optional)

    def _check_further(self, bar: ClosedBar) -> None:
        name, count = self._name, len(self._further)
        if len(bar.further) != count or not all(isinstance(each, ExecutionValues) for each in bar.further):
            raise RunError(
                Message(
                    "A bar of {name} must have the values of {count} further executions, had {further}.",
                    name=name,
                    count=count,
                    further=repr(bar.further),
                )
            )
        for (wanted, sized), each in zip(self._further, bar.further, strict=True):
            if each.columns.keys() != wanted:
                raise RunError(
                    Message(
                        "A bar of {name} must have values for a further execution's columns {wanted}, had {had}.",
                        name=name,
                        wanted=sorted(wanted),
                        had=sorted(each.columns),
                    )
                )
            if sized != (each.size is not None):
                raise RunError(
                    Message(
                        "A bar of {name} must have the 'size' of a further execution where that has its column alone.",
                        name=name,
                    )
                )
            self._check_decision(each)
            values = (*each.columns.values(), *(() if each.size is None else (each.size,)))
            if not all(isinstance(value, _NUMBERS) for value in values):
                raise RunError(
                    Message(
                        "Values of columns at a bar of {name} must be numbers, were {values}.", name=name, values=values
                    )
                )

    def _check_optional(self, bar: ClosedBar, given: tuple[float | None, ...]) -> None:
        name = self._name
        for (value, needed), number in zip(self._optional, given, strict=True):
            if needed != (number is not None):
                raise RunError(
                    Message(
                        "A bar of {name} must have a value '{value}', as its job has such a column.",
                        name=name,
                        value=value,
                    )
                    if needed
                    else Message(
                        "A bar of {name} must have no value '{value}', as its job has no such column.",
                        name=name,
                        value=value,
                    )
                )
            # Before the first bar of the rate's feed, there is no rate, not even at the open of the first bar that uses
            # it.
            unknown = number == 0.0 and (value == "rate_open" or (value == "rate_close" and not bar.ready))
            if number is not None and value in _ABOVE_ZERO and not 0.0 < number < math.inf and not unknown:
                raise RunError(
                    Message(
                        "'{value}' of a bar of {name} must be above 0, was {number:g}.",
                        value=value,
                        name=name,
                        number=number,
                    )
                )
        if bar.dividend is not None and not math.isfinite(bar.dividend):
            raise RunError(
                Message(
                    "'dividend' of a bar of {name} must be a finite number, was {dividend}.",
                    name=name,
                    dividend=bar.dividend,
                )
            )


def without_bars(job: EngineJob) -> EngineJob:
    """Return a job with the same terms and columns, but without bars; each column is a separate array."""
    return replace(job, instruments=tuple(map(_empty, job.instruments)))


def _empty(instrument: InstrumentJob) -> InstrumentJob:
    def blank(column: Any) -> Any:
        return None if column is None else np.empty(0, np.float64)

    before = len(instrument.seen) - len(instrument.bars)
    swap = instrument.swap
    return replace(
        instrument,
        bars=instrument.bars.slice(0, 0),
        history=instrument.seen.slice(0, before) if before else None,
        first_bar=0,
        funding=None if instrument.funding is None else DatedAmounts.of(),
        swap=swap if swap is None or swap.dated is None else replace(swap, dated=DatedAmounts.of()),
        flags=np.empty(0, np.uint8),
        allowed=np.empty(0, np.bool_),
        rule_columns=tuple(map(blank, instrument.rule_columns)),
        execution_columns={name: blank(column) for name, column in instrument.execution_columns.items()},
        step_columns=tuple(map(blank, instrument.step_columns)),
        size_column=blank(instrument.size_column),
        further=tuple(
            ExecutionColumns(
                np.empty(0, np.uint8),
                np.empty(0, np.bool_),
                {name: blank(column) for name, column in each.columns.items()},
                blank(each.size),
            )
            for each in instrument.further
        ),
        **{name: blank(getattr(instrument, name)) for name in (*_OF_ACCOUNT, "spreads")},
    )


def closed_bars(job: EngineJob) -> Iterator[dict[str, ClosedBar]]:
    """Yield the bars that close at each step of a job with known bars, as input for a session."""
    ts_ns, (first_event, instrument, bar, _) = timeline_of(job)
    for step in range(len(ts_ns)):
        if not len(first_event):
            yield {each.symbol: closed_bar(job, i, step) for i, each in enumerate(job.instruments)}
            continue
        events = range(int(first_event[step]), int(first_event[step + 1]))
        yield {job.instruments[instrument[e]].symbol: closed_bar(job, int(instrument[e]), int(bar[e])) for e in events}


def closed_bar(job: EngineJob, i: int, bar: int) -> ClosedBar:
    """Return one bar of an instrument of a job, with the values of its columns."""
    one = job.instruments[i]
    row = len(one.seen) - len(one.bars) + bar
    inputs = {part.node: {port: _until(of, row) for port, of in part.inputs[i].items()} for part in job.components}
    return row_of(one, bar, inputs, one.seen.slice(0, row + 1) if job.components else None, due_at(one, bar))


def row_of(
    one: InstrumentJob,
    bar: int,
    inputs: Mapping[str, Mapping[str, Any]],
    history: Bars | None,
    due: Due,
) -> ClosedBar:
    """Return one row of an instrument's columns, with the inputs of decision components up to that bar."""
    bars = one.bars

    def at(column: Any) -> float | None:
        return None if column is None else float(column[bar])

    return ClosedBar(
        open=float(bars.open[bar]),
        high=float(bars.high[bar]),
        low=float(bars.low[bar]),
        close=float(bars.close[bar]),
        open_ns=int(bars.open_ns[bar]),
        close_ns=int(bars.close_ns[bar]),
        volume=float(bars.volume[bar]),
        flags=int(one.flags[bar]),
        allowed=bool(one.allowed[bar]),
        ready=bar >= one.first_bar,
        rule_columns=tuple(map(at, one.rule_columns)),
        execution_columns={name: float(column[bar]) for name, column in one.execution_columns.items()},
        size=at(one.size_column),
        rate_open=at(one.rate_open),
        rate_close=at(one.rate_close),
        split=at(one.split),
        dividend=at(one.dividend),
        roll=at(one.roll),
        expires=bar == len(bars) - 1 and (one.expires or (one.roll is not None and expires_at_end(one))),
        expires_ns=None if one.roll is None else expiry_ns(one),
        spread=at(one.spreads),
        funding=due.funding,
        swap=due.swap,
        step_columns=tuple(float(column[bar]) for column in one.step_columns),
        inputs=inputs,
        history=history,
        further=tuple(_values(each, bar) for each in one.further),
    )


def _values(columns: ExecutionColumns, bar: int) -> ExecutionValues:
    return ExecutionValues(
        int(columns.flags[bar]),
        bool(columns.allowed[bar]),
        {name: float(column[bar]) for name, column in columns.columns.items()},
        None if columns.size is None else float(columns.size[bar]),
    )


def _until(value: Any, bar: int) -> Any:
    """Return a column, signals, bars, or a tuple of them, up to a bar."""
    if isinstance(value, Signals):
        return Signals(*(_until(each, bar) for each in value))
    if isinstance(value, tuple):
        return tuple(_until(each, bar) for each in value)
    if isinstance(value, Bars):
        return value.slice(0, bar + 1)
    return None if value is None else value[: bar + 1]
