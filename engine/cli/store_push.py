"""`quantcrafter store push`: a strategy for the store of another server or data folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.cli.console import note
from quantcrafter.engine.cli.installed import registry_with_warnings
from quantcrafter.engine.cli.store_options import Parameters, opened_store, row_from


def push(  # noqa: PLR0913 - its options
    file: Annotated[Path, typer.Argument(help="The strategy file.", metavar="FILE")],
    *,
    to: Annotated[str, typer.Option("--to", metavar="URL|FOLDER", help="The server, or a data folder.")],
    key: Annotated[str, typer.Option("--key", metavar="NAME", help="The strategy key; the name of the file.")] = "",
    symbol: Annotated[str, typer.Option("--symbol", metavar="SYMBOL", help="The symbol to trade instead.")] = "",
    user_id: Annotated[str | None, typer.Option("--user-id", metavar="USER", help="Whose it is.")] = None,
    feed: Annotated[str, typer.Option("--feed", metavar="NAME[:TEXT]", help="Where its bars come from.")] = "",
    broker: Annotated[str, typer.Option("--broker", metavar="NAME[:TEXT]", help="Who fills its orders.")] = "",
    settings: Parameters = None,
    live: Annotated[bool, typer.Option("--live", help="Let it trade real money, where the server allows it.")] = False,
    disabled: Annotated[bool, typer.Option("--disabled", help="Let it not run yet.")] = False,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="The server's token; else QUANTCRAFTER_PUSH_TOKEN."),
    ] = None,
) -> None:
    """Put a strategy with the files that it refers to into the store of another server or data folder."""
    from quantcrafter.engine.store.bundle import bundle_of
    from quantcrafter.engine.store.push_client import push as send

    row = row_from(
        file, key, settings, disabled=disabled, symbol=symbol, user_id=user_id, feed=feed, broker=broker, live=live
    )
    bundle = bundle_of(file, row)
    if "://" in to:
        send(bundle, to, _push_token(token_file))
    else:
        _put_into(bundle, Path(to))
    note(f"'{row.key}' is in the store of {to}, with {len(bundle['files'])} files.")


def _push_token(file: Path | None) -> str:
    """Return the token for a server.

    Raises:
        RunError: there is none.
    """
    from quantcrafter.engine.config.secrets import secret_named

    name = "QUANTCRAFTER_PUSH_TOKEN"
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise RunError(Message("The token '{path}' can't be read.", path=shown_path(file))) from error
    found = secret_named(name)
    if not found:
        raise RunError(
            Message(
                "The server's token is missing. Give --token-file, or set {name} in the environment or the keyring.",
                name=name,
            )
        )
    return found


def _put_into(bundle: Mapping[str, Any], folder: Path) -> None:
    """Put a bundle into another data folder of this computer.

    Raises:
        RunError: it doesn't exist.
    """
    from quantcrafter.engine.orchestrator.pushing import receive_push

    if not folder.is_dir():
        raise RunError(Message("There is no data folder '{folder}'. Make it first.", folder=shown_path(folder)))
    before = os.environ.get("QUANTCRAFTER_HOME")
    os.environ["QUANTCRAFTER_HOME"] = str(folder.absolute())
    try:
        with opened_store(None) as (store, rules):
            receive_push(bundle, store, registry_with_warnings(), rules)
    finally:
        if before is None:
            del os.environ["QUANTCRAFTER_HOME"]
        else:
            os.environ["QUANTCRAFTER_HOME"] = before
