"""`quantcrafter stop`, `pause`, `resume`, `kill` and `logs`: what is asked of workers, and what they log."""

from __future__ import annotations

import json as json_text
import time
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.cli.console import complain, note, printable
from quantcrafter.engine.cli.main import DONE, FAILED
from quantcrafter.engine.cli.streams import results

_KILL = ("no-entries", "cancel", "flatten", "stop")
_STOP_S = 120.0
_LOOK_S = 0.1


def stop(
    workers: Annotated[
        list[str] | None, typer.Argument(help="Keys of workers; all of them, and the orchestrator, if left out.")
    ] = None,
    *,
    graceful: Annotated[
        bool, typer.Option("--graceful", help="Let workers save their states first, which they do in any case.")
    ] = False,
) -> None:
    """Stop workers. Orders and positions stay as they are; 'start' continues them."""
    del graceful  # of the first generation: its 'stop' without it ended workers at once
    from quantcrafter.engine.live.places import unknown_worker
    from quantcrafter.engine.orchestrator.control import ask
    from quantcrafter.engine.orchestrator.registry import registered_workers, want

    if ask("stop", workers=workers) is None if workers else ask("end") is None:
        known = registered_workers()
        for key in workers or ():
            if key not in known:
                raise unknown_worker(key, list(known))
            want(key, wanted=False)
        note("No orchestrator is running.")
        return
    until = time.monotonic() + _STOP_S
    while _still(workers or ()):
        if time.monotonic() > until:
            raise RunError(
                Message("The workers did not stop within {limit:g} s. 'quantcrafter status' shows them.", limit=_STOP_S)
            )
        time.sleep(_LOOK_S)


def _still(workers: Sequence[str]) -> bool:
    """Return whether some of the workers, or the orchestrator if none are named, still run."""
    from quantcrafter.engine.orchestrator.control import ask

    answer = ask("status")
    if answer is None or not workers:
        return answer is not None
    return any(answer["workers"].get(key, {}).get("host") for key in workers)


def pause(
    workers: Annotated[list[str] | None, typer.Argument(help="Keys of workers.", metavar="[WORKER]...")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All workers.")] = False,
) -> int:
    """Let workers enter no positions until 'resume'. Exits go on."""
    return _command("pause", workers, every=every)


def resume(
    workers: Annotated[list[str] | None, typer.Argument(help="Keys of workers.", metavar="[WORKER]...")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All workers.")] = False,
) -> int:
    """Let workers enter positions again, after 'pause' or 'kill'."""
    return _command("resume", workers, every=every)


def kill(
    verb: Annotated[
        str,
        typer.Argument(
            help="no-entries; cancel: and entry orders are cancelled; flatten: and positions are closed; stop: as "
            "cancel, and the worker ends.",
            metavar="|".join(_KILL),
        ),
    ],
    workers: Annotated[list[str] | None, typer.Argument(help="Keys of workers.", metavar="[WORKER]...")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All workers.")] = False,
) -> int:
    """Stop workers from trading, without the strategies' help, until 'resume'."""
    if verb not in _KILL:
        raise typer.BadParameter(f"there is no verb '{verb}'; there are {', '.join(_KILL)}.", param_hint="'VERB'")
    return _command(verb, workers, every=every)


def _command(verb: str, workers: Sequence[str] | None, *, every: bool) -> int:
    from quantcrafter.engine.orchestrator.control import STATUS_S, NoAnswerError, ask

    if every == bool(workers):
        raise typer.BadParameter("name workers, or give --all.", param_hint="'[WORKER]...'")
    try:
        if verb in _KILL:
            ask("status", within_s=STATUS_S)
        answer = ask("command", command=verb, workers=list(workers or ()))
    except NoAnswerError as silence:
        if verb not in _KILL:
            raise
        note(str(silence))
        answer = None
    answers: dict[str, str] = {} if answer is None else answer["answers"]
    done = True
    for key, error in answers.items():
        if error:
            complain(error)
            done = False
        else:
            note(f"{key}: {verb}")
    done = _outside(verb, workers, answers) and done
    return DONE if done else FAILED


def _outside(verb: str, workers: Sequence[str] | None, answers: Mapping[str, str]) -> bool:
    """Reach workers that run without the orchestrator by a file `kill`; return whether there was something to do."""
    from quantcrafter.engine.live.input_log import is_running
    from quantcrafter.engine.live.places import unknown_worker, worker_folders
    from quantcrafter.engine.orchestrator.orchestrator import put_kill_file
    from quantcrafter.engine.orchestrator.registry import registered_workers, unreadable_workers

    folders = worker_folders()
    running = {key: folder for key, folder in folders.items() if key not in answers and is_running(folder)}
    found = {key: folder for key, folder in running.items() if not workers or key in workers}
    for key, folder in found.items():
        if verb in ("pause", "resume"):
            complain(f"The worker '{key}' runs without the orchestrator, so it can't be asked to {verb}.")
            return False
        path = put_kill_file(folder, verb)
        note(f"{key}: {verb}, by the file '{path}'. Remove it before 'resume'.")
    for key in workers or ():
        if key not in answers and key not in found:
            known = sorted({*folders, *registered_workers(), *unreadable_workers()})
            complain(f"The worker '{key}' is not running." if key in known else str(unknown_worker(key, known)))
            return False
    if not answers and not found:
        note("No worker is running.")
    return True


def logs(
    worker: Annotated[
        str | None, typer.Argument(help="The worker's key; the orchestrator's own log if left out.", metavar="[WORKER]")
    ] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show further lines as they come.")] = False,
    tail: Annotated[int, typer.Option("--tail", "-n", min=0, help="How many lines of the past are shown.")] = 100,
    json: Annotated[bool, typer.Option("--json", help="Print the lines as they are: JSON.")] = False,
) -> None:
    """Show the log of a worker."""
    from quantcrafter.engine.orchestrator.orchestrator import OWN_LOG, folder_of_worker
    from quantcrafter.engine.orchestrator.supervisor import orchestrator_folder
    from quantcrafter.engine.orchestrator.worker_log import LOG_FILE, LogFollower, last_lines

    path = orchestrator_folder() / OWN_LOG if worker is None else folder_of_worker(worker) / LOG_FILE
    out, follower = results(), LogFollower(path)
    try:
        lines = last_lines(path, tail)
        while True:
            for line in lines:
                out.write(f"{line}\n" if json else _readable(line))
            out.flush()
            if not follow:
                return
            time.sleep(_LOOK_S)
            lines = follower.lines()
    finally:
        follower.close()


def _readable(line: str) -> str:
    try:
        found = json_text.loads(line)
        return f"{found['timestamp']} {found['level']} {printable(found['message'])}\n"
    except (ValueError, KeyError, TypeError):
        return f"{printable(line)}\n"
