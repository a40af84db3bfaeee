"""Nodes on the clipboard: a YAML fragment that says what it is, and its way back into a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from quantcrafter.app.document.draft import Draft, copied, free_name
from quantcrafter.app.document.edits import Paste
from quantcrafter.app.document.errors import EditError
from quantcrafter.app.document.level import Level, Values, pair, sections_of
from quantcrafter.app.document.ports import references_in, split_reference
from quantcrafter.app.document.view import BARS
from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.api import Role, SpecError
from quantcrafter.engine.spec import StrategyFile
from quantcrafter.engine.spec.edits import same
from quantcrafter.engine.spec.emit import fragment

MARK = "quantcrafter_nodes"
VERSION = 1


def copy_fragment(level: Level, ids: Sequence[str]) -> str:
    """Return nodes, their wires, their positions and the blocks they use as YAML text."""
    made: Values = {MARK: VERSION}
    layout: Values = {}
    blocks: Values = {}
    for node_id, (role, values) in level.written.items():
        if node_id not in ids:
            continue
        made.setdefault(role.value, {})[node_id] = copied(values)
        _take_blocks(level.document, values.get("use"), blocks)
        position = level.node(node_id).position
        if position is not None:
            layout[node_id] = [round(part) for part in position]
    made.update({name: part for name, part in (("blocks", blocks), ("layout", layout)) if part})
    return "".join(_lines(made))


def _take_blocks(document: Values, use: Any, found: Values) -> None:
    """Add the block of the file that `use` names, and those that it uses itself."""
    blocks = document.get("blocks")
    if (
        not isinstance(use, str)
        or not isinstance(blocks, dict)
        or use in found
        or not isinstance(blocks.get(use), dict)
    ):
        return
    found[use] = copied(blocks[use])
    for _, _, values in sections_of(found[use]):
        _take_blocks(document, values.get("use"), found)


def _lines(values: Values) -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield f"{fragment(key)}:\n"
            yield from (f"  {fragment(name)}: {fragment(item)}\n" for name, item in value.items())
        else:
            yield f"{fragment(key)}: {fragment(value)}\n"


def paste(draft: Draft, edit: Paste) -> None:
    """Carry out Paste."""
    values = _read(edit.fragment)
    nodes = {node_id: (role, copied(fields)) for role, node_id, fields in sections_of(values)}
    if not nodes:
        raise EditError(tr("The clipboard contains no nodes."))
    if draft.scope and any(role is Role.EXECUTION for role, _ in nodes.values()):
        raise EditError(tr("An execution node can't be part of a block."))
    _add_blocks(draft, values, [fields for _, fields in nodes.values()])
    ids = _new_ids(draft, nodes)
    _rewire(draft, nodes, ids)
    for node_id, (role, fields) in nodes.items():
        draft.part(role.value)[ids[node_id]] = fields
    layout = values.get("layout")
    for node_id, new_id in ids.items():
        place = pair(layout.get(node_id)) if isinstance(layout, dict) else None
        if place is not None:
            draft.place(new_id, place[0] + edit.offset[0], place[1] + edit.offset[1])


def _read(text: str) -> Values:
    message = tr("The clipboard content was not copied from a strategy.")
    if MARK not in text:
        raise EditError(message)
    try:
        values = StrategyFile.loads(text).value
    except SpecError as error:
        raise EditError(message) from error
    if values.get(MARK) != VERSION:
        raise EditError(message)
    return values


def _new_ids(draft: Draft, nodes: dict[str, tuple[Role, Values]]) -> dict[str, str]:
    taken = draft.taken()
    ids = {}
    for node_id in nodes:
        ids[node_id] = free_name(node_id, taken)
        taken.add(ids[node_id])
    return ids


def _rewire(draft: Draft, nodes: dict[str, tuple[Role, Values]], ids: dict[str, str]) -> None:
    """Let references among the nodes follow; those to nodes that are not here go."""
    here = draft.view()
    apart: Values = {}
    for node_id, (role, fields) in nodes.items():
        apart.setdefault(role.value, {})[node_id] = fields
    view = Level({**apart, "blocks": draft.values.get("blocks")}, (), draft.catalog, draft.find_block)

    def moved(text: Any) -> Any:
        parts = split_reference(text)
        if parts is None:
            return text
        if parts[0] in ids:
            return ids[parts[0]] + text[len(parts[0]) :]
        return text if parts[0] == BARS or parts[0] in here else None

    for node_id, (_, fields) in nodes.items():
        for port in view.ports(node_id).inputs:
            value = fields.get(port.name)
            if not any(True for _ in references_in(value)):
                continue
            items = [moved(item) for item in value] if isinstance(value, list) else [moved(value)]
            kept = [item for item in items if item is not None]
            if not kept:
                del fields[port.name]
            else:
                fields[port.name] = kept if isinstance(value, list) else kept[0]


def _add_blocks(draft: Draft, values: Values, users: list[Values]) -> None:
    """Bring along the blocks that the nodes use; one whose name stands for something else gets a new name."""
    brought = values.get("blocks")
    blocks = (
        {name: body for name, body in brought.items() if isinstance(body, dict)} if isinstance(brought, dict) else {}
    )
    if not blocks:
        return
    known = draft.values.get("blocks")
    known = known if isinstance(known, dict) else {}
    names: dict[str, str] = {}
    for name, body in blocks.items():
        clash = name in known and not same(known[name], body)
        names[name] = free_name(name, {*known, *names.values(), *blocks}) if clash else name
    for body in blocks.values():
        users.extend(fields for _, _, fields in sections_of(body))
    for fields in users:
        fields["use"] = names.get(str(fields.get("use")), fields.get("use"))
    new = {names[name]: body for name, body in blocks.items() if names[name] not in known}
    if new:
        draft.values["blocks"] = {**known, **new}
