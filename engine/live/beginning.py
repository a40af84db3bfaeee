"""How a new worker begins: the bars before its first step, its anchor, and what its log says about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import Bars, FeedConnection
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live.anchoring import ALL_BARS, StoredMarket, history_count, ready_for_actions
from quantcrafter.engine.live.core import StrategyCore
from quantcrafter.engine.live.inputs import Anchored, written_terms
from quantcrafter.engine.runtime.running.load_graph import Installed, load_text
from quantcrafter.engine.spec import StrategySpec
from quantcrafter.engine.spec.identity import strategy_hash


def known_before(
    graph: BoundGraph, feed: FeedConnection, stored: StoredMarket | None, names: Sequence[str], *, own_clock: bool
) -> dict[str, Bars]:
    """Return the bars before the first step by name, and let the feed's clock begin after them.

    Raises:
        TryAgainError, DataError: they can't be had.
    """
    begin_ns = feed.now_ns() if stored is None else stored.begin_ns
    before_ns = -(2**62) if begin_ns is None else begin_ns
    count = history_count(graph) if stored is None else ALL_BARS
    known = {name: feed.history(name, before_ns, count) for name in names}
    feed.begin(begin_ns)
    return known if own_clock else ready_for_actions(graph, known)


def first_anchor(
    core: StrategyCore,
    known: Mapping[str, Bars],
    stored: StoredMarket | None,
    *,
    strategy: str,
    epoch: int,
    ts_ns: int,
) -> Anchored:
    """Open a core over the bars before its first step, and return the anchor, with the terms that they show.

    Raises:
        DataError, ComponentError, RunError: as `StrategyCore.open`.
    """
    anchor = Anchored(0, ts_ns, strategy, epoch, {} if stored is None else stored.terms)
    core.open(anchor, known)
    if stored is None:
        symbols = [each.spec.symbol for each in core.graph.instruments]
        terms = {name: written_terms(each) for name, each in zip(symbols, core.session.terms, strict=True)}
        core.anchor = anchor = replace(anchor, terms=terms)
    return anchor


def about_strategy(spec: StrategySpec) -> dict[str, Any]:
    """Return what the log says about a strategy, from which it can be loaded again."""
    return {
        "file": str(Path(spec.file).absolute()) if spec.file else "",
        "base_dir": str(Path(spec.base_dir).absolute()),
        "text": spec.text,
        "overrides": list(spec.overrides),
        "by_hand": spec.by_hand,
        "strategy_hash": strategy_hash(spec),
    }


def strategy_from(about: Mapping[str, Any], registry: Installed) -> BoundGraph:
    """Return the strategy that `about_strategy` said something of.

    Raises:
        SpecError: it can't run here.
    """
    file = str(about.get("file", ""))
    return load_text(
        about["text"],
        registry,
        file=file,
        base_dir=about["base_dir"],
        overrides=about["overrides"],
        by_hand=about.get("by_hand") is True,
    )
