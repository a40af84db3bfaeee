"""A strategy is pushed to another server over HTTP, with its files, and refused with the server's words."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.cli.main import main
from quantcrafter.engine.store.push_client import push
from quantcrafter.engine.store.sqlite import SqliteStore
from tests.support.live_cases import PLAIN


@pytest.mark.slow
@pytest.mark.skipif(find_spec("fastapi") is None, reason="an extra")
def test_a_strategy_is_pushed_to_a_server_with_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from quantcrafter.engine.live.api_files import api_token
    from tests.support.api_server import served

    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "server"))
    mine = tmp_path / "mine"
    mine.mkdir()
    file = mine / "small.yaml"
    text = PLAIN.replace(
        "risk:\n", "filters: {news: {use: event_calendar, path: fomc.csv, before: 60m, group: block}}\nrisk:\n", 1
    ).replace("risk: [stop]", "filters: [news], risk: [stop]")
    file.write_text(text, encoding="utf-8")
    (mine / "fomc.csv").write_text("time\n2020-01-05 14:00\n", encoding="utf-8")
    with served(tmp_path / "server") as url:
        token = mine / "token"
        token.write_text(str(api_token()), encoding="utf-8")
        assert main(["store", "push", str(file), "--to", url, "--token-file", str(token)]) == 0
        assert f"'small' is in the store of {url}, with 1 files." in capsys.readouterr().err
        file.write_text(text.replace("use: percent_stop", "use: acme_stop"), encoding="utf-8")
        assert main(["store", "push", str(file), "--to", url, "--token-file", str(token)]) == 1
        assert "acme_stop" in capsys.readouterr().err
        token.write_text("wrong", encoding="utf-8")
        assert main(["store", "push", str(file), "--to", url, "--token-file", str(token)]) == 1
        assert "refuses the strategy: 401" in capsys.readouterr().err
    row = SqliteStore(tmp_path / "server" / "strategies.db").get("small").row
    assert row is not None
    kept = tmp_path / "server" / "pushed" / row.files / "fomc.csv"
    assert kept.read_text(encoding="utf-8") == "time\n2020-01-05 14:00\n"


def test_a_token_is_sent_without_tls_to_this_computer_only(tmp_path: Path) -> None:
    for url in ("http://example.com", "ftp://127.0.0.1", "https.example.com"):
        with pytest.raises(RunError, match="begins with https://"):
            push({}, url, "token")
    with pytest.raises(RunError, match="can't be reached"):
        push({}, "http://127.0.0.1:9", "token")
    assert main(["store", "push", str(tmp_path / "no.yaml"), "--to", "http://127.0.0.1:9"]) == 1
