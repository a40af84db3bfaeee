"""Columns of nodes that see the universe: all instruments at each moment.

1. A moment is the close of a bar of an instrument, together with that of its bar before: instruments whose bars are the
   same have the same moments, and each is computed once.
2. At a moment, the value of an instrument is that of its last bar that has closed by then. It counts if that bar closed
   after the asking instrument's bar before, or is not too old. What comes later is never looked at, so an instrument
   whose data ends is the same as one that has no bar for a while.
3. The component gets the values of all instruments, one row a moment; of each group by itself, if it compares within
   groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import Component, ComponentError, PortType, Signals, TimeColumn, Universe
from quantcrafter.engine.api.foreign import calling, is_own, node_label, reason_of, use_of
from quantcrafter.engine.api.frozen import LentColumns, frozen, shown
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.node_state import Contents, seal
from quantcrafter.engine.api.universe import UniverseNode
from quantcrafter.engine.data.align import align, as_of

_DAY_NS = 86_400_000_000_000
_ROWS = 1 << 20
"""How many values a component is given at once, at most."""
_KINDS = {
    PortType.SERIES: np.dtype(np.float64),
    PortType.CONDITION: np.dtype(np.bool_),
    PortType.FILTER: np.dtype(np.bool_),
    PortType.SIGNAL: np.dtype(np.uint8),
}

Table = npt.NDArray[Any]
Inputs = Mapping[str, Any]
"""The columns of one instrument by port; a tuple of them for a port that takes a list."""


@dataclass(frozen=True)
class Members:
    """The instruments of a strategy: symbols, and by name what the file says of each ('' for nothing)."""

    symbols: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def groups(self, name: str) -> Iterator[npt.NDArray[np.int64]]:
        """Yield the places of instruments that have the same value, shape (members,); without a name, of all."""
        if not name:
            yield np.arange(len(self.symbols))
            return
        said = self.values.get(name, ("",) * len(self.symbols))
        for value in dict.fromkeys(said):
            yield np.array([place for place, each in enumerate(said) if each == value], np.int64)


@dataclass(frozen=True)
class Moments:
    """Moments to compute: at `close_ns`, counting bars that closed after `after_ns`; both UTC ns, shape (k,)."""

    close_ns: TimeColumn
    after_ns: TimeColumn

    def part(self, begin: int, end: int) -> Moments:
        """Return the moments `begin` to `end` (exclusive)."""
        return Moments(self.close_ns[begin:end], self.after_ns[begin:end])


def moments_of(closes: TimeColumn, begin: int = 0) -> Moments:
    """Return the moments of an instrument's bars from number `begin` on; the first bar counts those that close then."""
    before = np.concatenate([closes[begin - 1 : begin] if begin else closes[:1] - 1, closes[begin:-1]])
    return Moments(closes[begin:], before[: len(closes) - begin])


def joint_moments(closes: Sequence[TimeColumn]) -> tuple[Moments, list[npt.NDArray[np.int64]]]:
    """Return the moments of all instruments, each once in order of time, and the rows of the bars of each."""
    own = [moments_of(each) for each in closes]
    close_ns, after_ns = (
        np.concatenate([getattr(each, name) for each in own]) if own else np.empty(0, np.int64)
        for name in ("close_ns", "after_ns")
    )
    order = np.lexsort((after_ns, close_ns))
    close_ns, after_ns = close_ns[order], after_ns[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (close_ns[1:] != close_ns[:-1]) | (after_ns[1:] != after_ns[:-1])
    rows = np.empty(len(order), np.int64)
    rows[order] = np.cumsum(new) - 1
    ends = np.cumsum([len(each) for each in closes])[:-1]
    return Moments(close_ns[new], after_ns[new]), np.split(rows, ends)


def seeing(component: Component) -> UniverseNode:
    """Return a component that sees the universe.

    Raises:
        TypeError: it doesn't.
    """
    if not isinstance(component, UniverseNode):
        raise TypeError(component.name)
    return component


def across(
    component: UniverseNode,
    node: str,
    members: Members,
    moments: Moments,
    closes: Sequence[TimeColumn],
    inputs: Sequence[Inputs],
) -> tuple[Table, ...]:
    """Return each output at the moments, shape (k, m).

    `closes` are the closing times of each instrument's bars, `inputs` the columns on these bars.

    Raises:
        ComponentError: the component raised, or returned something else.
    """
    count, width = len(moments.close_ns), len(members.symbols)
    found = tuple(np.zeros((count, width), _KINDS[output.type]) for output in component.outputs)
    rows = max(1, _ROWS // max(1, width))
    for begin in range(0, count, rows):
        part = moments.part(begin, begin + rows)
        places = [place_of(each, part, getattr(component, "max_age_days", 0.0)) for each in closes]
        counts = np.column_stack([each >= 0 for each in places])
        tables = {port: _table(port, inputs, places) for port in (inputs[0] if inputs else ())}
        for group in members.groups(getattr(component, "within", "")):
            universe = Universe(
                tuple(members.symbols[each] for each in group),
                np.ascontiguousarray(counts[:, group]),
                {name: tuple(values[each] for each in group) for name, values in members.values.items()},
            )
            given = {port: _columns(table, group) for port, table in tables.items()}
            for output, table in zip(found, _asked(component, node, universe, given), strict=True):
                output[begin : begin + rows, group] = table
    return found


def values_at(tables: Sequence[Table], rows: npt.NDArray[np.int64], place: int) -> tuple[Table | Signals, ...]:
    """Return the columns of the instrument at a place, of whose bars these are the rows."""
    return tuple(
        Signals(column) if column.dtype == np.uint8 else column
        for column in (frozen(np.ascontiguousarray(table[rows, place])) for table in tables)
    )


def place_of(close_ns: TimeColumn, moments: Moments, max_age_days: float) -> npt.NDArray[np.int64]:
    """Return the bar of an instrument that counts at each moment, -1 for none."""
    place = as_of(close_ns, moments.close_ns)
    if not len(close_ns):
        return place
    after = moments.after_ns
    if max_age_days:
        after = np.minimum(after, moments.close_ns - round(max_age_days * _DAY_NS) - 1)
    return np.where((place >= 0) & (close_ns[place] > after), place, -1)


def _table(port: str, inputs: Sequence[Inputs], places: Sequence[npt.NDArray[np.int64]]) -> Any:
    """Return the values at a port of all instruments, or of each of its wires."""
    first = inputs[0][port]
    if isinstance(first, tuple):
        return tuple(
            np.column_stack([align(each[port][wire], place) for each, place in zip(inputs, places, strict=True)])
            for wire in range(len(first))
        )
    return np.column_stack([align(each[port], place) for each, place in zip(inputs, places, strict=True)])


def _columns(table: Any, group: npt.NDArray[np.int64]) -> Any:
    return tuple(_columns(each, group) for each in table) if isinstance(table, tuple) else table[:, group].copy()


def _asked(component: UniverseNode, node: str, universe: Universe, inputs: Inputs) -> tuple[Table, ...]:
    """Return what a component gives for the instruments of a group, checked."""
    try:
        with np.errstate(all="ignore"):
            result = _answer(component, node, universe, inputs)
    except ComponentError as error:
        error.node = error.node or node
        raise
    except Exception as error:
        raise ComponentError(
            Message(
                "{label} failed on {count} instruments: {reason}.",
                label=node_label(node, component),
                count=len(universe.symbols),
                reason=reason_of(error),
            ),
            node=node,
        ) from error
    return _checked(component, node, universe.counts.shape, result)


def _answer(component: UniverseNode, node: str, universe: Universe, inputs: Inputs) -> Any:
    if is_own(component):
        return component.across(universe, **shown(dict(inputs)))
    lent, contents = LentColumns(), Contents(component)
    given = Universe(universe.symbols, lent.value(universe.counts), universe.values)
    copies = lent.value(dict(inputs))
    seal(component)
    with calling(node_label(node, component), Message("computing"), component, node):
        result = component.across(given, **copies)
    lent.check()
    contents.check()
    return result


def _checked(component: Component, node: str, shape: tuple[int, ...], result: Any) -> tuple[Table, ...]:
    """Return what a component gave as one table for each output.

    Raises:
        ComponentError: it is something else.
    """
    outputs = component.outputs
    tables = result if isinstance(result, tuple) else (result,)
    if len(tables) != len(outputs):
        raise ComponentError(
            Message(
                "Node '{node}' ({use}) must return {count} array(s) from across, one for each output; it returned "
                "{given}.",
                node=node,
                use=use_of(component),
                count=len(outputs),
                given=len(tables),
            ),
            node=node,
        )
    found = []
    for output, given in zip(outputs, tables, strict=True):
        table = np.asarray(given)
        if output.type is PortType.SERIES and table.dtype.kind in "iuf":
            table = table.astype(np.float64, copy=False)
        if table.dtype != _KINDS[output.type] or table.shape != shape:
            raise ComponentError(
                Message(
                    "Node '{node}' ({use}) must return '{output}' as {wanted} of shape {shape} from across, and "
                    "returned {dtype} of shape {given}.",
                    node=node,
                    use=use_of(component),
                    output=output.name,
                    wanted=_KINDS[output.type],
                    shape=str(shape),
                    dtype=table.dtype,
                    given=str(table.shape),
                ),
                node=node,
                field=output.name,
            )
        found.append(table)
    return tuple(found)
