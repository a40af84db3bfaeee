"""What the page of a worker shows: its chart, orders and trades, and why it did what at the last bars."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from quantcrafter.engine.data.labels import close_label
from quantcrafter.engine.live.worker_result import result_so_far
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.explain import Facts, explain
from quantcrafter.engine.runtime.results.report_columns import report_data
from quantcrafter.engine.runtime.results.run_view import RunView
from quantcrafter.engine.server.views.why_texts import sentences
from quantcrafter.engine.stats.report_figures import price_figure
from quantcrafter.engine.stats.tables import Table

_BARS = 5
_ROWS = 50


@cache
def _registry() -> Registry:
    return load_registry()


def worker_view(folder: str) -> dict[str, Any]:
    """Return what the page shows of a worker, as plain values for JSON.

    It has `figure` (as in the reports of runs), `orders` and `trades` (the last, newest first), and `why`: for the last
    bars, newest first, the time of the close and sentences.

    Raises:
        RunError: the log can't be read, or the worker has not begun.
        SpecError: its strategy can't run here.
    """
    run = result_so_far(Path(folder), _registry())
    return {
        "figure": price_figure(report_data(run), 0),
        "orders": [_order(run, each) for each in _last(run.orders)],
        "trades": [_trade(run, each) for each in _last(run.trades)],
        "why": list(_why(run)),
    }


def _last(table: Table) -> list[dict[str, Any]]:
    return [table[place] for place in range(len(table) - 1, max(-1, len(table) - 1 - _ROWS), -1)]


def _order(run: RunView, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "decided": _close(run, row["instrument"], row["created_bar"]),
        "symbol": _symbol(run, row["instrument"]),
        **{name: row[name] for name in ("side", "quantity", "order_type", "price", "fill_price", "status", "reason")},
    }


def _trade(run: RunView, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "entry": _close(run, row["instrument"], row["entry_bar"]),
        "exit": _close(run, row["instrument"], row["exit_bar"]),
        "symbol": _symbol(run, row["instrument"]),
        **{name: row[name] for name in ("side", "quantity", "entry_price", "exit_price", "pnl", "exit_reason")},
    }


def _symbol(run: RunView, instrument: int | str) -> str:
    return instrument if isinstance(instrument, str) else run.instruments[instrument].symbol


def _close(run: RunView, instrument: int | str, bar: int) -> str:
    """Return when a bar closed, at the exchange; the trading day for daily and longer bars."""
    names = [each.symbol for each in run.instruments]
    bars = run.instruments[names.index(instrument) if isinstance(instrument, str) else instrument].bars
    if not 0 <= bar < len(bars):
        return ""
    return close_label(int(bars.open_ns[bar]), int(bars.close_ns[bar]), bars.timeframe, bars.session)


def _why(run: RunView) -> Iterator[dict[str, Any]]:
    facts = Facts(run, _registry(), 0)
    bars = facts.bars
    for bar in range(len(bars) - 1, max(-1, len(bars) - 1 - _BARS), -1):
        yield {"time": _close(run, 0, bar), "sentences": sentences(explain(facts, bar), facts)}
