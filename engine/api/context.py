"""StrategyContext: the one object that event-style components see. It cannot reach the future."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, overload

import numpy as np
import numpy.typing as npt

from engine.api.bars import BAR_COLUMNS, Bars
from engine.api.errors import RunError

Scalar = TypeVar("Scalar", bound=np.generic)


class ColumnView(Generic[Scalar]):
    """A column up to now: `view[-1]` is the bar that just closed, `view[-5:]` the last five. Read-only."""

    __slots__ = ("_column", "_ctx")

    def __init__(self, column: npt.NDArray[Scalar], ctx: StrategyContext) -> None:
        self._column = column
        self._ctx = ctx

    def __len__(self) -> int:
        return self._ctx.index + 1

    @property
    def now(self) -> Scalar:
        """The value at the bar that just closed."""
        value: Scalar = self._column[self._ctx.index]
        return value

    @overload
    def __getitem__(self, key: int) -> Scalar: ...
    @overload
    def __getitem__(self, key: slice) -> npt.NDArray[Scalar]: ...
    def __getitem__(self, key: int | slice) -> Any:
        known = self._column[: self._ctx.index + 1]
        known.flags.writeable = False
        return known[key]


class ColumnsView(Mapping[str, ColumnView[Any]]):
    """Columns by name, as items or attributes: `ctx.indicators["fast"]` or `ctx.indicators.fast`."""

    def __init__(self, columns: Mapping[str, npt.NDArray[Any]], ctx: StrategyContext) -> None:
        self._views = {name: ColumnView(column, ctx) for name, column in columns.items()}

    def __getitem__(self, name: str) -> ColumnView[Any]:
        return self._views[name]

    def __getattr__(self, name: str) -> ColumnView[Any]:
        try:
            return self.__dict__["_views"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(f"no column {name!r} here; there are {sorted(self._views)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)


class MarketView:
    """The bars up to now: `ctx.market.close[-1]`, `ctx.market.symbol`, `ctx.market.ts_ns`."""

    def __init__(self, bars: Bars, ctx: StrategyContext) -> None:
        self._bars = bars
        self._ctx = ctx
        self._views = {name: ColumnView(bars.column(name), ctx) for name in BAR_COLUMNS}

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
        return self._bars.symbol

    @property
    def ts_ns(self) -> int:
        """Close time of the bar that just closed, UTC nanoseconds."""
        return int(self._bars.close_ns[self._ctx.index])

    @property
    def open(self) -> ColumnView[np.float64]:
        """Opening prices up to now."""
        return self._views["open"]

    @property
    def high(self) -> ColumnView[np.float64]:
        """Highest prices up to now."""
        return self._views["high"]

    @property
    def low(self) -> ColumnView[np.float64]:
        """Lowest prices up to now."""
        return self._views["low"]

    @property
    def close(self) -> ColumnView[np.float64]:
        """Closing prices up to now."""
        return self._views["close"]

    @property
    def volume(self) -> ColumnView[np.float64]:
        """Volumes up to now."""
        return self._views["volume"]


class PositionView(Protocol):
    """An open position: `quantity` is positive, `side` is "long", "short" or "flat"."""

    quantity: float
    side: str
    entry_price: float


class PortfolioView(Protocol):
    """The account as marked at the close of this bar."""

    cash: float
    equity: float


@dataclass
class StrategyContext:
    """What a component sees at the close of one bar.

    `index` counts bars from 0. `market` holds the bars up to now, `indicators` the component's series and condition
    inputs by port name, `signals` its signal inputs. `positions`, `portfolio`, `risk` and `calendar` are there for
    decision components only; a column component that asks for them gets a RunError, since its output must not depend
    on the portfolio.
    """

    node: str
    index: int = -1
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("quantcrafter.strategy"))
    _market: MarketView | None = None
    _indicators: ColumnsView | None = None
    _signals: ColumnsView | None = None
    _positions: Mapping[str, PositionView] | None = None
    _portfolio: PortfolioView | None = None
    _risk: Mapping[str, float] | None = None
    _calendar: Any = None

    def bind(
        self, bars: Bars, indicators: Mapping[str, npt.NDArray[Any]], signals: Mapping[str, npt.NDArray[Any]]
    ) -> None:
        """Give the context the columns it shows; the engine calls this once before the first bar."""
        self._market = MarketView(bars, self)
        self._indicators = ColumnsView(indicators, self)
        self._signals = ColumnsView(signals, self)

    def _have(self, value: Any, what: str) -> Any:
        if value is None:
            raise RunError(
                f"Node '{self.node}' asked for ctx.{what}, which a column component cannot see. "
                f"Use a risk, money or execution component for decisions that depend on the portfolio.",
                node=self.node,
            )
        return value

    @property
    def market(self) -> MarketView:
        """The bars up to now."""
        return self._have(self._market, "market")  # type: ignore[no-any-return]

    @property
    def indicators(self) -> ColumnsView:
        """The component's series and condition inputs, by port name."""
        return self._have(self._indicators, "indicators")  # type: ignore[no-any-return]

    @property
    def signals(self) -> ColumnsView:
        """The flags of the component's signal inputs, by port name."""
        return self._have(self._signals, "signals")  # type: ignore[no-any-return]

    @property
    def positions(self) -> Mapping[str, PositionView]:
        """Open positions by symbol."""
        return self._have(self._positions, "positions")  # type: ignore[no-any-return]

    @property
    def portfolio(self) -> PortfolioView:
        """Cash and equity."""
        return self._have(self._portfolio, "portfolio")  # type: ignore[no-any-return]

    @property
    def risk(self) -> Mapping[str, float]:
        """Figures of the risk managers, by name."""
        return self._have(self._risk, "risk")  # type: ignore[no-any-return]

    @property
    def calendar(self) -> Any:
        """The venue's trading calendar."""
        return self._have(self._calendar, "calendar")
