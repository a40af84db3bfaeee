"""`quantcrafter serve`, `token` and `users`: the API of the orchestrator, and who may use it."""

from __future__ import annotations

from typing import Annotated

import typer

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.cli.config import ConfigFolder, configured
from quantcrafter.engine.cli.console import console, note, table
from quantcrafter.engine.cli.streams import results


def serve(
    *,
    host: Annotated[
        str | None, typer.Option("--host", metavar="ADDRESS", help="Where it listens; 127.0.0.1 if left out.")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="The port; 0 for any free one.", show_default=False)
    ] = None,
    config: ConfigFolder = None,
    with_parent: Annotated[bool, typer.Option("--with-parent", help="End when standard input ends.")] = False,
) -> None:
    """Serve the API and the web page of the workers of this data folder. 'start' does it by itself."""
    from dataclasses import replace

    from quantcrafter.engine.orchestrator.api_process import missing_for_api

    missing = missing_for_api()
    if missing:
        raise RunError(
            Message(
                'The API needs {names}. Run: pip install "quantcrafter[server]"',
                names=", ".join(missing),
            )
        )
    from quantcrafter.engine.server.serving import serve as serve_api
    from quantcrafter.engine.server.settings import ApiSettings

    settings = ApiSettings.of(configured(config))
    settings = replace(
        settings, host=settings.host if host is None else host, port=settings.port if port is None else port
    )
    settings.check()
    serve_api(settings, with_parent=with_parent)


def token() -> None:
    """Print the token of the API."""
    from quantcrafter.engine.api.os_errors import fault
    from quantcrafter.engine.live.api_files import api_token, base_url

    try:
        found = api_token()
    except OSError as error:
        cause, remedy = fault(error, "home")
        raise RunError(Message("The token can't be read: {cause}. {remedy}", cause=cause, remedy=remedy)) from error
    results().write(f"{found}\n")
    served = base_url()
    if served is not None:
        note(f"Log in with a browser at {served}/login")


def users_app() -> typer.Typer:
    """Return the commands of `quantcrafter users`."""
    app = typer.Typer(help="Further users of the API, with roles.", no_args_is_help=True)
    app.command("add")(add)
    app.command("list")(list_users)
    app.command("remove")(remove)
    return app


def add(
    name: Annotated[str, typer.Argument(help="The user's name.", metavar="NAME")],
    *,
    role: Annotated[
        str, typer.Option("--role", help="viewer, or operator, who may change something.", metavar="viewer|operator")
    ] = "viewer",
    worker: Annotated[
        list[str] | None,
        typer.Option("--worker", metavar="KEY", help="A worker that the user sees beside their own; repeatable."),
    ] = None,
) -> None:
    """Make a user, or give them a new token, role and workers. The token is shown only now."""
    from quantcrafter.engine.server.users import UserBook, UserRole

    if role not in tuple(UserRole):
        raise typer.BadParameter(f"there is no role '{role}'; there are {', '.join(UserRole)}.", param_hint="'--role'")
    made = UserBook().add(name, UserRole(role), tuple(worker or ()))
    results().write(f"{made}\n")
    note(f"The user '{name}' logs in with this token. It is not kept: note it now.")


def list_users() -> None:
    """List the users."""
    from quantcrafter.engine.server.users import UserBook

    users = UserBook().all()
    if not users:
        note("There are no users beside you. 'quantcrafter users add NAME' makes one.")
        return
    made = table("user", "role", "workers beside their own")
    for each in users.values():
        made.add_row(each.name, str(each.role), ", ".join(each.workers))
    console().print(made)


def remove(name: Annotated[str, typer.Argument(help="The user's name.", metavar="NAME")]) -> None:
    """Remove a user; their sessions end."""
    from quantcrafter.engine.server.users import UserBook

    UserBook().remove(name)
    note(f"The user '{name}' is removed.")
