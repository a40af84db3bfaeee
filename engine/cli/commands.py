"""Builds the command line, when it is needed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from quantcrafter.engine.cli import (
    backups,
    compare,
    config,
    controls,
    data,
    desktop,
    engines,
    folders,
    history,
    interchange,
    lookahead,
    migrate,
    nodes,
    notices,
    parity,
    plugins,
    recordings,
    run,
    schema,
    serving,
    start,
    store,
    validate,
    workers,
)
from quantcrafter.engine.cli.main import DONE, print_version

USAGE_ERROR: type[Exception] = typer.BadParameter.__bases__[0]
"""typer's base of every complaint about arguments, which it does not export by name."""


def build_app(*, pretty_help: bool = False) -> typer.Typer:
    """Return the whole command line.

    Args:
        pretty_help: frame the help with rich, for a terminal.
    """
    app = typer.Typer(
        name="quantcrafter",
        help="Design a trading strategy as a graph, save it as YAML, run it.",
        rich_markup_mode="rich" if pretty_help else None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback()(_options)
    app.command("app")(desktop.app)
    app.command("run")(run.run)
    app.command("start")(start.start)
    app.command("status")(workers.status)
    app.command("stop")(controls.stop)
    app.command("pause")(controls.pause)
    app.command("resume")(controls.resume)
    app.command("kill")(controls.kill)
    app.command("logs")(controls.logs)
    app.command("events")(workers.events)
    app.command("recording")(recordings.recording)
    app.command("replay")(recordings.replay)
    app.command("trades")(workers.trades)
    app.command("serve")(serving.serve)
    app.command("token")(serving.token)
    app.add_typer(serving.users_app(), name="users")
    app.command("validate")(validate.validate)
    app.command("migrate")(migrate.migrate)
    app.command("export")(interchange.export)
    app.command("import")(interchange.import_)
    app.command("lookahead")(lookahead.lookahead)
    app.command("nodes")(nodes.nodes)
    app.add_typer(notices.notices_app(), name="notices")
    app.command("backup")(backups.backup)
    app.command("restore")(backups.restore)
    app.command("schema")(schema.schema)
    app.add_typer(data.data_app(), name="data")
    app.add_typer(history.runs_app(), name="runs")
    app.command("compare")(compare.compare)
    app.add_typer(folders.folders_app(), name="folders")
    app.add_typer(plugins.plugins_app(), name="plugins")
    app.add_typer(engines.engines_app(), name="engines")
    app.add_typer(store.store_app(), name="store")
    app.command("config")(config.config)
    app.command("parity")(parity.parity)
    return app


def run_app(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; usage errors are printed, other errors are raised."""
    command = typer.main.get_command(build_app(pretty_help=sys.stdout.isatty()))
    try:
        result = command.main(list(arguments), prog_name="quantcrafter", standalone_mode=False)
    except USAGE_ERROR as error:
        return _usage_failure(error)
    return result if isinstance(result, int) else DONE


def _usage_failure(error: Exception) -> int:
    from quantcrafter.engine.cli.console import complain

    context = getattr(error, "ctx", None)
    message = str(error.format_message() if hasattr(error, "format_message") else error).strip()
    complain(message if message.endswith((".", "?", "!")) else f"{message}.")
    sys.stderr.write(f"Try '{context.command_path if context else 'quantcrafter'} --help'.\n")
    return int(getattr(error, "exit_code", 2))


def _version_option(value: bool) -> None:  # noqa: FBT001 - typer's callback
    if value:
        raise typer.Exit(print_version())


def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version_option, is_eager=True, help="Show the version.")
    ] = False,
    verbose: Annotated[  # the entry point looks for it, so it can be in any position
        bool,
        typer.Option("--verbose", help="Show the traceback of an unexpected error; can be in any position."),
    ] = False,
) -> None:
    """Design a trading strategy as a graph, save it as YAML, run it."""
    del version, verbose
    from quantcrafter.engine.api.home import close_home

    shared = close_home()
    if shared is not None:
        from quantcrafter.engine.cli.console import warn

        warn(
            f"All users can write to your QuantCrafter folder '{shared}'. Set QUANTCRAFTER_HOME to a folder of "
            f"your own, or remove the permission: chmod go-w '{shared}'"
        )
