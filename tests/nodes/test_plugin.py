from __future__ import annotations

from collections import Counter

import pytest

from quantcrafter.engine.api import Component, Role
from quantcrafter.nodes import plugin

HOOKS = {
    "register_indicators": (Role.INDICATOR, Role.DATA),
    "register_logic": (Role.LOGIC,),
    "register_advisors": (Role.ADVISOR,),
    "register_filters": (Role.FILTER,),
    "register_executors": (Role.EXECUTION,),
    "register_risk_managers": (Role.RISK,),
    "register_money_managers": (Role.MONEY,),
}
NAMES = {
    "register_logic": "constant arithmetic compare crosses_above crosses_below and or not lag change highest_since "
    "lowest_since rolling_count bars_since rank zscore volatility time_of_day weekday",
    "register_advisors": "crossover levels breakout band_reversal rule candlestick vote",
    "register_filters": "time_window weekdays volatility_band trend condition event_calendar",
}


def registered(hook: str) -> tuple[list[type[Component]], list[str]]:
    """Return what a hook registers: its classes, and all names, those of families included."""
    classes: list[type[Component]] = []
    names: list[str] = []
    for item in getattr(plugin, hook)():
        if isinstance(item, type) and issubclass(item, Component):
            classes.append(item)
            names.append(item.name)
        else:
            names += item.names()
    return classes, names


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_brings_nodes_of_its_role(hook: str) -> None:
    classes, names = registered(hook)
    assert names
    assert all(cls.role in HOOKS[hook] and cls.help() for cls in classes)


@pytest.mark.parametrize("hook", NAMES)
def test_the_published_names_stay(hook: str) -> None:
    assert set(NAMES[hook].split()) <= set(registered(hook)[1])


def test_no_name_is_taken_twice() -> None:
    names = Counter(name for hook in HOOKS for name in registered(hook)[1])
    assert [name for name, count in names.items() if count > 1] == []
