"""`quantcrafter runs`: stored runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quantcrafter.engine.cli.console import complain, console, note, print_json, table
from quantcrafter.engine.cli.main import WRONG_INPUT
from quantcrafter.engine.cli.run_space import space_commands

if TYPE_CHECKING:
    from rich.table import Table

    from quantcrafter.engine.runtime.results.run_view import RunView
    from quantcrafter.engine.runtime.run_store.history import RunHistory
    from quantcrafter.engine.runtime.run_store.record import RunRecord
    from quantcrafter.engine.stats.run_times import RunTimes

RunId = Annotated[
    str,
    typer.Argument(
        help="Id of the run, its first characters, last, or last-1 for the one before.",
        metavar="ID",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]

_LISTED = ("total_return_pct", "sharpe", "max_drawdown_pct", "trades")
_WIDE = 104
_DAY = 10


def runs_app() -> typer.Typer:
    """Return the group of commands."""
    group = typer.Typer(help="List, show, pin and delete stored runs.", invoke_without_command=True)
    group.callback()(_runs)
    group.command("list")(list_runs)
    group.command("show")(show)
    group.command("delete")(delete)
    group.command("prune")(prune)
    group.command("pin")(pin)
    group.command("unpin")(unpin)
    for name, command in space_commands().items():
        group.command(name)(command)
    return group


def find_run(history: RunHistory, key: str) -> tuple[RunRecord, RunView]:
    """Return a stored run and its row; a wrong id is reported on stderr and ends the command with exit code 2."""
    from quantcrafter.engine.api import RunError

    try:
        record = history.get(key)
        return record, history.open(record.id)
    except RunError as error:
        ids = [record.id for record in history.list(None)]
        if key in ids or sum(run_id.startswith(key) for run_id in ids) == 1:
            raise
        complain(str(error))
        raise typer.Exit(WRONG_INPUT) from None


def _runs(context: typer.Context, *, json: Json = False) -> None:
    """List, show, pin and delete stored runs. Without a command, list them."""
    if context.invoked_subcommand is None:
        list_runs(json=json)


def list_runs(
    *,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Number of runs to list.")] = 20,
    json: Json = False,
) -> None:
    """List the latest runs, newest first."""
    from quantcrafter.engine.runtime.run_store.history import RunHistory
    from quantcrafter.engine.runtime.run_store.record import record_json

    records = RunHistory().list(limit)
    if json:
        print_json([record_json(record) for record in records])
    elif records:
        out = console()
        out.print(_overview(records))
        if any(record.synthetic for record in records):
            out.print("* on synthetic data")
        if any(record.pinned for record in records):
            out.print("^ pinned")
        for record in records:
            if record.damage:
                note(
                    f"The run {record.id} is damaged: {record.damage}. Delete it with 'quantcrafter runs delete "
                    f"{record.id}'."
                )
    else:
        note("No runs are stored yet. 'quantcrafter run FILE' runs a strategy and stores the run.")


def _overview(records: list[RunRecord]) -> Table:
    from quantcrafter.engine.stats.metric_catalog import METRICS

    metrics = [metric for key in _LISTED for metric in METRICS if metric.key == key]
    labels = ["Return", "Sharpe", "Max. DD", "Trades"]
    made = table("Run", "Strategy", "Symbols", *labels, right=tuple(labels))
    made.columns[0].no_wrap = True
    for record in records:
        if record.damage:
            made.add_row(
                record.id, f"{record.strategy} (damaged)".strip(), _shortened(record.symbols), *[""] * len(labels)
            )
            continue
        strategy = record.strategy + (" *" if record.synthetic else "") + (" ^" if record.pinned else "")
        figures = (metric.text(record.metrics.get(metric.key)) for metric in metrics)
        made.add_row(record.id, strategy, _shortened(record.symbols), *figures)
    return made


def _shortened(symbols: tuple[str, ...]) -> str:
    shown = symbols[:3]
    return ", ".join(shown) + (f" +{len(symbols) - len(shown)}" if len(symbols) > len(shown) else "")


def show(
    run_id: RunId,
    *,
    trades: Annotated[int, typer.Option("--trades", "-t", min=0, help="Number of the last trades to show.")] = 10,
    json: Json = False,
) -> None:
    """Show a run: its strategy, its metrics and its last trades."""
    from quantcrafter.engine.cli.summary import metrics_table
    from quantcrafter.engine.runtime.run_store.history import RunHistory

    record, run = find_run(RunHistory(), run_id)
    if json:
        rows = [] if run.kept == "figures" else run.trades.rows()
        from quantcrafter.engine.runtime.run_store.record import record_json

        print_json({**record_json(record), "trades": rows, "spec_text": run.text})
        return
    out = console()
    out.print(f"{run.strategy}{'  SYNTHETIC DATA' if run.synthetic else ''}", style="bold")
    out.print(f"Run {run.id}, {run.started:%Y-%m-%d %H:%M:%S} UTC")
    overrides = run.origin.overrides
    out.print(run.file + (f" with {', '.join(overrides)}" if overrides else ""), soft_wrap=True)
    out.print(f"{', '.join(run.symbols)}, {run.bars:,} bars, {run.mode} on {run.engine}\n")
    out.print(metrics_table(run.metrics, out.width, run.times.zone))
    if run.kept == "figures":
        out.print("\nThe fills and trades of this run are no longer kept.")
    elif trades and len(run.trades):
        out.print()
        out.print(_trades_table(run, trades, out.width))


def _trades_table(run: RunView, limit: int, width: int) -> Table:
    """Return the last trades; a narrow terminal gets days instead of times, and no quantity and reason."""
    total, times = len(run.trades), run.times
    shown = range(max(0, total - limit), total)
    title = "Trades" if len(shown) == total else f"The last {len(shown)} of {total:,} trades"
    narrow = width < _WIDE
    entry, leave = ("In", "Out") if narrow else (times.head("In"), times.head("Out"))
    columns = ["", "Side", "Quantity", entry, "Price in", leave, "Price out", "P&L", "Exit"]
    kept = [name for name in columns if not (narrow and name in ("Quantity", "Exit"))]
    made = table(*kept, right=("Quantity", "Price in", "Price out", "P&L"), title=title)
    for column in made.columns:
        column.no_wrap = True
    for index in shown:
        cells = dict(zip(columns, _trade_cells(run.trades[index], times, narrow=narrow), strict=True))
        made.add_row(*(cells[name] for name in kept), style="red" if cells["P&L"].startswith("-") else None)
    return made


def _trade_cells(row: dict[str, Any], times: RunTimes, *, narrow: bool) -> tuple[str, ...]:
    texts = [times.text(row[f"{end}_ts_ns"], row["instrument"], row[f"{end}_bar"]) for end in ("entry", "exit")]
    entry, leave = (text[:_DAY] if narrow else text for text in texts)
    return (
        row["instrument"],
        row["side"],
        f"{row['quantity']:,g}" if row["quantity"] % 1 else f"{row['quantity']:,.0f}",
        entry,
        f"{row['entry_price']:,.2f}",
        leave,
        f"{row['exit_price']:,.2f}",
        f"{row['pnl']:,.2f}",
        row["exit_reason"],
    )


def delete(
    run_id: RunId, *, force: Annotated[bool, typer.Option("--force", "-f", help="Delete a pinned run as well.")] = False
) -> None:
    """Delete a run, even if it is damaged; a pinned run only with --force."""

    def act(history: RunHistory) -> str:
        found = history.find(run_id)
        if found.pinned and not force:
            complain(
                f"The run {found.id} is pinned and was not deleted. Unpin it with 'quantcrafter runs unpin {found.id}' "
                "or delete it with --force."
            )
            raise typer.Exit(WRONG_INPUT)
        return history.delete(found.id)

    note(f"Deleted run {_named(run_id, act)}.")


def pin(run_id: RunId) -> None:
    """Pin a run, so that it is never deleted to free disk space."""
    note(f"Pinned run {_named(run_id, lambda history: history.pin(run_id))}.")


def unpin(run_id: RunId) -> None:
    """Unpin a run, so that it can be deleted when runs exceed the disk space limit."""
    note(f"Unpinned run {_named(run_id, lambda history: history.pin(run_id, on=False))}.")


def _named(key: str, act: Callable[[RunHistory], str]) -> str:
    """Apply a change to a run and return its id; a wrong id is reported on stderr, with exit code 2."""
    from quantcrafter.engine.api import RunError
    from quantcrafter.engine.runtime.run_store.history import RunHistory

    history = RunHistory()
    try:
        history.find(key)
    except RunError as error:
        history.list(1)  # a history that cannot be read is no wrong id
        complain(str(error))
        raise typer.Exit(WRONG_INPUT) from None
    return act(history)


def prune(
    *, keep: Annotated[int, typer.Option("--keep", "-k", min=0, help="Number of the latest runs to keep.")] = 100
) -> None:
    """Delete all runs except the latest; pinned runs are kept."""
    from quantcrafter.engine.runtime.run_store.history import RunHistory

    gone = RunHistory().prune(keep)
    note(f"Deleted {gone:,} {'run' if gone == 1 else 'runs'}.")
