"""The configuration: which source goes first, the first generation's names, and files that are broken."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from quantcrafter.engine.cli.main import main
from quantcrafter.engine.config import sources
from quantcrafter.engine.config.errors import ConfigError
from quantcrafter.engine.config.settings import FIRST_NAMES
from quantcrafter.engine.config.sources import load_configuration, masked, paths, variable_of
from tests.support.command_line import ROOT, clean_environment


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (*FIRST_NAMES, *map(variable_of, paths()), sources.VARIABLE):
        monkeypatch.setenv(name, "")  # so that what a command sets is undone after the test
        monkeypatch.delenv(name)
    made = tmp_path / "config"
    made.mkdir()
    return made


def write(folder: Path, values: object, variables: str = "") -> None:
    (folder / "production.json").write_text(json.dumps(values), encoding="utf-8")
    (folder / ".env").write_text(variables, encoding="utf-8")


def test_the_environment_goes_before_the_env_file_before_production_json_before_defaults(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        folder,
        {"mongo_db": "json", "api_port": 1, "config_collection": "json", "lifecycle": {"auto_stop": False}},
        "MONGO_DB=file\nAPI_PORT=2\nQUANTCRAFTER_IMPORT_PATHS=a, b\n# nothing\nOTHER='x # y'\n",
    )
    monkeypatch.setenv("API_PORT", "3")
    found = load_configuration(folder)
    settings = found.settings
    assert (settings.api_port, settings.mongo_db, settings.config_collection) == (3, "file", "json")
    assert (settings.import_paths, settings.lifecycle.auto_start, settings.lifecycle.auto_stop) == (
        ("a", "b"),
        True,
        False,
    )
    assert [found.origins[each] for each in ("api_port", "mongo_db", "config_collection", "feed")] == [
        "environment",
        str(folder / ".env"),
        str(folder / "production.json"),
        "default",
    ]
    assert found.origins["lifecycle.auto_stop"] == str(folder / "production.json")
    assert found.unused == ("OTHER",)


def test_the_names_of_the_first_generation_are_known_and_ours_go_first(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "MONGO_URI": "mongodb://here",
        "CONFIG_COLLECTION": "rows",
        "AUTO_RELOAD_INTERVAL": "5",
        "ENABLE_LIFECYCLE": "false",
        "ENABLE_VNPY": "0",
        "ENABLE_BACKTRADER": "no",
        "MONGO_DB": "first",
        "QUANTCRAFTER_MONGO_DB": "ours",
        "QUANTCRAFTER_STRATEGIES": '{"cross": "my.Cross"}',
    }.items():
        monkeypatch.setenv(name, value)
    write(
        folder,
        {
            "import_paths": ["x"],
            "enable_lifecycle": True,
            "lifecycle": {"auto_start": True, "auto_stop": True, "check_interval_sec": 60},
            "engines": {"vnpy": {"enabled": True}, "backtrader": {"enabled": True}},
            "monitoring": {"enabled": True, "prometheus_port": 9090},
        },
    )
    settings = load_configuration(folder).settings
    assert (settings.mongo_uri, settings.mongo_db, settings.config_collection) == ("mongodb://here", "ours", "rows")
    assert (settings.auto_reload_interval, settings.enable_lifecycle) == (5.0, False)
    assert (settings.engines.vnpy.enabled, settings.engines.backtrader.enabled) == (False, False)
    assert (settings.monitoring.prometheus_port, dict(settings.strategies)) == (9090, {"cross": "my.Cross"})
    assert load_configuration(folder).store_place() == "mongodb://here"


def test_the_folder_is_the_named_one_else_config_here_else_that_of_the_data_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert load_configuration().folder == tmp_path / "home" / "config"
    assert load_configuration().store_place() == str(tmp_path / "home" / "strategies.db")
    write(folder, {"feed": "synthetic:max"})
    assert load_configuration().folder == folder
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.json").write_text('{"feed": "mine"}', encoding="utf-8")
    assert load_configuration(other / "mine.json").settings.feed == "mine"
    monkeypatch.setenv(sources.VARIABLE, str(other))
    assert load_configuration().folder == other
    with pytest.raises(ConfigError, match="There is no folder"):
        load_configuration(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("json_text", "variables", "said"),
    [
        ("{\n  'a': 1}", "", r"production\.json:2:3: it is not JSON"),
        ("[]", "", r"production\.json: it must be a JSON object"),
        ('{"mongo_ur": 1}', "", r"there is no setting 'mongo_ur'\. Did you mean 'mongo_uri'"),
        ('{"lifecycle": {"auto_strat": 1}}', "", r"there is no setting 'lifecycle\.auto_strat'"),
        ('{"api_port": 99999, "feed": ""}', "", r"(?s)'feed' was ''.*'api_port' was 99999"),
        ('{"lifecycle": 5}', "", r"'lifecycle' was 5"),
        ("{}", "A=1\nnonsense\n", r"\.env:2: a line must be NAME=VALUE"),
        ("{}", "API_PORT=http\n", r"\.env: the setting 'api_port' was 'http'"),
        ("{}", "QUANTCRAFTER_STRATEGIES={\n", r"\.env: .*strategies"),
        ("{}", "MONGO_URI=mysql://me:geheim@here\n", r"\.env: the setting 'mongo_uri' was \*\*\*: must begin with"),
        ("{}", "QUANTCRAFTER_FED=replay:60x\n", r"\.env: there is no setting 'QUANTCRAFTER_FED'\. Did you mean"),
        ('{"feed": "replay:1x", "feed": "replay:2x"}', "", r"production\.json: the name 'feed' is there twice"),
        ('{"notices": {"channels": ["geheim"]}}', "", r"'notices\.channels' was \*\*\*: must be NAME"),
        ('{"feed": "nosuch:1"}', "", r"production\.json: the setting 'feed' was 'nosuch:1': there is no feed 'nosuch'"),
        ("{}", "MONGO_URI=keyring:NO_SUCH_NAME\n", "which the keyring doesn't have"),
    ],
)
def test_a_broken_file_is_exit_code_2_and_named(
    folder: Path, capsys: pytest.CaptureFixture[str], json_text: str, variables: str, said: str
) -> None:
    (folder / "production.json").write_text(json_text, encoding="utf-8")
    (folder / ".env").write_text(variables, encoding="utf-8")
    assert main(["config", "--config", str(folder)]) == 2
    error = capsys.readouterr().err
    assert re.search(said, error)
    assert "Traceback" not in error
    assert main(["config", "--config", str(folder), "--verbose"]) == 2
    assert "geheim" not in error + capsys.readouterr().err


def test_a_file_that_is_not_text_is_named(folder: Path) -> None:
    (folder / "production.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(ConfigError, match=r"production\.json' can't be read: it is not text in UTF-8"):
        load_configuration(folder)


def test_config_shows_where_values_come_from_and_masks_passwords(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, {"api_port": 9}, "MONGO_URI=mongodb://me:geheim@host:1/x?authToken=auch\nMY_KEY=geheimnis\n")
    monkeypatch.setattr(sources, "kept_in_keyring", {"THE_URI": "mongodb://a:geheim@b"}.get)
    for arguments in ([], ["--show"], ["--json"], ["--show", "--json"]):
        assert main(["config", "--config", str(folder), *arguments]) == 0
        told = capsys.readouterr()
        assert "geheim" not in told.out + told.err
        assert "auch" not in told.out
        assert ("mongodb://***@host:1/x" in told.out) == ("--show" in arguments)
        if arguments == ["--show", "--json"]:
            assert json.loads(told.out)["settings"]["api_port"] == {"from": str(folder / "production.json"), "value": 9}
        if not arguments:
            assert "'MY_KEY' sets nothing" in told.err
    write(folder, {"mongo_uri": "keyring:THE_URI"})
    assert load_configuration(folder).settings.mongo_uri == "mongodb://a:geheim@b"


def test_what_is_masked_is_the_login_alone() -> None:
    assert masked("mongo_uri", "mongodb://u:p/w@x@host:1,other:2/db?password=z") == "mongodb://***@host:1,other:2/db"
    assert masked("mongo_uri", "mongodb://host/db") == "mongodb://host/db"
    assert masked("store", "/a/b@c.db") == "/a/b@c.db"
    assert masked("feed", "replay:60x") == "replay:60x"


def test_logins_among_the_options_of_feeds_and_brokers_are_masked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        folder,
        {
            "feed": "ccxt:binance,secret=geheim,url=https://me:geheim@h.example/p?key=geheim",
            "broker": "vnpy:vnpy_ctp.CtpGateway,password=geheim,Passwort=geheim,settings=ctp.json",
            "row_feeds": ["synthetic:60x,seed=7", "nosuch:https://me:geheim@h/"],
            "row_brokers": ["ccxt:kraken,url=https://me:ge,heim=x@geheim.example/"],
        },
    )
    for arguments in (["--show"], ["--show", "--json"]):
        assert main(["config", "--config", str(folder), *arguments]) == 2
        told = capsys.readouterr()
        assert "geheim" not in told.out + told.err
        assert "production.json: the setting 'feed' was 'ccxt:binance,secret=***" in told.err
    found = load_configuration(folder)
    assert found.settings.feed == "ccxt:binance,secret=geheim,url=https://me:geheim@h.example/p?key=geheim"
    assert found.settings.row_brokers == ("ccxt:kraken,url=https://me:ge,heim=x@geheim.example/",)
    values = found.values()
    assert values["feed"] == "ccxt:binance,secret=***,url=https://***@h.example/p?key=***"
    assert values["broker"] == "vnpy:vnpy_ctp.CtpGateway,password=***,Passwort=***,settings=ctp.json"
    assert values["row_feeds"] == ["synthetic:60x,seed=7", "nosuch:https://***@h/"]
    assert values["row_brokers"] == ["ccxt:kraken,url=https://***,heim=***"]


def test_the_example_names_every_setting_and_no_other() -> None:
    text = (ROOT / "config" / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#([A-Z_]+)=", text, re.MULTILINE))
    first = {path: name for name, path in FIRST_NAMES.items()}
    assert named == {first.get(path, variable_of(path)) for path in paths()}


def test_the_addresses_of_notices_are_secrets(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUANTCRAFTER_NOTICES__CHANNELS", "phone alarm tgram://geheim/1; mail info keyring:MAIL")
    write(folder, {"notices": {"heartbeat_url": "https://ping/geheim", "per_minute": 3}})
    found = load_configuration(folder)
    assert found.settings.notices.channels == ("phone alarm tgram://geheim/1", "mail info keyring:MAIL")
    assert main(["config", "--config", str(folder), "--show", "--json"]) == 0
    told = capsys.readouterr().out
    assert "geheim" not in told
    settings = json.loads(told)["settings"]
    assert settings["notices.channels"]["value"] == ["phone alarm tgram://***", "mail info keyring:MAIL"]
    assert settings["notices.heartbeat_url"]["value"] == "https://***"
    for wrong in ({"channels": [["geheim"]]}, {"heartbeat_url": "geheim"}, {"channels": "[geheim"}):
        monkeypatch.delenv("QUANTCRAFTER_NOTICES__CHANNELS", raising=False)
        write(folder, {"notices": wrong})
        with pytest.raises(ConfigError) as raised:
            load_configuration(folder)
        assert "geheim" not in str(raised.value)
        assert "notices." in str(raised.value)


def test_a_backend_of_the_keyring_that_can_not_be_loaded_is_named(tmp_path: Path) -> None:
    (tmp_path / "production.json").write_text('{"mongo_uri": "keyring:URI"}', encoding="utf-8")
    environment = clean_environment(tmp_path) | {"PYTHON_KEYRING_BACKEND": "nosuch.Backend"}
    done = subprocess.run(
        [sys.executable, "-m", "quantcrafter.engine.cli", "config", "--config", str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "names a backend of the keyring, 'nosuch.Backend', that can't be loaded" in done.stderr


def test_a_start_blames_the_file_for_a_feed_of_the_configuration(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, {"broker": "nosuch:1"})
    assert main(["start", "--config", str(folder)]) == 2
    error = capsys.readouterr().err
    assert "production.json: the setting 'broker' was 'nosuch:1'" in error
    assert "--broker" not in error
