"""From a row of a store to the configuration of its worker.

Rows may come from anyone who can write to the database. So a row names no file outside the folders for strategies, no
feed or broker that the configuration doesn't know, and no class that may not be imported; and it moves real money only
if both the row and the operator say so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import RunError, SpecError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.place import settings_from_folder, shown_text
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.config.settings import ServerSettings
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.orchestrator.class_host import path_of_class
from quantcrafter.engine.orchestrator.own_classes.adapters import class_worker
from quantcrafter.engine.orchestrator.own_classes.importing import check_import
from quantcrafter.engine.orchestrator.own_classes.lookup import find_strategy, overrides_of, strategies_folder
from quantcrafter.engine.orchestrator.worker_config import (
    ClassConfig,
    WorkerConfig,
    broker_named,
    check_engine,
    feed_named,
    mode_of,
)
from quantcrafter.engine.plugins import Registry
from quantcrafter.engine.runtime.running.engines import OWN_ENGINE
from quantcrafter.engine.runtime.running.load_graph import load_graph, load_text
from quantcrafter.engine.spec import check_strategy
from quantcrafter.engine.store.bundle import pushed_folder
from quantcrafter.engine.store.rows import StrategyRow

CLASS_ENGINES = ("backtrader", "vnpy")
"""The engines whose strategy classes run as workers."""
OWN_FEEDS, OWN_BROKERS = ("replay", "synthetic", "csv"), ("paper",)
"""What every row may name: they reach no other computer, and files only in folders that strategies may read."""
_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class RowRules:
    """What rows run with, and what they may do.

    `feed` and `broker` are for rows that name none; `feeds` and `brokers` are others that rows may name: by the text in
    rows, the text that is used. `allow_live` is the operator's word for real money. `folders` are those for strategy
    files, beside the one in the data folder. `known` is what strategy keys mean, `import_paths` narrows imports of
    classes, and `engines` are those whose classes may run. `by_hours` says whether strategies keep to their schedules.
    `base` is the folder of the files of rows that hold a text, where that is not the usual one.
    """

    feed: str = "replay:60x"
    broker: str = "paper"
    feeds: Mapping[str, str] = field(default_factory=dict)
    brokers: Mapping[str, str] = field(default_factory=dict)
    allow_live: bool = False
    by_hours: bool = True
    folders: tuple[Path, ...] = ()
    known: Mapping[str, Any] = field(default_factory=dict)
    import_paths: tuple[str, ...] = ()
    engines: tuple[str, ...] = CLASS_ENGINES
    base: Path | None = None

    @classmethod
    def of(cls, settings: ServerSettings, folder: Path, *, live: bool = False) -> RowRules:
        """Return the rules of a configuration, which is in a folder; `live` allows real money too."""
        lifecycle = settings.lifecycle
        engines = settings.engines
        return cls(
            settings_from_folder(settings.feed, folder),
            settings_from_folder(settings.broker, folder),
            {each: settings_from_folder(each, folder) for each in (settings.feed, *settings.row_feeds)},
            {each: settings_from_folder(each, folder) for each in (settings.broker, *settings.row_brokers)},
            allow_live=live or settings.allow_live,
            by_hours=settings.enable_lifecycle and (lifecycle.auto_start or lifecycle.auto_stop),
            folders=tuple(map(Path, settings.strategy_paths)),
            known=settings.strategies,
            import_paths=settings.import_paths,
            engines=tuple(each for each in CLASS_ENGINES if getattr(engines, each).enabled),
        )


def config_of_row(row: StrategyRow, registry: Registry, rules: RowRules) -> WorkerConfig | ClassConfig:
    """Return the configuration of a row's worker.

    Raises:
        RunError: the row asks for what it may not have, or names what doesn't exist.
        SpecError: its strategy can't run here.
        ValueError: its feed or broker has wrong options.
    """
    feed = _allowed("feed", row.feed, rules.feeds, OWN_FEEDS) if row.feed else rules.feed
    broker = _allowed("broker", row.broker, rules.brokers, OWN_BROKERS) if row.broker else rules.broker
    if row.live and not rules.allow_live:
        raise RunError(
            Message(
                "It is to trade real money, which the server doesn't allow. Start it with --live, or set 'allow_live' "
                "in its configuration."
            )
        )
    graph = _graph_of(row, registry, rules)
    if isinstance(graph, str):
        return _class_of(row, graph, feed, rules)
    check_engine(graph, registry)
    opened = feed_named(feed, registry), broker_named(broker, registry)
    mode = mode_of(graph, row.mode or None, *opened, live=row.live)
    config = WorkerConfig.of(graph, row.key, feed=feed, broker=broker, mode=mode)
    config = replace(config, user_id=row.user_id, by_hours=rules.by_hours)
    return replace(config, row=_version(row, config))


def _version(row: StrategyRow, config: WorkerConfig) -> str:
    """Return a hash of all that counts of a row: what it says, and the file that it names as that is now."""
    parts = (row.digest, config.text, config.feed, config.broker, config.mode, str(config.by_hours))
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def _allowed(kind: str, text: str, listed: Mapping[str, str], own: tuple[str, ...]) -> str:
    if text in listed:
        return listed[text]
    if text.partition(":")[0] in own:
        return text
    raise RunError(
        Message(
            "The {kind} '{text}' is not allowed for rows. Add it to 'row_{kind}s' in the configuration.",
            kind=kind,
            text=shown_text(text),
        )
    )


# ---------------------------------------------------------------------------------------------------------- strategies


def _graph_of(row: StrategyRow, registry: Registry, rules: RowRules) -> BoundGraph | str:
    """Return the strategy of a row, or the path of its class."""
    if row.strategy and row.holds_text:
        base = rules.base or (pushed_folder(row.files) if row.files else strategies_folder())
        return _with_params(row, registry, row.strategy, "", base)
    named = row.strategy or (row.strategy_key if row.strategy_key.endswith(_ENDINGS) else "")
    if named and not row.engine_class:
        path = file_named(named, rules.folders)
        return _with_params(row, registry, path.read_text(encoding="utf-8"), str(path), path.parent)
    engine = "" if row.engine == OWN_ENGINE else row.engine
    if engine and engine not in CLASS_ENGINES:
        known = ", ".join((OWN_ENGINE, *CLASS_ENGINES))
        raise RunError(
            Message("There are no workers of the engine '{engine}'; there are {known}.", engine=engine, known=known)
        )
    found = find_strategy(
        row.strategy_key,
        registry,
        symbol=row.symbol,
        params=row.params,
        engine=engine,
        engine_class=row.engine_class,
        known=rules.known,
    )
    return found.engine_class if found.path is None else load_graph(found.path, registry, list(found.overrides))


def _with_params(row: StrategyRow, registry: Registry, text: str, file: str, base: Path) -> BoundGraph:
    overrides: tuple[str, ...] = ()
    if row.symbol or row.params:
        spec, problems = check_strategy(text, file=file, base_dir=base)
        if spec is None or not spec.instruments:
            raise SpecError(problems)
        symbol = "" if row.symbol == spec.instruments[0].symbol else row.symbol
        overrides = tuple(overrides_of(row.strategy_key, spec, registry, symbol, row.params))
    return load_text(text, registry, file=file, base_dir=base, overrides=list(overrides))


def file_named(name: str, folders: tuple[Path, ...] = ()) -> Path:
    """Return the strategy file that a row names: one in the folders for strategies, and no other.

    Raises:
        RunError: there is none.
    """
    places = (strategies_folder(), *folders)
    for folder in () if "\0" in name else places:
        within = folder.expanduser().resolve()
        found = (within / name).resolve()
        if found.is_relative_to(within) and found.suffix in _ENDINGS and found.is_file():
            return found
    raise RunError(
        Message(
            "There is no strategy file '{name}' in {folders}. Rows name files there, or hold their text.",
            name=name.replace("\0", "\\0"),
            folders=", ".join(f"'{shown_path(each)}'" for each in places),
        )
    )


def _class_of(row: StrategyRow, path: str, feed: str, rules: RowRules) -> ClassConfig:
    engine = row.engine if row.engine != OWN_ENGINE else ""
    configured = rules.known.get(row.strategy_key)
    if not engine and isinstance(configured, Mapping):
        engine = str(configured.get("engine", ""))
    if engine in CLASS_ENGINES and engine not in rules.engines:
        raise RunError(Message("Classes for '{engine}' are turned off by the configuration.", engine=engine))
    if row.live:
        raise RunError(Message("Orders of classes are simulated; they can't trade real money. Remove 'live'."))
    version = hashlib.blake2b(f"{row.digest}\0{path}\0{feed}".encode(), digest_size=16).hexdigest()
    config = class_config(row.key, row.symbol, row.strategy_key, path, engine, row.params, feed, rules.import_paths)
    return replace(config, user_id=row.user_id, row=version)


def class_config(
    key: str,
    symbol: str,
    strategy_key: str,
    path: str,
    engine: str,
    params: Mapping[str, Any],
    feed: str,
    import_paths: Sequence[str],
) -> ClassConfig:
    """Return the worker of a class of vnpy or backtrader, whose path is `package.module.Class`.

    Raises:
        RunError: it isn't said which of them it is written for, or it may not be imported.
    """
    if engine not in CLASS_ENGINES:
        raise RunError(
            Message(
                "The strategy '{key}' is the class '{path}'. Name the engine that it is written for: {engines}.",
                key=strategy_key,
                path=path,
                engines=", ".join(CLASS_ENGINES),
            )
        )
    check_import(path, import_paths)
    options = {
        "engine": engine,
        "engine_class_path": path,
        "params": dict(params),
        "feed": feed,
        "within": tuple(import_paths),
        "folder": str(workers_folder() / key),
    }
    return ClassConfig(key, path_of_class(class_worker), symbol, strategy_key, params=options)
