"""The built-in engines, feeds and brokers, registered in the same way as those of plugins."""

from __future__ import annotations

from quantcrafter.engine.adapters.backtrader.adapter import BacktraderEngine
from quantcrafter.engine.adapters.native import NativeEngine
from quantcrafter.engine.adapters.vnpy.adapter import VnpyEngine
from quantcrafter.engine.adapters.vnpy.gateway_broker import VnpyBroker
from quantcrafter.engine.adapters.vnpy.gateway_feed import VnpyFeed
from quantcrafter.engine.api.broker import Broker
from quantcrafter.engine.api.engine import EngineAdapter
from quantcrafter.engine.api.feed import Feed
from quantcrafter.engine.api.hookspecs import hookimpl
from quantcrafter.engine.brokers.ccxt import CcxtBroker
from quantcrafter.engine.brokers.paper import PaperBroker
from quantcrafter.engine.feeds.ccxt import CcxtFeed
from quantcrafter.engine.feeds.csv_file import CsvFeed
from quantcrafter.engine.feeds.stored import StoredFeed
from quantcrafter.engine.feeds.synthetic import SyntheticFeed


@hookimpl
def register_engines() -> tuple[type[EngineAdapter], ...]:
    """Return the engine that comes with the program, and those for which it has an adapter."""
    return (NativeEngine, BacktraderEngine, VnpyEngine)


@hookimpl
def register_feeds() -> tuple[type[Feed], ...]:
    """Return the feeds that come with the program."""
    return (StoredFeed, SyntheticFeed, CsvFeed, CcxtFeed, VnpyFeed)


@hookimpl
def register_brokers() -> tuple[type[Broker], ...]:
    """Return the brokers that come with the program."""
    return (PaperBroker, CcxtBroker, VnpyBroker)
