"""Runs that explanations are held to: of texts, and of the examples, each made once."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.spec import check_strategy

EXAMPLES = Path(__file__).parents[2] / "resources" / "examples"
_KEPT: list[TemporaryDirectory[str]] = []


@lru_cache(maxsize=1)
def registry() -> Registry:
    """Return the real catalog, loaded once."""
    return load_registry()


def saved_run(text: str, folder: Path, *overrides: str) -> RunFolder:
    """Run a strategy's text, keep it in a new folder inside this one and return it from there."""
    spec, problems = check_strategy(text, file="s.yaml", overrides=overrides)
    if spec is None:
        raise AssertionError([str(problem) for problem in problems])
    number = sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0
    return RunFolder.open(save_run(run(spec, registry=registry()), folder / f"run{number}"))


@lru_cache(maxsize=8)
def example_run(name: str) -> RunFolder:
    """Return the saved run of a shipped example; it is made once in a test session."""
    folder = TemporaryDirectory(prefix="example-run-")
    _KEPT.append(folder)
    result = run(EXAMPLES / f"{name}.yaml", registry=registry())
    return RunFolder.open(save_run(result, Path(folder.name) / name))
