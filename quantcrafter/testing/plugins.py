"""A plugin as a whole: accepted as it lies there, and run in a strategy."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.results.result import RunResult


def registry_with(name: str, module: ModuleType) -> Registry:
    """Return all that is installed, with the plugin `name`; where it isn't installed yet, its module as it lies there.

    Raises:
        AssertionError: the plugin was left out; it says why.
    """
    registry = load_registry()
    if all(plugin.name != name for plugin in registry.plugins):
        registry = load_registry(extra_plugins=[(name, module)])
    (plugin,) = (plugin for plugin in registry.plugins if plugin.name == name)
    assert plugin.error == "", f"The plugin '{name}' was left out: {plugin.error}"
    return registry


def run_file(path: Path | str, registry: Registry) -> RunResult:
    """Run a strategy file with the components of a registry.

    Raises:
        SpecError: the file is wrong.
        QuantCrafterError: the run failed.
    """
    from quantcrafter.engine.runtime.running.run import run

    return run(path, registry=registry)


def assert_no_lookahead(path: Path | str, registry: Registry) -> None:
    """Assert that no component of a strategy file knows the future: its run is repeated with the data cut short.

    Raises:
        AssertionError: one does; it names the node and the bar.
        QuantCrafterError: the run failed.
    """
    from quantcrafter.engine.runtime.research.lookahead import find_lookahead

    found = find_lookahead(path, registry=registry)
    assert not found, "These know the future: " + "; ".join(str(each) for each in found)
