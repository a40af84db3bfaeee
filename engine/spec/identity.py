"""What a strategy does, as a hash: two files with the same one give the same run on the same data."""

from __future__ import annotations

import hashlib

from quantcrafter.engine.spec.model import NodeSpec, StrategySpec

_MEASURES = ("benchmark", "risk_free")
"""Settings that count only where they are given: files without them keep the hash that earlier versions gave them."""

_HOURS = "schedule"
"""When a strategy runs is not what it does: a worker goes on with another schedule."""


def strategy_hash(spec: StrategySpec) -> str:
    """Return a hash of nodes, instruments and settings; layout and comments do not count."""
    parts = [
        *(f"{node.path}|{node.use}|{sorted(node.values.items())!r}{_flags(node)}" for node in spec.nodes.values()),
        *(f"{node.id}|{flags}" for node in spec.uses.values() if (flags := _flags(node))),
        *(f"{each!r}" for each in spec.instruments),
        spec.run.model_dump_json(exclude={_HOURS, *(name for name in _MEASURES if not getattr(spec.run, name))}),
    ]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


def _flags(node: NodeSpec) -> str:
    own = f"|{node.per_instrument!r}" if node.per_instrument is not None else ""
    return ("|bypass" if node.bypass else "") + ("|mute" if node.mute else "") + own
