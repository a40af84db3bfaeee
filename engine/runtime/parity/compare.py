"""Comparison of two runs of the same job: where they differ, and why.

1. Fills are compared one after the other, orders by their ids, blocked entries and the account step by step.
2. The earliest of all first differences is used. At the same time, the order is that of a bar: fills, ended orders,
   protective orders, the account at the close, decisions.
3. The terms of an order distinguish signals from fill rules: if the same order fills differently, it is the fill rule;
   if the orders differ, it is the signal.
4. All fills without a counterpart at their bar follow, in order of time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from quantcrafter.engine.api import InstrumentJob, Ledger
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.labels import DEFAULT_ZONE
from quantcrafter.engine.runtime.parity.model import ACCOUNT, Cause, EngineDifference
from quantcrafter.engine.runtime.parity.nodes import Nodes
from quantcrafter.engine.runtime.parity.texts import (
    TOLERANCE,
    block_text,
    end_text,
    fill_text,
    first_difference,
    order_text,
    price_text,
    same_numbers,
)
from quantcrafter.engine.runtime.results.run_view import RunView

MOST_ROWS = 1_000
_FILLING, _ENDING, _PROTECTING, _MARKING, _DECIDING = range(5)
_FILL = ("order_id", "instrument", "bar", "side", "kind")
_MONEY = ("price", "commission", "slippage")
_ORDER = ("instrument", "created_bar", "kind", "side", "reason", "rule")
_END = ("status", "closed_bar", "status_reason", "filled")

Candidate = tuple[int, EngineDifference]


@dataclass(frozen=True)
class ComparedRuns:
    """An engine's run and the reference's, over the same bars."""

    engine: str
    reference: RunView
    other: RunView

    @property
    def expected(self) -> Ledger:
        """The reference's ledger."""
        return self.reference.ledger

    @property
    def found(self) -> Ledger:
        """The engine's ledger."""
        return self.other.ledger

    @property
    def instruments(self) -> tuple[InstrumentJob, ...]:
        """The instruments with their bars."""
        return self.reference.instruments

    @cached_property
    def nodes(self) -> Nodes:
        """What finds the nodes that orders come from."""
        return Nodes(self.reference)

    def differences(self) -> tuple[EngineDifference, ...]:
        """Return the first difference with its cause, then the fills that differ; nothing when both are the same."""
        parts = (self._first_fill, self._first_order, self._first_end, self._first_account, self._first_blocked)
        candidates = [candidate for part in parts if (candidate := part()) is not None]
        if not candidates:
            return ()
        first = min(candidates, key=lambda each: (each[1].ts_ns, each[0]))[1]
        return (first, *self._rows(first))

    # ------------------------------------------------------------------ fills

    def _first_fill(self) -> Candidate | None:
        one, other = self.expected.fills, self.found.fills
        k = first_difference(one, other, (*_FILL, "lots", *_MONEY))
        if k is None:
            return None
        if k >= min(len(one), len(other)) or any(one[k][name] != other[k][name] for name in _FILL):
            return _FILLING, self._other_fill(_row(one, k), _row(other, k))
        a, b = one[k], other[k]
        if not same_numbers(a["price"], b["price"]):
            near = abs(a["price"] - b["price"]) < self.instruments[int(a["instrument"])].tick_size
            cause = Cause.ROUNDING if near else Cause.FILL_RULE
            return _FILLING, self._at_fill(a, cause, "fill price", price_text(a["price"]), price_text(b["price"]))
        if a["lots"] != b["lots"]:
            return _FILLING, self._at_fill(a, Cause.FILL_RULE, "filled quantity", self._text(a), self._text(b))
        name = next(name for name in _MONEY if not same_numbers(a[name], b[name]))
        return _FILLING, self._at_fill(a, Cause.FEE, name, f"{a[name]:.10g}", f"{b[name]:.10g}")

    def _other_fill(self, a: Any, b: Any) -> EngineDifference:
        """Return the difference between two fills of which the earlier one has no counterpart."""
        early = a if b is None or (a is not None and self._time(a, "bar") <= self._time(b, "bar")) else b
        late = b if early is a else a
        here, there = (self.expected, self.found) if early is a else (self.found, self.expected)
        at_once = late is not None and self._time(late, "bar") == self._time(early, "bar")
        texts = (self._text(early), self._text(late) if at_once else self._instead(early, there))
        made = self._at_fill(early, Cause.FILL_RULE, "fill", *(texts if early is a else texts[::-1]))
        return replace(made, node=self.nodes.of_order(here.orders[int(early["order_id"])]))

    def _instead(self, fill: Any, ledger: Ledger) -> str:
        """Return the state of a fill's order in the other ledger."""
        number = int(fill["order_id"])
        if number >= len(ledger.orders):
            return Message("no such order")
        own = ledger.fills[ledger.fills["order_id"] == number]
        if len(own):
            return Message("{what} at bar {bar}", what=self._text(own[0]), bar=own[0]["bar"])
        return Message("no fill ({what})", what=end_text(ledger.orders[number]))

    def _at_fill(self, fill: Any, cause: Cause, what: str, expected: str, found: str) -> EngineDifference:
        number = int(fill["order_id"])
        node = self.nodes.of_order(self.expected.orders[number]) if number < len(self.expected.orders) else ""
        return self._at(fill, "bar", node).difference(cause, what, expected, found)

    # ------------------------------------------------------------------ orders

    def _first_order(self) -> Candidate | None:
        one, other = self.expected.orders, self.found.orders
        k = first_difference(one, other, (*_ORDER, "lots", "price", "limit"))
        if k is None:
            return None
        if k >= min(len(one), len(other)) or any(one[k][name] != other[k][name] for name in _ORDER):
            return self._other_order(_row(one, k), _row(other, k))
        a, b = one[k], other[k]
        at = self._at(a, "created_bar", self.nodes.of_order(a))
        if a["lots"] != b["lots"]:
            cause = Cause.ROUNDING if abs(int(a["lots"]) - int(b["lots"])) <= 1 else Cause.SIGNAL
            return _moment(a), at.difference(cause, "order size", self._order(a), self._order(b))
        name = "limit" if same_numbers(a["price"], b["price"]) else "price"
        tick = self.instruments[int(a["instrument"])].tick_size
        cause = Cause.ROUNDING if abs(a[name] - b[name]) <= tick * (1.0 + TOLERANCE) else Cause.SIGNAL
        return _moment(a), at.difference(cause, f"order {name}", price_text(a[name]), price_text(b[name]))

    def _other_order(self, a: Any, b: Any) -> Candidate:
        early = (
            a if b is None or (a is not None and self._time(a, "created_bar") <= self._time(b, "created_bar")) else b
        )
        late = b if early is a else a
        other = (
            Message("no order")
            if late is None
            else Message("{what} at bar {bar}", what=self._order(late), bar=late["created_bar"])
        )
        texts = (self._order(early), other)
        at = self._at(early, "created_bar", self.nodes.of_order(early))
        return _moment(early), at.difference(Cause.SIGNAL, "order", *(texts if early is a else texts[::-1]))

    def _first_end(self) -> Candidate | None:
        """Return the earliest order that ended differently, among those that both created in the same way."""
        alike = first_difference(self.expected.orders, self.found.orders, _ORDER)
        one, other = self.expected.orders[:alike], self.found.orders[:alike]
        wrong = np.flatnonzero(np.any([one[name] != other[name] for name in _END], axis=0))
        found = [(self._time(row, "closed_bar"), int(k), row) for k in wrong for row in (one[k], other[k])]
        if not found:
            return None
        _, k, row = min(found, key=lambda each: each[:2])
        at = self._at(row, "closed_bar", self.nodes.of_order(row))
        return _ENDING, at.difference(Cause.FILL_RULE, "end of the order", end_text(one[k]), end_text(other[k]))

    # ------------------------------------------------------------------ account and blocked entries

    def _first_account(self) -> Candidate | None:
        for name in ("cash", "equity"):
            one, other = getattr(self.expected, name), getattr(self.found, name)
            if len(one) != len(other):
                return _MARKING, self._account(0).difference(Cause.FEE, "steps", f"{len(one)}", f"{len(other)}")
            wrong = np.flatnonzero(~same_numbers(one, other))
            if len(wrong):
                step = int(wrong[0])
                cause = Cause.ROUNDING if np.isclose(one[step], other[step], rtol=1e-6) else Cause.FEE
                texts = (f"{one[step]:.10g}", f"{other[step]:.10g}")
                return _MARKING, self._account(step).difference(cause, name, *texts)
        return None

    def _first_blocked(self) -> Candidate | None:
        one, other = self.expected.blocked, self.found.blocked
        k = first_difference(one, other, ("bar", "instrument", "flags", "reason"))
        if k is None:
            return None
        rows = [_row(one, k), _row(other, k)]
        row = min((each for each in rows if each is not None), key=lambda each: self._time(each, "bar"))
        node = self.nodes.of_signal(*(int(row[name]) for name in ("instrument", "bar", "flags", "execution")))
        texts = [Message("none") if each is None else block_text(each) for each in rows]
        return _DECIDING, self._at(row, "bar", node).difference(Cause.SIGNAL, "blocked entry", *texts)

    # ------------------------------------------------------------------ rows and places

    def _rows(self, first: EngineDifference) -> Iterator[EngineDifference]:
        """Yield the fills that differ, without the first difference."""
        one, other = (self._by_place(ledger.fills) for ledger in (self.expected, self.found))
        left = MOST_ROWS
        for place in sorted({**one, **other}):
            a, b = one.get(place), other.get(place)
            if a is not None and b is not None and _alike(a, b):
                continue
            fill, ledger = (a, self.expected) if a is not None else (b, self.found)
            texts = [Message("no fill") if each is None else self._text(each) for each in (a, b)]
            at = self._at(fill, "bar", self.nodes.of_order(ledger.orders[int(fill["order_id"])]))  # type: ignore[index]
            made = at.difference(None, "fill", *texts)
            if _shown_by(first, made):
                continue
            left -= 1
            if left < 0:
                return
            yield made

    def _by_place(self, fills: Any) -> dict[tuple[int, ...], Any]:
        """Return the fills by time, instrument, side and kind, with a count among those that share all four."""
        seen: Counter[tuple[int, ...]] = Counter()
        placed: dict[tuple[int, ...], Any] = {}
        for fill in fills:
            place = (self._time(fill, "bar"), *(int(fill[name]) for name in ("instrument", "side", "kind")))
            placed[*place, seen[place]] = fill
            seen[place] += 1
        return placed

    def _time(self, row: Any, bar: str) -> int:
        return int(self.instruments[int(row["instrument"])].bars.close_ns[int(row[bar])])

    def _text(self, fill: Any) -> Message:
        return fill_text(fill, self.instruments[int(fill["instrument"])])

    def _order(self, order: Any) -> Message:
        return order_text(order, self.instruments[int(order["instrument"])])

    def _at(self, row: Any, bar: str, node: str) -> _Place:
        index = int(row["instrument"])
        job = self.instruments[index]
        zone = job.bars.session.timezone
        return _Place(self.engine, index, job.symbol, int(row[bar]), self._time(row, bar), node, zone)

    def _account(self, step: int) -> _Place:
        """Return the place of a step: the first instrument that has a bar then."""
        ts_ns = int(self.expected.ts_ns[step]) if len(self.expected.ts_ns) else 0
        for index, instrument in enumerate(self.instruments):
            bar = int(np.searchsorted(instrument.bars.close_ns, ts_ns))
            if bar < len(instrument.bars) and instrument.bars.close_ns[bar] == ts_ns:
                zone = instrument.bars.session.timezone
                return _Place(self.engine, index, instrument.symbol, bar, ts_ns, "", zone)
        return _Place(self.engine, ACCOUNT, "", -1, ts_ns, "")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a difference lies."""

    engine: str
    instrument: int
    symbol: str
    bar: int
    ts_ns: int
    node: str
    zone: str = DEFAULT_ZONE

    def difference(self, cause: Cause | None, what: str, expected: str, found: str) -> EngineDifference:
        place = (self.instrument, self.symbol, self.bar, self.ts_ns, self.node, self.zone)
        return EngineDifference(self.engine, cause, what, expected, found, *place)


def _row(table: Any, k: int) -> Any:
    return table[k] if k < len(table) else None


def _alike(a: Any, b: Any) -> bool:
    return bool(a["lots"] == b["lots"] and all(same_numbers(a[name], b[name]) for name in _MONEY))


def _shown_by(first: EngineDifference, row: EngineDifference) -> bool:
    """Return whether a row only repeats the first difference."""
    same_place = (first.instrument, first.bar) == (row.instrument, row.bar)
    return same_place and "fill" in first.what and (first.expected in row.expected or first.found in row.found)


def _moment(order: Any) -> int:
    return _PROTECTING if order["parent"] >= 0 else _DECIDING
