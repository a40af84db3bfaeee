"""A pushed strategy: checked against what is installed here, its files kept, and its row put into the store."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quantcrafter.engine.api.home import home
from quantcrafter.engine.live.anchoring import stored_market
from quantcrafter.engine.orchestrator.row_config import RowRules, config_of_row
from quantcrafter.engine.orchestrator.worker_config import ClassConfig, feed_named
from quantcrafter.engine.plugins import Registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.store.bundle import Files, keep_files, unpacked
from quantcrafter.engine.store.rows import StrategyRow
from quantcrafter.engine.store.store import StrategyStore


@dataclass(frozen=True, slots=True)
class Received:
    """A strategy that was pushed: the key of its row, and how many files came with it."""

    key: str
    files: int


def receive_push(
    bundle: Mapping[str, Any],
    store: StrategyStore,
    registry: Registry,
    rules: RowRules,
    *,
    data_folder: Path | None = None,
) -> Received:
    """Take a pushed strategy: check it, keep its files, and put its row into the store.

    Args:
        bundle: what `bundle_of` returned; it may come from anyone.
        store: the store.
        registry: the installed components.
        rules: what rows may do.
        data_folder: where files are kept; the user's data folder if left out.

    Raises:
        SpecError: a component is not installed here, or something else is wrong with the strategy.
        DataError: bars that it replays are not here.
        RunError: it is no bundle, its files are damaged or lead elsewhere, it may not do what it asks for, or the store
            can't be written.
        ValueError: its feed or broker has wrong options.
    """
    row, files = unpacked(bundle)
    _check(row, files, registry, rules)
    keep_files(files, data_folder)
    store.put(row)
    return Received(row.key, len(files))


def _check(row: StrategyRow, files: Files, registry: Registry, rules: RowRules) -> None:
    """Refuse a strategy that can't run here, before anything of it is kept."""
    (home() / "pushed").mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=home() / "pushed", prefix=".check-"))
    try:
        for path, data in files.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        config = config_of_row(row, registry, replace(rules, base=folder))
        if not isinstance(config, ClassConfig) and feed_named(config.feed, registry).replays:
            overrides = list(config.overrides)
            stored_market(load_text(config.text, registry, base_dir=folder, overrides=overrides))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
