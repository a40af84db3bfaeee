"""The summary of a run: strategy, data and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from quantcrafter.engine.data.labels import DEFAULT_ZONE
from quantcrafter.engine.stats.metric_catalog import Group, Metric, shown_groups

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from quantcrafter.engine.runtime.results.result import RunResult

_COLUMNS: tuple[tuple[Group, ...], ...] = (("Return", "Benchmark", "Activity"), ("Risk", "Trades"))
_TWO_COLUMNS_FROM = 78
_MOST_LINES = 5
_SIGNED = frozenset({"net_profit", "total_return_pct", "cagr_pct"})


def print_summary(out: Console, result: RunResult, run_id: str | None, written: Mapping[str, Path]) -> None:
    """Print the summary of a run, the files it wrote and its number in the history."""
    from rich.text import Text

    from quantcrafter.engine.graph.terms import terms_text
    from quantcrafter.engine.runtime.results.no_trades import why_no_trade

    title = Text(result.strategy, style="bold")
    if result.synthetic:
        title.append("  SYNTHETIC DATA", style="bold yellow")
    out.print(title)
    for instrument in result.instruments:
        bars = instrument.bars
        label = f"{instrument.symbol} {bars.timeframe}, {len(bars):,} bars from {bars.source or 'its provider'}"
        out.print(label + (" (synthetic)" if bars.synthetic and "synthetic" not in bars.source else ""))
        out.print(f"  {terms_text(instrument.terms)}", style="dim", highlight=False)
    begins = f"no decision before bar {result.warmup:,}" if result.warmup else "decisions from the first bar on"
    earlier = max((len(each.seen) - len(each.bars) for each in result.instruments), default=0)
    seen = f", {earlier:,} bars before the start for the warm-up" if earlier else ""
    out.print(f"{result.mode} on {result.engine}, {begins}{seen}\n")
    out.print(metrics_table(result.metrics, out.width, result.times.zone))
    no_trades = why_no_trade(result)
    if no_trades:
        out.print(f"\n{no_trades}", style="yellow", highlight=False)
    if empty := result.fills_without_volume:
        out.print(
            f"{empty:,} of {len(result.ledger.fills):,} fills were made on bars without volume. "
            "With 'fills: {zero_volume: none}' under 'run' orders wait for a bar with volume.",
            style="yellow",
            highlight=False,
        )
    for line in stepped_in(result):
        out.print(line, style="yellow")
    for line in noted(result):
        out.print(line, highlight=False)
    timing = result.timing
    out.print(
        f"\nData {_duration(timing['load_s'])}, columns {_duration(timing['columns_s'])}, "
        f"simulation {_duration(timing['simulate_s'])}, {_duration(timing['total_s'])} in all",
        style="dim",
    )
    for label, path in written.items():
        out.print(f"{label:<7} {path}", soft_wrap=True)
    if run_id is not None:
        out.print(f"Kept as run {run_id} (quantcrafter runs show last)")


_HELD_BACK = {
    "exit_held_back": (
        "{symbol}: exits waited for the next session, as settlement is t+1. Sessions: {count:,}, the first on {first}."
    ),
    "limit_locked": (
        "{symbol}: orders found the price locked at its limit and didn't fill. Sessions: {count:,}, the first on "
        "{first}."
    ),
}


def noted(result: RunResult) -> list[str]:
    """Return a line for each node that noted something: how often, when first, and its text."""
    found: dict[tuple[str, str, str], list[tuple[int, str]]] = {}
    for row in result.notices.rows():
        found.setdefault((row["node"], row["kind"], row["text"]), []).append((row["ts_ns"], row["instrument"]))
    lines = []
    for (node, kind, text), times in found.items():
        what = f"Assertion '{node}' failed" if kind == "failure" else f"'{node}' noted"
        lines.append(f"{what} {len(times):,} x, first on {result.times.moment(*times[0])}: {text}")
    more = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], f"... and {more:,} more nodes."] if more > 0 else lines


def stepped_in(result: RunResult) -> list[str]:
    """Return a line for each halt, margin call, late exit and lost account: when, by which node, at what equity."""
    table = result.interventions
    lines = []
    held_back: dict[tuple[str, str], list[int]] = {}
    for row in table.rows():
        when = result.times.moment(row["ts_ns"], row["instrument"])
        if row["kind"] == "account_lost":
            lines.append(
                f"The account was lost on {when}: equity was {row['after']:,.2f}. Everything was "
                "closed at the next open, and no entry followed."
            )
        if row["kind"] == "flattened_late":
            lines.append(
                f"{row['instrument']} was closed late by '{row['node']}', on {when}: "
                "the last bars of its session are missing."
            )
        if row["kind"] in _HELD_BACK:
            held_back.setdefault((row["instrument"], row["kind"]), []).append(row["ts_ns"])
        if row["kind"] in ("halt_began", "margin_call"):
            what = "Trading was halted" if row["kind"] == "halt_began" else "Margin was called"
            by = f" by '{row['node']}'" if row["node"] else ""
            lines.append(f"{what}{by} on {when} at an equity of {row['after']:,.2f}.")
    lines += [
        _HELD_BACK[kind].format(symbol=symbol, count=len(times), first=result.times.moment(times[0], symbol))
        for (symbol, kind), times in held_back.items()
    ]
    more = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], f"... and {more:,} more times."] if more > 0 else lines


def metrics_table(metrics: Mapping[str, float | None], width: int, zone: str = DEFAULT_ZONE) -> Table:
    """Return every metric with its unit, in two columns of groups where the terminal has room; times in a zone."""
    from rich.table import Table

    outer = Table.grid(padding=(0, 4, 0, 0))
    if width >= _TWO_COLUMNS_FROM:
        outer.add_row(*(_groups(metrics, groups, zone) for groups in _COLUMNS))
    else:
        outer.add_row(_groups(metrics, tuple(shown_groups(metrics)), zone))
    return outer


def _groups(metrics: Mapping[str, float | None], groups: tuple[Group, ...], zone: str) -> Table:
    from rich.table import Table

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    shown = shown_groups(metrics)
    for index, group in enumerate(each for each in groups if each in shown):
        if index:
            grid.add_row()
        grid.add_row(group, style="bold")
        for metric in shown[group]:
            if metric.key in metrics:
                value = metrics[metric.key]
                grid.add_row(label(metric, zone), metric.text(value, zone), style=_style(metric, value))
    return grid


def label(metric: Metric, zone: str = DEFAULT_ZONE) -> str:
    """Return the metric's label, with the unit or zone where the value does not show it."""
    return f"{metric.label} ({metric.unit})" if metric.unit in ("days", "bars") else metric.title(zone)


def _style(metric: Metric, value: float | None) -> str | None:
    if metric.key not in _SIGNED or not value:
        return None
    return "green" if value > 0 else "red"


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
