"""`quantcrafter folders`: folders that strategies may read in addition to their own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quantcrafter.engine.cli.console import console, note, print_json

Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Folder = Annotated[Path, typer.Argument(help="A file, or a folder including its subfolders.", metavar="FILE|FOLDER")]


def folders_app() -> typer.Typer:
    """Return the group of commands."""
    group = typer.Typer(help="Manage the folders that strategies may read.", invoke_without_command=True)
    group.callback()(_folders)
    group.command("list")(list_allowed)
    group.command("allow")(allow)
    group.command("forget")(forget)
    return group


def _folders(context: typer.Context, *, json: Json = False) -> None:
    """Manage the folders that strategies may read in addition to their own. Without a command, list them."""
    if context.invoked_subcommand is None:
        list_allowed(json=json)


def list_allowed(*, json: Json = False) -> None:
    """List the folders that all strategies may read."""
    from quantcrafter.engine.api.folders import VARIABLE, listed_folders, variable_folders

    listed, named = listed_folders(), variable_folders()
    if json:
        print_json({"allowed": [str(each) for each in listed], "by_environment": [str(each) for each in named]})
    elif not listed and not named:
        note("No folder is allowed: a strategy reads files below its own folder only.")
    for folder in () if json else listed:
        console().print(str(folder), soft_wrap=True, markup=False)
    for folder in () if json else named:
        console().print(f"{folder} (by {VARIABLE})", soft_wrap=True, markup=False)


def allow(folder: Folder) -> None:
    """Let every strategy of this user read one file, or all files below a folder."""
    from quantcrafter.engine.runtime.running.allowed_folders import allow_folder

    note(f"Strategies may read '{allow_folder(folder)}' from now on.")


def forget(folder: Folder) -> None:
    """Remove a file or folder from the list."""
    from quantcrafter.engine.runtime.running.allowed_folders import forget_folder

    note(f"Strategies may no longer read '{forget_folder(folder)}'.")
