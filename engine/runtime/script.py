"""Running or replaying a strategy from Python in one call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quantcrafter.engine.runtime.replay import Replay
    from quantcrafter.engine.runtime.results.result import RunResult
    from quantcrafter.engine.spec import StrategySpec


def run(
    path_or_spec: str | Path | StrategySpec, *, mode: str | None = None, engine: str | None = None, **overrides: Any
) -> RunResult:
    """Run a strategy file, or a spec loaded before, with everything that is installed.

    Overrides override the file; their names are places in it, with `__` for the dot or as a dictionary:
    `run("golden_cross.yaml", indicators__fast__timeperiod=20)` and
    `run("golden_cross.yaml", **{"run.cash": 5000})`.

    Raises:
        SpecError: the file is wrong; `problems` holds every finding with its place.
        QuantCrafterError: the run failed; see its subclasses.
    """
    from quantcrafter.engine.plugins import load_registry
    from quantcrafter.engine.runtime.running.load_graph import load_graph
    from quantcrafter.engine.runtime.running.run import run as run_with

    registry = load_registry()
    graph = load_graph(path_or_spec, registry, _changes(overrides), by_hand=True)
    return run_with(graph, registry=registry, mode=mode, engine=engine)


def replay(path_or_spec: str | Path | StrategySpec, **overrides: Any) -> Replay:
    """Return a replay of a strategy file: the run of `run`, step by step; overrides as there.

    Raises:
        SpecError: the file is wrong; `problems` holds every finding with its place.
        QuantCrafterError: bars are unavailable, or a component failed; see its subclasses.
    """
    from quantcrafter.engine.plugins import load_registry
    from quantcrafter.engine.runtime.replay import Replay

    return Replay(path_or_spec, registry=load_registry(), overrides=_changes(overrides), by_hand=True)


def _changes(overrides: dict[str, Any]) -> list[str]:
    return [f"{name.replace('__', '.')}={json.dumps(value)}" for name, value in overrides.items()]
