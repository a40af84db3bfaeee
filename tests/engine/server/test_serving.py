"""The API as `start` serves it, in processes of its own: found, used, started again, and ended with its parent."""

from __future__ import annotations

import json
import os
import signal
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets import Origin
from websockets.sync.client import connect

from quantcrafter.engine.cli.main import main
from quantcrafter.engine.live.api_files import address_file, api_token, base_url, log_stream_url
from quantcrafter.engine.orchestrator.control import ask
from tests.support.api_server import registered, served
from tests.support.command_line import quantcrafter
from tests.support.live_cases import STOPPED
from tests.support.orchestrators import cleaned_up, kill, started
from tests.support.supervised import SLOW, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("QUANTCRAFTER_API", "on")
    monkeypatch.setenv("QUANTCRAFTER_API_PORT", "0")
    (tmp_path / "one.yaml").write_text(STOPPED.replace("bars: 160", "bars: 4000"), encoding="utf-8")
    return tmp_path / "home"


def status(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["status", "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def state_is(api: httpx2.Client, expected: str) -> None:
    wait_until(lambda: api.get("/workers/one").json()["state"] == expected)


def test_the_api_is_found_by_status_controls_workers_and_ends_with_the_orchestrator(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with cleaned_up(), started(str(home.parent / "one.yaml"), "--feed", SLOW, home=home) as process:
        wait_until(lambda: base_url() is not None)
        found = status(capsys)
        token = Path(found["token_file"]).read_text(encoding="utf-8")
        assert main(["token"]) == 0
        assert capsys.readouterr().out.strip() == token
        with httpx2.Client(base_url=found["base_url"], headers={"Authorization": f"Bearer {token}"}) as api:
            wait_until(lambda: api.get("/health").status_code == 200)
            state_is(api, "running")
            with connect(status(capsys)["workers"]["one"]["log_stream_url"], origin=Origin("null")) as socket:
                assert "timestamp" in json.loads(socket.recv(timeout=30))
            for verb, state in (("pause", "paused"), ("resume", "running")):
                assert api.post(f"/workers/one/{verb}").json() == {"answers": {"one": ""}}
                state_is(api, state)
            assert api.post("/kill", json={"verb": "no-entries"}).json() == {"answers": {"one": ""}}
            state_is(api, "reducing")
            assert api.post("/workers/one/stop").status_code == 200
            state_is(api, "stopped")
            assert api.post("/workers/one/start").status_code == 200
            state_is(api, "reducing")

            first = json.loads(address_file().read_text(encoding="utf-8"))["pid"]
            os.kill(first, signal.SIGKILL)
            wait_until(lambda: base_url() is not None and str(first) not in address_file().read_text(encoding="utf-8"))
            assert status(capsys)["workers"]["one"]["state"] == "reducing"
        again = base_url()
        assert again is not None
        wait_until(lambda: httpx2.get(f"{again}/health").status_code == 200)
        kill(process)
        wait_until(lambda: base_url() is None)
        assert ask("status") is None
        assert status(capsys)["base_url"] is None


@pytest.mark.parametrize(
    ("arguments", "environment", "text"),
    [
        (["--host", "0.0.0.0"], {}, "only with TLS or behind a proxy"),  # noqa: S104 - it is refused
        (["--host", "192.168.1.5"], {"QUANTCRAFTER_API_CERTIFICATE": "none.pem"}, "which doesn't exist"),
        ([], {"QUANTCRAFTER_API_PORT": "many"}, "'api_port' was 'many'"),
        ([], {"QUANTCRAFTER_API_CERTIFICATE_KEY": __file__}, "Set 'api_certificate'"),
        (["--port", "70000"], {}, "65535"),
    ],
)
def test_wrong_settings_are_refused_by_name(
    home: Path, arguments: list[str], environment: dict[str, str], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done = quantcrafter("serve", *arguments, home=home)
    assert done.returncode in (1, 2)
    assert text in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def certificate(folder: Path) -> None:
    """Write a certificate of 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )


def test_with_a_certificate_it_is_served_by_tls_beyond_this_computer(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    certificate(home)
    registered("one")
    monkeypatch.setenv("QUANTCRAFTER_API_HOST", "0.0.0.0")  # noqa: S104 - what is tested
    monkeypatch.setenv("QUANTCRAFTER_API_CERTIFICATE", str(home / "cert.pem"))
    monkeypatch.setenv("QUANTCRAFTER_API_CERTIFICATE_KEY", str(home / "key.pem"))
    trusted = ssl.create_default_context(cafile=str(home / "cert.pem"))
    with served(home, trusted=trusted) as base:
        assert base.startswith("https://127.0.0.1:")
        cookie = httpx2.get(f"{base}/login", params={"token": api_token()}, verify=trusted).headers["set-cookie"]
        assert "Secure" in cookie
        url = log_stream_url("one")
        assert url is not None
        assert url.startswith("wss://")
        with connect(url, ssl=trusted) as socket:
            assert json.loads(socket.recv(timeout=30))["message"] == "first"
        with pytest.raises(httpx2.TransportError):
            httpx2.get(f"{base.replace('https', 'http')}/health")
