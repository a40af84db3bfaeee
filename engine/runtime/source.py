"""From a strategy file to a graph that may run: one report of every problem, from syntax to wiring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from engine.api import Catalog, Problem, Severity, SpecError
from engine.graph import BoundGraph, bind, has_errors
from engine.runtime.engines import Engines, run_problems
from engine.spec import StrategySpec, check_strategy, check_strategy_file


class Installed(Catalog, Engines, Protocol):
    """A catalog that knows the engines too, such as the plugin registry."""


def validate_file(path: str | Path, registry: Catalog, overrides: Sequence[str] = ()) -> list[Problem]:
    """Return every problem of a strategy file, in file order; an empty list means it can run."""
    spec, problems = check_strategy_file(path, overrides=overrides)
    return in_file_order(problems if spec is None else spec_problems(spec, registry, problems))


def spec_problems(spec: StrategySpec, registry: Catalog, found: Sequence[Problem]) -> list[Problem]:
    """Return what was `found` in a strategy's file, and what is wrong with it against what is installed.

    That is its graph, and how it is to be run.
    """
    graph, problems = bind(spec, registry)
    problems = [*found, *problems]
    if isinstance(registry, Engines):
        problems = [*problems, *run_problems(graph, registry, is_sound=not has_errors(problems))]
    return problems


def load_graph(source: str | Path | StrategySpec, registry: Catalog, overrides: Sequence[str] = ()) -> BoundGraph:
    """Return the graph of a strategy file or of a spec, with its warnings; further overrides come on top of a spec's.

    Raises:
        SpecError: there are errors; it holds every problem, warnings included.
    """
    return _bound(*_read(source, overrides), registry)


def load_text(
    text: str, registry: Catalog, *, file: str = "", base_dir: str | Path = ".", overrides: Sequence[str] = ()
) -> BoundGraph:
    """Return the graph of a strategy's text, with its warnings; `file` need not hold that text, or exist.

    Raises:
        SpecError: there are errors; it holds every problem, warnings included.
    """
    return _bound(*check_strategy(text, file=file, base_dir=base_dir, overrides=overrides), registry)


def _bound(spec: StrategySpec | None, problems: Sequence[Problem], registry: Catalog) -> BoundGraph:
    if spec is None:
        raise SpecError(in_file_order(problems))
    graph, found = bind(spec, registry)
    problems = in_file_order([*problems, *found])
    if has_errors(problems):
        raise SpecError(problems)
    return replace(graph, warnings=tuple(problems))


def _read(source: str | Path | StrategySpec, overrides: Sequence[str]) -> tuple[StrategySpec | None, Sequence[Problem]]:
    if not isinstance(source, StrategySpec):
        return check_strategy_file(source, overrides=overrides)
    if not overrides:
        return source, ()
    changes = (*source.overrides, *overrides)
    return check_strategy(source.text, file=source.file, base_dir=source.base_dir, overrides=changes)


def in_file_order(problems: Sequence[Problem]) -> list[Problem]:
    """Return the problems by place in the file, each once, errors before warnings at the same place."""
    unique = dict.fromkeys(problems)
    return sorted(unique, key=lambda p: (p.file, p.line, p.column, p.severity is not Severity.ERROR))
