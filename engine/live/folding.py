"""From a log to the state that it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live.core import CoreResult, StrategyCore
from quantcrafter.engine.live.input_log import InputLog
from quantcrafter.engine.live.inputs import Anchored, LiveOutput
from quantcrafter.engine.runtime.sessions.strategy_session import Host

Load = Callable[[Mapping[str, Any]], BoundGraph]
"""Returns the strategy that `about_strategy` said something of."""

Tell = Callable[[int, CoreResult, Mapping[int, LiveOutput]], None]
"""Is told the number of an input, what came out of it, and what had come out of it before."""


def core_of(graph: BoundGraph, meta: Mapping[str, Any], host: Host | None = None) -> StrategyCore:
    """Return the core of a strategy, as it was when its log began; `meta` is what the log says of it."""
    holds_both = bool(meta.get("holds_both", True))
    return StrategyCore(graph, worker=meta["worker"], venue=meta["venue"], holds_both=holds_both, host=host)


def fold(
    opened: InputLog,
    core: StrategyCore,
    tell: Tell | None = None,
    upto: int | None = None,
    since: int | None = None,
    load: Load | None = None,
) -> tuple[int, int]:
    """Bring a new core to the end of a log, or to input `upto`, from its latest snapshot before that.

    Args:
        opened: the log.
        core: a core that is not open yet.
        tell: called after each folded input.
        upto: the last input; all if left out.
        since: begin with the latest snapshot up to this input instead, and with the anchor if there is none.
        load: loads the strategies that were there before a change; without it, what is folded must be after the last.

    Returns:
        The numbers of the anchor, and of the input up to which the log's histories and books reach.

    Raises:
        RunError: the log has no anchor.
    """
    kept = opened.kept(upto if since is None else since)
    anchor, at = opened.anchored(0 if kept is None else kept.anchor)
    begin = at if kept is None else kept.seq
    now, earlier = core.graph, None if load is None else opened.strategy_of(anchor.number)
    if load is not None and earlier is not None:
        core.graph = load(earlier)
    core.open(anchor, opened.histories(anchor.number, begin), None if kept is None else kept.state)
    there: dict[int, dict[int, LiveOutput]] = {}
    for seq, n, each in opened.outputs(begin, upto):
        there.setdefault(seq, {})[n] = each
    for seq, given in opened.inputs(begin, upto):
        if isinstance(given, Anchored):
            graph = None
            if load is not None and earlier is not None and (then := opened.strategy_of(given.number)) != earlier:
                graph, earlier = now if then is None else load(then), then
            anchor, outcome = given, core.begin_again(given, opened.histories(given.number, seq), graph)
        else:
            outcome = core.apply(seq, given)
        if tell is not None:
            tell(seq, outcome, there.get(seq, {}))
    return anchor.number, begin
