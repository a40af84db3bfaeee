"""What components log while a job runs ends in the job's log, with its bar."""

from __future__ import annotations

import logging

from quantcrafter.engine.api import Advisor, StrategyContext
from quantcrafter.engine.graph.bar_events import loop_on_bar
from quantcrafter.engine.runtime.compute_process.event_batcher import EventBatcher
from quantcrafter.engine.runtime.compute_process.job_messages import Batch, Logged
from quantcrafter.engine.runtime.compute_process.jobs import LogLine
from quantcrafter.engine.runtime.compute_process.jobs.contract import INSTRUMENTS
from quantcrafter.engine.runtime.compute_process.progress_estimate import ProgressEstimate
from quantcrafter.engine.runtime.compute_process.service import Context
from quantcrafter.testing import make_bars


class Talkative(Advisor):
    """Says when the close rose by half."""

    name = "talkative"

    def on_bar(self, ctx: StrategyContext) -> int:
        close = ctx.market.close
        if len(close) > 1 and close[-1] > 1.5 * close[-2]:
            ctx.log.warning("rose to %s", close[-1])
        return 0


def test_a_component_that_logs_leads_to_the_bar_at_which_it_did() -> None:
    batches: list[Batch] = []
    batcher = EventBatcher(batches.append)
    context = Context(7, batcher, ProgressEstimate(), set(), {INSTRUMENTS: {"OTHER": 0, "TEST": 1}})
    bars = make_bars([10.0, 11.0, 20.0, 21.0, 40.0])

    with context.listening():
        loop_on_bar(Talkative(), "watch", bars, {"bars": bars})
    logging.getLogger("quantcrafter.strategy").warning("after the job")
    batcher.close()

    lines = [line for batch in batches for event in batch if isinstance(event, Logged) for line in event.lines]
    assert lines == [
        LogLine(logging.WARNING, "rose to 20.0", int(bars.close_ns[2]), 1, 2, "watch", "2024-01-02 09:33 New York"),
        LogLine(logging.WARNING, "rose to 40.0", int(bars.close_ns[4]), 1, 4, "watch", "2024-01-02 09:35 New York"),
    ]
