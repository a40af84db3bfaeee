"""Which output may be wired to which port, and why not."""

from __future__ import annotations

from quantcrafter.app.document.level import Level
from quantcrafter.app.document.ports import output_of, split_reference
from quantcrafter.app.document.view import PortView
from quantcrafter.app.services.i18n import tr


def refusal(level: Level, reference: str, target: str, port: str) -> str:
    """Return why an output cannot be wired to a port, '' if it can."""
    parts = split_reference(reference)
    if parts is None or parts[0] not in level:
        return tr("There is no node '{name}'.", name=parts[0] if parts else reference)
    if target not in level.written:
        return tr("'{name}' has no inputs for wires.", name=target)
    source, node = level.node(parts[0]), level.node(target)
    output = output_of(source, parts[1])
    wanted = next((known for known in node.inputs if known.name == port), None)
    if output is None and source.known:
        return _output_refusal(source.id, parts[1])
    if wanted is None and node.known:
        return tr("'{name}' has no input '{port}'.", name=target, port=port)
    return _type_refusal(output, wanted) or _cycle_refusal(level, source.id, target)


def _output_refusal(source: str, output: str) -> str:
    if not output:
        return tr("'{name}' has several outputs: choose one.", name=source)
    return tr("'{name}' has no output '{output}'.", name=source, output=output)


def _type_refusal(output: PortView | None, wanted: PortView | None) -> str:
    if output is None or wanted is None or output.type is None or wanted.type is None or output.type is wanted.type:
        return ""
    return tr("This input accepts a {wanted}, but the output is a {given}.", wanted=wanted.type, given=output.type)


def _cycle_refusal(level: Level, source: str, target: str) -> str:
    if source == target:
        return tr("A node can't be wired to itself.")
    seen: set[str] = set()
    pending = [source]
    while pending:
        node_id = pending.pop()
        if node_id == target:
            return tr(
                "This would create a cycle: '{source}' already depends on '{target}'.", source=source, target=target
            )
        if node_id not in seen:
            seen.add(node_id)
            pending += [wire.source for wire in level.wires_to(node_id)]
    return ""
