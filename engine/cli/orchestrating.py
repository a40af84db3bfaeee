"""Running the orchestrator of the data folder: in the foreground, in the background, or handing workers over to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.cli.console import console, is_terminal, note
from quantcrafter.engine.cli.interrupt import cancel_on_interrupt
from quantcrafter.engine.cli.store_rows import StoreRows, check_rows

if TYPE_CHECKING:
    from quantcrafter.engine.api import Broker
    from quantcrafter.engine.config.settings import NoticeSettings
    from quantcrafter.engine.orchestrator.orchestrator import Orchestrator
    from quantcrafter.engine.orchestrator.supervisor import SupervisedWorker
    from quantcrafter.engine.orchestrator.worker_config import WorkerConfig

_START_S = 60.0
_WAITS = "QUANTCRAFTER_WAITS_FOR_WORKERS"
"""Tells a process in the background to run also while there are no workers: those of files are handed over to it."""
_OF_FILES, _OF_STORE = "files", "store"
_LOOK_S = 0.1
_SHOW_S = 5.0
_REFRESH_S = 1.0


def hand_over(configs: Sequence[WorkerConfig]) -> bool:
    """Hand workers over to the orchestrator that runs; return False if none does.

    Raises:
        RunError: it refuses them, or there are none to hand over.
    """
    from quantcrafter.engine.orchestrator.control import ask
    from quantcrafter.engine.orchestrator.orchestrator import request_of

    answer = ask("status") if not configs else ask("add", workers=request_of(configs))
    if answer is None:
        return False
    if not configs:
        raise RunError(Message("The workers are running already. Name a strategy file to start another one."))
    for config in configs:
        note(f"Worker '{config.key}' is handed over to the orchestrator that is running.")
    return True


def refuse_silent_money() -> None:
    """Refuse to continue workers that trade real money without the user's word.

    Raises:
        RunError: no orchestrator is running, and one that is started would continue such workers.
    """
    from quantcrafter.engine.orchestrator.control import ask
    from quantcrafter.engine.orchestrator.registry import registered_workers
    from quantcrafter.engine.orchestrator.worker_config import LIVE

    live = [key for key, each in registered_workers().items() if each.wanted and each.config.mode == LIVE]
    if live and ask("status") is None:
        raise RunError(
            Message(
                "{workers} would go on to trade real money. Add --live, or stop them: quantcrafter stop {all}",
                workers=", ".join(live),
                all=" ".join(live),
            )
        )


def show_account(broker: Broker) -> None:
    """Show the account and its limits, before real money is traded.

    Raises:
        RunError: the limits can't be read, or the broker refuses the connection.
        TryAgainError: the broker can't be reached.
    """
    from quantcrafter.engine.api.home import home
    from quantcrafter.engine.live.limits import limits_of

    name = type(broker).name
    limits = limits_of(home(), name)
    connection = broker.connect()
    try:
        balances, positions, orders = connection.balances(), connection.positions(), connection.open_orders()
    finally:
        connection.close()
    money = ", ".join(f"{each.currency} {each.total:,.2f} (free {each.free:,.2f})" for each in balances) or "none"
    held = ", ".join(f"{each.symbol} {each.quantity:g}" for each in positions) or "none"
    note(f"Account at '{name}', real money. Balances: {money}. Positions: {held}. Orders that work: {len(orders)}.")
    given = ", ".join(f"{each} {value:g}" for each, value in limits.model_dump().items() if value is not None)
    note(f"Limits of the account: {given or 'none; limits.yaml sets them'}.")


def in_background(configs: Sequence[WorkerConfig], *, live: bool, api: bool = True) -> None:
    """Run workers in a process of their own, which goes on after this one.

    Args:
        configs: the workers.
        live: real money may be moved.
        api: serve the API too.

    Raises:
        RunError: it doesn't start.
    """
    from quantcrafter.engine.orchestrator.control import ask
    from quantcrafter.engine.orchestrator.orchestrator import folder_failure, is_taken, made_folder

    if hand_over(configs) if configs else ask("status") is not None:
        return
    folder = made_folder()
    output = folder / "output.log"
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "quantcrafter.engine.cli"]
    try:
        opened = output.open("wb")
    except OSError as error:
        raise folder_failure(folder, error) from error
    with opened as stream:
        process = subprocess.Popen(  # noqa: S603 - this program
            [*program, "start", "--quiet", *(["--live"] if live else []), *([] if api else ["--no-api"])],
            env={**os.environ, _WAITS: _OF_FILES if configs else _OF_STORE},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    until = time.monotonic() + _START_S
    while (answer := ask("status")) is None:
        if time.monotonic() > until or (process.poll() is not None and not is_taken(folder)):
            said = output.read_text(encoding="utf-8", errors="replace").strip()
            raise RunError(
                Message("The orchestrator did not start: {said}", said=said or f"exit code {process.poll()}")
            )
        time.sleep(_LOOK_S)
    process.returncode = 0  # it goes on after this process, which has not to wait for it
    if configs:
        hand_over(configs)
    note(f"The orchestrator runs in the background (process {answer['pid']}). 'quantcrafter stop' ends it.")


def in_foreground(
    configs: Sequence[WorkerConfig],
    rows: StoreRows | None = None,
    *,
    notices: NoticeSettings,
    quiet: bool,
    api: bool = True,
) -> None:
    """Run workers until Ctrl-C, `quantcrafter stop` or SIGTERM, or until none is left that has not failed.

    Args:
        configs: the workers that are started beside those that ran when the orchestrator was killed.
        rows: the store that the workers are kept equal to.
        notices: where notices are sent.
        quiet: show no table.
        api: serve the API too.

    Raises:
        RunError: there are no workers, all have failed, an orchestrator was started meanwhile, or notices can't be sent
            as configured.
    """
    from quantcrafter.engine.notices.outlet import outlet_of
    from quantcrafter.engine.orchestrator.daily_summary import summary_lines
    from quantcrafter.engine.orchestrator.orchestrator import Orchestrator, made_folder
    from quantcrafter.engine.orchestrator.registry import registered_workers

    waits = os.environ.pop(_WAITS, "")
    if waits == _OF_FILES:
        rows = None
    if not configs and not waits and not any(each.wanted for each in registered_workers().values()):
        check_rows(rows)
    outlet = outlet_of(notices, made_folder(), summary_lines)
    with ExitStack() as stack:
        cancelled = stack.enter_context(cancel_on_interrupt())
        terminated = stack.enter_context(_terminated())
        orchestrator = Orchestrator(outlet=outlet).open()
        try:
            orchestrator.add(configs)
            if rows is not None:
                rows.follow(orchestrator)
            served = stack.enter_context(_api()) if api else _silent
            show = _silent if quiet else stack.enter_context(_shown())
            failed: list[SupervisedWorker] = []
            orchestrator.run(
                lambda: (
                    cancelled() or terminated() or (not waits and rows is None and _none_left(orchestrator, failed))
                ),
                lambda: (served(), show()),
            )
        finally:
            orchestrator.close(keep_wanted=terminated())
        if failed:
            raise RunError(_reasons(failed))


def _none_left(orchestrator: Orchestrator, failed: list[SupervisedWorker]) -> bool:
    """Return whether no worker runs or is tried again, and some have failed: those are put into `failed`."""
    wanted = [each for each in orchestrator.workers().values() if each.wanted]
    if wanted and all(each.is_failed for each in wanted):
        failed += wanted
    return bool(failed)


def _reasons(failed: Sequence[SupervisedWorker]) -> str:
    if len(failed) == 1:
        return Message("The worker '{key}' has failed: {error}", key=failed[0].config.key, error=failed[0].error)
    errors = "; ".join(f"{each.config.key}: {each.error}" for each in failed)
    return Message("All workers have failed. {errors}", errors=errors)


@contextmanager
def _api() -> Iterator[Callable[[], None]]:
    """Give a function that keeps the API running; it says why there is none."""
    from quantcrafter.engine.orchestrator.api_process import OFF, ApiProcess, missing_for_api

    missing = missing_for_api()
    if os.environ.get(OFF, "").lower() == "off":
        yield _silent
        return
    if missing:
        note(f'There is no API: {", ".join(missing)} not installed. Run: pip install "quantcrafter[server]"')
        yield _silent
        return
    process = ApiProcess()
    try:
        yield process.look
    finally:
        process.close()


def _silent() -> None:
    """Show nothing."""


@contextmanager
def _terminated() -> Iterator[Callable[[], bool]]:
    """Give a function that says whether the process was asked to end, as when the computer is shut down."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.signal(signal.SIGTERM, lambda *_: asked.set())
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _shown() -> Iterator[Callable[[], None]]:
    """Give a function that shows what the workers do now and then: as a table on a terminal, else as lines."""
    if not is_terminal(sys.stderr):
        yield _Paced(_SHOW_S, _print_lines)
        return
    from rich.live import Live

    from quantcrafter.engine.cli.worker_table import worker_table

    with Live(console=console(stderr=True), auto_refresh=False, transient=False) as live:
        yield _Paced(_REFRESH_S, lambda: live.update(worker_table(_here()), refresh=True))


class _Paced:
    """Calls a function at most once in so many seconds."""

    def __init__(self, every_s: float, function: Callable[[], object]) -> None:
        self._every_s, self._function, self._next_s = every_s, function, 0.0

    def __call__(self) -> None:
        """Call it, if it is time."""
        if time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + self._every_s
            self._function()


def _here() -> dict[str, dict[str, Any]]:
    from quantcrafter.engine.orchestrator.control import ask
    from quantcrafter.engine.orchestrator.worker_listing import every_worker

    return every_worker(ask("status"))


def _print_lines() -> None:
    from quantcrafter.engine.cli.worker_table import shown

    for key, values in _here().items():
        held = shown(values["position"]) or "0.00"
        today = shown(values["pnl_today"]) or "0.00"
        error = f", {values['error']}" if values["error"] else ""
        note(f"{key}: {values['state']}, position {held}, today {today}{error}")
