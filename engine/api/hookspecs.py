"""The complete plugin interface: one hook for each kind of object that a plugin can add.

Every hook returns an iterable; a plugin implements only the hooks it needs. The built-in nodes are registered with the
same hooks.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from quantcrafter.engine.api.broker import Broker
from quantcrafter.engine.api.component import (
    Advisor,
    Component,
    ComponentFamily,
    ExecutionLogic,
    Filter,
    MoneyManager,
    RiskManager,
)
from quantcrafter.engine.api.desktop import DesktopAction, DesktopPane
from quantcrafter.engine.api.download import DownloadProvider
from quantcrafter.engine.api.engine import EngineAdapter
from quantcrafter.engine.api.feed import Feed
from quantcrafter.engine.api.market import Market
from quantcrafter.engine.api.provider import DataProvider, StrategyTemplate

PROJECT = "quantcrafter"
ENTRY_POINT_GROUP = "quantcrafter.plugins"
API_VERSION = 1

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_indicators() -> Iterable[type[Component] | ComponentFamily]:  # type: ignore[empty-body]
    """Return indicators and data nodes: classes, or families that build classes on demand."""


@hookspec
def register_logic() -> Iterable[type[Component] | ComponentFamily]:  # type: ignore[empty-body]
    """Return arithmetic and condition components."""


@hookspec
def register_advisors() -> Iterable[type[Advisor]]:  # type: ignore[empty-body]
    """Return advisors, which turn columns into entry and exit signals."""


@hookspec
def register_filters() -> Iterable[type[Filter]]:  # type: ignore[empty-body]
    """Return filters, which let entries pass or block them."""


@hookspec
def register_executors() -> Iterable[type[ExecutionLogic]]:  # type: ignore[empty-body]
    """Return execution logic, which turns signals into orders."""


@hookspec
def register_risk_managers() -> Iterable[type[RiskManager]]:  # type: ignore[empty-body]
    """Return risk managers, which protect positions."""


@hookspec
def register_money_managers() -> Iterable[type[MoneyManager]]:  # type: ignore[empty-body]
    """Return money managers, which size entries."""


@hookspec
def register_data_providers() -> Iterable[type[DataProvider]]:  # type: ignore[empty-body]
    """Return sources of bars."""


@hookspec
def register_download_providers() -> Iterable[type[DownloadProvider]]:  # type: ignore[empty-body]
    """Return servers of bars, which `quantcrafter data download --from` names."""


@hookspec
def register_markets() -> Iterable[Market]:  # type: ignore[empty-body]
    """Return markets, which are selected with `market:` of an instrument or the suffix of its symbol."""


@hookspec
def register_engines() -> Iterable[type[EngineAdapter]]:  # type: ignore[empty-body]
    """Return engines that can run a strategy."""


@hookspec
def register_feeds() -> Iterable[type[Feed]]:  # type: ignore[empty-body]
    """Return feeds, which bring bars as they close; `quantcrafter start --feed` names them."""


@hookspec
def register_brokers() -> Iterable[type[Broker]]:  # type: ignore[empty-body]
    """Return brokers, which `quantcrafter start --broker` names."""


@hookspec
def register_strategies() -> Iterable[StrategyTemplate]:  # type: ignore[empty-body]
    """Return ready-made strategy files."""


@hookspec
def register_actions() -> Iterable[DesktopAction]:  # type: ignore[empty-body]
    """Return actions of the desktop: entries of its menus."""


@hookspec
def register_panes() -> Iterable[DesktopPane]:  # type: ignore[empty-body]
    """Return panes of the desktop."""
