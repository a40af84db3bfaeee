"""FlatTimes: closes a worker's positions before its sessions end, if its schedule has it so.

1. From `flat_minutes` before the end of a session on, the worker is told to `flatten`; it then allows no entries.
2. In the next session it is told to `resume`, unless a user said something meanwhile, or it allowed no entries before
   for another reason: only a user resumes that.
3. Both are in the worker's log with their source, from which a restart knows where it stands.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.inputs import Reconciled, UserCommand
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.orchestrator.lifecycle import TradingScheduler
from quantcrafter.engine.orchestrator.schedule import TradingSchedule

log = logging.getLogger("quantcrafter.host")

SCHEDULE = "schedule"
"""The source of commands of the schedule, which `resume` in the next session may undo."""
KEPT = "schedule, on top of others"
"""The source of a `flatten` while entries were not allowed anyway."""


class FlatTimes:
    """Tells a started worker when to close its positions, and when it may enter again.

    Args:
        worker: the worker.
        schedule: its schedule.
        clock: gives the time in UTC nanoseconds, unless the worker's feed has a clock of its own.
    """

    def __init__(self, worker: SessionWorker, schedule: TradingSchedule, clock: Callable[[], int]) -> None:
        self._worker, self._clock = worker, clock
        self._scheduler = TradingScheduler(schedule)
        self._is_flat = _where(worker.folder)[0]

    def look(self) -> None:
        """Command what is due.

        Raises:
            RunError: the log can't be written.
        """
        worker = self._worker
        now_ns = worker.core.now_ns if worker.feed.own_clock else self._clock()
        is_flat = self._scheduler.state(now_ns).flat
        if is_flat == self._is_flat:
            return
        self._is_flat = is_flat
        if is_flat:
            gate = worker.core.gate
            source = KEPT if gate.reducing or gate.paused else SCHEDULE
            log.info("The session ends soon: positions are closed.")
            worker.command("flatten", source)
        elif _where(worker.folder)[1]:
            worker.command("resume", SCHEDULE)
        else:
            log.warning("A session begins, but entries are not allowed until a user says 'resume'.")


def _where(folder: Path) -> tuple[bool, bool]:
    """Return whether the schedule has closed the positions and not resumed since, and whether it may resume."""
    is_flat = may_resume = False
    with InputLog.read(folder / LOG) as opened:
        for _, given in opened.inputs(kinds=("command", "reconciled")):
            if isinstance(given, Reconciled):
                may_resume = may_resume and not given.differences
            elif isinstance(given, UserCommand):
                ours = given.source in (SCHEDULE, KEPT)
                is_flat = given.verb == "flatten" if ours else is_flat
                may_resume = given.source == SCHEDULE and given.verb == "flatten"
    return is_flat, may_resume
