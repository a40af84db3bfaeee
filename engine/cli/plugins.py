"""`quantcrafter plugins`: what is installed, and switching it on and off."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from engine.cli.console import console, note, print_json, table, warn
from engine.plugins import PluginInfo, PluginStatus, load_registry, set_enabled

_STATUS_STYLES = {PluginStatus.LOADED: "green", PluginStatus.DISABLED: "dim", PluginStatus.FAILED: "bold red"}
_NOUNS = {
    "data": "data nodes",
    "logic": "logic nodes",
    "data_providers": "data providers",
    "risk": "risk managers",
    "money": "money managers",
    "execution": "execution logics",
}


def plugins_app() -> typer.Typer:
    """Return the group of commands."""
    group = typer.Typer(help="List, enable and disable plugins.", invoke_without_command=True)
    group.callback()(_plugins)
    group.command("list")(list_plugins)
    group.command("enable")(enable)
    group.command("disable")(disable)
    return group


def _plugins(
    context: typer.Context, *, json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False
) -> None:
    """List, enable and disable plugins; without a command, list them."""
    if context.invoked_subcommand is None:
        list_plugins(json=json)


def list_plugins(*, json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False) -> None:
    """Show every installed plugin: its version, whether it works, and what it brings."""
    registry = load_registry()
    if json:
        print_json([_as_json(info) for info in registry.plugins])
        return
    out = console()
    out.print(_overview(registry.plugins))
    for info in registry.plugins:
        if info.status is PluginStatus.FAILED:
            out.print(f"\n{info.name}: {info.error}", style="red")
    for problem in registry.problems:
        if problem.code == "plugin.state":
            warn(str(problem).removeprefix("warning: "))


def enable(name: Annotated[str, typer.Argument(help="Name of the plugin.", metavar="NAME")]) -> None:
    """Use a plugin again."""
    set_enabled(name, enabled=True)
    note(f"Plugin '{name}' is enabled.")


def disable(name: Annotated[str, typer.Argument(help="Name of the plugin.", metavar="NAME")]) -> None:
    """Leave a plugin out from now on, without uninstalling it."""
    set_enabled(name, enabled=False)
    note(f"Plugin '{name}' is disabled; strategy files that use its components will not run.")


def _overview(plugins: tuple[PluginInfo, ...]) -> Any:
    from rich.text import Text

    made = table("Plugin", "Version", "Status", "Provides", "Package")
    for info in plugins:
        provides = ", ".join(f"{len(names)} {_noun(section, len(names))}" for section, names in info.provides.items())
        status = Text(str(info.status), style=_STATUS_STYLES[info.status])
        made.add_row(info.name, info.version, status, provides, info.distribution)
    return made


def _noun(section: str, number: int) -> str:
    plural = _NOUNS.get(section, section)
    if number != 1:
        return plural
    return "strategy" if plural == "strategies" else plural.removesuffix("s")


def _as_json(info: PluginInfo) -> dict[str, Any]:
    return {
        "name": info.name,
        "version": info.version,
        "distribution": info.distribution,
        "builtin": info.builtin,
        "status": str(info.status),
        "error": info.error,
        "traceback": info.traceback,
        "provides": {section: list(names) for section, names in info.provides.items()},
    }
