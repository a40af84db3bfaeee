"""Users of the API and its settings, as the command line and the environment give them."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.cli.main import main
from quantcrafter.engine.config.sources import load_configuration
from quantcrafter.engine.live.api_files import api_folder
from quantcrafter.engine.server.settings import ApiSettings
from quantcrafter.engine.server.users import UserBook, UserRole


def test_users_are_made_listed_and_removed_and_their_tokens_are_not_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["users", "list"]) == 0
    assert "no users beside you" in capsys.readouterr().err
    assert main(["users", "add", "ann", "--role", "operator", "--worker", "one"]) == 0
    token = capsys.readouterr().out.strip()
    file = api_folder() / "api-users.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert token not in file.read_text(encoding="utf-8")
    found = UserBook().of_token(token)
    assert found is not None
    assert (found.name, found.role, found.workers) == ("ann", UserRole.OPERATOR, ("one",))
    assert main(["users", "list"]) == 0
    assert "operator" in capsys.readouterr().out
    assert main(["users", "remove", "an"]) == 1
    assert "Did you mean 'ann'?" in capsys.readouterr().err
    assert main(["users", "remove", "ann"]) == 0
    assert UserBook().of_token(token) is None


@pytest.mark.parametrize("name", ["owner", "", "a b", "../x", "x" * 65])
def test_names_that_could_be_mistaken_are_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["users", "add", name]) == 1
    assert "A user's name has" in capsys.readouterr().err


def test_an_unknown_role_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["users", "add", "ann", "--role", "admin"]) == 2
    assert "there are viewer, operator" in capsys.readouterr().err


def test_a_damaged_file_of_users_locks_out_nobody_but_them() -> None:
    book = UserBook()
    token = book.add("ann", UserRole.VIEWER)
    (api_folder() / "api-users.json").write_text("[{", encoding="utf-8")
    with pytest.raises(RunError, match="Restore the file"):
        book.of_token(token)
    owner = book.of_token((api_folder() / "api-token").read_text(encoding="utf-8"))
    assert owner is not None
    assert owner.is_owner


def test_settings_come_from_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("", encoding="utf-8")
    assert ApiSettings.of(load_configuration()) == ApiSettings()
    monkeypatch.setenv("QUANTCRAFTER_API_HOST", "trade.example")
    with pytest.raises(RunError, match="TLS or behind a proxy"):
        ApiSettings.of(load_configuration())
    monkeypatch.setenv("API_PORT", "9000")
    monkeypatch.setenv("QUANTCRAFTER_API_CERTIFICATE", str(tmp_path / "cert.pem"))
    monkeypatch.setenv("QUANTCRAFTER_API_CERTIFICATE_KEY", str(tmp_path / "key.pem"))
    monkeypatch.setenv("QUANTCRAFTER_API_PROXY", "Trade.example, other.example")
    found = ApiSettings.of(load_configuration())
    assert (found.port, found.is_secure, found.proxies) == (9000, True, ("trade.example", "other.example"))
    assert found.base_url(9000) == "https://trade.example:9000"
    assert ApiSettings(host="::1").base_url(1) == "http://[::1]:1"


@pytest.mark.parametrize("content", [b"", b"\xff", b"[5]", b'[{"name": "ann"}]', None])
def test_a_file_of_users_that_can_not_be_read_is_named_in_words(content: bytes | None) -> None:
    path = api_folder() / "api-users.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    why = "it is a folder" if content is None else "it is not a list of users"
    with pytest.raises(RunError, match=rf"can't be read: {why}\. Restore the file, or remove it to have none\.$"):
        UserBook().all()
