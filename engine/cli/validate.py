"""`quantcrafter validate`: all problems of strategy files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quantcrafter.engine.api import Problem, QuantCrafterError, SpecError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.cli.console import note, paint, print_json, printable, warn
from quantcrafter.engine.cli.installed import registry_with_warnings
from quantcrafter.engine.cli.main import DONE, WRONG_INPUT
from quantcrafter.engine.cli.problems import as_json, count, has_errors, print_problems
from quantcrafter.engine.cli.streams import results
from quantcrafter.engine.plugins import Registry

if TYPE_CHECKING:
    from quantcrafter.engine.graph.terms import Terms


def validate(
    files: Annotated[list[Path], typer.Argument(help="Strategy files.", metavar="FILE...")],
    *,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", metavar="PATH=VALUE", help="Change a value first, such as run.cash=5000."),
    ] = None,
    instruments: Annotated[
        bool, typer.Option("--instruments", help="Print all values of each instrument, such as the tick size.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON on stdout.")] = False,
) -> int:
    """Check strategy files and report every problem with its location. Exit code 2 if there is an error."""
    registry = registry_with_warnings(quiet=json)
    found = {str(file): _check(file, registry, settings or []) for file in files}
    seen = {file: _look_at_data(file, registry, settings or []) for file in found if not has_errors(found[file])}
    found |= {file: data.still_true(found[file]) for file, data in seen.items()}
    if json:
        print_json(
            {
                "valid": not any(has_errors(problems) for problems in found.values()),
                "files": [
                    {
                        "file": file,
                        "valid": not has_errors(problems),
                        "problems": [as_json(p) for p in problems],
                        "data": seen[file].to_json() if file in seen else None,
                        "lookback": None if has_errors(problems) else _lookback(file, registry, settings or []),
                    }
                    for file, problems in found.items()
                ],
                "plugin_problems": [as_json(problem) for problem in registry.problems],
            }
        )
    else:
        for file, problems in found.items():
            print_problems(problems)
            verdict = count(problems) if has_errors(problems) else ", ".join(filter(None, ["valid", count(problems)]))
            colour = "1;31" if has_errors(problems) else "1;32"
            results().write(f"{printable(file)}: {paint(verdict, colour, results())}\n")
            if file in seen:
                seen[file].print(every_value=instruments)
    return WRONG_INPUT if any(has_errors(problems) for problems in found.values()) else DONE


@dataclass(frozen=True)
class _Data:
    """Findings about the data of a strategy: errors, guesses, and the values of each instrument with their sources."""

    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    terms: Mapping[str, Terms] = field(default_factory=dict)
    still_true: Callable[[list[Problem]], list[Problem]] = lambda problems: problems
    """Returns problems of the file without those that the data contradict."""

    def to_json(self) -> dict[str, Any]:
        terms = [{"symbol": symbol, "terms": each.texts()} for symbol, each in self.terms.items()]
        return {"findings": list(self.findings), "notes": list(self.notes), "instruments": terms}

    def print(self, *, every_value: bool) -> None:
        """Print findings and guesses, and the values of each instrument: those that were guessed, or all."""
        from quantcrafter.engine.graph.terms import terms_text

        for finding in self.findings:
            warn(finding)
        for guess in self.notes:
            note(guess)
        for symbol, each in self.terms.items():
            shown = {name: term for name, term in each.values.items() if every_value or term.source == "guess"}
            if shown:
                note(f"{symbol}: {terms_text(shown)}")


def _look_at_data(file: str, registry: Registry, settings: list[str]) -> _Data:
    """Return the findings of a run about its data; if the data is unavailable, that is the finding."""
    from quantcrafter.engine.graph import make_plan
    from quantcrafter.engine.runtime.results.trace import ColumnStore
    from quantcrafter.engine.runtime.running.load_graph import load_graph
    from quantcrafter.engine.runtime.running.prepare import evaluate, load_market
    from quantcrafter.engine.runtime.running.protective_levels import coarse_ticks, has_column_distances
    from quantcrafter.engine.runtime.running.run import still_true
    from quantcrafter.engine.runtime.running.warm_up import warm_up_of

    try:
        graph = load_graph(file, registry, settings, by_hand=True)
        market = load_market(graph, lambda _stage, _done, _total: None, lambda: False)
        graph = market.graph
        plan = make_plan(graph)
        warm_up = warm_up_of(plan, market, starts=graph.spec.run.start is not None)
        coarse: tuple[str, ...] = ()
        if has_column_distances(plan):
            columns = evaluate(plan, market, lambda _stage, _done, _total: None, lambda: False, ColumnStore())
            coarse = coarse_ticks(graph, plan, market, columns)
    except QuantCrafterError as error:
        return _Data((Message("A run would fail on its data. {reason}", reason=error),))
    symbols = [instrument.spec.symbol for instrument in graph.instruments]
    findings, notes = (*market.findings, *warm_up.cold, *coarse), (*market.notes, *warm_up.unsettled)
    values = [each.values for each in market.terms]
    return _Data(
        findings,
        notes,
        dict(zip(symbols, market.terms, strict=True)),
        lambda problems: list(still_true(problems, graph, values)),
    )


def _lookback(file: str, registry: Registry, settings: list[str]) -> dict[str, Any] | None:
    """Return the lookback of each node and of the decisions; None if it is unknown."""
    from quantcrafter.engine.graph import declared_lookback, make_plan
    from quantcrafter.engine.runtime.running.load_graph import load_graph

    try:
        return declared_lookback(make_plan(load_graph(file, registry, settings, by_hand=True)))
    except QuantCrafterError:
        return None


def _check(file: Path, registry: Registry, settings: list[str]) -> list[Problem]:
    from quantcrafter.engine.runtime.running.load_graph import validate_file

    try:
        return list(validate_file(file, registry, settings, by_hand=True))
    except SpecError as error:
        return list(error.problems)
