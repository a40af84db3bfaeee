"""Everything validation finds about a text, from syntax to wiring; and what the text means."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from quantcrafter.engine.api import Catalog, Problem
from quantcrafter.engine.runtime.running.load_graph import every_problem
from quantcrafter.engine.spec import StrategyFile
from quantcrafter.engine.spec.identity import strategy_hash


class CheckedText(NamedTuple):
    """Every problem of a text in file order; and a hash of what the strategy does, empty where that cannot be told.

    `refused_files` are those that the strategy names, and may not read.
    """

    problems: tuple[Problem, ...]
    meaning: str = ""
    refused_files: tuple[str, ...] = ()


def check(file: StrategyFile, folder: Path, catalog: Catalog) -> CheckedText:
    """Return what is to be said of a readable text."""
    spec, problems = file.check(folder)
    found, refused = every_problem(spec, problems, catalog)
    return CheckedText(tuple(found), strategy_hash(spec) if spec is not None else "", refused)
