"""`quantcrafter notices test` sends through each channel, and a dead one is named without its address."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quantcrafter.engine.cli.main import main
from tests.support.notice_server import notice_server


def test_each_channel_gets_a_notice_and_one_that_fails_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with notice_server() as good, notice_server() as dead:
        dead.status = 404
        channels = [f"good info {good.address('geheim')}", f"dead alarm {dead.address('geheim')}"]
        (tmp_path / "production.json").write_text(json.dumps({"notices": {"channels": channels[:1]}}))
        assert main(["notices", "test", "--config", str(tmp_path)]) == 0
        assert good.text() == "This is a test of the notices."
        (tmp_path / "production.json").write_text(json.dumps({"notices": {"channels": channels}}))
        assert main(["notices", "test", "--config", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "good: sent" in told
    assert "1 of 2 channels failed: dead." in told
    assert "404" in told
    assert "geheim" not in told


def test_without_a_channel_the_command_says_how_to_add_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "production.json").write_text("{}")
    assert main(["notices", "test", "--config", str(tmp_path)]) == 1
    assert "'phone alarm keyring:PHONE'" in capsys.readouterr().err
