"""The API in the process of the test, with workers that are registered."""

from __future__ import annotations

import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from starlette.testclient import TestClient, WebSocketTestSession

from quantcrafter.engine.live.api_files import api_token, base_url
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.orchestrator.registry import register
from quantcrafter.engine.orchestrator.worker_config import WorkerConfig
from quantcrafter.engine.orchestrator.worker_log import note_in
from quantcrafter.engine.server.app import make_app
from quantcrafter.engine.server.settings import ApiSettings
from tests.support.command_line import ROOT, clean_environment
from tests.support.supervised import wait_until

BASE = "http://127.0.0.1:8000"
SOCKETS = "ws://127.0.0.1:8000"


def registered(key: str, *, user_id: str | None = None, mode: str = "paper") -> Path:
    """Register a worker that is not to run, with a line in its log; return its folder."""
    config = WorkerConfig(key, "", "", "", mode=mode, user_id=user_id, strategy="Small", symbol="AAPL")
    register(config, wanted=False)
    note_in(config.folder, "first")
    return workers_folder() / key


@contextmanager
def client(settings: ApiSettings | None = None, *, token: str | None = None) -> Iterator[TestClient]:
    """Give a client of the API that sends a token: that of the owner if left out, none if ''."""
    found = api_token() if token is None else token
    headers = {"Authorization": f"Bearer {found}"} if found else {}
    app = make_app(settings or ApiSettings())
    with TestClient(app, base_url=BASE, headers=headers, follow_redirects=False, client=("127.0.0.1", 5000)) as made:
        yield made


def socket_of(api: TestClient, path: str, **headers: str) -> WebSocketTestSession:
    """Return a WebSocket, to be entered."""
    return api.websocket_connect(f"{SOCKETS}{path}", headers=headers)


@contextmanager
def served(home: Path, *, trusted: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve the API of a data folder in a process of its own, and give its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "quantcrafter.engine.cli", "serve", "--port", "0", "--with-parent"],
        cwd=ROOT,
        env=clean_environment(home),
        stdin=subprocess.PIPE,
    ) as process:
        wait_until(lambda: base_url() is not None)
        found = base_url()
        assert found is not None
        wait_until(lambda: _answers(found, trusted))
        yield found
        assert process.stdin is not None
        process.stdin.close()


def _answers(url: str, trusted: ssl.SSLContext | None) -> bool:
    try:
        return httpx2.get(f"{url}/health", verify=trusted or True).status_code == 200
    except httpx2.TransportError:
        return False
