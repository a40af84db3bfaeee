"""The built-in data providers, registered like those of any plugin."""

from __future__ import annotations

from quantcrafter.engine.api import DataProvider, DownloadProvider, Market, hookimpl
from quantcrafter.engine.data.download.ccxt_provider import CcxtDownloads
from quantcrafter.engine.data.download.yahoo_provider import YahooDownloads
from quantcrafter.engine.data.markets import MARKETS
from quantcrafter.engine.data.providers.csv_file import CsvProvider
from quantcrafter.engine.data.providers.parquet_file import ParquetProvider
from quantcrafter.engine.data.providers.sample import SampleProvider
from quantcrafter.engine.data.providers.synthetic import SyntheticProvider
from quantcrafter.engine.data.store.provider import StoreProvider


@hookimpl
def register_data_providers() -> tuple[type[DataProvider], ...]:
    """Return the sources of bars that come with QuantCrafter."""
    return (SampleProvider, CsvProvider, ParquetProvider, StoreProvider, SyntheticProvider)


@hookimpl
def register_download_providers() -> tuple[type[DownloadProvider], ...]:
    """Return the servers of bars that come with QuantCrafter."""
    return (YahooDownloads, CcxtDownloads)


@hookimpl
def register_markets() -> tuple[Market, ...]:
    """Return the markets that come with QuantCrafter."""
    return MARKETS
