"""`quantcrafter plugins`: list, enable, disable and create plugins."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from quantcrafter.engine.api import PluginError, Role
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import did_you_mean
from quantcrafter.engine.cli.console import console, note, print_json, table, warn
from quantcrafter.engine.cli.streams import results
from quantcrafter.engine.plugins import PluginInfo, PluginStatus, Registry, allow_file, load_registry, set_enabled
from quantcrafter.engine.plugins.descriptions import find, headline
from quantcrafter.engine.plugins.template import create_plugin

_STATUS_STYLES = {
    PluginStatus.LOADED: "green",
    PluginStatus.DISABLED: "dim",
    PluginStatus.FAILED: "bold red",
    PluginStatus.NOT_ALLOWED: "yellow",
}
_NOUNS = {
    "data": "data nodes",
    "logic": "logic nodes",
    "data_providers": "data providers",
    "download_providers": "download providers",
    "risk": "risk managers",
    "money": "money managers",
    "execution": "execution nodes",
}
_WITH_HELP = {*map(str, Role), "data_providers"}
"""Kinds of components whose classes have help texts."""


def plugins_app() -> typer.Typer:
    """Return the group of commands."""
    group = typer.Typer(help="List, describe, enable, disable and create plugins.", invoke_without_command=True)
    group.callback()(_plugins)
    group.command("list")(list_plugins)
    group.command("info")(info)
    group.command("create")(create)
    group.command("enable")(enable)
    group.command("disable")(disable)
    group.command("allow")(allow)
    return group


def _plugins(
    context: typer.Context, *, json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False
) -> None:
    """List, describe, enable, disable and create plugins. Without a command, list them."""
    if context.invoked_subcommand is None:
        list_plugins(json=json)


def list_plugins(*, json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False) -> None:
    """Show every installed plugin: its version, whether it is loaded, and what it provides."""
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
        if problem.code in ("plugin_state", "plugin_not_allowed"):
            warn(str(problem).removeprefix("warning: "))


def info(
    name: Annotated[str, typer.Argument(help="Name of the plugin.", metavar="NAME")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Show one plugin: its version, its package, its error if it has one, and everything that it provides."""
    registry = load_registry()
    found = next((each for each in registry.plugins if each.name == name), None)
    if found is None:
        near = did_you_mean(name, [each.name for each in registry.plugins])
        raise PluginError(
            Message(
                "There is no plugin '{name}'. {remedy}",
                name=name,
                remedy=near or Message("List them: quantcrafter plugins."),
            )
        )
    if json:
        print_json(
            {**_as_json(found), "help": {section: _help(registry, found, section) for section in found.provides}}
        )
        return
    _card(registry, found)


def create(
    name: Annotated[str, typer.Argument(help="Name of the new plugin, such as momentum.", metavar="NAME")],
    *,
    folder: Annotated[
        Path, typer.Option("--folder", "-f", help="Parent folder; the current folder by default.")
    ] = Path(),
    complete: Annotated[
        bool, typer.Option("--complete", help="Include every kind of component and a data provider.")
    ] = False,
) -> None:
    """Create a folder with a working plugin and its tests, as a template."""
    made = create_plugin(name, folder, complete=complete)
    results().write(f"{made}\n")
    note(f"Install it: pip install -e {made}. Test it: pytest {made}. See it: quantcrafter plugins info {name}.")


def enable(name: Annotated[str, typer.Argument(help="Name of the plugin.", metavar="NAME")]) -> None:
    """Enable a plugin."""
    set_enabled(name, enabled=True)
    note(f"Plugin '{name}' is enabled.")


def disable(name: Annotated[str, typer.Argument(help="Name of the plugin.", metavar="NAME")]) -> None:
    """Disable a plugin without uninstalling it."""
    set_enabled(name, enabled=False)
    note(f"Plugin '{name}' is disabled; strategy files that use its components will not run.")


def allow(
    name: Annotated[str, typer.Argument(help="Name of a file in the nodes folder.", metavar="NAME")],
) -> None:
    """Allow a node file: a .py file in the folder 'nodes' of your QuantCrafter folder."""
    found = allow_file(name)
    note(f"The node file '{found.name}' is allowed.")


def _overview(plugins: tuple[PluginInfo, ...]) -> Any:
    from rich.text import Text

    made = table("Plugin", "Version", "Status", "Provides", "Package")
    for info in plugins:
        provides = ", ".join(f"{len(names)} {_noun(section, len(names))}" for section, names in info.provides.items())
        status = Text(str(info.status), style=_STATUS_STYLES[info.status])
        made.add_row(info.name, info.version, status, provides, info.distribution)
    return made


def _card(registry: Registry, plugin: PluginInfo) -> None:
    from rich.text import Text

    out = console()
    heading = Text(f"{plugin.name} {plugin.version}", style="bold")
    out.print(heading.append(f"  {plugin.status}", style=_STATUS_STYLES[plugin.status]))
    origin = f"File: {plugin.file}" if plugin.file else f"Package: {plugin.distribution}"
    out.print("Part of QuantCrafter" if plugin.builtin else origin, markup=False)
    if plugin.error:
        out.print(f"\n{plugin.error}", style="red", markup=False)
    if plugin.traceback:
        out.print(f"\n{plugin.traceback.rstrip()}", style="dim", markup=False)
    for section, names in plugin.provides.items():
        out.print(f"\n{len(names)} {_noun(section, len(names))}", style="bold")
        helps = _help(registry, plugin, section)
        width = max(map(len, names))
        for name in names:
            out.print(f"  {name:{width}}  {helps[name]}".rstrip(), markup=False, highlight=False)


def _help(registry: Registry, plugin: PluginInfo, section: str) -> dict[str, str]:
    """Return the first sentence of the help of each component or data provider; "" for other things."""
    wanted = "sources" if section == "data_providers" else section
    found = {}
    for name in plugin.provides[section]:
        classes = find(registry, name) if section in _WITH_HELP else []
        found[name] = next((headline(cls) for place, cls in classes if place == wanted), "")
    return found


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
        "file": info.file,
        "builtin": info.builtin,
        "status": str(info.status),
        "error": info.error,
        "traceback": info.traceback,
        "provides": {section: list(names) for section, names in info.provides.items()},
    }
