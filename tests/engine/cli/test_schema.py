"""`quantcrafter schema`: the JSON Schema of everything installed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from quantcrafter.engine.cli.main import main


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))


def test_the_schema_is_a_json_schema_that_knows_the_nodes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0

    text = capsys.readouterr().out
    Draft202012Validator.check_schema(json.loads(text))
    assert '"ta.SMA"' in text


def test_the_schema_goes_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "schema.json"

    assert main(["schema", "--out", str(out)]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"Wrote {out}\n")
    assert json.loads(out.read_text(encoding="utf-8"))["properties"]


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")

    assert main(["schema", "-o", str(tmp_path / "file" / "schema.json")]) == 1
    assert "can't be written" in capsys.readouterr().err
