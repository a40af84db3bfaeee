"""`quantcrafter plugins`: what is installed, what is wrong with it, and switching it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.command_line import quantcrafter
from tests.support.plugin_packages import indicator, install

GOOD = indicator("good.pass") + "\n@hookimpl\ndef register_indicators():\n    return [Demo]\n"


@pytest.fixture
def site(tmp_path: Path) -> str:
    """Return a folder with a good and a broken plugin package."""
    install(tmp_path / "site", "qc-good", GOOD)
    install(tmp_path / "site", "qc-broken", "raise SystemExit('no licence')")
    return str(tmp_path / "site")


def test_the_list_shows_status_and_fault(site: str, tmp_path: Path) -> None:
    done = quantcrafter("plugins", home=tmp_path, PYTHONPATH=site)

    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["qc-good", "1.2.3", "loaded", "1", "indicator", "qc-good"] in rows
    assert ["qc-broken", "1.2.3", "failed", "qc-broken"] in rows
    assert "qc-broken: its import raised SystemExit: no licence" in done.stdout


def test_the_list_names_every_kind_in_words(tmp_path: Path) -> None:
    done = quantcrafter("plugins", home=tmp_path, COLUMNS="200")

    (row,) = [line for line in done.stdout.splitlines() if line.startswith("builtin-data")]
    assert re.search(r"\d data providers?, \d download providers?, \d+ markets?", row)
    assert "_" not in done.stdout


def test_the_json_list_has_the_traceback(site: str, tmp_path: Path) -> None:
    done = quantcrafter("plugins", "list", "--json", home=tmp_path, PYTHONPATH=site)

    plugins = {plugin["name"]: plugin for plugin in json.loads(done.stdout)}
    assert plugins["qc-good"]["provides"] == {"indicators": ["good.pass"]}
    assert "raise SystemExit('no licence')" in plugins["qc-broken"]["traceback"]
    assert plugins["builtin-nodes"]["builtin"]


def test_other_commands_warn_of_a_broken_plugin_and_go_on(site: str, tmp_path: Path) -> None:
    done = quantcrafter("nodes", "good.pass", home=tmp_path, PYTHONPATH=site)

    assert done.returncode == 0
    assert done.stdout.startswith("good.pass")
    assert done.stderr.startswith(
        "warning: Plugin 'qc-broken' was not loaded: its import raised SystemExit: no licence."
    )


def test_a_plugin_is_disabled_and_enabled(site: str, tmp_path: Path) -> None:
    off = quantcrafter("plugins", "disable", "qc-broken", home=tmp_path, PYTHONPATH=site)
    assert (off.returncode, off.stdout) == (0, "")
    assert off.stderr.startswith("Plugin 'qc-broken' is disabled")
    assert "disabled" in quantcrafter("plugins", home=tmp_path, PYTHONPATH=site).stdout
    assert quantcrafter("nodes", "good.pass", home=tmp_path, PYTHONPATH=site).stderr == ""

    on = quantcrafter("plugins", "enable", "qc-broken", home=tmp_path, PYTHONPATH=site)
    assert (on.returncode, on.stderr) == (0, "Plugin 'qc-broken' is enabled.\n")
    assert "failed" in quantcrafter("plugins", home=tmp_path, PYTHONPATH=site).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["disable", "qc-goood"], "error: There is no plugin 'qc-goood'. Did you mean 'qc-good'?\n"),
        (["disable", "builtin-nodes"], "error: Plugin 'builtin-nodes' is part of QuantCrafter itself"),
        (["enable"], "error: Missing argument 'NAME'."),
        (["remove", "x"], "error: No such command 'remove'."),
    ],
)
def test_what_cannot_be_switched_ends_with_2(site: str, tmp_path: Path, arguments: list[str], message: str) -> None:
    done = quantcrafter("plugins", *arguments, home=tmp_path, PYTHONPATH=site)

    assert done.returncode == 2
    assert done.stderr.startswith(message)


def test_a_damaged_list_of_disabled_plugins_is_a_warning(site: str, tmp_path: Path) -> None:
    (tmp_path / "plugins.json").write_text("{")

    done = quantcrafter("plugins", home=tmp_path, PYTHONPATH=site)

    assert done.returncode == 0
    assert done.stderr.startswith(
        f"warning: The list of disabled plugins, '{tmp_path / 'plugins.json'}', can't be read"
    )
