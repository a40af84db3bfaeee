"""The data of a running strategy: histories of its instruments and feeds, and how far it has come in them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quantcrafter.engine.api import (
    Bar,
    Bars,
    DataError,
    DataProvider,
    DatedAmount,
    DatedAmounts,
    HeldContract,
    ResampleNode,
    RunError,
    Timeframe,
)
from quantcrafter.engine.api.bar_checks import PRICES, type_fault
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import did_you_mean, listed
from quantcrafter.engine.graph import BASE_CLOCK, BoundGraph
from quantcrafter.engine.graph.history import BarHistory, HistoryCache, Resampled
from quantcrafter.engine.graph.history_costs import without_costs
from quantcrafter.engine.graph.live_sources import Clock
from quantcrafter.engine.runtime.running.prepare import may_be_negative, request_of
from quantcrafter.engine.spec import InstrumentSpec


@dataclass(frozen=True)
class _Source:
    """What bars come from: an instrument, or a feed in one timeframe."""

    name: str
    provider: DataProvider
    symbol: str
    timeframe: Timeframe
    options: str
    below_zero: bool
    spec: InstrumentSpec | None = None

    @property
    def key(self) -> Hashable:
        spec = self.spec
        costs = None if spec is None else (spec.spread, spec.funding, spec.swap)
        provider = (type(self.provider), self.provider.model_dump_json())
        return (*provider, self.symbol, self.timeframe, self.options, self.below_zero, repr(costs))


class SessionData:
    """The histories of a strategy's instruments and feeds.

    A feed is known by its id; one that takes the timeframe of several instruments, by `id@timeframe`.

    Args:
        graph: the strategy.
        known: the bars before the first step, of each instrument by symbol and of each feed by name; they may be none.
        book: the histories shared with other strategies.

    Raises:
        DataError: the bars of one are missing, or of something that isn't there, or names are not told apart.
    """

    def __init__(self, graph: BoundGraph, known: Mapping[str, Bars], book: HistoryCache) -> None:
        sources = list(sources_of(graph))
        self.names = tuple(source.name for source in sources)
        self._symbols = frozenset(each.spec.symbol for each in graph.instruments)
        _check_names(self.names, known)
        self._clocks: dict[str, Clock] = {}
        for source in sources:
            bars = _with_costs(source, known[source.name])
            history = book.history(source.key, bars, below_zero=source.below_zero)
            self._clocks[source.name] = Clock(history, len(bars))
        closes = [int(known[name].close_ns[-1]) for name in self._symbols if len(known[name])]
        self._now = max(closes, default=None)
        self._made: list[tuple[Clock, Clock, Resampled]] = []
        self.clocks = tuple(self._clocks_of(graph, i) for i in range(len(graph.instruments)))

    def _clocks_of(self, graph: BoundGraph, i: int) -> dict[str, Clock]:
        """Return the clocks of an instrument by the name of the node; the instrument's own is `bars`."""
        spec = graph.instruments[i].spec
        own = self._clocks[spec.symbol]
        clocks = {BASE_CLOCK: own}
        for name, node in graph.nodes.items():
            if isinstance(node.component, ResampleNode):
                made = own.history.resampled(node.component.timeframe)
                clocks[name] = Clock(made.history, made.count(own.count))
                self._made.append((own, clocks[name], made))
        for name, feed in graph.feeds.items():
            timeframe = feed.component.timeframe or spec.timeframe
            clocks[name] = self._clocks[name if name in self._clocks else f"{name}@{timeframe}"]
        return clocks

    def bars(self, name: str, begin: int = 0) -> Bars:
        """Return the bars of an instrument or feed from number `begin` on, as far as they have come."""
        clock = self._clocks[name]
        return clock.history.rows(begin, clock.count)

    def take(self, bars: Mapping[str, Bar]) -> bool:
        """Take bars that have closed since the last ones, and return whether one of an instrument is among them.

        Those of feeds closed at the latest when those of the instruments did.

        Raises:
            DataError: one can't be the next bar of its history, comes too late, or belongs to nothing here. Nothing is
                changed.
            RunError: something is of a wrong type. Nothing is changed.
        """
        now = self._check(bars)
        for name, bar in bars.items():
            clock = self._clocks[name]
            clock.history.put(clock.count, bar)
            clock.move(clock.count + 1)
        for own, clock, made in self._made:
            clock.move(made.count(own.count))
        self._now = self._now if now is None else now
        return now is not None

    def _check(self, bars: Mapping[str, Bar]) -> int | None:
        """Return when the bars of instruments closed, if there are any."""
        if not isinstance(bars, Mapping):
            kind = type(bars).__name__
            raise RunError(
                Message(
                    "The bars of a step must be a mapping from names to bars, was {kind}. Name the instrument.",
                    kind=kind,
                )
            )
        for name, bar in bars.items():
            if name not in self._clocks:
                raise DataError(_unknown(str(name), self.names))
            if not _is_plain(bar):
                _check_types(name, bar)
        closes = {bar.close_ns for name, bar in bars.items() if name in self._symbols}
        if len(closes) > 1:
            raise DataError(
                Message("Instruments' bars that are taken at once must close at the same moment. Bring them apart.")
            )
        now = next(iter(closes), None)
        for name, bar in bars.items():
            if self._now is not None and bar.close_ns <= self._now:
                remedy = Message("Bring it before, or together with, the bars of instruments that close then.")
                raise DataError(
                    Message(
                        "A bar of '{name}' closed before the latest step or with it, so it is late. {remedy}",
                        name=name,
                        remedy=remedy,
                    )
                )
            if now is not None and bar.close_ns > now:
                raise DataError(
                    Message(
                        "A bar of '{name}' closes after those of the instruments. Bring it with later ones.", name=name
                    )
                )
            clock = self._clocks[name]
            clock.history.check_at(clock.count, bar)
        return now

    def marks(self) -> dict[str, dict[str, Any]]:
        """Return what tells each history, as far as it was taken, from all others: anchor, number of bars, hash."""
        return {name: _mark(clock) for name, clock in self._clocks.items()}


def _with_costs(source: _Source, bars: Bars) -> Bars:
    """Return the known bars of a source with what its costs are known from, and without anything else of that kind.

    Raises:
        DataError: they lack the spreads of the column that the strategy names.
    """
    spec = source.spec
    spread = funding = swap = None
    if spec is not None and spec.spread is not None and spec.spread.column:
        spread = bars.spread if len(bars) or bars.spread is not None else np.empty(0)
        if spread is None:
            raise DataError(
                Message(
                    "The bars before the first step of {symbol} must have a 'spread', as it has a column of them. Load "
                    "them with the strategy.",
                    symbol=spec.symbol,
                )
            )
    if spec is not None and spec.funding is not None and spec.funding.file:
        funding = bars.funding or DatedAmounts.of()
    if spec is not None and spec.swap is not None and spec.swap.file:
        swap = bars.swap or DatedAmounts.of()
    bare = without_costs(bars)
    if spec is not None and spec.continuous is not None and bars.rolls is None:
        raise DataError(
            Message(
                "The bars before the first step of {symbol} must have the 'rolls' of its contracts. Load them with "
                "growing_series().",
                symbol=spec.symbol,
            )
        )
    has_none = spread is None and funding is None and swap is None
    return bare if has_none else replace(bare, spread=spread, funding=funding, swap=swap)


_NUMBERS = (*PRICES, "split", "dividend")
_FAR_NS = 2**62


def _is_plain(bar: Bar) -> bool:
    """Return whether a bar and its values have the types that they mostly have."""
    return (
        type(bar) is Bar
        and type(bar.open) is type(bar.high) is type(bar.low) is type(bar.close) is type(bar.volume) is float
        and type(bar.split) is type(bar.dividend) is float
        and (bar.spread is None or type(bar.spread) is float)
        and (bar.funding is None and bar.swap is None and bar.contract is None)
        and type(bar.open_ns) is type(bar.close_ns) is int
        and -_FAR_NS < bar.open_ns < bar.close_ns < _FAR_NS
        and (bar.traded is None or _is_plain(bar.traded))
    )


def _check_types(name: str, bar: Bar) -> None:
    """Refuse what is not a bar.

    Raises:
        RunError: the check fails.
    """
    has_spread = isinstance(bar, Bar) and bar.spread is not None
    fault = type_fault(name, bar, Bar, (*_NUMBERS, "spread") if has_spread else _NUMBERS)
    if fault:
        raise RunError(fault)
    for field in ("funding", "swap"):
        given = getattr(bar, field)
        if given is not None and not (isinstance(given, tuple) and all(map(_is_amount, given))):
            raise RunError(
                Message(
                    "'{field}' of a bar of {name} must be a tuple of DatedAmount, was {given}.",
                    field=field,
                    name=name,
                    given=repr(given),
                )
            )
    if bar.contract is not None and not _is_contract(bar.contract):
        raise RunError(
            Message(
                "'contract' of a bar of {name} must be a HeldContract, was {given}.",
                name=name,
                given=repr(bar.contract),
            )
        )
    if bar.traded is not None:
        _check_types(f"{name} as traded", bar.traded)


def _is_contract(given: object) -> bool:
    return (
        isinstance(given, HeldContract)
        and type(given.name) is str
        and (given.roll is None or type(given.roll) is float)
        and (given.expiry_day is None or type(given.expiry_day) is int)
    )


def _is_amount(given: object) -> bool:
    return (
        isinstance(given, DatedAmount)
        and type(given.time_ns) is int
        and -_FAR_NS < given.time_ns < _FAR_NS
        and type(given.long) is type(given.short) is float
    )


def _mark(clock: Clock) -> dict[str, Any]:
    bars, history = clock.bars, clock.history
    same = history if len(history) == clock.count else BarHistory(bars)
    return {"anchor_ns": int(bars.open_ns[0]) if len(bars) else None, "bars": len(bars), "hash": same.fingerprint}


def sources_of(graph: BoundGraph) -> Iterator[_Source]:
    """Yield what bars are brought of: the instruments, then the feeds."""
    for instrument in graph.instruments:
        spec, below_zero = instrument.spec, request_of(graph, instrument).negative_prices
        yield _Source(spec.symbol, instrument.provider, spec.symbol, spec.timeframe, spec.on_bad_bars, below_zero, spec)
    own = list(dict.fromkeys(each.spec.timeframe for each in graph.instruments))
    for name, feed in graph.feeds.items():
        component = feed.component
        timeframes = [component.timeframe] if component.timeframe else own
        for timeframe in timeframes:
            label = name if len(timeframes) == 1 else f"{name}@{timeframe}"
            yield _Source(
                label, feed.provider, component.symbol, timeframe, component.on_bad_bars, may_be_negative(feed.terms)
            )


def _check_names(names: Sequence[str], known: Mapping[str, Bars]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(Message("A feed has the name of an instrument, {twice}. Rename the feed.", twice=listed(twice)))
    missing = [name for name in names if name not in known]
    if missing:
        raise DataError(
            Message(
                "Bars before the first step are missing for {missing}. Give them, even if there are none.",
                missing=listed(missing),
            )
        )
    unknown = [name for name in known if name not in names]
    if unknown:
        raise DataError(_unknown(unknown[0], names))


def _unknown(name: str, names: Sequence[str]) -> str:
    hint = did_you_mean(name, names) or Message("Available: {names}.", names=listed(names))
    return Message("There is no instrument or feed '{name}' in this strategy. {hint}", name=name, hint=hint)
