"""`quantcrafter start` without files: the store from the command line to the workers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from quantcrafter.engine.cli.main import main
from quantcrafter.engine.orchestrator.control import ask
from tests.support.orchestrators import cleaned_up, started
from tests.support.store_reload import HOLDER, holds
from tests.support.supervised import wait_until

CONFIG = {"feed": "replay:400000x", "enable_lifecycle": False}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "config").mkdir(parents=True)
    (tmp_path / "home" / "config" / "production.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    return tmp_path


def strategy(folder: Path, text: str = HOLDER) -> str:
    path = folder / "one.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def told() -> dict[str, Any]:
    return ask("status") or {}


def test_a_start_with_nothing_to_do_says_how_to_add_a_strategy(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["start", "--no-api"]) == 1
    assert "quantcrafter store import FILE" in capsys.readouterr().err
    (folder / "home" / "config" / "production.json").write_text('{"feed": 5}', encoding="utf-8")
    assert main(["start", "--no-api"]) == 2
    assert "production.json: the setting 'feed' was 5" in capsys.readouterr().err


@pytest.mark.slow
def test_a_strategy_is_imported_run_previewed_changed_and_removed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    never = "schedule: {weekly: [mon 00:00-00:01]}"  # enable_lifecycle is false: it runs all the same
    text = f"{HOLDER}run: {{{never}}}\n"
    assert main(["store", "import", strategy(folder, text)]) == 0
    with cleaned_up(), started("--no-api", "--quiet", home=folder / "home"):
        wait_until(lambda: holds("one"))
        assert main(["store", "preview", "one", strategy(folder, text.replace("percent: 90", "percent: 80"))]) == 0
        assert "The position of 10 ONE goes on, with 1 of 1 orders at work." in capsys.readouterr().err
        assert main(["store", "preview", "one", strategy(folder, text.replace("symbol: ONE", "symbol: TWO"))]) == 1
        assert "It would go on as it is: It trades TWO in place of ONE" in capsys.readouterr().err
        before = told()["workers"]
        assert main(["store", "import", strategy(folder, text.replace("percent: 90", "percent: 70"))]) == 0
        log = folder / "home" / "workers" / "one" / "worker.log"
        wait_until(lambda: "The strategy was changed between two bars" in log.read_text(encoding="utf-8"))
        assert "The strategy is changed. The position of 10 ONE goes on" in log.read_text(encoding="utf-8")
        assert told()["workers"].keys() == before.keys() == {"one"}
        assert main(["store", "remove", "one"]) == 1
        assert "'one' holds 10 ONE, so it is not removed" in capsys.readouterr().err
        assert main(["store", "import", "--key", "bad", strategy(folder), "--feed", "replay:nonsense"]) == 1
        (folder / "rows.json").write_text('[{"symbol": "X", "strategy_key": "nothing"}]', encoding="utf-8")
        assert main(["store", "import", str(folder / "rows.json")]) == 0
        wait_until(lambda: "X_nothing" in told()["store"]["problems"])
        capsys.readouterr()
        assert main(["status", "--json"]) == 0
        assert "There is no strategy 'nothing'" in json.loads(capsys.readouterr().out)["store"]["problems"]["X_nothing"]
        assert main(["store", "list"]) == 0
        assert "There is no strategy 'nothing'" in " ".join(capsys.readouterr().out.split())
        assert main(["store", "disable", "one"]) == 0
        wait_until(lambda: not told()["workers"]["one"]["host"])
        capsys.readouterr()
        assert main(["store", "remove", "one", "--flatten"]) == 1
        assert "Its worker is not running, so nothing can close the position" in capsys.readouterr().err
        assert main(["store", "enable", "one"]) == 0
        wait_until(lambda: told()["workers"]["one"]["state"] == "running")
        assert main(["store", "remove", "one", "--flatten"]) == 0
        wait_until(lambda: "one" not in told()["workers"])
        assert main(["stop"]) == 0
