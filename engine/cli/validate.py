"""`quantcrafter validate`: every problem of strategy files, at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from quantcrafter.engine.api import Problem, QuantCrafterError, SpecError
from quantcrafter.engine.cli.catalog import registry_with_warnings
from quantcrafter.engine.cli.console import paint, print_json, printable
from quantcrafter.engine.cli.main import DONE, WRONG_INPUT
from quantcrafter.engine.cli.problems import as_json, count, has_errors, print_problems
from quantcrafter.engine.cli.streams import results
from quantcrafter.engine.plugins import Registry


def validate(
    files: Annotated[list[Path], typer.Argument(help="Strategy files.", metavar="FILE...")],
    *,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", metavar="PATH=VALUE", help="Change a value first, such as run.cash=5000."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON on stdout.")] = False,
) -> int:
    """Check strategy files and report every problem with its place. Exit code 2 if there is an error."""
    registry = registry_with_warnings(quiet=json)
    found = {str(file): _check(file, registry, settings or []) for file in files}
    if json:
        print_json(
            {
                "valid": not any(has_errors(problems) for problems in found.values()),
                "files": [
                    {
                        "file": file,
                        "valid": not has_errors(problems),
                        "problems": [as_json(p) for p in problems],
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
    return WRONG_INPUT if any(has_errors(problems) for problems in found.values()) else DONE


def _lookback(file: str, registry: Registry, settings: list[str]) -> dict[str, Any] | None:
    """Return what each node and the decisions remember; None where a component could not tell."""
    from quantcrafter.engine.graph import make_plan, told_lookback
    from quantcrafter.engine.runtime.running.source import load_graph

    try:
        return told_lookback(make_plan(load_graph(file, registry, settings)))
    except QuantCrafterError:
        return None


def _check(file: Path, registry: Registry, settings: list[str]) -> list[Problem]:
    from quantcrafter.engine.runtime.running.source import validate_file

    try:
        return list(validate_file(file, registry, settings))
    except SpecError as error:
        return list(error.problems)
