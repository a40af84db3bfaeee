"""`quantcrafter config`: the configuration, and where each value of it comes from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quantcrafter.engine.cli.console import console, note, print_json, table, warn
from quantcrafter.engine.cli.installed import registry_with_warnings

if TYPE_CHECKING:
    from quantcrafter.engine.config.sources import Configuration
    from quantcrafter.engine.plugins import Registry

ConfigFolder = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FOLDER",
        help="The folder with production.json and .env, or that file. 'config' here or in the data folder if left out.",
    ),
]


def configured(named: Path | None, user_id: str | None = None) -> Configuration:
    """Return the configuration, and have processes that are started later read the same one.

    Args:
        named: the folder, or the file in it.
        user_id: whose strategies run; as the configuration has it if left out.

    Raises:
        ConfigError: it is broken.
    """
    from quantcrafter.engine.config.sources import VARIABLE, load_configuration, variable_of

    if user_id is not None:
        os.environ[variable_of("user_id")] = user_id
    found = load_configuration(named)
    if named is not None:
        os.environ[VARIABLE] = str(named.absolute())
    return found


def config(
    folder: ConfigFolder = None,
    *,
    show: Annotated[bool, typer.Option("--show", help="Show the values too; passwords are masked.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Show the configuration: where each value comes from, and with --show the values."""
    found = configured(folder)
    check_places(found, registry_with_warnings(quiet=True))
    values = found.values()
    if json:
        print_json(
            {
                "folder": str(found.folder),
                "settings": {
                    path: {"from": origin, **({"value": values[path]} if show else {})}
                    for path, origin in found.origins.items()
                },
                "unused": list(found.unused),
            }
        )
        return
    made = table("setting", *(("value",) if show else ()), "from")
    for path, origin in found.origins.items():
        made.add_row(path, *((_text(values[path]),) if show else ()), origin)
    console().print(made)
    for name in found.unused:
        warn(f"{found.folder / '.env'}: '{name}' sets nothing.")
    note(f"The folder of the configuration is {found.folder}.")


def check_places(found: Configuration, registry: Registry) -> None:
    """Refuse feeds and brokers of the configuration that don't exist, or have wrong options.

    Raises:
        ConfigError: one is wrong; it says where it is written.
    """
    from quantcrafter.engine.config.sources import wrong_place
    from quantcrafter.engine.orchestrator.worker_config import broker_named, feed_named

    settings = found.settings
    for path, named, texts in (
        ("feed", feed_named, (settings.feed,)),
        ("row_feeds", feed_named, settings.row_feeds),
        ("broker", broker_named, (settings.broker,)),
        ("row_brokers", broker_named, settings.row_brokers),
    ):
        for text in texts:
            try:
                named(text, registry)
            except ValueError as error:
                raise wrong_place(found, path, text, str(error)) from error


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
