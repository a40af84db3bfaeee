"""The contract of download providers: bars from a server on the network, page by page, into the bar store."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from quantcrafter.engine.api.bars import ROUND_THE_CLOCK, RawBars, Session
from quantcrafter.engine.api.market import Market
from quantcrafter.engine.api.timeframe import Timeframe

AS_TRADED = "none"
ADJUSTMENTS = (AS_TRADED, "splits", "all")
"""What downloaded prices are adjusted for: nothing, splits, or splits and dividends."""


@dataclass(frozen=True, slots=True)
class BarQuery:
    """One request for bars.

    `symbol` is the symbol as the provider calls it, `start_ns` (UTC) the earliest opening time wanted. `adjustment` is
    one of `ADJUSTMENTS`. `found` tells whether an earlier page of the same download had bars: a provider may skip
    ahead while there are none.
    """

    symbol: str
    timeframe: Timeframe
    start_ns: int
    adjustment: str = AS_TRADED
    found: bool = False


@dataclass(frozen=True)
class BarPage:
    """The answer to one request.

    `bars` may be unsorted, reach further back than asked for, and contain bars that haven't closed: the engine removes
    these. None means no bars. `next_ns` (UTC) is the `start_ns` of the next request, later than that of this one, None
    after the last page. `served_ns` (UTC) is the server's clock, None if unknown: no bar is stored that closes after
    it. `notes` are one sentence each, for the user to see.
    """

    bars: RawBars | None
    next_ns: int | None = None
    served_ns: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """What a provider knows of a symbol: the session of its bars, its market (see `Market`), its prices' currency."""

    session: Session = ROUND_THE_CLOCK
    market: str = ""
    currency: str = ""


class TryAgainError(Exception):
    """The server can't answer now: too many requests, a lost connection, a timeout.

    Args:
        reason: in words, such as `the connection was closed`.
        after_s: how long the server asks to wait, in seconds; 0 if it doesn't say.
        overloaded: whether it answered, but refuses so many requests.
    """

    def __init__(self, reason: str, *, after_s: float = 0.0, overloaded: bool = False) -> None:
        super().__init__(reason)
        self.after_s = after_s
        self.overloaded = overloaded


class DownloadProvider(BaseModel, ABC):
    """A server of bars. Its fields are its options, which are kept with each series that is downloaded.

    `place` is the field that the text after the colon of `--from NAME:TEXT` sets. `settle_s` is how many seconds after
    its close a bar may still change; it is stored after that. `pace_s` is the least distance of two requests.
    `page` and `listing` are called in a thread of their own, one call at a time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: ClassVar[str] = ""
    place: ClassVar[str] = ""
    adjustments: ClassVar[tuple[str, ...]] = (AS_TRADED,)
    settle_s: ClassVar[float] = 0.0
    pace_s: ClassVar[float] = 0.0

    @classmethod
    def places(cls) -> tuple[str, ...]:
        """Return the texts that may follow the colon, such as names of exchanges; none where anything may.

        Raises:
            DataError: a library is not installed.
        """
        return ()

    @abstractmethod
    def timeframes(self) -> tuple[Timeframe, ...]:
        """Return the lengths of the bars that there are.

        Raises:
            DataError: a library is not installed, or an option is wrong.
        """

    @abstractmethod
    def listing(self, symbol: str, timeframe: Timeframe, markets: Sequence[Market]) -> Listing:
        """Return what is known of a symbol; `markets` are those installed.

        Raises:
            TryAgainError: the server can't answer now.
            DataError: there is no such symbol.
        """

    @abstractmethod
    def page(self, query: BarQuery) -> BarPage:
        """Return one page of bars.

        Raises:
            TryAgainError: the server can't answer now.
            DataError: the server refuses.
        """

    @property
    def source(self) -> str:
        """The provider as `--from` names it, such as `ccxt:binance`."""
        place = str(dict(self).get(self.place, "")) if self.place else ""
        return f"{self.name}:{place}" if place else self.name

    @classmethod
    def help(cls) -> str:
        """Return the docstring, cleaned."""
        return inspect.cleandoc(cls.__doc__ or "")
