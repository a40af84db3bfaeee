"""Nodes on the clipboard: a YAML fragment that says what it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.document.draft import copied
from app.document.level import Level
from engine.spec.emit import fragment

MARK = "quantcrafter_nodes"
VERSION = 1


def copy_fragment(level: Level, ids: Sequence[str]) -> str:
    """Return nodes, their wires and their positions as YAML text."""
    made: dict[str, Any] = {MARK: VERSION}
    layout: dict[str, Any] = {}
    for node_id, (role, values) in level.written.items():
        if node_id in ids:
            made.setdefault(role.value, {})[node_id] = copied(values)
            position = level.node(node_id).position
            if position is not None:
                layout[node_id] = [round(part) for part in position]
    if layout:
        made["layout"] = layout
    return "".join(_lines(made))


def _lines(values: dict[str, Any]) -> list[str]:
    lines = []
    for key, value in values.items():
        if isinstance(value, dict):
            lines.append(f"{fragment(key)}:\n")
            lines += [f"  {fragment(name)}: {fragment(item)}\n" for name, item in value.items()]
        else:
            lines.append(f"{fragment(key)}: {fragment(value)}\n")
    return lines
