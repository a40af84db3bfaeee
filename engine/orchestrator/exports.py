"""The fills and trades of a worker as tables, from its log; the worker may be running."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from quantcrafter.engine.api import InstrumentJob, Ledger, RunError
from quantcrafter.engine.api.csv_text import csv_text
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.labels import local_time
from quantcrafter.engine.live.beginning import strategy_from
from quantcrafter.engine.live.core import StrategyCore, books_of
from quantcrafter.engine.live.folding import core_of, fold
from quantcrafter.engine.live.input_log import CLASS_VENUE, LOG, InputLog
from quantcrafter.engine.orchestrator.class_trades import class_fills, class_trades
from quantcrafter.engine.runtime.running.load_graph import Installed
from quantcrafter.engine.stats import tables

_TIMES = {"ts_ns": "time", "entry_ts_ns": "entry_time", "exit_ts_ns": "exit_time"}


def fills_csv(folder: Path, registry: Installed) -> str:
    """Return all executions of a worker as CSV with a header, in the order in which they happened.

    Columns are those of a run's fills, with `time` in UTC for people beside `ts_ns`.

    Raises:
        RunError: the log can't be read, or the worker has not begun.
        SpecError: its strategy can't run here.
    """
    own = _of_class(folder, class_fills)
    return _csv(tables.fills_table(*_books(folder, registry)).columns if own is None else own)


def trades_csv(folder: Path, registry: Installed) -> str:
    """Return all closed trades of a worker, from flat to flat, as CSV with a header, in the order of their ends.

    Raises:
        RunError: the log can't be read, or the worker has not begun.
        SpecError: its strategy can't run here.
    """
    own = _of_class(folder, class_trades)
    return _csv(tables.trades_table(*_books(folder, registry)).columns if own is None else own)


def _of_class(folder: Path, columns_of: Callable[[InputLog], dict[str, list[Any]]]) -> dict[str, list[Any]] | None:
    """Return a table of a worker that is a strategy class; None if it is none."""
    with InputLog.read(folder / LOG) as log:
        return columns_of(log) if log.meta().get("venue") == CLASS_VENUE else None


def _csv(table: Mapping[str, Any]) -> str:
    columns: dict[str, list[Any]] = {}
    for name, column in table.items():
        columns[name] = column if isinstance(column, list) else tables.plain_list(column)
        if name in _TIMES:
            columns[_TIMES[name]] = [local_time(ts_ns, "UTC").isoformat() for ts_ns in columns[name]]
    return csv_text(columns, zip(*columns.values(), strict=True))


def _books(folder: Path, registry: Installed) -> tuple[Ledger, list[InstrumentJob]]:
    """Return what a worker has booked so far, and its instruments with their bars."""
    with InputLog.read(folder / LOG) as log:
        meta = log.meta()
        if not {"text", "base_dir", "overrides", "worker", "venue"} <= set(meta) or not log.has_anchor:
            raise RunError(Message("The log of a worker has no beginning: it was never started."))
        graph = strategy_from({**meta, "file": ""}, registry)
        core = core_of(graph, meta)
        _, begin = fold(log, core)
        return books_of(log.books(begin), core), _instruments(core)


def _instruments(core: StrategyCore) -> list[InstrumentJob]:
    session = core.session
    found = []
    for each, terms in zip(core.graph.instruments, session.terms, strict=True):
        bars = session.bars(each.spec.symbol)
        nothing = np.zeros(len(bars), np.uint8)
        found.append(
            InstrumentJob(
                each.spec.symbol,
                bars,
                float(terms.value("tick_size")),
                float(terms.value("lot_size")),
                flags=nothing,
                allowed=nothing.astype(np.bool_),
                first_bar=0,
                multiplier=float(terms.value("multiplier")),
            )
        )
    return found
