"""`quantcrafter backup` and `restore`: the data folder in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.cli.console import note


def backup(
    out: Annotated[Path, typer.Argument(help="The file to write.", metavar="OUT.tar.gz")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Write everything in the data folder to one file, also while strategies run."""
    from quantcrafter.engine.api.home import home
    from quantcrafter.engine.storage.data_folder import back_up_folder

    if out.exists() and not force:
        raise RunError(Message("'{file}' exists. Name another file, or add --force.", file=str(out)))
    count = back_up_folder(home(), out)
    note(f"{out}: {count:,} files of '{home()}'.")


def restore(
    file: Annotated[Path, typer.Argument(help="The file that 'backup' has written.", metavar="FILE")],
) -> None:
    """Put a backup into the data folder, which must not have these files."""
    from quantcrafter.engine.api.home import home
    from quantcrafter.engine.orchestrator.control import ask
    from quantcrafter.engine.storage.data_folder import restore_folder

    if ask("status") is not None:
        raise RunError(Message("An orchestrator is running. End it first: quantcrafter stop"))
    count = restore_folder(file, home())
    note(f"{count:,} files are restored to '{home()}'. 'quantcrafter start' continues the workers that ran.")
