"""The process of the API, as a child of the orchestrator's: it is started again when it has ended."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import subprocess
import sys
import time

from quantcrafter.engine.live.api_files import address_file, api_folder
from quantcrafter.engine.orchestrator.back_off import BackOff

log = logging.getLogger("quantcrafter.orchestrator")

OFF = "QUANTCRAFTER_API"
"""`off` in this variable of the environment: no API, as with `--no-api`."""
_NEEDED = ("fastapi", "uvicorn", "websockets", "jinja2", "itsdangerous", "prometheus_client")
_FIRST_S, _MOST_S = 1.0, 60.0
_END_S = 10.0
_LONGEST = 500
OUTPUT = "api-output.log"
"""What the process of the API said; that of its last start."""


def why_api_ended() -> str:
    """Return what the API's process said at last; '' if it said nothing."""
    try:
        lines = (api_folder() / OUTPUT).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    said = [each.strip() for each in lines if each.strip()]
    return said[-1].removeprefix("error: ")[:_LONGEST] if said else ""


def missing_for_api() -> list[str]:
    """Return the libraries of the extra `server` that are not installed."""
    return [name for name in _NEEDED if importlib.util.find_spec(name) is None]


class ApiProcess:
    """The child process; it ends with this one, whatever ends this one."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._back_off = BackOff(_FIRST_S, _MOST_S)
        self._not_before_s = 0.0
        self._started_s = 0.0

    def look(self) -> None:
        """Start it, if it isn't running and it is time."""
        now = time.monotonic()
        if self._process is not None and self._process.poll() is not None:
            why = why_api_ended()
            log.warning("The API has ended with code %s%s", self._process.returncode, f": {why}" if why else ".")
            self._forget()
            self._not_before_s = now + self._back_off.after(now - self._started_s)
        if self._process is None and now >= self._not_before_s:
            self._start(now)

    def _start(self, now: float) -> None:
        program = (
            [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "quantcrafter.engine.cli"]
        )
        self._started_s = now
        try:
            with (api_folder() / OUTPUT).open("wb") as output:
                self._process = subprocess.Popen(  # noqa: S603 - this program
                    [*program, "serve", "--with-parent"],
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=output,
                    start_new_session=os.name == "posix",  # Ctrl-C is for this process, which ends it
                )
        except OSError as error:
            log.warning("The API can't be started: %s", error)
            self._not_before_s = now + self._back_off.after(0.0)

    def close(self) -> None:
        """End it."""
        if self._process is None:
            return
        assert self._process.stdin is not None  # noqa: S101 - as it is started
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        address_file().unlink(missing_ok=True)
        self._forget()

    def _forget(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process = None
