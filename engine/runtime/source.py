"""From a strategy file to a graph that may run: one report of every problem, from syntax to wiring."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from engine.api import Catalog, EngineAdapter, Problem, Severity, SpecError
from engine.graph import BoundGraph, bind, has_errors
from engine.spec import StrategySpec, check_strategy, read_strategy_text


class Installed(Catalog, Protocol):
    """A catalog that knows the engines too, such as the plugin registry."""

    def engine(self, name: str) -> type[EngineAdapter] | None:
        """Return the engine of that name, or None."""
        ...

    def engine_names(self) -> tuple[str, ...]:
        """Return the names that `run.engine` may say."""
        ...


def validate_file(path: str | Path, registry: Catalog, overrides: Sequence[str] = ()) -> list[Problem]:
    """Return every problem of a strategy file, in file order; an empty list means it can run."""
    try:
        text = read_strategy_text(path)
    except SpecError as error:
        return list(error.problems)
    spec, problems = check_strategy(text, file=str(path), base_dir=str(Path(path).parent), overrides=overrides)
    if spec is not None:
        problems = [*problems, *bind(spec, registry)[1]]
    return in_file_order(problems)


def load_graph(source: str | Path | StrategySpec, registry: Catalog, overrides: Sequence[str] = ()) -> BoundGraph:
    """Return the graph of a strategy file or of a spec.

    Raises:
        SpecError: there are errors; it holds every problem, warnings included.
    """
    if isinstance(source, StrategySpec):
        spec: StrategySpec | None = source
        problems: list[Problem] = []
    else:
        text = read_strategy_text(source)
        spec, problems = check_strategy(text, file=str(source), base_dir=str(Path(source).parent), overrides=overrides)
    if spec is None:
        raise SpecError(in_file_order(problems))
    graph, found = bind(spec, registry)
    problems = in_file_order([*problems, *found])
    if has_errors(problems):
        raise SpecError(problems)
    return graph


def in_file_order(problems: Sequence[Problem]) -> list[Problem]:
    """Return the problems by place in the file, each once, errors before warnings at the same place."""
    unique = dict.fromkeys(problems)
    return sorted(unique, key=lambda p: (p.file, p.line, p.column, p.severity is not Severity.ERROR))
