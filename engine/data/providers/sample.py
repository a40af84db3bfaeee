"""`sample`: daily bars of five US stocks, from the package bokeh_sampledata (the extra `samples`)."""

from __future__ import annotations

import gzip
import zlib
from importlib import resources
from typing import Literal

import numpy as np

from quantcrafter.engine.api import NEW_YORK_STOCKS, DataError, DataProvider, DataRequest, RawBars, Timeframe, param
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import did_you_mean
from quantcrafter.engine.trading_calendar.zones import DAY_NS

INSTALL = 'pip install "quantcrafter[samples]"'
REINSTALL = "pip install --force-reinstall bokeh_sampledata"

_PACKAGE = "bokeh_sampledata"
_DAY = Timeframe(1, "d")


class SampleProvider(DataProvider):
    """Daily bars of AAPL, FB, GOOG, IBM and MSFT, from 2000 (at the earliest) to 1 March 2013.

    Prices are adjusted for splits and dividends: open, high, low and close are multiplied by adjusted close / close,
    and the volume is divided by it. Weekly and monthly bars are made from the daily ones.
    """

    name = "sample"

    adjust: Literal["splits_and_dividends", "actions", "none"] = param(
        "none: prices as they were traded, with a jump at each split. actions: orders fill at these, splits and "
        "dividends are booked, and columns are computed on adjusted prices.",
        default="splits_and_dividends",
    )

    def known_symbols(self, base_dir: str = "") -> tuple[str, ...]:  # noqa: ARG002 - the contract
        return _symbols(_stocks().split(b"\n"))

    def load(self, request: DataRequest) -> RawBars:
        if request.timeframe.is_intraday:
            raise DataError(
                Message(
                    "{symbol}: data 'sample' has bars of 1d and longer, not of {timeframe}. Set 'timeframe: 1d', "
                    "or use data 'synthetic', 'csv' or 'parquet'.",
                    symbol=request.symbol,
                    timeframe=request.timeframe,
                )
            )
        text = _stocks()
        first_line, lines = _lines_of(request.symbol, text)
        cells = np.array([line.split(b",") for line in lines])
        values = cells[:, 2:].astype(np.float64)
        prices, volume = values[:, :4], values[:, 4]
        if self.adjust == "splits_and_dividends":
            factor = values[:, 5] / values[:, 3]
            prices, volume = prices * factor[:, np.newaxis], volume / factor
        days = cells[:, 1].astype("U10").astype("datetime64[D]").astype(np.int64)
        return RawBars(
            time_ns=days * DAY_NS,
            open=prices[:, 0],
            high=prices[:, 1],
            low=prices[:, 2],
            close=prices[:, 3],
            volume=volume,
            rows=np.arange(first_line, first_line + len(lines)),
            stamp="date",
            session=NEW_YORK_STOCKS,
            source="sample",
            timeframe=_DAY,
            adjusted_close=values[:, 5] if self.adjust == "actions" else None,
        )

    def data_version(self, request: DataRequest) -> str:
        del request
        return _PACKAGE


def _symbols(lines: list[bytes]) -> tuple[str, ...]:
    return tuple(sorted({line.split(b",", 1)[0].decode() for line in lines[1:] if line}))


def _stocks() -> bytes:
    try:
        file = resources.files(_PACKAGE) / "_data" / "stocks.csv.gz"
    except ImportError as error:
        text = Message(
            "Data 'sample' needs the package {package}, which is not installed. Install it: {install}.",
            package=_PACKAGE,
            install=INSTALL,
        )
        raise DataError(text) from error
    try:
        return gzip.decompress(file.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        why = fault(error, "read").cause if isinstance(error, OSError) else Message("the file is damaged")
        text = Message(
            "Data 'sample' needs the package {package}, which can't be read: {why}. Install it again: {reinstall}.",
            package=_PACKAGE,
            why=why,
            reinstall=REINSTALL,
        )
        raise DataError(text) from error


def _lines_of(symbol: str, text: bytes) -> tuple[int, list[bytes]]:
    """Return the number of the symbol's first line and its lines, which stand together in the file."""
    lines = text.split(b"\n")
    wanted = symbol.encode() + b","
    found = [number for number, line in enumerate(lines) if line.startswith(wanted)]
    if not found or not symbol:
        symbols = _symbols(lines)
        hint = did_you_mean(symbol, symbols)
        message = Message(
            "Data 'sample' has {symbols}, but no '{symbol}'. {hint}",
            symbols=", ".join(symbols),
            symbol=symbol,
            hint=hint,
        )
        raise DataError(message, field="symbol")
    return found[0] + 1, [lines[number].rstrip(b"\r") for number in found]
