"""The documentation names every command and option, every hook and its arguments, and nothing that doesn't exist."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import typer

from quantcrafter.engine.api import hookspecs
from quantcrafter.engine.api.orders import COMMANDS, EVENTS
from quantcrafter.engine.cli.commands import build_app
from quantcrafter.engine.live.inputs import _KINDS
from quantcrafter.engine.plugins.hooks import hook_names

DOCS = Path(__file__).parents[3] / "docs"
CLI = (DOCS / "cli.md").read_text(encoding="utf-8")
PLUGINS = (DOCS / "plugins.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part.partition("\n")[2] for part in re.split(r"^## ", CLI, flags=re.MULTILINE)[1:]}


def commands() -> dict[str, Any]:
    """Return every command of the top level by name, as typer sees it."""
    return dict(typer.main.get_command(build_app()).commands)  # type: ignore[attr-defined]


def option_names(command: Any) -> set[str]:
    found = {name for parameter in command.params for name in parameter.opts if name.startswith("-")}
    for child in getattr(command, "commands", {}).values():
        found |= option_names(child)
    return found - {"--help", "-h"}


def documented_options(section: str) -> set[str]:
    rows = [line for line in section.splitlines() if line.startswith("| `-")]
    return {name for row in rows for name in re.findall(r"`(-[^`]*)`", row.rsplit("|", 2)[0])}


def test_the_table_of_commands_is_typers_list() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", CLI.partition("## ")[0], flags=re.MULTILINE)

    assert sorted(listed) == sorted(commands())


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_option_of_a_command_is_documented_and_no_other(name: str) -> None:
    assert documented_options(SECTIONS[name]) == option_names(commands()[name])


@pytest.mark.parametrize("name", sorted(commands()))
def test_the_usage_lines_have_every_long_option_and_every_child(name: str) -> None:
    usage = "\n".join(line for line in SECTIONS[name].splitlines() if line.startswith("    "))

    assert f"quantcrafter {name}" in usage
    for option in option_names(commands()[name]):
        assert not option.startswith("--") or option in usage
    for child in getattr(commands()[name], "commands", {}):
        assert f"quantcrafter {name} {child}" in usage


def test_the_options_before_the_command_are_documented() -> None:
    top = typer.main.get_command(build_app())
    names = {name for parameter in top.params for name in parameter.opts if name.startswith("-")}

    assert {name for name in names if f"`{name}`" not in CLI} == set()


def test_every_command_and_option_has_a_help_text() -> None:
    for name, command in commands().items():
        assert command.help, name
        for parameter in command.params:
            assert parameter.help, f"{name} {parameter.name}"


def test_every_kind_of_event_is_documented_and_no_other() -> None:
    rows = [line.split("|")[1] for line in SECTIONS["events"].splitlines() if line.startswith("| `")]
    documented = [name for row in rows for name in re.findall(r"`([a-z_]+)`", row)]
    inputs = set(_KINDS) - {"report", "clock"}  # a report stands among the outputs, and a tick is no event
    outputs = {re.sub(r"(?<!^)(?=[A-Z])", "_", each.__name__).lower() for each in (*COMMANDS, *EVENTS)}
    assert sorted(documented) == sorted(inputs | outputs | {"notice"})


def test_every_hook_is_documented_with_its_arguments() -> None:
    rows = dict(re.findall(r"^\| `(register_\w+)` \| ([^|]*?) \|", PLUGINS, flags=re.MULTILINE))

    assert tuple(rows) == hook_names()
    for hook, arguments in rows.items():
        wanted = ", ".join(f"`{name}`" for name in inspect.signature(getattr(hookspecs, hook)).parameters)
        assert arguments == (wanted or "none"), hook


def test_the_entry_point_group_and_the_api_version_are_those_of_the_code() -> None:
    assert f'[project.entry-points."{hookspecs.ENTRY_POINT_GROUP}"]' in PLUGINS
    assert f"`QUANTCRAFTER_API = {hookspecs.API_VERSION}`" in PLUGINS


def test_the_plugin_of_the_guide_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    from quantcrafter.engine.api import Role
    from quantcrafter.engine.plugins import load_registry
    from tests.support.plugin_packages import module

    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path))
    source = PLUGINS.partition("returns it from a hook:\n\n")[2].partition("\nInstall it with")[0]
    registry = load_registry(extra_plugins=[("mine", module("mine", source))])

    assert registry.plugins[-1].error == ""
    spread = registry.component(Role.INDICATOR, "mine.spread")
    assert spread is not None
    value = spread.model_validate({"input": "bars.close", "bars": 1}).compute(input=np.array([1.0, 2.0, 3.0]))
    assert value.tolist()[1:] == [100.0, 50.0]
