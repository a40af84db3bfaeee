"""The control socket: only who reads the token is heard, whatever is sent."""

from __future__ import annotations

import json
import socket
import stat
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.orchestrator import control
from quantcrafter.engine.orchestrator.control import ControlServer, ask, token_file
from quantcrafter.engine.orchestrator.supervisor import orchestrator_folder


def answer(request: Mapping[str, Any]) -> Mapping[str, Any]:
    if request["verb"] == "refuse":
        raise RunError("No.")
    if request["verb"] == "fail":
        raise KeyError("bug")
    return {"heard": dict(request)}


def raw(line: bytes) -> Any:
    where = json.loads((orchestrator_folder() / "control.json").read_text(encoding="utf-8"))["address"]
    opened = control._connect(where)
    assert opened is not None
    with opened as connection, connection.makefile("rb") as stream:
        connection.sendall(line)
        return json.loads(stream.readline())


@pytest.mark.parametrize("kind", ["socket", "loopback"])
@pytest.mark.logs_errors
def test_requests_are_answered_and_strangers_are_not_heard(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / ("long" * 30) if kind == "loopback" else Path(tmp_path.anchor, "tmp", f"qc-{tmp_path.name}")
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(home if kind == "loopback" else tmp_path))
    if kind == "socket":
        monkeypatch.setattr(control, "_LONGEST_PATH", 107)
    assert ask("status") is None
    server = ControlServer(answer)
    try:
        assert ask("status", workers=["a", "ü"]) == {"heard": {"verb": "status", "workers": ["a", "ü"]}}
        for line in (b"\n", b"[]\n", b"{}\n", b"\xff\n", b'{"token": 1}\n', b'{"verb": "status", "token": "x"}\n'):
            assert set(raw(line)) == {"error"}
        with pytest.raises(RunError, match=r"No\."):
            ask("refuse")
        with pytest.raises(RunError, match="the orchestrator's log says why"):
            ask("fail")
        folder = orchestrator_folder()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(token_file().stat().st_mode) == 0o600
        path = folder / "control.sock"
        assert not path.exists() or stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.exists() or kind == "loopback" or not hasattr(socket, "AF_UNIX")
    finally:
        server.close()
    assert ask("status") is None
    assert not token_file().exists()


def test_a_client_that_read_the_token_of_an_orchestrator_before_asks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path))
    server = ControlServer(answer)
    try:
        new = token_file().read_text(encoding="utf-8")
        told = iter(["that of an orchestrator that was killed", new])
        monkeypatch.setattr(control, "token_file", lambda: _Told(next(told)))
        assert ask("status") == {"heard": {"verb": "status"}}
    finally:
        monkeypatch.undo()
        server.close()


class _Told:
    """A file that says this."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read_text(self, encoding: str) -> str:
        assert encoding == "utf-8"
        return self._text


def test_connections_that_send_nothing_do_not_delay_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path))
    monkeypatch.setattr(control, "_AT_ONCE", 8)
    monkeypatch.setattr(control, "_READ_S", 0.05)
    server = ControlServer(answer)
    silent = []
    try:
        where = json.loads((orchestrator_folder() / "control.json").read_text(encoding="utf-8"))["address"]
        silent = [control._connect(where) for _ in range(40)]
        began = time.monotonic()
        assert ask("status") == {"heard": {"verb": "status"}}
        assert time.monotonic() - began < 5.0
        assert all(each is not None and each.recv(1) == b"" for each in silent)  # each was closed
    finally:
        for each in silent:
            if each is not None:
                each.close()
        server.close()


@pytest.mark.parametrize("case", ["its queue is full", "it closes connections"])
def test_an_orchestrator_that_does_not_respond_is_not_taken_for_none(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path))
    monkeypatch.setattr(control, "_CONNECT_S", 0.1)
    monkeypatch.setattr(control, "_BACKLOG", 1)
    waits = threading.Event()
    if case == "its queue is full":
        monkeypatch.setattr(ControlServer, "_accept", lambda _: waits.wait(10.0))
    else:
        monkeypatch.setattr(ControlServer, "_serve", lambda server, connection: (connection.close(), server))
    server = ControlServer(answer)
    opened: list[socket.socket | None] = []
    try:
        where = json.loads((orchestrator_folder() / "control.json").read_text(encoding="utf-8"))["address"]
        if case == "its queue is full":
            with suppress(BlockingIOError, TimeoutError):
                opened += (control._connect(where) for _ in range(10))
        with pytest.raises(RunError, match=r"^The orchestrator does not respond: .+ Try again, or end its process"):
            ask("status")
    finally:
        for each in opened:
            if each is not None:
                each.close()
        waits.set()
        server.close()
    assert ask("status") is None
