"""What of a kept state must fit the bars and the nodes of the session that goes on from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from quantcrafter.engine.api import Bars, RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.graph.live import LiveColumns
from quantcrafter.engine.simulation.session_state import SessionState

HISTORIES, NODES = "histories", "nodes"
"""The names of the parts of a state."""


def check_end(symbols: Sequence[str], old: SessionState, known: Mapping[str, Bars]) -> None:
    """Refuse bars that end before, or after, those of a state.

    Raises:
        RunError: they do.
    """
    for symbol in symbols:
        end = old.instruments[symbol].close_ns if symbol in old.instruments else None
        given = int(known[symbol].close_ns[-1]) if len(known[symbol]) else None
        if end is not None and given != end:
            raise RunError(
                Message(
                    "The state's last bar of {symbol} closed at {ns}, that given at {ns_2}.",
                    symbol=symbol,
                    ns=_ns(end),
                    ns_2=_ns(given),
                )
            )


def check_kept(kept: Mapping[str, Any], marks: Mapping[str, Any], columns_of_each: Mapping[str, LiveColumns]) -> None:
    """Refuse a state that was kept over other bars, or whose nodes remember something else over the same ones.

    Raises:
        RunError: the check fails.
    """
    for name, mark in kept.get(HISTORIES, {}).items():
        now = marks.get(name, mark)
        if now["bars"] != mark["bars"] or now["anchor_ns"] != mark["anchor_ns"]:
            raise RunError(
                Message(
                    "The state was kept after {bars:,} bars of '{name}' from {ns} on, and "
                    "{bars_2:,} from {ns_2} on were given. Give those; append what came later.",
                    bars=mark["bars"],
                    name=name,
                    ns=_ns(mark["anchor_ns"]),
                    bars_2=now["bars"],
                    ns_2=_ns(now["anchor_ns"]),
                )
            )
        if now["hash"] != mark["hash"]:
            raise RunError(
                Message(
                    "The bars of '{name}' are not those over which the state was kept. Give the same ones.",
                    name=name,
                )
            )
    for symbol, columns in columns_of_each.items():
        saved = kept.get(NODES, {}).get(symbol, {})
        for node, state in columns.states().items():
            if json.dumps(state, sort_keys=True) != json.dumps(saved.get(node), sort_keys=True):
                raise RunError(
                    Message(
                        "Node '{node}' remembers something else over the bars of {symbol} than the state says. "
                        "It must depend on its inputs alone, not on the time or on files.",
                        node=node,
                        symbol=symbol,
                    )
                )


def _ns(moment: int | None) -> str:
    return "none" if moment is None else f"{moment} ns"
