"""What is known of a worker from its folder alone."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from quantcrafter.engine.api import FeedState, RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live.input_log import LOCK, LOG, InputLog, has_log, locked
from quantcrafter.engine.live.kill_switch import KILL
from quantcrafter.engine.live.status_file import read_status
from quantcrafter.engine.live.worker import WorkerState
from quantcrafter.engine.spec.identity import strategy_hash


def data_folder_of(folder: Path) -> Path:
    """Return the data folder of a worker's folder: that of `workers`, else the folder around it."""
    return folder.parent.parent if folder.parent.name == "workers" else folder.parent


def order_prefix(key: str) -> str:
    """Return what ids of a worker's orders begin with: 12 letters and digits that depend on its key alone."""
    return hashlib.blake2b(key.encode(), digest_size=6).hexdigest()


def is_over(folder: Path, graph: BoundGraph) -> bool:
    """Return whether a worker has a log that it can't go on with: its feed has ended, or it has another strategy.

    Raises:
        RunError: the log can't be read, or is gone.
    """
    check_log_is_there(folder)
    if not has_log(folder / LOG):
        return False
    with InputLog.read(folder / LOG) as opened:
        if opened.meta().get("strategy_hash") != strategy_hash(graph.spec):
            return True
        return any(
            isinstance(each, FeedState) and each.state == "ended" for _, each in opened.inputs(opened.last_seq - 1)
        )


def check_log_is_there(folder: Path) -> None:
    """Refuse to begin anew where a worker has run before, and its log is gone or empty.

    Raises:
        RunError: it is.
    """
    status, path = read_status(folder), folder / LOG
    if has_log(path) or status is None:
        return
    if status.state == WorkerState.ERROR and status.last_input_at is None and not status.positions:
        return  # a start that failed
    if path.exists():
        raise RunError(
            Message(
                "The worker '{key}' has run before, and its log '{path}' is empty. Restore it, or remove the folder to "
                "begin anew.",
                key=folder.name,
                path=shown_path(path),
            )
        )
    raise RunError(
        Message(
            "The worker '{key}' has run before, and its log '{path}' is missing. Restore it, or remove the folder to "
            "begin anew.",
            key=folder.name,
            path=shown_path(path),
        )
    )


def put_aside(folder: Path) -> bool:
    """Move what a worker's folder holds into its folder `previous`, instead of what is there; return whether it did.

    A log that never began is removed, so that a start that failed costs nothing of the run before. No process can start
    the worker meanwhile.

    Raises:
        RunError: the worker is running, or its log can't be read.
    """
    with locked(folder):
        return _put_aside(folder)


def put_aside_if_over(folder: Path, graph: BoundGraph) -> bool:
    """Do the same if `is_over`, and return whether it did; a worker that has begun meanwhile stays as it is.

    Raises:
        RunError: the worker is running, or its log can't be read.
    """
    if not is_over(folder, graph):
        return False
    with locked(folder):
        return is_over(folder, graph) and _put_aside(folder)


def _put_aside(folder: Path) -> bool:
    has_begun = False
    if has_log(folder / LOG):
        with InputLog.read(folder / LOG) as opened:
            has_begun = opened.has_anchor
    previous = folder / "previous"
    if has_begun:
        shutil.rmtree(previous, ignore_errors=True)
        previous.mkdir()
    for path in folder.iterdir():
        if path == previous or path.name in (LOCK, KILL):
            continue
        if has_begun:
            path.rename(previous / path.name)
        elif path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return has_begun
