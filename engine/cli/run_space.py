"""`quantcrafter runs usage`, `limit` and `clean`: the disk space of runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quantcrafter.engine.cli.console import complain, console, note, print_json, table
from quantcrafter.engine.cli.main import WRONG_INPUT

if TYPE_CHECKING:
    from quantcrafter.engine.runtime.run_store.cleanup import Usage

Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


def space_commands() -> dict[str, Callable[..., Any]]:
    """Return the commands by name."""
    return {"usage": usage, "limit": limit, "clean": clean}


def usage(*, json: Json = False) -> None:
    """Show the disk space of runs by kind, and its limit."""
    from quantcrafter.engine.runtime.run_store.cleanup import gb, measure, usage_text

    now = measure()
    kinds = {
        "history": now.history,
        "tables": now.tables,
        "columns": now.columns,
        "trials": now.trials,
        "unfinished": now.unfinished,
    }
    if json:
        counts = {"runs": now.runs, "pinned": now.pinned, "pinned_bytes": now.pinned_bytes}
        print_json({"used_bytes": now.used, "limit_bytes": now.limit, **counts, "bytes": kinds})
        return
    out = console()
    out.print(f"{usage_text(now)}.")
    _tell_of_pinned(now)
    made = table("What", "GB", right=("GB",))
    for name, size in kinds.items():
        made.add_row(name, gb(size))
    made.add_row("of these pinned", gb(now.pinned_bytes))
    out.print(made)


def limit(
    gigabytes: Annotated[float | None, typer.Argument(help="Disk space limit in GB.", metavar="GB")] = None,
) -> None:
    """Show or set the disk space limit of runs; beyond it, the oldest runs are deleted."""
    from quantcrafter.engine.api import RunError
    from quantcrafter.engine.runtime.run_store.cleanup import keep_gb, set_keep_gb

    if gigabytes is None:
        console().print(f"Runs can take {keep_gb():g} GB.")
        return
    try:
        set_keep_gb(gigabytes)
    except RunError as error:
        complain(str(error))
        raise typer.Exit(WRONG_INPUT) from None
    clean()


def clean() -> None:
    """Delete leftovers, and columns, then fills and trades, of the oldest runs beyond the limit; keep pinned runs."""
    from quantcrafter.engine.runtime.run_store import cleanup

    gone = cleanup.clean()
    what = [f"the columns of {gone.columns:,} {_runs_text(gone.columns)}"] if gone.columns else []
    what += [f"fills, trades and equity of {gone.tables:,} {_runs_text(gone.tables)}"] if gone.tables else []
    what += [f"{gone.trials:,} {'trial' if gone.trials == 1 else 'trials'}"] if gone.trials else []
    what += [f"{gone.deleted:,} {_runs_text(gone.deleted)} altogether"] if gone.deleted else []
    note(f"Deleted {', '.join(what)}." if what else "Nothing was deleted.")
    now = cleanup.measure()
    console().print(f"{cleanup.usage_text(now)}.")
    _tell_of_pinned(now)


def _tell_of_pinned(now: Usage) -> None:
    """Print a note if pinned runs exceed the limit."""
    from quantcrafter.engine.runtime.run_store.cleanup import gb

    if now.used > now.limit and now.pinned:
        pinned = f"{now.pinned:,} pinned {_runs_text(now.pinned)}"
        note(
            f"That is over the limit: {pinned} of {gb(now.pinned_bytes)} GB can't be deleted. To unpin a run, use "
            "'quantcrafter runs unpin ID' ('quantcrafter runs' marks pinned runs with ^). To raise the limit, use "
            "'quantcrafter runs limit GB'."
        )


def _runs_text(count: int) -> str:
    return "run" if count == 1 else "runs"
