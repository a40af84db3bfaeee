"""`quantcrafter plugins create` and `info`: a new plugin works as it is, and is described."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from quantcrafter.engine.api import PluginError
from quantcrafter.engine.plugins.template import create_plugin
from tests.support.command_line import clean_environment, quantcrafter
from tests.support.plugin_packages import indicator, install

GOOD = indicator("good.pass") + "\n@hookimpl\ndef register_indicators():\n    return [Demo]\n"
BAD_NAMES = ["", "Momentum", "1st", "my-plugin", "a/b", "../up", "class", "bars", "ta", "x" * 41, "caf\u00e9"]


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--complete",)])
def test_a_new_plugin_passes_its_own_tests(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = quantcrafter("plugins", "create", "my_waves", *options, home=tmp_path, cwd=tmp_path)
    folder = tmp_path / "quantcrafter_my_waves"

    assert (done.returncode, done.stdout) == (0, "quantcrafter_my_waves\n"), done.stderr
    assert "pip install -e quantcrafter_my_waves" in done.stderr
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    tested = subprocess.run(
        run, cwd=tmp_path, env=clean_environment(tmp_path), capture_output=True, text=True, check=False, timeout=240
    )
    assert tested.returncode == 0, tested.stdout


@pytest.mark.parametrize("name", ["mine", "demo"])
def test_nothing_of_the_templates_name_is_left(tmp_path: Path, name: str) -> None:
    folder = create_plugin("momentum", tmp_path, complete=name == "demo")
    texts = {path: path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()}

    assert len(texts) >= 3
    assert [path for path, text in texts.items() if name in path.name or f"{name}." in text or f"_{name}" in text] == []
    project = tomllib.loads(texts[folder / "pyproject.toml"])["project"]
    assert project["entry-points"]["quantcrafter.plugins"] == {"momentum": "quantcrafter_momentum"}
    assert [path.name for path in tmp_path.iterdir()] == ["quantcrafter_momentum"], "no leftovers beside it"


@pytest.mark.parametrize("name", BAD_NAMES)
def test_an_impossible_name_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(PluginError, match="A plugin's name"):
        create_plugin(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_is_left_alone(tmp_path: Path) -> None:
    mine = create_plugin("momentum", tmp_path) / "quantcrafter_momentum.py"
    mine.write_text("my work", encoding="utf-8")
    done = quantcrafter("plugins", "create", "momentum", home=tmp_path / "home", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert "already exists" in done.stderr
    assert mine.read_text(encoding="utf-8") == "my work"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="nowhere' is not a folder"):
        create_plugin("momentum", tmp_path / "nowhere")


def test_info_shows_what_a_plugin_provides_and_why_another_was_left_out(tmp_path: Path) -> None:
    install(tmp_path / "site", "qc-good", GOOD)
    install(tmp_path / "site", "qc-broken", "raise SystemExit('no licence')")
    site = str(tmp_path / "site")
    good = quantcrafter("plugins", "info", "qc-good", home=tmp_path, PYTHONPATH=site)
    broken = quantcrafter("plugins", "info", "qc-broken", home=tmp_path, PYTHONPATH=site)

    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.splitlines()[0].split() == ["qc-good", "1.2.3", "loaded"]
    assert "  good.pass  Pass the input on." in good.stdout.splitlines()
    assert broken.returncode == 0
    assert "its import raised SystemExit: no licence" in broken.stdout
    assert "raise SystemExit('no licence')" in broken.stdout


def test_info_is_json_for_programs(tmp_path: Path) -> None:
    done = quantcrafter("plugins", "info", "builtin-data", "--json", home=tmp_path)
    facts = json.loads(done.stdout)

    assert facts["version"] == importlib.metadata.version("quantcrafter")
    assert set(facts["help"]["data_providers"]) == set(facts["provides"]["data_providers"])
    assert all(facts["help"]["data_providers"].values())


def test_info_about_no_plugin_suggests_the_nearest(tmp_path: Path) -> None:
    done = quantcrafter("plugins", "info", "builtin-node", home=tmp_path)

    assert done.returncode == 2
    assert "There is no plugin 'builtin-node'. Did you mean 'builtin-nodes'?" in done.stderr
