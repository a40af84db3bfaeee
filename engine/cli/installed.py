"""The registry, with a warning for each plugin that was not loaded."""

from __future__ import annotations

from quantcrafter.engine.cli.console import warn
from quantcrafter.engine.plugins import Registry, load_registry


def registry_with_warnings(*, quiet: bool = False) -> Registry:
    """Return the registry; unless `quiet`, print on stderr which plugins were not loaded and why."""
    registry = load_registry()
    if not quiet:
        for problem in registry.problems:
            warn(str(problem).removeprefix("error: ").removeprefix("warning: "))
    return registry
