"""Everything validation finds about a text, from syntax to wiring."""

from __future__ import annotations

from pathlib import Path

from engine.api import Catalog, Problem
from engine.graph import bind
from engine.runtime.source import in_file_order
from engine.spec import StrategyFile


def check(file: StrategyFile, folder: Path, catalog: Catalog) -> tuple[Problem, ...]:
    """Return every problem of a readable text, in file order."""
    spec, problems = file.check(folder)
    if spec is not None:
        problems = [*problems, *bind(spec, catalog)[1]]
    return tuple(in_file_order(problems))
