"""From a strategy file to a graph that may run: one report of every problem, from syntax to wiring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from quantcrafter.engine.api import Catalog, Problem, Severity, SpecError
from quantcrafter.engine.graph import BoundGraph, bind, has_errors
from quantcrafter.engine.runtime.running.engines import Engines, run_problems
from quantcrafter.engine.spec import StrategySpec, check_strategy, check_strategy_file
from quantcrafter.engine.spec.limits import MAX_PROBLEMS
from quantcrafter.engine.spec.source import further


class Installed(Catalog, Engines, Protocol):
    """A catalog that knows the engines too, such as the plugin registry."""


def validate_file(
    path: str | Path, registry: Catalog, overrides: Sequence[str] = (), *, by_hand: bool = False
) -> list[Problem]:
    """Return every problem of a strategy file, in file order; an empty list means it can run.

    `by_hand` is as for `check_strategy`.
    """
    spec, problems = check_strategy_file(path, overrides=overrides, by_hand=by_hand)
    return every_problem(spec, problems, registry)[0]


def every_problem(
    spec: StrategySpec | None, problems: Sequence[Problem], registry: Catalog
) -> tuple[list[Problem], tuple[str, ...]]:
    """Return a text's own problems and those of what it means, in file order; past a limit only the former.

    Beside them stand the folders that the strategy reads files in, and may not.
    """
    if spec is None or is_past_limit(problems):
        return in_file_order(problems), ()
    found, folders = spec_problems(spec, registry, problems)
    return in_file_order(found), folders


def is_past_limit(problems: Sequence[Problem]) -> bool:
    """Return whether a text is too large in some way; what it means then is known in part and judged by nobody."""
    return any(problem.code == "limit" for problem in problems)


def spec_problems(
    spec: StrategySpec, registry: Catalog, found: Sequence[Problem]
) -> tuple[list[Problem], tuple[str, ...]]:
    """Return what was `found` in a strategy's file, and what is wrong with it against what is installed.

    That is its graph, and how it is to be run. Beside it stand the files that it names, and may not read.
    """
    graph, problems = bind(spec, registry)
    problems = [*found, *problems]
    if isinstance(registry, Engines):
        problems = [*problems, *run_problems(graph, registry, is_sound=not has_errors(problems))]
    return problems, graph.refused_files


def load_graph(
    source: str | Path | StrategySpec, registry: Catalog, overrides: Sequence[str] = (), *, by_hand: bool = False
) -> BoundGraph:
    """Return the graph of a strategy file or of a spec, with its warnings; further overrides come on top of a spec's.

    `by_hand` is as for `check_strategy`.

    Raises:
        SpecError: there are errors; it holds every problem, warnings included.
    """
    return _bound(*_read(source, overrides, by_hand=by_hand), registry)


def load_text(
    text: str,
    registry: Catalog,
    *,
    file: str = "",
    base_dir: str | Path = ".",
    overrides: Sequence[str] = (),
    by_hand: bool = False,
) -> BoundGraph:
    """Return the graph of a strategy's text, with its warnings; `file` need not hold that text, or exist.

    `by_hand` is as for `check_strategy`.

    Raises:
        SpecError: there are errors; it holds every problem, warnings included.
    """
    checked = check_strategy(text, file=file, base_dir=base_dir, overrides=overrides, by_hand=by_hand)
    return _bound(*checked, registry)


def _bound(spec: StrategySpec | None, problems: Sequence[Problem], registry: Catalog) -> BoundGraph:
    if spec is None or is_past_limit(problems):
        raise SpecError(in_file_order(problems))
    graph, found = bind(spec, registry)
    problems = in_file_order([*problems, *found])
    if has_errors(problems):
        raise SpecError(problems)
    return replace(graph, warnings=tuple(problems))


def _read(
    source: str | Path | StrategySpec, overrides: Sequence[str], *, by_hand: bool
) -> tuple[StrategySpec | None, Sequence[Problem]]:
    if not isinstance(source, StrategySpec):
        return check_strategy_file(source, overrides=overrides, by_hand=by_hand)
    if not overrides:
        return source, ()
    changes = (*source.overrides, *overrides)
    return check_strategy(
        source.text,
        file=source.file,
        base_dir=source.base_dir,
        overrides=changes,
        by_hand=by_hand and (source.by_hand or not source.overrides),
    )


def in_file_order(problems: Sequence[Problem]) -> list[Problem]:
    """Return the problems by place in the file, each once, errors before warnings at the same place.

    Of more than MAX_PROBLEMS, errors go before warnings; a last problem says how many are left out.
    """
    unique = [problem for problem in dict.fromkeys(problems) if not problem.more]
    ordered = sorted(unique, key=_by_place)
    kept = sorted(sorted(ordered, key=lambda p: p.severity is not Severity.ERROR)[:MAX_PROBLEMS], key=_by_place)
    more = sum(problem.more for problem in problems) + len(ordered) - len(kept)
    if not more:
        return kept
    left_out = [*(problem for problem in problems if problem.more), *set(ordered).difference(kept)]
    severity = Severity.ERROR if has_errors(left_out) else Severity.WARNING
    return [*kept, further(more, kept[0].file, severity)]


def _by_place(problem: Problem) -> tuple[str, int, int, bool]:
    return problem.file, problem.line, problem.column, problem.severity is not Severity.ERROR
