"""`quantcrafter recording` and `replay`: the log of a worker in one file, and everything that it did once more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.cli.console import complain, note
from quantcrafter.engine.cli.installed import registry_with_warnings
from quantcrafter.engine.cli.main import DIFFERENT, DONE
from quantcrafter.engine.cli.run import STDOUT, STDOUT_FILES
from quantcrafter.engine.cli.streams import results

if TYPE_CHECKING:
    from quantcrafter.engine.live.recording import Replayed

_MOST = 5
"""How many inputs are named whose outputs are others."""


def log_of(worker: str) -> Path | None:
    """Return the log of a worker; None if it waits for its first start, which is said.

    Raises:
        RunError: there is no such worker.
    """
    from quantcrafter.engine.live.input_log import LOG, InputLog
    from quantcrafter.engine.live.places import unknown_worker, worker_folders, workers_folder
    from quantcrafter.engine.orchestrator.registry import registered_workers, unreadable_workers

    path, known = workers_folder() / worker / LOG, worker_folders()
    if worker in known:
        with InputLog.read(path) as log:
            has_begun = log.has_anchor
        if has_begun:
            return path
    elif worker not in (registered := registered_workers()):
        reason = unreadable_workers().get(worker)
        raise unknown_worker(worker, sorted({*known, *registered})) if reason is None else RunError(reason)
    note(f"The worker '{worker}' has not begun yet, so there is nothing of it. 'quantcrafter status' shows its state.")
    return None


def recording(
    worker: Annotated[str, typer.Argument(help="The worker's key.", metavar="WORKER")],
    out: Annotated[Path, typer.Argument(help="The file to write, such as flight.qcflight.", metavar="OUT.qcflight")],
    *,
    readable: Annotated[
        bool, typer.Option("--readable", help="Of a damaged log: write what can be read of it.")
    ] = False,
) -> None:
    """Write the whole log of a worker to one file, from which everything that it did can be repeated."""
    from quantcrafter.engine.live.input_log import LOG, InputLog
    from quantcrafter.engine.live.places import folder_of
    from quantcrafter.engine.live.salvage import save_readable

    if readable:
        part = save_readable(folder_of(worker) / LOG, out)
        note(f"{out}: {part.told()}")
        return
    try:
        path = log_of(worker)
        if path is None:
            return
        with InputLog.read(path) as log:
            log.copy_to(out)
            count = log.last_seq
    except RunError as error:
        raise _with_what_can_be_saved(error, worker) from error
    note(f"{out}: {count:,} inputs.")


def _with_what_can_be_saved(error: RunError, worker: str) -> RunError:
    """Return an error with what can be read of a damaged log; another error as it is."""
    from quantcrafter.engine.api.os_errors import is_damage
    from quantcrafter.engine.live.input_log import LOG
    from quantcrafter.engine.live.log_copy import DamagedLogError
    from quantcrafter.engine.live.places import workers_folder
    from quantcrafter.engine.live.salvage import readable_part

    cause = error.__cause__
    if not isinstance(error, DamagedLogError) and (cause is None or not is_damage(cause)):
        return error
    part = readable_part(workers_folder() / worker / LOG)
    if not part.count:
        return RunError(Message("{error} Nothing of its inputs can be read.", error=str(error)))
    return RunError(
        Message(
            "{error} {part} Write those to a file by: quantcrafter recording {worker} OUT.qcflight --readable",
            error=str(error),
            part=part.told(),
            worker=worker,
        )
    )


def replay(
    file: Annotated[Path, typer.Argument(help="A recording, or the log of a worker.", metavar="FILE.qcflight")],
    *,
    outputs: Annotated[
        Path | None,
        typer.Option("--outputs", "-o", metavar="OUT", help="Write commands, reports and notices as lines of JSON."),
    ] = None,
    state: Annotated[
        Path | None, typer.Option("--state", metavar="OUT", help="Write the state at the end as JSON; - is stdout.")
    ] = None,
) -> int:
    """Play a recording: repeat everything that the worker did, and compare it with what is recorded."""
    from quantcrafter.engine.live.recording import replay_recording

    found = replay_recording(file, registry_with_warnings())
    _write(outputs, _lines(found), Message("The list of outputs"))
    _write(state, found.state + "\n", Message("The state"))
    if not found.different and found.same_state is not False:
        same = "outputs" if found.same_state is None else "outputs and the state"
        note(f"{file}: {found.count:,} inputs were repeated; {len(found.outputs):,} {same} are those of the recording.")
        return DONE
    complain(_differences(file, found.different, found.same_state))
    return DIFFERENT


def _lines(found: Replayed) -> str:
    from quantcrafter.engine.live.inputs import dumped

    return "".join(
        dumped(
            {
                "seq": seq,
                "n": n,
                "kind": each.kind,
                "ts_ns": each.ts_ns,
                "client_order_id": each.client_order_id,
                "body": dict(each.body),
            }
        )
        + "\n"
        for seq, n, each in found.outputs
    )


def _write(out: Path | None, text: str, what: str) -> None:
    from quantcrafter.engine.stats.whole_files import write_whole

    if out is None:
        return
    if out == STDOUT or out in STDOUT_FILES:
        results().write(text)
    else:
        write_whole(out, text.encode(), what)


def _differences(file: Path, different: Sequence[int], same_state: bool | None) -> str:  # noqa: FBT001 - what was found
    if not different:
        return f"{file}: the state at the end is not the recorded one."
    named = ", ".join(map(str, different[:_MOST])) + (" and further ones" if len(different) > _MOST else "")
    also = " The state at the end isn't either." if same_state is False else ""
    return (
        f"{file}: what came out of the inputs {named} is not what is recorded. The strategy depends on more than its "
        f"inputs, or another version of QuantCrafter made the recording.{also}"
    )
