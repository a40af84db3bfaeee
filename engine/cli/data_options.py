"""Options and texts shared by the commands of `quantcrafter data`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from quantcrafter.engine.api import Timeframe
    from quantcrafter.engine.data.store import Series

Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", "-s", metavar="NAME=VALUE", help="An option of the source, such as timezone=Europe/Berlin; repeatable."
    ),
]
Repair = Annotated[bool, typer.Option("--repair", help="Fix bad bars instead of refusing them.")]


def series_json(series: Series) -> dict[str, Any]:
    """Return a series for JSON; times are UTC nanoseconds."""
    origin = series.origin
    names = ("symbol", "count", "first_ns", "last_ns", "end_ns", "gaps", "missing", "size", "synthetic", "updated")
    return {
        "timeframe": str(series.timeframe),
        "market": series.market or None,
        **{name: getattr(series, name) for name in names},
        "sources": list(series.sources),
        "timezone": series.session.timezone,
        "columns": list(series.columns),
        "currency": series.known_currency or None,
        "download": None if origin is None else json.loads(origin.to_json()),
    }


def frame_of(text: str) -> Timeframe:
    """Return the timeframe that an argument names.

    Raises:
        typer.BadParameter: it is none.
    """
    from quantcrafter.engine.api import Timeframe

    try:
        return Timeframe.parse(text)
    except ValueError as error:
        message = str(error)
        raise typer.BadParameter(message[:1].upper() + message[1:] + ".") from None


def options_of(settings: list[str] | None) -> dict[str, Any]:
    """Return the options of `--set`, with values parsed as in a strategy file."""
    from quantcrafter.engine.spec.compose import compose_setting
    from quantcrafter.engine.spec.source import ProblemLog
    from quantcrafter.engine.spec.tree import plain

    made: dict[str, Any] = {}
    for text in settings or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise typer.BadParameter(f"An option is NAME=VALUE, was {text!r}.", param_hint="'--set'")
        log = ProblemLog()
        node = compose_setting(value, "--set", log)
        if log.problems:
            raise typer.BadParameter(f"The value of {name!r} can't be read: {value!r}.", param_hint="'--set'")
        made[name.strip()] = None if node is None else plain(node)
    return made
