"""What the commands about strategies of the store have in common."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quantcrafter.engine.cli.config import configured
from quantcrafter.engine.cli.store_rows import store_of

if TYPE_CHECKING:
    from quantcrafter.engine.orchestrator.row_config import RowRules
    from quantcrafter.engine.store.rows import StrategyRow
    from quantcrafter.engine.store.store import StrategyStore

Parameters = Annotated[
    list[str] | None, typer.Option("--set", "-s", metavar="NAME=VALUE", help="A parameter, such as run.cash=5000.")
]


@contextmanager
def opened_store(folder: Path | None) -> Iterator[tuple[StrategyStore, RowRules]]:
    """Give the store of the configuration, and what rows may do in it."""
    from quantcrafter.engine.orchestrator.row_config import RowRules

    configuration = configured(folder)
    with closing(store_of(configuration)) as store:
        yield store, RowRules.of(configuration.settings, configuration.folder, live=True)


def parameters(settings: list[str] | None) -> dict[str, Any]:
    """Return the parameters that options give by name; values are JSON, else text."""
    found: dict[str, Any] = {}
    for each in settings or ():
        name, equals, value = each.partition("=")
        if not equals:
            raise typer.BadParameter(f"'{each}' is not NAME=VALUE.", param_hint="'--set'")
        try:
            found[name] = json_text.loads(value)
        except ValueError:
            found[name] = value
    return found


def row_from(file: Path, key: str, settings: list[str] | None, *, disabled: bool, **values: Any) -> StrategyRow:
    """Return the row of a strategy file by the options of a command; its strategy is still to be put in.

    Raises:
        RowError: a value is none that a row may have.
    """
    from quantcrafter.engine.store.rows import row_of

    named = {"strategy_key": key or file.stem, "enabled": not disabled, "params": parameters(settings)}
    return row_of({**values, **named})
