"""Saved runs of shipped examples, for panes that look at runs."""

from __future__ import annotations

from pathlib import Path

from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.run_store.history import RunHistory
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.running.run import run

EXAMPLES = Path(__file__).parents[2] / "resources" / "examples"


def saved_example(name: str, folder: Path, *overrides: str) -> RunFolder:
    """Return a run of an example, kept in a new folder."""
    result = run(EXAMPLES / f"{name}.yaml", registry=load_registry(), overrides=overrides)
    return RunFolder.open(save_run(result, folder))


def run_into_history(name: str, *overrides: str) -> str:
    """Run an example and keep it in the user's history with its columns, as the program does; return its id."""
    result = run(EXAMPLES / f"{name}.yaml", registry=load_registry(), overrides=overrides)
    return RunHistory().add(result)
