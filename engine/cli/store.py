"""`quantcrafter store`: the strategies of the store, which `start` without files runs."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.place import shown_text
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.cli import store_push
from quantcrafter.engine.cli.config import ConfigFolder
from quantcrafter.engine.cli.console import console, note, print_json, table, warn
from quantcrafter.engine.cli.installed import registry_with_warnings
from quantcrafter.engine.cli.main import DONE, FAILED
from quantcrafter.engine.cli.run import STDOUT, STDOUT_FILES
from quantcrafter.engine.cli.store_options import Parameters, opened_store, parameters, row_from

if TYPE_CHECKING:
    from quantcrafter.engine.orchestrator.row_config import RowRules
    from quantcrafter.engine.store.rows import StrategyRow
    from quantcrafter.engine.store.store import StoreEntry

Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Key = Annotated[str, typer.Argument(help="The key of a strategy.", metavar="KEY")]
Keys = Annotated[list[str], typer.Argument(help="Keys of strategies.", metavar="KEY...")]
_SHOWN = ("enabled", "engine", "symbol", "feed", "broker", "live")


def store_app() -> typer.Typer:
    """Return the group of commands."""
    group = typer.Typer(help="Manage the strategies of the store.", invoke_without_command=True)
    group.callback()(_store)
    group.command("list")(list_rows)
    group.command("show")(show)
    group.command("import")(import_rows)
    group.command("export")(export)
    group.command("enable")(enable)
    group.command("disable")(disable)
    group.command("remove")(remove)
    group.command("preview")(preview)
    group.command("push")(store_push.push)
    return group


def _store(context: typer.Context) -> None:
    """Manage the strategies of the store. Without a command, list them."""
    if context.invoked_subcommand is None:
        list_rows()


# --------------------------------------------------------------------------------------------------------------- shown


def list_rows(*, config: ConfigFolder = None, json: Json = False) -> None:
    """List all strategies of the store, and what is wrong with them."""
    with opened_store(config) as (store, rules):
        entries = store.list()
        problems = _problems(entries, rules)
        place = store.place
    if json:
        rows = [{"key": each.key, **_shown(each), "problem": problems.get(each.key, "")} for each in entries]
        print_json({"place": place, "strategies": rows})
        return
    if not entries:
        note(f"The store {place} has no strategies. 'quantcrafter store import FILE' adds one.")
        return
    made = table("key", *_SHOWN, "problem")
    for each in entries:
        values = {} if each.row is None else _shown(each)
        made.add_row(each.key, *(_text(values.get(name)) for name in _SHOWN), problems.get(each.key, ""))
    console().print(made)


def _problems(entries: tuple[StoreEntry, ...], rules: RowRules) -> dict[str, str]:
    """Return what is wrong with rows: as the orchestrator says, or if none runs, by a check of each."""
    from quantcrafter.engine.api import QuantCrafterError
    from quantcrafter.engine.orchestrator.control import ask
    from quantcrafter.engine.orchestrator.row_config import config_of_row
    from quantcrafter.engine.orchestrator.worker_config import reason_of_error

    found = {each.key: each.problem for each in entries if each.problem}
    told = (ask("status") or {}).get("store")
    if told is not None:
        return {**told["problems"], **found}
    registry = registry_with_warnings(quiet=True)
    for each in entries:
        if each.row is None or not each.row.enabled:
            continue
        try:
            config_of_row(each.row, registry, rules)
        except (QuantCrafterError, ValueError) as error:
            found[each.key] = reason_of_error(error)
    return found


def show(key: Key, *, config: ConfigFolder = None, json: Json = False) -> None:
    """Show a strategy of the store with all its fields."""
    with opened_store(config) as (store, rules):
        entry = store.get(key)
        problem = _problems((entry,), rules).get(key, "")
    values = _shown(entry)
    if json:
        print_json({"key": key, **values, "problem": problem})
        return
    text = values.pop("strategy", "")
    made = table("field", "value")
    for name, value in values.items():
        made.add_row(name, _text(value))
    console().print(made)
    if text:
        console().print(str(text), soft_wrap=True)
    if problem:
        warn(problem)


def _plain(entry: StoreEntry) -> dict[str, Any]:
    """Return the fields of a row as plain values; of one that is none, what the database has."""
    if entry.row is not None:
        return entry.row.model_dump(mode="json")
    return dict(json_text.loads(json_text.dumps(dict(entry.values), default=str)))


def _shown(entry: StoreEntry) -> dict[str, Any]:
    """Return the fields of a row as they may be shown: a feed and a broker may have passwords among their options."""
    values = _plain(entry)
    return values | {name: shown_text(values[name]) for name in ("feed", "broker") if isinstance(values.get(name), str)}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return json_text.dumps(value, ensure_ascii=False) if value else ""
    return "" if value is None else str(value)


# ---------------------------------------------------------------------------------------------------- to and from files


def import_rows(  # noqa: PLR0913 - its options
    files: Annotated[
        list[Path],
        typer.Argument(help="Strategy files, or JSON files with rows as 'export' writes them.", metavar="FILE..."),
    ],
    *,
    key: Annotated[str, typer.Option("--key", metavar="NAME", help="The strategy key; the name of the file.")] = "",
    symbol: Annotated[str, typer.Option("--symbol", metavar="SYMBOL", help="The symbol to trade instead.")] = "",
    user_id: Annotated[str | None, typer.Option("--user-id", metavar="USER", help="Whose they are.")] = None,
    feed: Annotated[str, typer.Option("--feed", metavar="NAME[:TEXT]", help="Where their bars come from.")] = "",
    broker: Annotated[str, typer.Option("--broker", metavar="NAME[:TEXT]", help="Who fills their orders.")] = "",
    settings: Parameters = None,
    live: Annotated[
        bool, typer.Option("--live", help="Let them trade real money, where the server allows it.")
    ] = False,
    disabled: Annotated[bool, typer.Option("--disabled", help="Let them not run yet.")] = False,
    config: ConfigFolder = None,
) -> None:
    """Put strategies into the store, with the files that they refer to; a running 'start' takes them up."""
    from quantcrafter.engine.orchestrator.pushing import receive_push
    from quantcrafter.engine.store.bundle import bundle_of, unpacked
    from quantcrafter.engine.store.rows import StrategyRow

    if key and len(files) > 1:
        raise typer.BadParameter("it needs a single file.", param_hint="'--key'")
    bundles: list[Mapping[str, Any]] = []
    rows: list[StrategyRow] = []
    for file in files:
        if file.suffix == ".json":
            found = list(_read_rows(file))
            bundles += [each for each in found if not isinstance(each, StrategyRow)]
            rows += [each for each in found if isinstance(each, StrategyRow)]
            continue
        row = row_from(
            file, key, settings, disabled=disabled, symbol=symbol, user_id=user_id, feed=feed, broker=broker, live=live
        )
        bundles.append(bundle_of(file, row))
    for each in bundles:
        unpacked(each)
    with opened_store(config) as (store, rules):
        registry = registry_with_warnings()
        done = [receive_push(each, store, registry, rules).key for each in bundles]
        for each_row in rows:
            store.put(each_row)
        for name in (*done, *(each.key for each in rows)):
            note(f"'{name}' is in the store {store.place}.")


def _read_rows(file: Path) -> Iterator[StrategyRow | Mapping[str, Any]]:
    """Yield the rows and bundles of a JSON file.

    Raises:
        RunError: it can't be read, or one of them is no strategy.
    """
    from quantcrafter.engine.api.os_errors import fault
    from quantcrafter.engine.store.rows import RowError, row_of

    try:
        read = json_text.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        cause, remedy = fault(error, "read")
        raise RunError(
            Message("'{path}' can't be read: {cause}. {remedy}", path=shown_path(file), cause=cause, remedy=remedy)
        ) from error
    except ValueError as error:
        raise RunError(Message("'{path}' is not JSON: {error}.", path=shown_path(file), error=str(error))) from error
    for number, each in enumerate(read if isinstance(read, list) else [read], 1):
        if not isinstance(each, Mapping):
            raise RowError(Message("Row {number} of '{path}' is no object.", number=number, path=shown_path(file)))
        if "row" in each:
            yield each
            continue
        try:
            yield row_of(each)
        except RowError as error:
            raise RowError(
                Message("Row {number} of '{path}': {error}", number=number, path=shown_path(file), error=str(error))
            ) from error


def export(
    out: Annotated[Path, typer.Argument(help="The JSON file to write; - is stdout.", metavar="OUT.json")] = STDOUT,
    *,
    config: ConfigFolder = None,
) -> None:
    """Write all strategies of the store to a JSON file, with the files that they refer to."""
    from quantcrafter.engine.stats.whole_files import write_whole
    from quantcrafter.engine.store.bundle import repacked

    with opened_store(config) as (store, _):
        entries = store.list()
    rows = [_plain(each) if each.row is None or not each.row.files else repacked(each.row) for each in entries]
    if out == STDOUT or out in STDOUT_FILES:
        print_json(rows)
        return
    text = json_text.dumps(rows, indent=2, ensure_ascii=False) + "\n"
    write_whole(out, text.encode(), Message("The export"))
    note(f"{out}: {len(rows):,} strategies.")


# -------------------------------------------------------------------------------------------------------------- changed


def enable(keys: Keys, *, config: ConfigFolder = None) -> None:
    """Let strategies of the store run."""
    with opened_store(config) as (store, _):
        for each in keys:
            store.get(each)
        for each in keys:
            store.enable(each)


def disable(keys: Keys, *, config: ConfigFolder = None) -> None:
    """Let strategies of the store run no more. Orders and positions stay as they are."""
    with opened_store(config) as (store, _):
        for each in keys:
            store.get(each)
        for each in keys:
            store.disable(each)
            held = _held(each)
            if held:
                warn(f"'{each}' holds {held}, which nothing manages now.")


def remove(
    keys: Keys,
    *,
    flatten: Annotated[bool, typer.Option("--flatten", help="Close their positions first.")] = False,
    config: ConfigFolder = None,
) -> int:
    """Remove strategies from the store. One that holds a position is not removed, unless it is flattened."""
    from quantcrafter.engine.orchestrator.control import ask

    with opened_store(config) as (store, _):
        known = {each.key for each in store.list()}
        missing = {each for each in keys if each not in known and _is_missing(each)}
        for each in keys:
            if each not in missing:
                store.get(each)
        holding = {each: held for each in keys if (held := _held(each))}
        refused = {} if flatten else dict.fromkeys(holding, "Close the position, or add --flatten.")
        if flatten and holding:
            answer = ask("status")
            if answer is None:
                raise RunError(
                    Message(
                        "No orchestrator is running, so no position can be closed. 'quantcrafter start' starts one."
                    )
                )
            refused = {each: _not_running(each) for each in holding if not _runs(answer["workers"].get(each))}
        for each in keys:
            if each in refused:
                warn(f"'{each}' holds {holding[each]}, so it is not removed. {refused[each]}")
            elif each in missing:
                store.note_removal(each, flatten=flatten)
            else:
                store.remove(each, flatten=flatten)
    return FAILED if refused else DONE


def _is_missing(key: str) -> bool:
    """Return whether a worker goes on although its row is not in the store any more."""
    from quantcrafter.engine.orchestrator.control import ask
    from quantcrafter.engine.orchestrator.registry import registered_worker

    known = registered_worker(key)
    told = (ask("status") or {}).get("store") or {}
    return (known is not None and bool(known.config.row)) or key in told.get("problems", {})


def _runs(told: Mapping[str, Any] | None) -> bool:
    """Return whether a worker, as the orchestrator tells of it, can carry out a command."""
    from quantcrafter.engine.orchestrator.worker_listing import is_alive

    return told is not None and bool(told["wanted"]) and is_alive(told["state"])


def _not_running(key: str) -> str:
    """Return what to do with a worker that holds a position, and is not running."""
    from quantcrafter.engine.live.places import workers_folder

    return str(
        Message(
            "Its worker is not running, so nothing can close the position. Let it run, by 'quantcrafter store disable "
            "{key}' and 'quantcrafter store enable {key}', and repeat this; or close the position at the broker, and "
            "remove the folder '{folder}'.",
            key=key,
            folder=shown_path(workers_folder() / key),
        )
    )


def _held(key: str) -> str:
    """Return what a worker holds, '' for nothing."""
    from quantcrafter.engine.live.places import workers_folder
    from quantcrafter.engine.live.status_file import read_status

    status = read_status(workers_folder() / key)
    return "" if status is None else ", ".join(f"{value:g} {name}" for name, value in status.positions.items())


def preview(
    key: Key,
    file: Annotated[Path, typer.Argument(help="The changed strategy file.", metavar="FILE")],
    *,
    settings: Parameters = None,
    config: ConfigFolder = None,
) -> int:
    """Say what would become of a running strategy's position and orders with a changed file. Nothing is changed."""
    from dataclasses import asdict

    from quantcrafter.engine.orchestrator.control import ask
    from quantcrafter.engine.orchestrator.row_config import config_of_row
    from quantcrafter.engine.store.bundle import bundle_of, keep_files, unpacked

    with opened_store(config) as (store, rules):
        row = store.get(key).row
        if row is None:
            raise RunError(
                Message("The row '{key}' is no strategy: {problem}", key=key, problem=store.get(key).problem)
            )
        changed, files = unpacked(
            bundle_of(file, row.model_copy(update={"params": {**row.params, **parameters(settings)}}))
        )
        keep_files(files)
        made = config_of_row(changed, registry_with_warnings(), rules)
    answer = ask("preview", worker=asdict(made))
    if answer is None:
        raise RunError(Message("No orchestrator is running, so nothing would have to be changed."))
    if answer["refused"]:
        warn(f"It would go on as it is: {answer['refused']}")
        return FAILED
    for each in answer["told"]:
        note(each)
    return DONE
