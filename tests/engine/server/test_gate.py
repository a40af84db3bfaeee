"""What passes the gate: names, origins, tokens, sessions, roles and sizes; and what is logged of it."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse

from quantcrafter.engine.live.api_files import api_token, api_token_file, log_stream_url, signing_key
from quantcrafter.engine.server.audit import changes
from quantcrafter.engine.server.settings import ApiSettings
from quantcrafter.engine.server.users import UserBook, UserRole
from tests.support.api_server import BASE, SOCKETS, client, registered, socket_of

HTML = {"accept": "text/html"}


@pytest.fixture
def api() -> Iterator[TestClient]:
    registered("one")
    with client() as made:
        yield made


def paths(api: TestClient) -> dict[str, list[str]]:
    """Return every path of the schema with its methods."""
    found = api.get("/openapi.json").json()["paths"]
    return {re.sub(r"\{\w+\}", "one", path): [each.upper() for each in methods] for path, methods in found.items()}


@pytest.mark.parametrize("token", ["", "wrong", "ü"])
def test_nothing_but_health_and_login_is_answered_without_the_token(api: TestClient, token: str) -> None:
    known = paths(api)
    assert len(known) > 5
    with client(token="") as stranger:
        headers = {b"Authorization": f"Bearer {token}".encode()} if token else {}
        for path, methods in [*known.items(), ("/openapi.json", ["GET"]), ("/nothing", ["GET"]), ("/", ["GET"])]:
            for method in methods:
                answer = stranger.request(method, path, headers=headers)
                assert answer.status_code == (200 if path == "/health" else 401), (method, path)
        assert stranger.get("/login").status_code == 200
        answer = stranger.get("/workers", headers=HTML)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        with pytest.raises(WebSocketDenialResponse) as refused, socket_of(stranger, "/workers/one/logs"):
            pass
        assert refused.value.status_code == 401


@pytest.mark.usefixtures("api")
def test_the_token_is_only_for_the_user_and_stays() -> None:
    assert api_token_file().stat().st_mode & 0o777 == 0o600
    before = api_token_file().read_text(encoding="utf-8")
    with client() as again:
        assert again.get("/workers").status_code == 200
    assert api_token_file().read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example:8000"}, 421),
        ({"host": "localhost:1"}, 200),
        ({"host": "[::1]:8000"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://127.0.0.1:8000"}, 403),
        ({"origin": "http://127.0.0.1:8721"}, 403),
        ({"origin": BASE}, 200),
    ],
)
def test_other_names_and_pages_of_others_are_refused(api: TestClient, headers: dict[str, str], status: int) -> None:
    assert api.get("/workers", headers=headers).status_code == status


def test_behind_a_proxy_its_name_and_origin_are_ours() -> None:
    with client(ApiSettings(proxies=("trade.example",))) as api:
        own = {"host": "trade.example", "origin": "https://trade.example"}
        answer = api.get("/status", headers=own)
        assert answer.json()["base_url"] == "https://trade.example"
        assert api.get("/status", headers={**own, "origin": "http://trade.example"}).status_code == 403
        cookie = api.get("/login", params={"token": api.headers["authorization"].removeprefix("Bearer ")})
        assert "Secure" in cookie.headers["set-cookie"]


def test_a_browser_logs_in_once_and_changes_only_with_its_pages_token(api: TestClient) -> None:
    token = api.headers["authorization"].removeprefix("Bearer ")
    with client(token="") as browser:
        assert browser.post("/login", data={"token": "wrong"}).status_code == 401
        answer = browser.post("/login", data={"token": f" {token}\n"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert token not in cookie
        assert browser.get("/workers").status_code == 200
        assert browser.post("/workers/one/pause").status_code == 403
        assert browser.post("/workers/one/pause", headers={"x-csrf-token": "x"}).status_code == 403
        own = {"x-csrf-token": browser.get("/session").json()["csrf_token"]}
        assert browser.post("/workers/one/pause", headers=own).status_code == 409  # passed; no orchestrator runs
        assert browser.post("/logout", headers=own).status_code == 303
        browser.cookies.set("quantcrafter_session", cookie.partition(";")[0].partition("=")[2])
        assert browser.get("/workers").status_code == 401
    with client(token="") as other:
        forged = cookie.partition(";")[0] + "x"
        assert other.get("/workers", headers={"cookie": forged}).status_code == 401


def test_a_viewer_changes_nothing_and_sees_their_own_workers_only() -> None:
    registered("hers", user_id="ann")
    registered("shared")
    registered("other")
    book = UserBook()
    viewer = book.add("ann", UserRole.VIEWER, ("shared",))
    with client(token=viewer) as api:
        assert list(api.get("/workers").json()["workers"]) == ["hers", "shared"]
        assert [api.get(f"/workers/{key}").status_code for key in ("hers", "shared", "other", "no")] == [
            200,
            200,
            403,
            403,
        ]
        assert api.get("/workers/other/logs").status_code == 403
        assert api.get("/workers/other").json() == api.get("/workers/no").json()
        assert api.post("/workers/hers/pause").status_code == 403
        assert api.post("/kill", json={"verb": "flatten"}).status_code == 403
        assert api.get("/status").json()["user"] == {"name": "ann", "role": "viewer"}
        operator = book.add("ann", UserRole.OPERATOR)
        assert api.get("/workers").status_code == 401  # the old token
    with client(token=operator) as api:
        assert list(api.get("/workers").json()["workers"]) == ["hers"]
        assert api.post("/workers/hers/pause").status_code == 409  # no orchestrator runs
        assert api.post("/kill", json={"verb": "stop", "workers": ["other"]}).status_code == 403
        book.remove("ann")
        assert api.get("/workers").status_code == 401


def test_unknown_workers_are_404_for_the_owner(api: TestClient) -> None:
    answer = api.get("/workers/onne")
    assert answer.status_code == 404
    assert "Did you mean 'one'?" in answer.json()["error"]


@pytest.mark.parametrize(
    "path",
    ["/workers/..%2f..%2forchestrator", "/workers/%2e%2e", "/workers/..", "/workers/one%00", "/workers/%ff/logs"],
)
def test_paths_lead_to_no_file(api: TestClient, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code in (404, 200)  # the client itself leads '..' to another path
    for secret in (api_token(), signing_key()):
        assert secret not in answer.text


def body(size: int) -> Iterator[bytes]:
    for _ in range(size // 100_000):
        yield b" " * 100_000


def test_bodies_may_have_2_mb(api: TestClient) -> None:
    kind = {"content-type": "application/json"}
    assert api.post("/kill", content=b" " * 2_000_001, headers=kind).status_code == 413
    assert api.post("/kill", content=body(2_100_000), headers=kind).status_code == 413
    assert api.post("/kill", content=body(100_000_000), headers=kind).status_code == 413
    assert api.post("/kill", content=b" " * 1_900_000 + b"{}", headers=kind).status_code == 422
    assert api.post("/kill", content=b"[" * 100_000, headers=kind).status_code in (400, 422)


def test_the_address_of_a_log_reads_that_log_and_nothing_else(
    api: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    registered("two")
    url = api.get("/workers/one").json()["log_stream_url"]
    assert url.startswith("ws://127.0.0.1:8000/workers/one/logs?token=")
    path = url.removeprefix(SOCKETS)
    query = path.partition("?")[2]
    caplog.set_level(logging.INFO, "quantcrafter.api")
    with client(token="") as viewer:
        with socket_of(viewer, path, origin="null") as socket:
            assert socket.receive_json()["message"] == "first"
        for other in (f"/workers/two/logs?{query}", f"/workers/one/events?{query}", "/workers/one/logs?token=x"):
            with (
                pytest.raises(WebSocketDenialResponse) as refused,
                socket_of(viewer, other, origin="null"),
            ):
                pass
            assert refused.value.status_code in (401, 403)
        with (
            pytest.raises(WebSocketDenialResponse),
            socket_of(viewer, path, origin="http://evil.example"),
        ):
            pass
        assert viewer.get(path).status_code == 401
        assert viewer.get("/workers", headers={"origin": "null"}).status_code == 403
    texts = "\n".join(record.getMessage() for record in caplog.records)
    assert "token=***" in texts
    assert query.removeprefix("token=") not in texts


@pytest.mark.usefixtures("api")
def test_the_address_of_a_log_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    url = log_stream_url("one", base=BASE)
    assert url is not None
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 13 * 3600)
    with (
        client(token="") as viewer,
        pytest.raises(WebSocketDenialResponse),
        socket_of(viewer, url.removeprefix(SOCKETS)),
    ):
        pass


def last_change() -> dict[str, Any]:
    return changes(1)[0]


def test_changes_and_logins_are_in_the_audit_log(api: TestClient) -> None:
    api.post("/kill", json={"verb": "flatten", "workers": ["one"]})
    assert {k: v for k, v in last_change().items() if k != "timestamp"} == {
        "user": "owner",
        "role": "operator",
        "address": "127.0.0.1",
        "method": "POST",
        "path": "/kill",
        "status": 200,
        "verb": "flatten",
        "workers": ["one"],
    }
    with client(token="") as stranger:
        stranger.post("/kill", json={"verb": "stop"})
        assert (last_change()["user"], last_change()["status"]) == ("-", 401)
        stranger.get("/login", params={"token": "guess"})
        assert (last_change()["path"], last_change()["status"]) == ("/login", 401)
    found = api.get("/audit").json()["changes"]
    assert [each["path"] for each in found] == ["/kill", "/kill", "/login"]
    assert "guess" not in json.dumps(found)
    with client(token=UserBook().add("ann", UserRole.OPERATOR)) as other:
        assert other.get("/audit").status_code == 403


def test_names_of_the_configuration_reach_it() -> None:
    names = ("trading.example", "fd00::1")
    settings = ApiSettings(host="::", certificate=Path("c"), key=Path("k"), names=names)
    with client(settings) as api:
        for name, status in (("trading.example:8000", 200), ("[fd00::1]:8000", 200), ("other.example", 421)):
            assert api.get("/health", headers={"host": name}).status_code == status
