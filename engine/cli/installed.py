"""The registry, with a warning for each plugin that had to be left out."""

from __future__ import annotations

from quantcrafter.engine.cli.console import warn
from quantcrafter.engine.plugins import Registry, load_registry


def registry_with_warnings(*, quiet: bool = False) -> Registry:
    """Return the registry; unless `quiet`, say on stderr which plugins were left out and why."""
    registry = load_registry()
    if not quiet:
        for problem in registry.problems:
            warn(str(problem).removeprefix("error: ").removeprefix("warning: "))
    return registry
