"""`quantcrafter start --until-end`: workers in this process until their feeds have ended, and their results."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.cli.console import console, note
from quantcrafter.engine.cli.interrupt import cancel_on_interrupt, not_halfway
from quantcrafter.engine.cli.run import STDOUT
from quantcrafter.engine.cli.streams import results

if TYPE_CHECKING:
    from quantcrafter.engine.api import Broker, Feed
    from quantcrafter.engine.cli.start import Starting
    from quantcrafter.engine.live.session_worker import SessionWorker
    from quantcrafter.engine.orchestrator.worker_log import WorkerLogs

_WAIT_S = 0.05
_SHOW_S = 5.0

log = logging.getLogger("quantcrafter.host")


def run_until_end(
    load: Callable[[], Sequence[Starting]], between: tuple[Feed, Broker], json: Path | None, *, quiet: bool
) -> None:
    """Run workers until their feeds have ended, and write the results.

    Raises:
        RunCancelledError: Ctrl-C was pressed before the feeds had ended.
        QuantCrafterError: a worker failed.
    """
    from quantcrafter.engine.live.session_worker import SessionWorker
    from quantcrafter.engine.orchestrator.scheduled_hours import hours_of
    from quantcrafter.engine.orchestrator.supervisor import orchestrator_folder
    from quantcrafter.engine.orchestrator.told import log_output
    from quantcrafter.engine.orchestrator.worker_log import WorkerLogs

    logs = WorkerLogs(orchestrator_folder() / "until-end.log")
    with cancel_on_interrupt() as cancelled:
        workers = [
            SessionWorker(
                each.graph,
                *between,
                each.folder,
                mode=each.mode,
                user_id=each.user_id,
                tell=log_output,
                hours=hours_of(each.graph),
            )
            for each in load()
        ]
        with _logged_in(logs):
            try:
                text = _run(workers, logs, cancelled, json, quiet=quiet)
            finally:
                for worker in workers:
                    with logs.serving(worker.folder):
                        if worker.has_ended:
                            log.info("The worker has nothing more to do.")
                        worker.close()
                        if not worker.error:
                            log.info("The worker is stopped.")
    results().write(text)


def _run(
    workers: Sequence[SessionWorker],
    logs: WorkerLogs,
    cancelled: Callable[[], bool],
    json: Path | None,
    *,
    quiet: bool,
) -> str:
    """Serve the workers, and return the text for standard output.

    Raises:
        RunCancelledError: Ctrl-C was pressed before the feeds had ended.
    """
    from quantcrafter.engine.api import RunCancelledError

    for worker in workers:
        with logs.serving(worker.folder), _named_if_it_fails(worker, workers):
            began = worker.start()
            steps = f"{worker.get_stats()['steps']:,}"
            log.info("The worker began." if began else f"The worker goes on after {steps} steps.")
        if not quiet:
            note(f"Worker '{worker.key}' began." if began else f"Worker '{worker.key}' goes on after {steps} steps.")
    shown = time.monotonic()
    while not cancelled():
        busy = False
        for worker in workers:
            with logs.serving(worker.folder), _named_if_it_fails(worker, workers):
                busy = bool(worker.step(0.0)) or busy
        if all(worker.has_ended for worker in workers):
            return _finish(workers, json, quiet=quiet)
        if not busy:
            time.sleep(_WAIT_S)
        if not quiet and time.monotonic() - shown > _SHOW_S:
            shown = time.monotonic()
            _show(workers)
    raise RunCancelledError(Message("Stopped before the feed ended. The same command goes on from here."))


@contextmanager
def _named_if_it_fails(worker: SessionWorker, workers: Sequence[SessionWorker]) -> Iterator[None]:
    """Say which of several workers has failed, since the error need not."""
    try:
        yield
    except Exception:
        if len(workers) > 1:
            note(f"Worker '{worker.key}' has failed; the others are stopped.")
        raise


@contextmanager
def _logged_in(logs: WorkerLogs) -> Iterator[None]:
    """Write into the workers' logs what an orchestrator writes; their orders and notices are not shown as warnings."""
    ours, orders = logging.getLogger("quantcrafter"), logging.getLogger("quantcrafter.worker")
    before = ours.level
    for each in (ours, orders):
        each.addHandler(logs)
    ours.setLevel(logging.INFO)
    orders.propagate = False
    try:
        yield
    finally:
        orders.propagate = True
        ours.setLevel(before)
        for each in (ours, orders):
            each.removeHandler(logs)
        logs.close()


def _show(workers: Sequence[SessionWorker]) -> None:
    """Print a line for each worker that does something."""
    from quantcrafter.engine.data.labels import bar_label

    for worker in workers:
        if worker.has_ended:
            continue
        stats, bars = worker.get_stats(), worker.core.session.bars(worker.symbol)
        last = "no bar yet"
        if len(bars):
            last = bar_label(int(bars.open_ns[-1]), bars.timeframe, bars.session, named=True)
        held = ", ".join(f"{name} {quantity:g}" for name, quantity in stats["positions"].items()) or "flat"
        note(f"{worker.key}: {last}, {stats['steps']:,} steps, equity {stats['equity']:,.2f}, {held}")


def _finish(workers: Sequence[SessionWorker], json: Path | None, *, quiet: bool) -> str:
    """Write the results, and return the text for standard output."""
    from pydantic_core import to_json

    from quantcrafter.engine.cli.summary import print_summary
    from quantcrafter.engine.live.worker_result import worker_result
    from quantcrafter.engine.stats.whole_files import write_whole

    found = {worker.key: worker_result(worker) for worker in workers}
    if not quiet:
        for result in found.values():
            print_summary(console(stderr=json == STDOUT), result, None, {})
    if json is None:
        return ""
    plain: dict[str, Any] = {key: result.to_json() for key, result in found.items()}
    whole = plain if len(plain) > 1 else next(iter(plain.values()))
    if json == STDOUT:
        return to_json(whole, indent=2).decode() + "\n"
    with not_halfway():
        write_whole(json, to_json(whole) + b"\n", Message("The result"))
    return ""
