"""`store`: a user's own bars, imported before."""

from __future__ import annotations

import numpy as np

from quantcrafter.engine.api import DataError, DataProvider, DataRequest, RawBars, Timeframe, param
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.resample import is_multiple, same_length
from quantcrafter.engine.data.store import BarStore, Series


class StoreProvider(DataProvider):
    """Bars of your own bar store, put there by 'quantcrafter data import' or in the data pane.

    Bars of the requested timeframe are taken as they are. Where there are none, they are made from the longest shorter
    ones that fit into it.
    """

    name = "store"

    source_timeframe: Timeframe | None = param(
        "Which of the stored bars to take, such as 1m; the longest that fit if left out.", default=None, advanced=True
    )

    def known_symbols(self, base_dir: str = "") -> tuple[str, ...]:  # noqa: ARG002 - the contract
        return BarStore().symbols()

    def known_timeframes(self, symbol: str, base_dir: str = "") -> tuple[Timeframe, ...]:  # noqa: ARG002 - the contract
        return tuple(series.timeframe for series in BarStore().list(symbol))

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
        )

    def _series(self, store: BarStore, request: DataRequest) -> Series:
        wanted = self.source_timeframe
        return _best(store, request) if wanted is None else store.series(request.symbol, wanted)


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
