"""What the tooltips of nodes, ports and wires say."""

from __future__ import annotations

from html import escape

from quantcrafter.app.canvas.items.layout import Slot
from quantcrafter.app.canvas.items.node import NodeItem
from quantcrafter.app.document.view import WireView
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.services.type_names import family_member, port_type_name


def port_tooltip(slot: Slot) -> str:
    """Return a port's name, type and description, and whether it still has to be wired."""
    lines = [f"<b>{escape(slot.port)}</b> · {escape(port_type_name(slot.type))}"]
    if slot.description:
        lines.append(escape(translated(slot.description)))
    if slot.literal:
        lines.append(escape(tr("Number: {value}", value=slot.literal)))
    if slot.free:
        lines.append(escape(tr("Free: accepts one more wire")))
    if slot.missing:
        lines.append(f"<b>{escape(tr('Must be connected'))}</b>")
    return _box(lines)


def node_tooltip(item: NodeItem) -> str:
    """Return a node's whole name, what it is, its parameters, its state, and the reason of its badge."""
    node = item.view
    what = f"{family_member(node.role)}: {node.use}" if node.role is not None else family_member(None)
    lines = [f"<b>{escape(node.id)}</b>", escape(what)]
    if node.subtitle:
        lines.append(escape(node.subtitle))
    states = (
        (not node.known, tr("Not installed: kept unchanged in the file")),
        (node.block, tr("A block: double-click to open it")),
        (node.bypass, tr("Bypassed: its input passes through")),
        (node.mute, tr("Muted: no output")),
    )
    lines.extend(f"<i>{escape(text)}</i>" for shown, text in states if shown)
    if item.badge_reason:
        lines.append(escape(item.badge_reason))
    return _box(lines)


def badge_tooltip(item: NodeItem) -> str:
    """Return the reason of a node's badge."""
    return _box([escape(item.badge_reason)]) if item.badge_reason else ""


def mark_tooltip(text: str) -> str:
    """Return what a mark of a run has to say."""
    return _box([escape(line) for line in text.split("\n")])


def wire_tooltip(wire: WireView) -> str:
    """Return from where to where a wire goes."""
    return _box([escape(f"{wire.source}.{wire.output} → {wire.target}.{wire.port}")])


def _box(lines: list[str]) -> str:
    body = "<br>".join(line.replace("\n", "<br>") for line in lines)
    return f"<div style='white-space: pre-wrap'>{body}</div>"
