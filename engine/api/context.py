"""StrategyContext: the object that event-style components get. It has no access to later bars."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, Literal, Protocol, TypeVar, overload

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.bars import BAR_COLUMNS, Bars
from quantcrafter.engine.api.decisions import Account, Holding, OpenOrder, SessionDay
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.frozen import read_only
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.node_state import check_state

Scalar = TypeVar("Scalar", bound=np.generic)


class ColumnView(Generic[Scalar]):
    """A column up to now: `view[-1]` is the bar that just closed, `view[-5:]` the last five. Read-only."""

    __slots__ = ("_column", "_ctx")

    def __init__(self, column: npt.NDArray[Scalar], ctx: StrategyContext) -> None:
        self._column = read_only(column)
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
        now = self._ctx.index
        if not isinstance(key, slice) and not -now - 1 <= key <= now:
            when = Message("is not known yet") if key > now else Message("doesn't exist")
            raise IndexError(
                Message(
                    "bar {key} {when}: the bar that just closed is {now}",
                    key=key if key > now else now + 1 + key,
                    when=when,
                    now=now,
                )
            )
        return self._column[: now + 1][key]


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
            raise AttributeError(
                Message("no column {name} here; there are {views}", name=repr(name), views=sorted(self._views))
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)


class MarketView:
    """The bars up to now: `ctx.market.close[-1]`, `ctx.market.symbol`, `ctx.market.ts_ns`."""

    def __init__(self, bars: Bars, ctx: StrategyContext) -> None:
        self._bars = bars
        self._ctx = ctx
        self._views = {name: ColumnView(bars.column(name), ctx) for name in (*BAR_COLUMNS, *bars.extra)}

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


class PortfolioView(Protocol):
    """The portfolio for decision components, valued at this close."""

    def positions(self) -> Mapping[str, Holding]:
        """Return every instrument's position."""
        ...

    def portfolio(self) -> Account:
        """Return cash and equity."""
        ...

    def risk(self, symbol: str) -> Mapping[str, float]:
        """Return the figures of the risk managers for an instrument."""
        ...

    def orders(self, symbol: str) -> tuple[OpenOrder, ...]:
        """Return an instrument's open orders."""
        ...

    def calendar(self, symbol: str) -> SessionDay:
        """Return where the instrument's bar is in its venue's calendar."""
        ...

    def size(self, symbol: str, side: Literal["long", "short"]) -> float:
        """Return the quantity of an entry from the money manager."""
        ...


class BarLog(logging.LoggerAdapter[logging.Logger]):
    """A logger whose records include the node and the bar.

    `node`, `symbol`, `bar`, its close `ts_ns` and `open_ns` (UTC ns), and the `timeframe` and `session` of the bars.
    """

    def __init__(self, ctx: StrategyContext) -> None:
        super().__init__(logging.getLogger("quantcrafter.strategy"))
        self._ctx = ctx
        self.bars: Bars | None = None

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Add the place to a record."""
        bars, index = self.bars, self._ctx.index
        place: dict[str, Any] = {"node": self._ctx.node}
        if bars is not None and 0 <= index < len(bars):
            times = {"ts_ns": int(bars.close_ns[index]), "open_ns": int(bars.open_ns[index])}
            place |= {"symbol": bars.symbol, "bar": index, **times}
            place |= {"timeframe": bars.timeframe, "session": bars.session}
        kwargs["extra"] = {**(kwargs.get("extra") or {}), **place}
        return msg, kwargs


@dataclass
class StrategyContext:
    """The data of a component at the close of one bar.

    `index` counts bars from 0. `market` holds the bars up to now, `indicators` the component's series and condition
    inputs by port name, `signals` its signal inputs. `positions`, `portfolio`, `risk`, `orders` and `calendar` are
    available only to decision components. If a column component uses them, a RunError is raised, because its output
    must not depend on the portfolio.

    `state` keeps values from bar to bar: a dict of plain values (bool, int, float, str, None, and lists and dicts of
    these), one for each node and instrument, empty when a run begins.
    """

    node: str
    index: int = -1
    state: dict[str, Any] = field(default_factory=dict)
    _market: MarketView | None = None
    _indicators: ColumnsView | None = None
    _signals: ColumnsView | None = None
    _portfolio_view: PortfolioView | None = None

    @cached_property
    def log(self) -> BarLog:
        """Collects messages for the run's log, in which each line links to its bar."""
        return BarLog(self)

    def bind(
        self, bars: Bars, indicators: Mapping[str, npt.NDArray[Any]], signals: Mapping[str, npt.NDArray[Any]]
    ) -> None:
        """Set the columns of the context; the engine calls this once before the first bar."""
        self.log.bars = bars
        self._market = MarketView(bars, self)
        self._indicators = ColumnsView(indicators, self)
        self._signals = ColumnsView(signals, self)

    def show(self, portfolio: PortfolioView) -> None:
        """Make the portfolio available to a decision component; the engine calls this once before the first bar."""
        self._portfolio_view = portfolio

    def given(self) -> str:
        """Return the component's data at this bar for messages: prices, inputs, and the position if available."""
        parts = [f"close {self.market.close.now:g}"]
        parts += [f"{name} {view.now:g}" for name, view in self.indicators.items()]
        parts += [f"{name} flags {int(view.now)}" for name, view in self.signals.items()]
        if self._portfolio_view is not None:
            held = self.positions[self.market.symbol]
            parts += [f"position {held.side} {held.quantity:g}", f"equity {self.portfolio.equity:.2f}"]
        return ", ".join(parts)

    def check_state(self) -> None:
        """Check whether `state` can be saved; the engine calls this after each bar.

        Raises:
            StateError: it contains other than plain values, or too many.
        """
        check_state(self.state)

    def place(self) -> str:
        """Return a description of the bar for messages: its number, instrument and time."""
        time = np.datetime64(self.market.ts_ns, "ns").astype("datetime64[s]")
        return Message(
            "bar {bar} of {symbol} ({time} UTC)",
            bar=self.index,
            symbol=self.market.symbol,
            time=str(time).replace("T", " "),
        )

    def _have(self, value: Any, what: str) -> Any:
        if value is None:
            raise RunError(
                Message(
                    "Node '{node}' asked for ctx.{what}, which a column component can't see. Use a risk, money "
                    "or execution component for decisions that depend on the portfolio.",
                    node=self.node,
                    what=what,
                ),
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

    def _portfolio_for(self, what: str) -> PortfolioView:
        return self._have(self._portfolio_view, what)  # type: ignore[no-any-return]

    @property
    def positions(self) -> Mapping[str, Holding]:
        """The position of every instrument, by symbol."""
        return self._portfolio_for("positions").positions()

    @property
    def portfolio(self) -> Account:
        """Cash and equity."""
        return self._portfolio_for("portfolio").portfolio()

    @property
    def risk(self) -> Mapping[str, float]:
        """`stop_distance` of the nearest stop for the entry that is signalled, from this close, and `halted` (0 or 1).

        The distance is infinite without a stop, NaN while it is not known.
        """
        return self._portfolio_for("risk").risk(self.market.symbol)

    @property
    def orders(self) -> tuple[OpenOrder, ...]:
        """The instrument's open orders, by number."""
        return self._portfolio_for("orders").orders(self.market.symbol)

    @property
    def calendar(self) -> SessionDay:
        """Trading day, weekday and local time of the bar that just closed."""
        return self._portfolio_for("calendar").calendar(self.market.symbol)

    def size(self, side: Literal["long", "short"]) -> float:
        """Return the quantity of an entry at this close from the money manager, or 0."""
        return self._portfolio_for("size").size(self.market.symbol, side)
