"""The contract of feeds: bars of a running strategy as they close, with what came before them and what was missed.

A feed is opened once per worker. Its connection is polled; it needs no thread of its own, and calls nobody back.
"""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from quantcrafter.engine.api.bars import (
    BAR_COLUMNS,
    ROUND_THE_CLOCK,
    Bar,
    Bars,
    CorporateActions,
    DatedAmounts,
    Rolls,
    Session,
)
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.place import shown_text
from quantcrafter.engine.api.timeframe import Timeframe

FeedStatus = Literal["connected", "lost", "ended"]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a strategy wants bars of: an instrument, or a feed of another instrument or timeframe.

    `name` is what the strategy calls it, and what events are named by; `symbol` is the symbol at the source. `stored`
    loads the bars that the strategy's file names, checked, as a backtest gets them; None if the file's data can't be
    loaded. Feeds of live prices ignore it.
    """

    name: str
    symbol: str
    timeframe: Timeframe
    session: Session = ROUND_THE_CLOCK
    stored: Callable[[], Bars] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class BarClosed:
    """A bar has closed. `seen_ns` is when it was received, in UTC nanoseconds of the feed's clock.

    `is_last` says that the source will never have a later bar of this name, as at the end of stored data.
    """

    name: str
    bar: Bar
    seen_ns: int
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class BarRevised:
    """A bar that was delivered before, or should have been, has other values now."""

    name: str
    bar: Bar
    seen_ns: int


@dataclass(frozen=True, slots=True)
class FeedState:
    """The connection was made, is lost (the feed tries to make it again by itself), or has ended for good."""

    state: FeedStatus
    seen_ns: int
    text: str = ""


FeedEvent = BarClosed | BarRevised | FeedState


class FeedConnection(ABC):
    """An open feed, used by one thread. Times are UTC nanoseconds.

    The engine removes bars that it has had already and bars that come too late, so a feed may repeat itself.
    """

    def begin(self, at_ns: int | None) -> None:  # noqa: B027 - most feeds have nothing to do
        """Let a clock of its own begin at `at_ns`, None for the beginning of the data; called before the first poll.

        After a restart that is where the clock stood. Bars that closed by then are not brought again by `poll`. Feeds
        without a clock of their own have nothing to do.
        """

    @abstractmethod
    def history(self, name: str, before_ns: int, count: int) -> Bars:
        """Return up to `count` of the latest bars that closed at `before_ns` or earlier, oldest first; maybe none.

        `bars_from` makes them of single bars.

        Raises:
            TryAgainError: the source can't answer now.
            DataError: it refuses.
        """

    @abstractmethod
    def missed(self, name: str, after_ns: int, until_ns: int) -> Sequence[Bar]:
        """Return the bars that closed after `after_ns` and at `until_ns` or earlier, oldest first.

        Called after the connection was lost, and after a restart.

        Raises:
            TryAgainError: the source can't answer now.
            DataError: it refuses.
        """

    @abstractmethod
    def poll(self, timeout_s: float) -> Sequence[FeedEvent]:
        """Return what has happened since the last call, in order; wait for up to `timeout_s` seconds if nothing has.

        A call with 0 returns at once. Bars that close at the same moment should come in one call.
        """

    @abstractmethod
    def now_ns(self) -> int:
        """Return the feed's time: that of its own clock, else the computer's."""

    @abstractmethod
    def close(self) -> None:
        """Give everything up that is open. Repeated calls have no effect."""


class Feed(BaseModel, ABC):
    """A source of bars as they close. Its fields are its options.

    `place` is the field that the text after the colon of `--feed NAME:TEXT` sets. `own_clock` says that the feed has a
    time of its own, which trading schedules use too, as for recorded or generated bars. `replays` says that its bars
    are those that the strategy's file names (`Subscription.stored`): the worker begins where the backtest does.
    `changeable` are the options that may change while a worker goes on, since the bars stay the same; with another
    value of any other option the worker begins anew.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: ClassVar[str] = ""
    place: ClassVar[str] = ""
    own_clock: ClassVar[bool] = False
    replays: ClassVar[bool] = False
    changeable: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def from_place(cls, text: str) -> Self:
        """Return the feed that the text after the colon of `--feed` describes; '' for none.

        Raises:
            ValueError: the text is wrong (pydantic's ValidationError is one).
        """
        if text and not cls.place:
            shown = shown_text(f"{cls.name}:{text}").removeprefix(f"{cls.name}:")
            raise ValueError(
                Message("the feed '{name}' takes no text after its name, was '{text}'", name=cls.name, text=shown)
            )
        return cls(**({cls.place: text} if cls.place and text else {}))

    @abstractmethod
    def open(self, subscriptions: Sequence[Subscription], base_dir: str = "") -> FeedConnection:
        """Return a connection; `base_dir` is the folder for relative paths.

        Raises:
            TryAgainError: the source can't be reached now.
            DataError: it doesn't know a symbol or timeframe, or an option is wrong.
        """

    def beside(self, folder: str) -> Self:
        """Return the feed with relative paths among its options taken from a folder: that of the strategy file."""
        del folder
        return self

    @classmethod
    def help(cls) -> str:
        """Return the docstring, cleaned."""
        return inspect.cleandoc(cls.__doc__ or "")


def bars_from(subscription: Subscription, bars: Sequence[Bar], source: str = "", *, synthetic: bool = False) -> Bars:
    """Return single bars, oldest first, as columns.

    If one of them has prices as traded, splits or dividends apart from its own prices, all have them.
    """
    plain = _columns(subscription, bars, source, synthetic=synthetic)
    names = list(dict.fromkeys(name for bar in bars for name in bar.extra))
    extra = {name: np.array([bar.extra.get(name, math.nan) for bar in bars], np.float64) for name in names}
    traded, actions = None, _actions(bars)
    if any(bar.traded is not None for bar in bars):
        own = [bar if bar.traded is None else bar.traded for bar in bars]
        traded = replace(_columns(subscription, own, source, synthetic=synthetic), actions=_actions(own))
        actions = None
    costs = _costs(bars)
    traded = None if traded is None else replace(traded, **costs)
    return replace(plain, extra=extra, traded=traded, actions=actions, **costs)


def _costs(bars: Sequence[Bar]) -> dict[str, Any]:
    """Return the spreads, fundings, swaps and contracts of bars as columns, as far as there are any."""
    found: dict[str, Any] = {}
    if bars and all(bar.spread is not None for bar in bars):
        found["spread"] = np.array([bar.spread for bar in bars], np.float64)
    for name in ("funding", "swap"):
        given = [amounts for bar in bars if (amounts := getattr(bar, name)) is not None]
        if given:
            found[name] = DatedAmounts.of([each for amounts in given for each in amounts])
    held = [bar.contract for bar in bars if bar.contract is not None]
    if held and len(held) == len(bars):
        found["rolls"] = Rolls.of(held)
    return found


def _columns(subscription: Subscription, bars: Sequence[Bar], source: str, *, synthetic: bool) -> Bars:
    times: dict[str, Any] = {
        name: np.array([getattr(bar, name) for bar in bars], np.int64) for name in ("open_ns", "close_ns")
    }
    prices: dict[str, Any] = {name: np.array([getattr(bar, name) for bar in bars], np.float64) for name in BAR_COLUMNS}
    return Bars(
        subscription.symbol,
        subscription.timeframe,
        **times,
        **prices,
        session=subscription.session,
        source=source,
        synthetic=synthetic,
    )


def _actions(bars: Sequence[Bar]) -> CorporateActions | None:
    if all(bar.split == 1.0 and bar.dividend == 0.0 for bar in bars):
        return None
    return CorporateActions(
        np.array([bar.split for bar in bars], np.float64), np.array([bar.dividend for bar in bars], np.float64)
    )
