"""A server on this computer that takes notices as apprise's `json://` sends them, and does what it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class NoticeServer:
    """What came, and what is answered: `status`, once `answers` is set."""

    port: int = 0
    came: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    status: int = 200
    answers: threading.Event = field(default_factory=threading.Event)

    def address(self, secret: str) -> str:
        """Return its address for apprise, with a secret in it."""
        return f"json://127.0.0.1:{self.port}/{secret}"

    def text(self) -> str:
        """Return all messages."""
        return "\n".join(each["message"] for each in self.came)


@contextmanager
def notice_server() -> Iterator[NoticeServer]:
    """Give a server that answers at once."""
    state = NoticeServer()
    state.answers.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.answers.wait(30)
            if state.status == 200:
                state.came.append(json.loads(body))
            self._answer()

        def do_GET(self) -> None:
            state.asked.append(self.path)
            self._answer()

        def _answer(self) -> None:
            self.send_response(state.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.answers.set()
        server.shutdown()
        server.server_close()
        thread.join()
