"""The documented components with a memory, as a plugin, and a strategy that uses them all."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from quantcrafter.engine.api import Component, Role, hookimpl
from quantcrafter.engine.plugins import Registry, load_registry

_DOCS = Path(__file__).parents[2] / "docs" / "plugins.md"
_HOOKS = {
    Role.INDICATOR: "register_indicators",
    Role.LOGIC: "register_logic",
    Role.ADVISOR: "register_advisors",
    Role.FILTER: "register_filters",
    Role.RISK: "register_risk_managers",
    Role.MONEY: "register_money_managers",
    Role.EXECUTION: "register_executors",
}

STRATEGY = """\
quantcrafter: 1
name: Remembering
instruments:
  - {symbol: ONE, data: synthetic, timeframe: 1d, bars: 400, seed: 3}
  - {symbol: TWO, data: synthetic, timeframe: 1d, bars: 400, seed: 4}
indicators:
  line: {use: mine.glide, share: 0.1}
logic:
  over: {use: compare, left: bars.close, op: ">", right: line}
  under: {use: compare, left: bars.close, op: "<", right: line}
  held: {use: mine.latch, on: over, off: under}
advisors:
  third: {use: mine.third_time, condition: held}
filters:
  calm: {use: mine.after_shock, group: block, percent: 4, bars: 3}
risk:
  stop: {use: mine.ratchet, percent: 4}
money:
  size: {use: mine.cautious, entries: 2, quantity: 10}
execution:
  entry: {use: mine.once_a_day, signals: [third], filters: [calm], risk: [stop], money: size}
"""


def plugin_of(*classes: type[Component]) -> ModuleType:
    """Return a plugin module that brings these classes."""
    module = ModuleType("remembering")
    for role, name in _HOOKS.items():
        listed = [cls for cls in classes if cls.role is role]
        setattr(module, name, hookimpl(_returning(listed, name)))
    return module


def _returning(classes: list[type[Component]], name: str) -> Any:
    def hook() -> list[type[Component]]:
        return classes

    hook.__name__ = hook.__qualname__ = name
    return hook


def registry_with(*classes: type[Component]) -> Registry:
    """Return a registry with the built-in parts and these classes of a plugin called mine."""
    registry = load_registry(extra_plugins=[("mine", plugin_of(*classes))])
    assert registry.plugins[-1].error == "", registry.plugins[-1].error
    return registry


@cache
def documented() -> Registry:
    """Return a registry with the components that docs/plugins.md shows under 'What a component remembers'."""
    text = _DOCS.read_text(encoding="utf-8").partition("### What a component remembers")[2]
    found = re.search(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {"__name__": "remembering_docs"}
    exec(compile(found[1], str(_DOCS), "exec", dont_inherit=True), names)  # noqa: S102 - our own documentation
    shown = [each for each in names.values() if isinstance(each, type) and each.__module__ == "remembering_docs"]
    return registry_with(*shown)
