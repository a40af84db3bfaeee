"""Connections that send no whole request are closed."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

import pytest

from quantcrafter.engine.api.home import home
from tests.support.api_server import served

pytestmark = pytest.mark.slow

WHOLE = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
HALF = WHOLE[:30]


def test_connections_without_a_whole_request_are_closed_after_ten_seconds() -> None:
    with served(home()) as base:
        place = urlsplit(base)
        sent = [b"", HALF, WHOLE + HALF]
        opened = [socket.create_connection((str(place.hostname), int(place.port or 0))) for _ in sent]
        try:
            for connection, data in zip(opened, sent, strict=True):
                connection.settimeout(20)
                connection.sendall(data)
            began_s = time.monotonic()
            for connection in opened:
                assert _is_closed(connection)
            assert time.monotonic() - began_s < 15
        finally:
            for connection in opened:
                connection.close()


def _is_closed(connection: socket.socket) -> bool:
    """Read until the connection ends."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


def test_many_silent_connections_do_not_keep_others_out() -> None:
    with served(home()) as base:
        place = urlsplit(base)
        opened = [socket.create_connection((str(place.hostname), int(place.port or 0))) for _ in range(280)]
        try:
            opened[0].settimeout(5)
            assert _is_closed(opened[0])
            opened[-1].settimeout(5)
            opened[-1].sendall(WHOLE)
            assert opened[-1].recv(4096).startswith(b"HTTP/1.1 200")
        finally:
            for connection in opened:
                connection.close()
