"""The API in the process of the test, with workers that are registered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.testclient import TestClient, WebSocketTestSession

from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.orchestrator.api_files import api_token
from quantcrafter.engine.orchestrator.registry import register
from quantcrafter.engine.orchestrator.worker_config import WorkerConfig
from quantcrafter.engine.orchestrator.worker_log import note_in
from quantcrafter.engine.server.app import make_app
from quantcrafter.engine.server.settings import ApiSettings

BASE = "http://127.0.0.1:8720"
SOCKETS = "ws://127.0.0.1:8720"


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
