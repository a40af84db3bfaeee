"""Serves the API until it is told to end, or its parent has ended."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import sys
import threading
import time
from contextlib import closing
from typing import IO

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.locks import try_lock
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.live.api_files import (
    address_file,
    api_folder,
    api_token,
    lock_file,
    signing_key,
    write_private,
)
from quantcrafter.engine.orchestrator.worker_log import WorkerLogs
from quantcrafter.engine.server.settings import DEFAULT_PORT, ApiSettings

API_LOG = "api.log"
_BACKLOG = 512
_END_S = 1
_LOOK_S, _LOOKS = 0.02, 10
_PING_S = 20.0
_MOST_MESSAGE_BYTES = 64 * 1024


def serve(settings: ApiSettings, *, with_parent: bool = False) -> None:
    """Serve the API of the data folder until SIGINT or SIGTERM.

    Args:
        settings: where it listens.
        with_parent: end when standard input ends: the process that started it has ended then.

    Raises:
        RunError: the port is taken, another process serves it already, or its files can't be written.
    """
    folder = api_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with lock_file().open("ab") as lock:
            if not _locked(lock):
                raise RunError("The API of this data folder is served by another process already.")
            api_token()
            signing_key()
            _serve(settings, with_parent=with_parent)
    except OSError as error:
        cause, remedy = fault(error, "home")
        raise RunError(f"The API can't be served: {cause}. {remedy}") from error


def _locked(lock: IO[bytes]) -> bool:
    """Return whether the lock is ours; who looks whether the API runs has it for a moment."""
    for _ in range(_LOOKS):
        if try_lock(lock):
            return True
        time.sleep(_LOOK_S)
    return False


def _serve(settings: ApiSettings, *, with_parent: bool) -> None:
    import uvicorn

    from quantcrafter.engine.server.app import make_app
    from quantcrafter.engine.server.connection_guard import GuardedProtocol

    with closing(_listening(settings)) as listening:
        config = uvicorn.Config(
            make_app(settings),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.proxies),
            http=GuardedProtocol,
            ws="websockets-sansio",
            ws_max_size=_MOST_MESSAGE_BYTES,
            ws_ping_interval=_PING_S,
            ws_ping_timeout=_PING_S,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=_END_S,
            ssl_certfile=settings.certificate,
            ssl_keyfile=None if settings.key is None else os.fspath(settings.key),
        )
        server = uvicorn.Server(config)
        if with_parent:
            threading.Thread(target=_end_with_parent, args=(server,), name="parent", daemon=True).start()
        logs = _keep_log()
        base_url = settings.base_url(listening.getsockname()[1])
        write_private(address_file(), json.dumps({"base_url": base_url, "pid": os.getpid()}))
        try:
            asyncio.run(server.serve(sockets=[listening]))
        finally:
            address_file().unlink(missing_ok=True)
            logging.getLogger().removeHandler(logs)
            logs.close()


def _listening(settings: ApiSettings) -> socket.socket:
    ports = (DEFAULT_PORT, 0) if settings.port is None else (settings.port,)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    failure: OSError | None = None
    for port in ports:
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "posix":
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((settings.host, port))
            made.listen(_BACKLOG)
        except OSError as error:
            made.close()
            failure = error
        else:
            return made
    raise RunError(
        f"The API can't listen on port {ports[0]} of '{settings.host}': "
        f"{'' if failure is None else failure.strerror}. Choose another one with --port."
    )


def _keep_log() -> WorkerLogs:
    logs = WorkerLogs(api_folder() / API_LOG)
    root = logging.getLogger()
    root.addHandler(logs)
    logging.getLogger("quantcrafter").setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # it would write addresses with their tokens
    return logs


def _end_with_parent(server: object) -> None:
    import uvicorn

    assert isinstance(server, uvicorn.Server)  # noqa: S101 - as `_serve` gives it
    while sys.stdin.buffer.read(1):
        pass
    server.should_exit = True
