"""`quantcrafter parity`: a strategy on several engines, and the first thing in which they differ."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quantcrafter.engine.cli.console import console, note, print_json, table
from quantcrafter.engine.cli.installed import registry_with_warnings
from quantcrafter.engine.cli.interrupt import cancel_on_interrupt
from quantcrafter.engine.cli.main import DIFFERENT, DONE
from quantcrafter.engine.cli.problems import print_problems
from quantcrafter.engine.cli.progress import show_progress
from quantcrafter.engine.cli.run import say_if_compiling

if TYPE_CHECKING:
    from rich.console import Console

    from quantcrafter.engine.runtime.parity import EngineDifference, EngineOutcome, ParityReport


def parity(
    file: Annotated[Path, typer.Argument(help="Strategy file.", metavar="FILE")],
    *,
    engines: Annotated[
        str | None,
        typer.Option("--engines", "-e", metavar="NAMES", help="Engines separated by commas, the reference first."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", metavar="PATH=VALUE", help="Change a value first, such as run.cash=5000."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="HTML", help="Write a certificate with hashes and versions.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> int:
    """Run a strategy on several engines and show the first difference. Exit code 3 if there is one."""
    from quantcrafter.engine.runtime.parity.certificate import write_certificate
    from quantcrafter.engine.runtime.parity.run import run_parity
    from quantcrafter.engine.runtime.running.load_graph import load_graph

    registry = registry_with_warnings(quiet=json)
    graph = load_graph(file, registry, settings or (), by_hand=True)
    print_problems(graph.warnings)
    names = [name.strip() for name in (engines or "").split(",") if name.strip()]
    if not quiet:
        say_if_compiling(registry.engine("native"))
    with cancel_on_interrupt() as cancelled, show_progress(quiet=quiet) as progress:
        found = run_parity(graph, registry=registry, engines=names, progress=progress, cancelled=cancelled)
        written = None if report is None else write_certificate(report, found)
    for name, missing in found.left_out.items():
        note(f"Without {name}, which is {missing}")
    if json:
        print_json(_as_json(found))
    else:
        _print(console(), found)
    if written is not None:
        note(f"Wrote {written}")
    return DONE if found.same else DIFFERENT


def _print(out: Console, found: ParityReport) -> None:
    from rich.text import Text

    from quantcrafter.engine.runtime.parity.certificate import verdict

    title = Text(found.strategy, style="bold")
    if found.synthetic:
        title.append("  SYNTHETIC DATA", style="bold yellow")
    out.print(title)
    for each in found.instruments:
        out.print(f"{each.symbol} {each.timeframe}, {each.bars:,} bars from {each.source or 'its provider'}")
    right = ("Orders", "Fills", "Trades", "Final equity", "Seconds")
    made = table("Engine", "Version", *right, "Result", right=right)
    for outcome in found.outcomes:
        made.add_row(*_engine_row(outcome, found), style=None if outcome.same else "red")
    out.print()
    out.print(made)
    out.print()
    if found.first is not None:
        _print_first(out, found, found.first)
    out.print(verdict(found), style="green" if found.same else "red")


def _engine_row(outcome: EngineOutcome, found: ParityReport) -> tuple[str, ...]:
    versions = ", ".join(f"{package} {number}" for package, number in outcome.versions.items())
    if outcome.final_equity is None:
        return outcome.name, versions, "", "", "", "", f"{outcome.seconds:.2f}", "refused"
    counts = (f"{number:,}" for number in (outcome.orders, outcome.fills, outcome.trades))
    result = "reference" if outcome is found.reference else "the same" if outcome.same else "different"
    return outcome.name, versions, *counts, f"{outcome.final_equity:,.2f}", f"{outcome.seconds:.2f}", result


def _print_first(out: Console, found: ParityReport, first: EngineDifference) -> None:
    where = f" at bar {first.bar:,} of {first.symbol} ({first.time})" if first.bar >= 0 else ""
    node = f", node '{first.node}'" if first.node else ""
    out.print(f"First difference: {first.cause}{where}{node}", style="bold", soft_wrap=True)
    names = (found.reference.name, first.engine)
    width = max(map(len, names))
    for name, text in zip(names, (first.expected, first.found), strict=True):
        out.print(f"  {name:<{width}}  {first.what}: {text}", soft_wrap=True)
    further = sum(len(outcome.differences) for outcome in found.outcomes) - 1
    if further:
        out.print(f"  {further:,} further {'difference follows' if further == 1 else 'differences follow'}.")
    out.print()


def _as_json(found: ParityReport) -> dict[str, Any]:
    whole = asdict(found)
    first = found.first
    return {
        **whole,
        "same": found.same,
        "first": None if first is None else {**asdict(first), "time": first.time},
        "made": found.made.isoformat(),
        "outcomes": [{**asdict(each), "same": each.same} for each in found.outcomes],
    }
