"""`quantcrafter export` and `quantcrafter import`: exchange of strategies with other programs."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from quantcrafter.engine.api import Problem, RunError, Severity, SpecError
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.cli.console import note, printable
from quantcrafter.engine.cli.installed import registry_with_warnings
from quantcrafter.engine.cli.main import DONE, WRONG_INPUT
from quantcrafter.engine.cli.problems import count, print_problems


class Format(StrEnum):
    """The formats of other programs."""

    NODEGRAPHQT = "nodegraphqt"


Force = Annotated[bool, typer.Option("--force", "-f", help="Replace OUT if it exists.")]


def export(
    file: Annotated[Path, typer.Argument(help="Strategy file.", metavar="FILE")],
    out: Annotated[Path, typer.Argument(help="File to write.", metavar="OUT")],
    *,
    to: Annotated[Format, typer.Option("--to", help="Format to write: a session of NodeGraphQt.")],
    force: Force = False,
) -> int:
    """Write a strategy as a file of another program.

    A component that isn't installed becomes a placeholder with the ports that its wires need. Exit code 2 if the file
    has mistakes.
    """
    del to  # there is one format so far
    from quantcrafter.engine.interchange.nodegraphqt import export_session, session_text
    from quantcrafter.engine.spec import StrategyFile

    _check_place(out, force=force)
    document = StrategyFile.load_current(file)
    spec, problems = document.check(file.parent)
    if spec is None or any(problem.severity is Severity.ERROR for problem in problems):
        print_problems(problems)
        return WRONG_INPUT
    session = export_session(document, spec, registry_with_warnings())
    _write(out, session_text(session), "The session")
    note(f"Wrote {printable(str(out))}: {len(session['nodes'])} nodes, {len(session['connections'])} connections")
    return DONE


def import_(
    file: Annotated[Path, typer.Argument(help="File that was exported.", metavar="FILE")],
    out: Annotated[Path, typer.Argument(help="Strategy file to write.", metavar="OUT")],
    *,
    from_: Annotated[Format, typer.Option("--from", help="Format of the file: a session of NodeGraphQt.")],
    force: Force = False,
) -> int:
    """Read a strategy back from a file of another program that was exported from here.

    Everything that was not changed there is preserved, including comments. Nodes of other programs become
    placeholders. Problems in the strategy are printed; the file is written anyway.
    """
    del from_  # there is one format so far
    from quantcrafter.engine.interchange.nodegraphqt import import_session, read_session

    _check_place(out, force=force)
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SpecError([Problem("session", "The session is not UTF-8 text.", "", str(file))]) from error
    except OSError as error:
        cause, remedy = fault(error, "read")
        raise RunError(f"'{shown_path(file)}' can't be read: {cause}. {remedy}") from error
    document = import_session(read_session(text, str(file)), registry_with_warnings(), out.parent)
    _write(out, document.text, "The strategy")
    _, problems = document.check(out.parent)
    print_problems(replace(problem, file=str(out)) for problem in problems)
    note(f"Wrote {printable(str(out))}" + (f", which has {count(problems)}" if problems else ""))
    return DONE


def _check_place(out: Path, *, force: bool) -> None:
    if out.exists() and not force:
        raise RunError(f"'{shown_path(out)}' exists. Name another file, or replace it with --force.")


def _write(out: Path, text: str, what: str) -> None:
    from quantcrafter.engine.stats.whole_files import write_whole

    write_whole(out, text.encode(), what)
