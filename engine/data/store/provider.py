"""`store`: a user's own bars, imported before."""

from __future__ import annotations

import numpy as np
from pydantic import field_validator

from quantcrafter.engine.api import Bars, DataError, DataProvider, DataRequest, FloatColumn, RawBars, Timeframe, param
from quantcrafter.engine.api.extra_columns import FILE_ROLES
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import did_you_mean, shortened
from quantcrafter.engine.data.providers.column_names import plain
from quantcrafter.engine.data.providers.column_roles import checked_names
from quantcrafter.engine.data.providers.session_guess import zone_before
from quantcrafter.engine.data.resample import is_multiple, same_length
from quantcrafter.engine.data.store import BarStore, Series
from quantcrafter.engine.data.store.series_rules import listed


class StoreProvider(DataProvider):
    """Bars of your own bar store, put there by 'quantcrafter data import' or in the data pane.

    Bars of the requested timeframe are taken as they are. Where there are none, they are made from the longest shorter
    ones that fit into it.
    """

    name = "store"

    columns: dict[str, str] = param(
        "Further columns of stored bars: with 'rating: signal', nodes read the stored column signal as bars.rating.",
        default={},
    )
    source_timeframe: Timeframe | None = param(
        "Which of the stored bars to take, such as 1m; the longest that fit if left out.", default=None, advanced=True
    )

    @field_validator("columns")
    @classmethod
    def _names_are_usable(cls, value: dict[str, str]) -> dict[str, str]:
        taken = next((name for name in value if name in FILE_ROLES), None)
        if taken is not None:
            raise ValueError(
                Message("stored bars have their own '{name}': give the further column another name", name=taken)
            )
        return checked_names(value)

    def known_symbols(self, base_dir: str = "") -> tuple[str, ...]:  # noqa: ARG002 - the contract
        return BarStore().symbols()

    def known_timeframes(self, symbol: str, base_dir: str = "") -> tuple[Timeframe, ...]:  # noqa: ARG002 - the contract
        return tuple(series.timeframe for series in BarStore().list(symbol))

    def known_market(self, symbol: str) -> str:
        """Return the market that the store knows the symbol's series to be of, '' if none or several."""
        found = {series.market for series in BarStore().list(symbol)} - {""}
        return found.pop() if len(found) == 1 else ""

    def data_version(self, request: DataRequest) -> str | None:
        try:
            return self._series(BarStore(), request).file
        except DataError:
            return None

    def load(self, request: DataRequest) -> RawBars:
        store = BarStore()
        series = self._series(store, request)
        bars = store.read(series.symbol, series.timeframe)
        return RawBars(
            time_ns=bars.open_ns,
            open=bars.open,
            high=bars.high,
            low=bars.low,
            close=bars.close,
            volume=bars.volume,
            rows=np.arange(1, len(bars) + 1),
            session=bars.session,
            source="store",
            synthetic=bars.synthetic,
            timeframe=request.timeframe if same_length(bars.timeframe, request.timeframe) else bars.timeframe,
            close_ns=bars.close_ns,
            currency=series.known_currency,
            decimals=series.decimals,
            notes=(zone_before(series.assumed_zone),) if series.assumed_zone else (),
            extra={name: _column(bars, stored, "columns") for name, stored in self.columns.items()},
            spread=_column(bars, request.spread_column, "spread") if request.spread_column else None,
            open_interest=_column(bars, "open_interest", "roll") if request.open_interest else None,
        )

    def _series(self, store: BarStore, request: DataRequest) -> Series:
        wanted = self.source_timeframe
        return _best(store, request) if wanted is None else store.series(request.symbol, wanted)


def _column(bars: Bars, name: str, field: str) -> FloatColumn:
    """Return a further column of stored bars by its name, in any case.

    Raises:
        DataError: they don't have it; the message names those that they have.
    """
    found = bars.extra.get(name)
    if found is None:
        found = next((column for stored, column in bars.extra.items() if plain(stored) == plain(name)), None)
    if found is not None:
        return found
    names = tuple(bars.extra)
    there = Message("It has {names}.", names=listed(names)) if names else Message("It has prices and volumes only.")
    raise DataError(
        Message(
            "{symbol} {timeframe}: the bar store has no column '{name}'. {there} Import it with the bars "
            "('--set \"columns={{{name}: ...}}\"').",
            symbol=bars.symbol,
            timeframe=bars.timeframe,
            name=shortened(name, 60),
            there=did_you_mean(name, names) or there,
        ),
        field=field,
    )


def _best(store: BarStore, request: DataRequest) -> Series:
    """Return the series to take: the same timeframe, else the longest that bars asked for can be made from."""
    kept = store.list(request.symbol)
    if not kept:
        raise store.unknown(request.symbol)
    for series in reversed(kept):
        if is_multiple(series.timeframe, request.timeframe):
            return series
    frames = ", ".join(str(series.timeframe) for series in kept)
    raise DataError(
        Message(
            "{symbol}: the bar store has it in {frames}, from which no bars of {timeframe} can be made. "
            "Change 'timeframe', or import finer bars.",
            symbol=request.symbol,
            frames=frames,
            timeframe=request.timeframe,
        ),
        field="timeframe",
    )
