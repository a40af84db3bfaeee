"""Notices of a run: the bars at which nodes such as `notify` and `assert` had something to say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from quantcrafter.engine.api import BoolColumn, NoticeNode, RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.graph.plan import Plan, StepColumn
from quantcrafter.engine.runtime.results.run_view import RunView
from quantcrafter.engine.stats.tables import Table

NOTICE_USES = {"notify": "notice", "assert": "failure"}
"""What the built-in nodes record, by their name in the file."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a node noted at a bar's close; `kind` is `notice` or `failure`, `ts_ns` the close in UTC ns."""

    node: str
    kind: str
    symbol: str
    ts_ns: int
    text: str


def noted(held: BoolColumn, ready: int, every: str) -> BoolColumn:
    """Return the bars that count, from the first complete one on: each, or those at which it begins."""
    counts = held.copy()
    counts[:ready] = False
    if every == "change":
        counts[1:] &= ~counts[:-1].copy()
    return counts


def notice_steps(plan: Plan) -> Iterator[tuple[str, StepColumn, NoticeNode]]:
    """Yield the nodes of a plan that note something, with where their output comes from."""
    for number, step in enumerate(plan.steps):
        if isinstance(step.component, NoticeNode):
            yield from ((node, StepColumn(number, 0), step.component) for node in step.nodes)


def notices_of(run: RunView) -> Table:
    """Return the notices of a run by time: bar, close (`ts_ns`), instrument, node, kind and text.

    There are none of a run whose columns are not kept.
    """
    rows: list[tuple[Any, ...]] = []
    for node in run.nodes.values() if run.kept == "all" else ():
        if node.use not in NOTICE_USES or node.step < 0:
            continue
        for number, job in enumerate(run.instruments):
            held = np.asarray(run.column(node.id, instrument=number)).astype(np.bool_)
            ready = node.ready[number] if node.ready else 0
            for bar in np.flatnonzero(noted(held, ready, str(node.parameters["every"]))).tolist():
                said = (NOTICE_USES[node.use], str(node.parameters["text"]))
                rows.append((int(job.bars.close_ns[bar]), number, node.id, bar, job.symbol, *said))
    rows.sort(key=lambda row: row[:3])
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * 7
    return Table(
        {
            "bar": np.array(columns[3], np.int64),
            "ts_ns": np.array(columns[0], np.int64),
            "instrument": np.array(columns[4], np.str_),
            "node": np.array(columns[2], np.str_),
            "kind": np.array(columns[5], np.str_),
            "text": np.array(columns[6], np.str_),
        }
    )


def check_assertions(run: RunView) -> None:
    """Refuse a run in which an assertion failed that ends it.

    Raises:
        RunError: one failed; the error names node, text, instrument and time of the first.
    """
    stopping = {node.id for node in run.nodes.values() if node.use == "assert" and node.parameters["action"] == "stop"}
    if not stopping:
        return
    for row in run.notices:
        if row["node"] in stopping:
            raise RunError(
                Message(
                    "The assertion '{node}' failed for {symbol} on {moment}: {text}. Correct the strategy or its data, "
                    "or set 'action: count'.",
                    node=row["node"],
                    symbol=row["instrument"],
                    moment=run.times.moment(row["ts_ns"], row["instrument"]),
                    text=row["text"],
                ),
                node=row["node"],
                field="condition",
            )
