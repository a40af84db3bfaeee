"""`quantcrafter lookahead`: does any node know the future?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quantcrafter.engine.cli.console import console, note, print_json, table
from quantcrafter.engine.cli.installed import registry_with_warnings
from quantcrafter.engine.cli.interrupt import cancel_on_interrupt
from quantcrafter.engine.cli.main import DONE, FAILED
from quantcrafter.engine.cli.progress import show_progress

if TYPE_CHECKING:
    from quantcrafter.engine.runtime.research.lookahead import LookAhead


def lookahead(
    file: Annotated[Path, typer.Argument(help="Strategy file.", metavar="FILE")],
    *,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", metavar="PATH=VALUE", help="Change a value first, such as run.cash=5000."),
    ] = None,
    cuts: Annotated[int, typer.Option("--cuts", min=1, max=100_000, help="Number of cuts of the data.")] = 40,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> int:
    """Cut the data at many bars and list every node whose past values changed. Exit code 1 if there is one."""
    from quantcrafter.engine.runtime.research.lookahead import find_lookahead
    from quantcrafter.engine.runtime.running.load_graph import load_graph

    registry = registry_with_warnings(quiet=json)
    with cancel_on_interrupt() as cancelled, show_progress(quiet=quiet or json) as progress:
        found = find_lookahead(
            load_graph(file, registry, settings or (), by_hand=True),
            registry=registry,
            cuts=cuts,
            progress=lambda done, total: progress("check", done, total),
            cancelled=cancelled,
        )
    if json:
        print_json([_as_json(finding) for finding in found])
    elif found:
        _print(found)
    else:
        note(f"{file}: no node looks ahead.")
    return FAILED if found else DONE


def _print(found: list[LookAhead]) -> None:
    from quantcrafter.engine.data.labels import named_moment

    made = table("Node", "Use", "Output", "Instrument", "Bar", "Closed", "Known then", "Later", right=("Bar",))
    for finding in found:
        made.add_row(
            finding.node if finding.origin else f"  {finding.node}",
            finding.use,
            finding.output,
            finding.instrument,
            f"{finding.bar:,}",
            named_moment(finding.ts_ns, finding.zone),
            f"{finding.known:g}",
            f"{finding.later:g}",
            style=None if finding.origin else "dim",
        )
    out = console()
    out.print(made)
    for finding in found:
        if finding.why:
            out.print(f"\n{finding.why}")
    guilty = [finding.node for finding in found if finding.origin]
    passing = len(found) - len(guilty)
    text = f"\n{len(guilty)} {'node looks' if len(guilty) == 1 else 'nodes look'} ahead: {', '.join(guilty)}."
    out.print(text + (f" {passing} more (indented) only pass it on." if passing else ""))


def _as_json(finding: LookAhead) -> dict[str, Any]:
    facts = asdict(finding)
    for key in ("known", "later"):
        facts[key] = facts[key] if facts[key] == facts[key] else None
    return {**facts, "message": str(finding)}
