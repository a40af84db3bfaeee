"""`quantcrafter engines`: installed engines, and the modules from which strategy classes may be imported."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quantcrafter.engine.cli.console import console, note, print_json, table
from quantcrafter.engine.cli.installed import registry_with_warnings

Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Module = Annotated[str, typer.Argument(help="A module or package, such as my_strategies.", metavar="MODULE")]


def engines_app() -> typer.Typer:
    """Return the group of commands."""
    group = typer.Typer(help="List engines; allow strategy classes to be imported.", invoke_without_command=True)
    group.callback()(_engines)
    group.command("list")(list_engines)
    group.command("allow")(allow)
    group.command("disallow")(disallow)
    return group


def _engines(context: typer.Context, *, json: Json = False) -> None:
    """List engines; allow strategy classes to be imported. Without a command, list them."""
    if context.invoked_subcommand is None:
        list_engines(json=json)


def list_engines(*, json: Json = False) -> None:
    """Show every engine: whether it is installed, what it can do, and which strategy classes are allowed."""
    from quantcrafter.engine.runtime.running.engines import engine_choices
    from quantcrafter.engine.runtime.strategy_classes.class_paths import allowed_paths

    choices, allowed = engine_choices(registry_with_warnings(quiet=json)), allowed_paths()
    if json:
        print_json(
            {
                "engines": [
                    {
                        "name": each.name,
                        "help": each.help,
                        "installed": each.installed,
                        "missing": each.missing,
                        "versions": dict(each.versions),
                        "capabilities": [str(ability) for ability in each.capabilities],
                    }
                    for each in choices
                ],
                "allowed_classes": [{"module": each.module, "folder": each.folder} for each in allowed],
            }
        )
        return
    made = table("Engine", "Version", "Does")
    for each in choices:
        version = ", ".join(f"{package} {number}" for package, number in each.versions.items()) or each.missing
        made.add_row(each.name, version, ", ".join(each.capabilities), style=None if each.installed else "dim")
    out = console()
    out.print(made)
    out.print("\nStrategy classes may be imported from:" if allowed else "\nNo strategy class may be imported.")
    for path in allowed:
        out.print(f"  {path.module}" + (f" in {path.folder}" if path.folder else ""), soft_wrap=True)


def allow(
    module: Module,
    *,
    folder: Annotated[
        Path | None, typer.Option("--folder", "-f", help="The folder that contains it; not needed if it is installed.")
    ] = None,
) -> None:
    """Allow strategy classes of a module to be imported, for this user. Importing a class runs its code."""
    from quantcrafter.engine.runtime.strategy_classes.class_paths import allow as allow_path

    made = allow_path(module, folder or "")
    note(
        f"Strategy classes of '{made.module}'{f' in {made.folder}' if made.folder else ''} may be imported from now on."
    )


def disallow(module: Module) -> None:
    """Remove a module from the list."""
    from quantcrafter.engine.runtime.strategy_classes.class_paths import disallow as disallow_path

    disallow_path(module)
    note(f"Strategy classes of '{module}' are no longer imported.")
