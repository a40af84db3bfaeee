"""Everything validation finds about a text, from syntax to wiring; and what the text means."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from engine.api import Catalog, Problem
from engine.runtime.source import in_file_order, spec_problems
from engine.spec import StrategyFile
from engine.spec.identity import strategy_hash


class Checked(NamedTuple):
    """Every problem of a text in file order; and a hash of what the strategy does, empty where that cannot be told."""

    problems: tuple[Problem, ...]
    meaning: str = ""


def check(file: StrategyFile, folder: Path, catalog: Catalog) -> Checked:
    """Return what is to be said of a readable text."""
    spec, problems = file.check(folder)
    if spec is None:
        return Checked(tuple(in_file_order(problems)))
    return Checked(tuple(in_file_order(spec_problems(spec, catalog, problems))), strategy_hash(spec))
