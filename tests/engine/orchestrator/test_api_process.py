"""The process of the API: why it has ended is said."""

from __future__ import annotations

import socket
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from quantcrafter.engine.orchestrator.api_process import ApiProcess


@pytest.mark.slow
@pytest.mark.skipif(find_spec("fastapi") is None, reason="an extra")
def test_an_api_whose_port_is_taken_is_said_to_have_ended_for_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path))
    (tmp_path / "orchestrator").mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("QUANTCRAFTER_API_PORT", str(port))
        process = ApiProcess()
        try:
            until = time.monotonic() + 30.0
            while "has ended" not in caplog.text and time.monotonic() < until:
                process.look()
                time.sleep(0.05)
        finally:
            process.close()
    assert f"The API has ended with code 1: The API can't listen on port {port}" in caplog.text
