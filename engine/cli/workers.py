"""`quantcrafter status`, `events` and `trades`: what the workers do, and what they did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from quantcrafter.engine.cli.console import console, note
from quantcrafter.engine.cli.installed import registry_with_warnings
from quantcrafter.engine.cli.recordings import log_of
from quantcrafter.engine.cli.run import STDOUT, STDOUT_FILES
from quantcrafter.engine.cli.streams import results
from quantcrafter.engine.cli.worker_table import shown, worker_table
from quantcrafter.engine.data.labels import local_time


def status(*, json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False) -> None:
    """Show all workers: what state each is in, its position, and the age of its feed."""
    from quantcrafter.engine.live.api_files import api_token_file, base_url
    from quantcrafter.engine.orchestrator.api_process import why_api_ended
    from quantcrafter.engine.orchestrator.control import STATUS_S, NoAnswerError, ask
    from quantcrafter.engine.orchestrator.registry import registered_workers
    from quantcrafter.engine.orchestrator.worker_listing import every_worker

    no_answer = ""
    try:
        answer = ask("status", within_s=STATUS_S)
    except NoAnswerError as error:  # the files of the workers say what they do
        answer, no_answer = None, str(error)
        note(no_answer)
    workers = every_worker(answer)
    if json:
        from pydantic_core import to_json

        plain = {key: {name: value for name, value in each.items() if name != "error"} for key, each in workers.items()}
        served = base_url()
        token = None if served is None else str(api_token_file())
        store = None if answer is None else answer.get("store")
        whole = {
            "workers": plain,
            "base_url": served,
            "token_file": token,
            "store": store,
            "notices": (answer or {}).get("notices"),
        }
        results().write(to_json(whole, indent=2).decode() + "\n")
        return
    for key, problem in ((answer or {}).get("store") or {}).get("problems", {}).items():
        note(f"{key}: {problem}")
    _show_failures((answer or {}).get("notices") or {})
    if answer is not None and base_url() is None and (why := why_api_ended()):
        note(f"The API doesn't run: {why}")
    if not workers:
        note("There are no workers. 'quantcrafter start FILE' starts one.")
        return
    console().print(worker_table(workers))
    if answer is None and not no_answer and any(each.wanted for each in registered_workers().values()):
        note("No orchestrator is running. 'quantcrafter start' continues the workers that ran when it was killed.")


def _show_failures(notices: dict[str, Any]) -> None:
    for name, each in notices.get("channels", {}).items():
        if each["error"]:
            note(f"Channel '{name}': {each['waiting']:,} notices wait, as they can't be sent: {each['error']}")
    if notices.get("heartbeat", {}).get("error"):
        note(f"The heartbeat can't be sent: {notices['heartbeat']['error']}")


def events(
    worker: Annotated[str, typer.Argument(help="The worker's key.", metavar="WORKER")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each event.")] = False,
) -> None:
    """Show the events of a worker: bars, orders, reports, commands and notices, oldest first."""
    from pydantic_core import to_json

    from quantcrafter.engine.live.events import events_of
    from quantcrafter.engine.live.input_log import InputLog

    path, out = log_of(worker), results()
    if path is None:
        return
    with InputLog.read(path) as log:
        for event in events_of(log):
            out.write(to_json(event).decode() + "\n" if json else _line(event))


def trades(
    worker: Annotated[str, typer.Argument(help="The worker's key.", metavar="WORKER")],
    out: Annotated[Path, typer.Argument(help="The CSV file to write; - is stdout.", metavar="OUT.csv")],
    *,
    fills: Annotated[bool, typer.Option("--fills", help="Write its executions instead of its closed trades.")] = False,
) -> None:
    """Write the trades or fills of a worker to a CSV file, also while it runs."""
    from quantcrafter.engine.api.message import Message
    from quantcrafter.engine.orchestrator.exports import fills_csv, trades_csv
    from quantcrafter.engine.stats.whole_files import write_whole

    path = log_of(worker)
    if path is None:
        return
    text = (fills_csv if fills else trades_csv)(path.parent, registry_with_warnings())
    if out == STDOUT or out in STDOUT_FILES:
        results().write(text)
        return
    write_whole(out, text.encode(), Message("The trade list"))
    note(f"{out}: {max(0, text.count(chr(10)) - 1):,} rows.")


def _line(event: dict[str, Any]) -> str:
    head = ("seq", "ts_ns", "kind", "client_order_id")
    rest = " ".join(f"{name}={shown(value)}" for name, value in event.items() if name not in head)
    order = f" {event['client_order_id']}" if event["client_order_id"] else ""
    return f"{local_time(event['ts_ns'], 'UTC').isoformat()} {event['kind']}{order} {rest}".rstrip() + "\n"
