"""`quantcrafter notices`: whether the channels of the configuration deliver."""

from __future__ import annotations

import typer

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.cli.config import ConfigFolder, configured
from quantcrafter.engine.cli.console import note


def notices_app() -> typer.Typer:
    """Return the commands of `quantcrafter notices`."""
    app = typer.Typer(help="Notices by Telegram, mail, Slack and others.", no_args_is_help=True)
    app.callback()(_group)
    app.command("test")(send_test)
    return app


def _group() -> None:
    """Keep `test` a command of its own, though it is the only one."""


def send_test(*, config: ConfigFolder = None) -> None:
    """Send one test notice through each channel of the configuration, and say which of them took it."""
    from quantcrafter.engine.notices.outlet import try_channels

    settings = configured(config).settings.notices
    if not settings.channels:
        raise RunError(
            Message(
                "There is no channel to test: the setting 'notices.channels' is empty. Add one, such as "
                "'phone alarm keyring:PHONE'."
            )
        )
    found = try_channels(settings)
    for name, error in found.items():
        note(f"{name}: {error or 'sent'}")
    failed = [name for name, error in found.items() if error]
    if failed:
        raise RunError(
            Message(
                "{count} of {all} channels failed: {names}.", count=len(failed), all=len(found), names=", ".join(failed)
            )
        )
