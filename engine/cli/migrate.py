"""`quantcrafter migrate`: bring strategy files of an older format to this version's, or show what that changes."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated

import typer

from quantcrafter.engine.api import Problem, RunError, SpecError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.cli.console import note, printable
from quantcrafter.engine.cli.main import DONE, WRONG_INPUT
from quantcrafter.engine.cli.problems import print_problems
from quantcrafter.engine.cli.streams import results
from quantcrafter.engine.spec import Migrated, StrategyFile, format_version, migrate_text, version_of_text
from quantcrafter.engine.spec.versions import why_not_read

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def migrate(
    files: Annotated[list[Path], typer.Argument(help="Strategy or block files.", metavar="FILE...")],
    *,
    write: Annotated[
        bool, typer.Option("--write", "-w", help="Write the files; without it, show the changes.")
    ] = False,
) -> int:
    """Migrate strategy files of an older format: show the changes, or write them with --write.

    Comments, order and layout are preserved. A file is written completely or not at all. Exit code 2 if a
    file can't be migrated.
    """
    done = [_migrate(file, write=write) for file in files]
    return DONE if all(done) else WRONG_INPUT


def _migrate(file: Path, *, write: bool) -> bool:
    """Migrate one file, and return whether it is in the current format or can be brought there."""
    try:
        document = StrategyFile.load(file)
        migrated = migrate_text(document.text, str(file))
    except SpecError as error:
        print_problems(error.problems)
        return False
    if migrated is None:
        return _is_current(file, document.text)
    note(f"{printable(str(file))}: format {migrated.version} to {format_version()}")
    for sentence in migrated.changes:
        note(f"  - {printable(sentence)}")
    if write:
        _write(file, migrated)
        results().write(f"{printable(str(file))}: written in format {format_version()}\n")
    else:
        results().write(_diff(file, migrated))
        note("Nothing was written. To write it: quantcrafter migrate FILE --write")
    return True


def _is_current(file: Path, text: str) -> bool:
    version = version_of_text(text)
    if version == format_version():
        results().write(f"{printable(str(file))}: already in the current format, {version}\n")
        return True
    message, remedy = why_not_read(version)
    if version is None:
        message = Message("The file names no format, or one that is not a whole number.")
        remedy = Message("Begin with 'quantcrafter: {format_version}'.", format_version=format_version())
    print_problems([Problem("version", message, remedy, str(file))])
    return False


def _write(file: Path, migrated: Migrated) -> None:
    try:
        StrategyFile.loads(migrated.text, str(file)).save()
    except OSError as error:
        cause, remedy = fault(error)
        raise RunError(
            Message("'{path}' can't be written: {cause}. {remedy}", path=shown_path(file), cause=cause, remedy=remedy)
        ) from error


def _diff(file: Path, migrated: Migrated) -> str:
    """Return the change as a unified diff, which `patch` takes."""
    before, after = (_LINE.findall(text) for text in (migrated.before, migrated.text))
    name = str(file)
    lines = difflib.unified_diff(before, after, name, name, f"format {migrated.version}", f"format {format_version()}")
    return "".join(_whole(line) for line in lines)


def _whole(line: str) -> str:
    """Return a line of a diff without what moves a terminal's cursor; the last one of a file may lack its line end."""
    body = line.rstrip("\r\n")
    return f"{printable(body)}\n" + ("" if line.endswith(("\r", "\n")) else "\\ No newline at end of file\n")
