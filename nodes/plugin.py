"""The built-in nodes, registered through the same hooks as any plugin. Importing it loads no library."""

from __future__ import annotations

from collections.abc import Iterable

from quantcrafter.engine.api import (
    Advisor,
    Component,
    ComponentFamily,
    ExecutionLogic,
    Filter,
    MoneyManager,
    RiskManager,
    hookimpl,
)


@hookimpl
def register_indicators() -> Iterable[type[Component] | ComponentFamily]:
    """Return TA-Lib and the data nodes."""
    from quantcrafter.nodes import data, indicators

    return (*indicators.COMPONENTS, *data.COMPONENTS)


@hookimpl
def register_logic() -> Iterable[type[Component] | ComponentFamily]:
    """Return arithmetic and conditions."""
    from quantcrafter.nodes import logic

    return logic.COMPONENTS


@hookimpl
def register_advisors() -> Iterable[type[Advisor]]:
    """Return what gives entry and exit signals."""
    from quantcrafter.nodes import advisors

    return advisors.COMPONENTS


@hookimpl
def register_filters() -> Iterable[type[Filter]]:
    """Return what lets entries pass or blocks them."""
    from quantcrafter.nodes import filters

    return filters.COMPONENTS


@hookimpl
def register_executors() -> Iterable[type[ExecutionLogic]]:
    """Return what turns signals into orders."""
    from quantcrafter.nodes import execution

    return execution.COMPONENTS


@hookimpl
def register_risk_managers() -> Iterable[type[RiskManager]]:
    """Return what protects a position."""
    from quantcrafter.nodes import risk

    return risk.COMPONENTS


@hookimpl
def register_money_managers() -> Iterable[type[MoneyManager]]:
    """Return what sizes entries."""
    from quantcrafter.nodes import money

    return money.COMPONENTS
