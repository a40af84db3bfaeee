"""`quantcrafter compare`: two stored runs side by side."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from quantcrafter.engine.cli.console import console, print_json, table
from quantcrafter.engine.cli.history import Json, RunId, find_run

if TYPE_CHECKING:
    from rich.console import Console

    from quantcrafter.engine.runtime.run_store.comparison import MetricChange, RunComparison

_STYLES = {"better": "green", "worse": "red"}


def compare(first: RunId, second: RunId, *, json: Json = False) -> None:
    """Show what changed from one run to another: settings, metrics, trades, and lines of the file."""
    from quantcrafter.engine.runtime.run_store.comparison import compare_runs
    from quantcrafter.engine.runtime.run_store.history import RunHistory

    history = RunHistory()
    (record_a, a), (record_b, b) = find_run(history, first), find_run(history, second)
    found = compare_runs(a, b)
    if json:
        from quantcrafter.engine.runtime.run_store.record import record_json

        print_json({"a": record_json(record_a), "b": record_json(record_b), **_as_json(found)})
        return
    out = console()
    out.print(f"A  {found.a.id}  {found.a.strategy}\nB  {found.b.id}  {found.b.strategy}\n")
    if found.differences:
        made = table("Different", "A", "B")
        for each in found.differences:
            made.add_row(each.what, each.a or "none", each.b or "none")
        out.print(made)
        out.print()
    _print_metrics(out, found)
    out.print(f"\n{_trades_words(found)}")
    _print_file_changes(out, found)


def _print_metrics(out: Console, found: RunComparison) -> None:
    from quantcrafter.engine.cli.summary import label
    from quantcrafter.engine.data.labels import common_zone

    made = table("Metric", "A", "B", "B - A", "", right=("A", "B", "B - A"))
    zone = common_zone((found.a.times.zone, found.b.times.zone))
    for each in found.shown_metrics:
        metric = each.metric
        if metric.unit == "time" and each.verdict == "same":
            continue
        verdict = each.verdict if each.verdict in _STYLES else ""
        made.add_row(
            label(metric, zone),
            metric.text(each.a, zone),
            metric.text(each.b, zone),
            _delta(each),
            verdict,
            style=_STYLES.get(verdict),
        )
    out.print(made)


def _delta(change: MetricChange) -> str:
    if change.verdict == "same" or change.delta is None or change.metric.unit == "time":
        return ""
    text = change.metric.text(change.delta)
    return text if text.startswith("-") else f"+{text}"


def _trades_words(found: RunComparison) -> str:
    if found.added is None or found.removed is None or found.changed is None:
        return "The trades of one run are no longer kept, so trades can't be compared."
    if found.same_trades:
        return "The same trades in both runs."
    counts = (
        (len(found.removed), "only in A"),
        (len(found.added), "only in B"),
        (len(found.changed), "in both that went on differently"),
    )
    return "Trades: " + ", ".join(f"{number:,} {words}" for number, words in counts) + "."


def _print_file_changes(out: Console, found: RunComparison) -> None:
    if not found.file_diff:
        return
    out.print()
    for line in found.file_diff:
        style = {"+": "green", "-": "red", "@": "dim"}.get(line[:1])
        out.print(line, style=style, soft_wrap=True)


def _as_json(found: RunComparison) -> dict[str, Any]:
    return {
        "metrics": {
            each.metric.key: {"a": each.a, "b": each.b, "delta": each.delta, "verdict": each.verdict}
            for each in found.metrics
        },
        "differences": [asdict(each) for each in found.differences],
        "same_trades": found.same_trades,
        "added": None if found.added is None else list(found.added),
        "removed": None if found.removed is None else list(found.removed),
        "changed": None if found.changed is None else [asdict(each) for each in found.changed],
        "file_diff": list(found.file_diff),
    }
