"""Carry out edits on a draft: one function an edit, dispatched by its type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quantcrafter.app.document.draft import Draft, copied, whole
from quantcrafter.app.document.edits import (
    UNSET,
    AddNode,
    Connect,
    Disconnect,
    Edit,
    GroupIntoBlock,
    InsertIntoWire,
    MoveNodes,
    Paste,
    RemoveFrames,
    RemoveNodes,
    RenameNode,
    SetField,
    SetFlags,
    SetFrame,
    SetValues,
)
from quantcrafter.app.document.errors import EditError
from quantcrafter.app.document.fragments import paste
from quantcrafter.app.document.grouping import group
from quantcrafter.app.document.ports import is_id, output_of, reference_to, references_in, split_reference
from quantcrafter.app.document.wiring import refusal
from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.api import Role


def apply_edit(draft: Draft, edit: Edit) -> None:
    """Change the draft as an edit says.

    Raises:
        EditError: it cannot be done; the draft may be half way and is of no more use.
    """
    _ACTIONS[type(edit)](draft, edit)


def _add_node(draft: Draft, edit: AddNode) -> None:
    if draft.scope and edit.role is Role.EXECUTION:
        raise EditError(tr("An execution node can't be part of a block."))
    node_id = draft.free_id(edit.id)
    draft.part(edit.role.value)[node_id] = {"use": edit.use, **copied(dict(edit.values))}
    draft.place(node_id, *edit.position)


def _move_nodes(draft: Draft, edit: MoveNodes) -> None:
    view = draft.view()
    for node_id, (x, y) in edit.positions.items():
        if node_id not in view:
            raise EditError(tr("There is no node '{name}'.", name=node_id), node=node_id)
        draft.place(node_id, x, y)


def _connect(draft: Draft, edit: Connect) -> None:
    values = draft.node(edit.target)
    view = draft.view()
    reason = refusal(view, edit.reference, edit.target, edit.port)
    if reason:
        raise EditError(reason, node=edit.target, field=edit.port)
    port = next((port for port in view.node(edit.target).inputs if port.name == edit.port), None)
    if port is None or not port.many:
        values[edit.port] = edit.reference
        return
    old = values.get(edit.port)
    items = list(old) if isinstance(old, list) else [] if old is None else [old]
    items.insert(len(items) if edit.index is None else edit.index, edit.reference)
    values[edit.port] = items


def _disconnect(draft: Draft, edit: Disconnect) -> None:
    values = draft.node(edit.target)
    value = values.get(edit.port)
    if value is None:
        message = tr("'{port}' of '{name}' is not wired in the file.", port=edit.port, name=edit.target)
        raise EditError(message, node=edit.target, field=edit.port)
    if not isinstance(value, list) or edit.index is None:
        del values[edit.port]
        return
    if not 0 <= edit.index < len(value):
        raise EditError(tr("'{port}' has no wire {number}.", port=edit.port, number=edit.index + 1), node=edit.target)
    del value[edit.index]
    if not value:
        del values[edit.port]


def _set_values(draft: Draft, edit: SetValues) -> None:
    values = draft.node(edit.id)
    for name, value in edit.values.items():
        if name == "use" and (not isinstance(value, str) or not value):
            raise EditError(tr("A node must name the component that it uses."), node=edit.id)
        if value is UNSET:
            values.pop(name, None)
        else:
            values[name] = copied(value)


def _remove_nodes(draft: Draft, edit: RemoveNodes) -> None:
    gone = set(edit.ids)
    roles = {node_id: draft.role_of(node_id) for node_id in edit.ids}
    passing = {} if not edit.rejoin else _passed_on(draft, gone)
    draft.swap_references(gone, lambda text: passing.get(text) if edit.rejoin else None)
    for node_id, role in roles.items():
        draft.drop(role, node_id)
        draft.drop("layout", node_id)
    _drop_parameters(draft, gone)


def _passed_on(draft: Draft, gone: set[str]) -> dict[str, Any]:
    """Return, for each reference to a node that goes, what its first input of the same type reads."""
    view = draft.view()
    found: dict[str, Any] = {}
    texts = {text for values, key in draft.references() for _, text in references_in(values[key])}
    for text in texts:
        replacement: Any = text
        seen: set[str] = set()
        while isinstance(replacement, str) and (parts := split_reference(replacement)) and parts[0] in gone:
            if parts[0] in seen:
                replacement = None
                break
            seen.add(parts[0])
            node = view.node(parts[0])
            output = output_of(node, parts[1])
            ports = view.ports(parts[0])
            fits = [port for port in node.inputs if output is not None and port.type is output.type]
            value = node.values.get(fits[0].name, ports.defaults.get(fits[0].name)) if fits else None
            replacement = value[0] if isinstance(value, list) and value else value
        found[text] = replacement if isinstance(replacement, (str, int, float)) else None
    return found


def _drop_parameters(draft: Draft, gone: set[str]) -> None:
    """Remove what a block's parameters set on nodes that are gone."""
    parameters = draft.level.get("parameters") if draft.scope else None
    for name, targets in list(parameters.items()) if isinstance(parameters, dict) else ():
        listed = targets if isinstance(targets, list) else [targets]
        kept = [each for each in listed if not (isinstance(each, str) and each.partition(".")[0] in gone)]
        if not kept:
            draft.drop("parameters", name)
        elif len(kept) < len(listed):
            parameters[name] = kept  # type: ignore[index]


def _rename_node(draft: Draft, edit: RenameNode) -> None:
    if edit.id == edit.new_id:
        return
    role = draft.role_of(edit.id)
    if not is_id(edit.new_id):
        message = tr("'{name}' is not a valid node name. Use letters, digits and underscores.", name=edit.new_id)
        raise EditError(message, node=edit.id)
    if edit.new_id in draft.taken():
        raise EditError(tr("A node named '{name}' already exists.", name=edit.new_id), node=edit.id)
    draft.swap_references({edit.id}, lambda text: edit.new_id + text[len(edit.id) :])
    draft.rename_key((*draft.scope, role.value, edit.id), edit.new_id)
    layout = draft.level.get("layout")
    if isinstance(layout, dict) and edit.id in layout:
        layout.pop(edit.new_id, None)
        draft.rename_key((*draft.scope, "layout", edit.id), edit.new_id)
    _rename_parameters(draft, edit)


def _rename_parameters(draft: Draft, edit: RenameNode) -> None:
    parameters = draft.level.get("parameters") if draft.scope else None
    start = f"{edit.id}."

    def renamed(target: Any) -> Any:
        return edit.new_id + target[len(edit.id) :] if isinstance(target, str) and target.startswith(start) else target

    for name, targets in parameters.items() if isinstance(parameters, dict) else ():
        parameters[name] = [renamed(each) for each in targets] if isinstance(targets, list) else renamed(targets)  # type: ignore[index]


def _set_flags(draft: Draft, edit: SetFlags) -> None:
    for node_id in edit.ids:
        values = draft.node(node_id)
        for flag, wanted in (("bypass", edit.bypass), ("mute", edit.mute)):
            if wanted:
                values[flag] = True
            elif wanted is not None:
                values.pop(flag, None)


def _splice(draft: Draft, edit: InsertIntoWire) -> None:
    view = draft.view()
    if edit.id not in view.written or edit.target not in view.written:
        raise EditError(tr("Only a node can be inserted into a wire, and only in front of another node."), node=edit.id)
    wires = [wire for wire in view.wires_to(edit.target) if (wire.port, wire.index) == (edit.port, edit.index)]
    if not wires:
        raise EditError(tr("There is no wire to insert '{name}' into.", name=edit.id), node=edit.target)
    source = view.node(wires[0].source)
    kind = next((port.type for port in source.outputs if port.name == wires[0].output), None)
    node = view.node(edit.id)
    wanted = next((port.type for port in view.node(edit.target).inputs if port.name == edit.port), None)
    entry = next((port for port in node.inputs if kind is None or port.type in (kind, None)), None)
    leaving = next((port for port in node.outputs if wanted is None or port.type in (wanted, None)), None)
    if entry is None or leaving is None:
        raise EditError(tr("'{name}' can't be inserted into this wire.", name=edit.id), node=edit.id)
    _connect(draft, Connect(reference_to(source, wires[0].output), edit.id, entry.name))
    values = draft.node(edit.target)
    before = copied(values.get(edit.port))
    _connect(draft, Connect(reference_to(node, leaving.name), edit.target, edit.port, edit.index))
    if isinstance(before, list) and edit.index is not None:
        before[edit.index] = reference_to(node, leaving.name)
        values[edit.port] = before


def _set_frame(draft: Draft, edit: SetFrame) -> None:
    if not is_id(edit.id):
        raise EditError(tr("'{name}' is not a valid frame name. Use letters, digits and underscores.", name=edit.id))
    frames = draft.part("frames")
    old = frames.get(edit.id)
    frame = old if isinstance(old, dict) else {}
    frame["text"] = edit.text
    frame["at"] = [whole(edit.x), whole(edit.y)]
    frame["size"] = [max(1, whole(edit.width)), max(1, whole(edit.height))]
    if edit.color != frame.get("color", "grey"):
        frame["color"] = edit.color
    frames[edit.id] = frame


def _remove_frames(draft: Draft, edit: RemoveFrames) -> None:
    for frame_id in edit.ids:
        if frame_id not in draft.part("frames"):
            raise EditError(tr("There is no frame '{name}'.", name=frame_id))
        draft.drop("frames", frame_id)


def _set_field(draft: Draft, edit: SetField) -> None:
    if not edit.path:
        raise EditError(tr("An edit can't replace the whole file."))
    parent: Any = draft.values
    for key, following in zip(edit.path, edit.path[1:], strict=False):
        parent = _step(parent, key, [] if isinstance(following, int) else {}, making=edit.value is not UNSET)
        if parent is None:
            return
    key = edit.path[-1]
    if edit.value is not UNSET:
        _step(parent, key, copied(edit.value), making=True, replacing=True)
    elif (isinstance(parent, dict) and key in parent) or (
        isinstance(parent, list) and isinstance(key, int) and 0 <= key < len(parent)
    ):
        del parent[key]  # type: ignore[arg-type]


def _step(parent: Any, key: str | int, new: Any, *, making: bool, replacing: bool = False) -> Any:
    """Return the child at `key`, made where it is missing."""
    if isinstance(parent, dict) and isinstance(key, str):
        if replacing or (making and parent.get(key) is None):
            parent[key] = new
        return parent.get(key)
    if isinstance(parent, list) and isinstance(key, int) and 0 <= key <= len(parent):
        if replacing or (making and key == len(parent)):
            parent[key : key + 1] = [new]
        return parent[key] if key < len(parent) else None
    raise EditError(tr("The file has no entry '{name}'.", name=str(key)), field=str(key))


_ACTIONS: dict[type[Any], Callable[[Draft, Any], None]] = {
    AddNode: _add_node,
    MoveNodes: _move_nodes,
    Connect: _connect,
    Disconnect: _disconnect,
    SetValues: _set_values,
    RemoveNodes: _remove_nodes,
    RenameNode: _rename_node,
    SetFlags: _set_flags,
    SetField: _set_field,
    InsertIntoWire: _splice,
    SetFrame: _set_frame,
    RemoveFrames: _remove_frames,
    GroupIntoBlock: group,
    Paste: paste,
}
