"""What a session says of places, frames and names that the run's settings use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from quantcrafter.engine.interchange.nodegraphqt.exporting import FRAME_COLORS, SessionWriter
from quantcrafter.engine.interchange.nodegraphqt.identity import Identities, free, identifier
from quantcrafter.engine.interchange.nodegraphqt.saved_graph import BACKDROP, SavedGraph, SessionNode

_DIGITS = 2


def merge_layout(values: dict[str, Any], writer: SessionWriter, names: Identities) -> None:
    """Give moved and new nodes their places; those that stand where the export put them keep what the file says."""
    before = writer.values.get("layout") or {}
    ours = {names.renamed.get(old, old): place for old, place in before.items()}
    kept = {name: place for name, place in ours.items() if name in names.ids.values()}
    for node in names.nodes:
        name, old = names.ids[node.key], names.known.get(node.key, "")
        if old not in writer.places or _rounded(node.pos) != _rounded(writer.places[old]):
            kept[name] = _rounded(node.pos)
    if kept or before:
        values["layout"] = kept


def merge_frames(values: dict[str, Any], writer: SessionWriter, session: SavedGraph) -> None:
    """Make the frames those that the session has; an unchanged one keeps what the file says."""
    before, exported = writer.values.get("frames") or {}, writer.frames()
    found: dict[str, Any] = {}
    backdrops = [node for node in session.nodes.values() if node.type == BACKDROP]
    for node in sorted(backdrops, key=lambda each: each.name not in before):
        name = node.name if node.name in before else identifier(node.name, "frame")
        name = free(name, found)
        found[name] = _frame(node, before.get(name), exported.get(name))
    if found or before:
        values["frames"] = {name: found[name] for name in dict.fromkeys([*before, *found]) if name in found}


def _frame(node: SessionNode, before: dict[str, Any] | None, exported: Mapping[str, Any] | None) -> dict[str, Any]:
    size = [node.raw.get("width"), node.raw.get("height")]
    text, color = node.custom.get("backdrop_text"), node.raw.get("color")
    made = dict(before or {})
    was = exported or {}
    if not was or _rounded(node.pos) != _rounded(was["pos"]):
        made["at"] = _rounded(node.pos)
    is_size = all(isinstance(each, (int, float)) and each > 0 for each in size)
    if is_size and (not was or _rounded(size) != _rounded([was["width"], was["height"]])):
        made["size"] = _rounded(size)
    made.setdefault("size", [200, 100])
    if isinstance(text, str) and text != (was["custom"]["backdrop_text"] if was else ""):
        made["text"] = text
    name = _color_name(color)
    if name and (name != _color_name(was["color"]) if was else name != "grey"):
        made["color"] = name
    return made


def _color_name(color: Any) -> str:
    """Return the frame colour nearest to a colour of NodeGraphQt, "" where there is none."""
    if not isinstance(color, list) or not all(isinstance(part, (int, float)) for part in color[:3]):
        return ""
    return min(FRAME_COLORS, key=lambda name: sum(abs(a - b) for a, b in zip(FRAME_COLORS[name], color, strict=False)))


def _rounded(pair: Any) -> list[float]:
    """Return a pair with two digits, whole numbers as such."""
    rounded = [round(float(each), _DIGITS) for each in pair]
    return [int(each) if each.is_integer() else each for each in rounded]


def rename_rates(values: dict[str, Any], renamed: Mapping[str, str]) -> None:
    """Let the rates of currencies follow the new names of their feeds."""
    run = values.get("run")
    rates = run.get("rates") if isinstance(run, dict) else None
    if isinstance(rates, dict):
        for currency, feed in rates.items():
            if isinstance(feed, str):
                rates[currency] = re.sub(r"[A-Za-z_]\w*", lambda found: renamed.get(found[0], found[0]), feed)
