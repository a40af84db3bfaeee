"""A backtest in a process of its own: progress and the result go through a pipe."""

from __future__ import annotations

from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import QuantCrafterError, RunCancelledError, SpecError
from quantcrafter.engine.api.home import home
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.run_store.history import RunHistory
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.runtime.running.run import run


@dataclass(frozen=True, slots=True)
class AskedRun:
    """What is to be run: the text of a strategy file, with changes of it."""

    text: str
    overrides: tuple[str, ...] = ()
    engine: str | None = None


def files_folder() -> Path:
    """Return the folder at which relative paths of such strategies begin: that for strategies in the data folder."""
    return home() / "strategies"


def execute(connection: Connection, asked: AskedRun) -> None:
    """Run a backtest, keep it in the history, and send what becomes of it.

    What is sent: `{"stage", "done", "total"}`, then `{"run_id"}`, `{"error", "problems"}` or `{"cancelled"}`. What is
    received ends it.
    """
    try:
        connection.send(_outcome(connection, asked))
    except (BrokenPipeError, EOFError):
        return  # nobody asks any more


def _outcome(connection: Connection, asked: AskedRun) -> dict[str, Any]:
    def progress(stage: str, done: int, total: int) -> None:
        connection.send({"stage": stage, "done": done, "total": total})

    try:
        registry = load_registry()
        graph = load_text(asked.text, registry, base_dir=files_folder(), overrides=asked.overrides)
        found = run(graph, registry=registry, engine=asked.engine, progress=progress, cancelled=connection.poll)
        return {"run_id": RunHistory().add(found)}
    except RunCancelledError:
        return {"cancelled": True}
    except SpecError as error:
        problems = [
            {
                "code": each.code,
                "severity": str(each.severity),
                "message": each.message,
                "remedy": each.remedy,
                "line": each.line,
                "column": each.column,
                "path": each.path,
            }
            for each in error.problems
        ]
        return {"error": str(error), "problems": problems}
    except QuantCrafterError as error:
        return {"error": str(error), "problems": []}
