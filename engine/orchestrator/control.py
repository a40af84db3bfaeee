"""The control socket: how commands reach the orchestrator of a data folder.

1. The orchestrator listens on a socket in the data folder that only the user can open, or on a loopback port where that
   is impossible: on Windows, and in folders whose path is too long for a socket. `control.json` says where.
2. Each connection has one request and one answer, both an object in one line of JSON. A request has the token of
   the file `token`, which only the user can read.
3. A connection that sends nothing is closed after a second, and so many are read at once that those which send nothing
   don't delay a command.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import QuantCrafterError, RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.live.api_files import write_private
from quantcrafter.engine.orchestrator.supervisor import orchestrator_folder

log = logging.getLogger("quantcrafter.orchestrator")


class NoAnswerError(RunError):
    """The orchestrator runs, but does not answer in time."""


Handler = Callable[[Mapping[str, Any]], Mapping[str, Any]]

_LONGEST_PATH = 100
_LONGEST_REQUEST = 64 * 1024 * 1024
_READ_S = 1.0
_SEND_S = 10.0
_ANSWER_S = 90.0
STATUS_S = 3.0
"""How long to wait for an answer about the status; who has not answered by then hangs."""
_CONNECT_S = 5.0
_LOOK_S = 0.05
_AT_ONCE = 128
_BACKLOG = 1024
WRONG_TOKEN = "wrong token"  # noqa: S105 - an answer


def token_file() -> Path:
    """Return the file with the token; it need not exist."""
    return orchestrator_folder() / "token"


def _address_file() -> Path:
    return orchestrator_folder() / "control.json"


class ControlServer:
    """Answers requests in threads of its own, from its making until `close`.

    Args:
        handle: returns the answer to a request, or raises a `QuantCrafterError`; called in several threads.

    Raises:
        OSError: the socket or its files can't be made.
    """

    def __init__(self, handle: Handler) -> None:
        self._handle = handle
        self._token = secrets.token_urlsafe(32)
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        folder = orchestrator_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path: Path | None = None
        for left in (_address_file(), folder / "control.sock"):  # of one that was killed: nobody finds it any more
            left.unlink(missing_ok=True)
        write_private(token_file(), self._token)
        self._socket, address = self._listen(folder)
        write_private(_address_file(), json.dumps({"address": address, "pid": os.getpid()}))
        self._is_closed = False
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def _listen(self, folder: Path) -> tuple[socket.socket, Any]:
        path = folder / "control.sock"
        if hasattr(socket, "AF_UNIX") and len(os.fsencode(path)) <= _LONGEST_PATH:
            made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            made.bind(os.fspath(path))
            path.chmod(0o600)
            self._path = path
            address: Any = os.fspath(path)
        else:
            made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            made.bind(("127.0.0.1", 0))
            address = list(made.getsockname())
        made.listen(_BACKLOG)
        return made, address

    def close(self) -> None:
        """Listen no more."""
        self._is_closed = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for path in (_address_file(), token_file(), self._path):
            if path is not None:
                path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                if self._is_closed:
                    return
                continue
            self._slots.acquire()
            threading.Thread(target=self._serve, args=(connection,), name="control-request", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, contextlib.suppress(OSError):
                connection.settimeout(_READ_S)
                with connection.makefile("rb") as stream:
                    line = stream.readline(_LONGEST_REQUEST)
                connection.settimeout(_SEND_S)
                connection.sendall(json.dumps(self._answer(line)).encode() + b"\n")
        finally:
            self._slots.release()

    def _answer(self, line: bytes) -> Mapping[str, Any]:
        try:
            request = json.loads(line)
            token = str(request.pop("token"))
        except (ValueError, KeyError, AttributeError, TypeError):
            return {"error": "not a request"}
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return {"error": WRONG_TOKEN}
        try:
            return self._handle(request)
        except QuantCrafterError as error:
            return {"error": str(error)}
        except Exception:
            log.exception("A request to the orchestrator has failed: %s", request.get("verb"))
            return {"error": str(Message("The request has failed; the orchestrator's log says why."))}


# -------------------------------------------------------------------------------------------------------------- asking


def ask(verb: str, *, within_s: float = _ANSWER_S, **values: Any) -> dict[str, Any] | None:
    """Send a request to the orchestrator of the data folder, and return its answer; None if none is running.

    Args:
        verb: what is asked.
        within_s: how long to wait for the answer, in seconds.
        values: what belongs to the request.

    Raises:
        NoAnswerError: it doesn't answer in time.
        RunError: it refuses.
    """
    answer = _asked(verb, values, within_s)
    if answer is not None and answer.get("error") == WRONG_TOKEN:  # it was made anew between the reading and the asking
        answer = _asked(verb, values, within_s)
    if answer is not None and "error" in answer:
        raise RunError(answer["error"])
    return answer


def _asked(verb: str, values: Mapping[str, Any], within_s: float) -> dict[str, Any] | None:
    try:
        where = json.loads(_address_file().read_text(encoding="utf-8"))["address"]
        token = token_file().read_text(encoding="utf-8")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    try:
        connection = _connect(where)
        if connection is None:
            return None
        connection.settimeout(within_s)
        with connection, connection.makefile("rb") as stream:
            connection.sendall(json.dumps({"verb": verb, "token": token, **values}).encode() + b"\n")
            answer = json.loads(stream.readline() or b"null")
    except ConnectionError:
        answer = None
    except (OSError, ValueError) as error:
        raise _no_answer(str(error) or type(error).__name__) from error
    if not isinstance(answer, dict) and _listens(where):
        raise _no_answer(str(Message("it closed the connection")))
    return answer if isinstance(answer, dict) else None  # it ended meanwhile


def _no_answer(why: str) -> NoAnswerError:
    return NoAnswerError(
        Message("The orchestrator does not respond: {why}. Try again, or end its process and start it anew.", why=why)
    )


def _listens(where: Any) -> bool:
    """Return whether the orchestrator still runs."""
    try:
        connection = _connect(where)
    except OSError:
        return True
    if connection is not None:
        connection.close()
    return connection is not None


def _connect(where: Any) -> socket.socket | None:
    """Return a connection to an address of `control.json`; None if nobody listens there.

    Raises:
        OSError: there are more connections than the orchestrator accepts in time.
    """
    until = time.monotonic() + _CONNECT_S
    while True:
        family = socket.AF_UNIX if isinstance(where, str) else socket.AF_INET
        made = socket.socket(family, socket.SOCK_STREAM)
        made.settimeout(_CONNECT_S)
        try:
            made.connect(where if isinstance(where, str) else tuple(where))
        except BaseException as error:
            made.close()
            if isinstance(error, BlockingIOError) and time.monotonic() < until:  # its queue is full
                time.sleep(_LOOK_S)
                continue
            if isinstance(error, (BlockingIOError, TimeoutError)) or not isinstance(error, (OSError, TypeError)):
                raise
            return None
        made.settimeout(_ANSWER_S)
        return made
