"""Turn nodes into a block of the file, with one use of it in their place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from quantcrafter.app.document.draft import Draft, free_name
from quantcrafter.app.document.edits import GroupIntoBlock
from quantcrafter.app.document.errors import EditError
from quantcrafter.app.document.level import Level, Values
from quantcrafter.app.document.ports import is_id, references_in, split_reference
from quantcrafter.app.document.view import BARS
from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.api import PortType, Role

RESERVED = ("use", "bypass", "mute", "per_instrument", BARS)
"""Names that a block's input, parameter or output cannot have."""


@dataclass
class _Grouping:
    """What is found out about the nodes before anything is changed, and the block that is made of it."""

    draft: Draft
    ids: dict[str, Role]
    name: str
    view: Level
    inputs: Values = field(default_factory=dict)
    outputs: Values = field(default_factory=dict)
    parameters: Values = field(default_factory=dict)
    wired: dict[str, str] = field(default_factory=dict)
    read: dict[str, str] = field(default_factory=dict)

    def free(self, wish: str, *others: Values) -> str:
        """Return a name for an input, output or parameter of the block."""
        return free_name(wish, {*RESERVED, *(name for other in others for name in other)})

    def find_inputs(self) -> None:
        """Give the block an input for each outer output that its nodes read."""
        for node_id in self.ids:
            values = self.view.written[node_id][1]
            for port in self.view.ports(node_id).inputs:
                for _, text in references_in(values.get(port.name)):
                    parts = split_reference(text)
                    if parts is None or parts[0] in self.ids or parts[0] == BARS or text in self.wired:
                        continue
                    if parts[0] not in self.view:
                        continue
                    kind = self.view.type_of(text) or port.type or PortType.SERIES
                    name = self.free(parts[1] or parts[0], self.inputs, dict.fromkeys(self.ids))
                    self.inputs[name] = kind.value
                    self.wired[text] = name

    def find_outputs(self) -> None:
        """Give the block an output for each inner output that is read from outside, or else for the last node."""
        for values, key in self.draft.references():
            if any(values is self.view.written[node_id][1] for node_id in self.ids):
                continue
            for _, text in references_in(values[key]):
                parts = split_reference(text)
                if parts is not None and parts[0] in self.ids and text not in self.read:
                    self._add_output(text, parts[1] or parts[0])
        if self.outputs:
            return
        last = list(self.ids)[-1]
        first_output = next(iter(self.view.ports(last).outputs), None)
        if first_output is None:
            raise EditError(tr("These nodes have no output that a block could provide."))
        several = len(self.view.ports(last).outputs) > 1
        self._add_output(f"{last}.{first_output.name}" if several else last, last)

    def _add_output(self, text: str, wish: str) -> None:
        name = self.free(wish, self.outputs)
        self.outputs[name] = text
        self.read[text] = name

    def take_parameters(self, use_id: str) -> None:
        """Pass on what the surrounding block's parameters set on the nodes."""
        outer = self.draft.level.get("parameters") if self.draft.scope else None
        for name, targets in outer.items() if isinstance(outer, dict) else ():
            listed = targets if isinstance(targets, list) else [targets]
            inner = [each for each in listed if isinstance(each, str) and each.partition(".")[0] in self.ids]
            if not inner:
                continue
            own = self.free(name, self.parameters, self.inputs)
            self.parameters[own] = inner if len(inner) > 1 else inner[0]
            rest = [each for each in listed if each not in inner]
            outer[name] = [*rest, f"{use_id}.{own}"] if rest else f"{use_id}.{own}"  # type: ignore[index]

    def move_nodes(self) -> Values:
        """Take the nodes out of their level and return them as the sections of a block, with their layout."""
        sections: Values = {}
        layout: Values = {}
        self.draft.swap_inside(self.ids, self.wired)
        for node_id, role in self.ids.items():
            sections.setdefault(role.value, {})[node_id] = self.draft.node(node_id)
            position = self.view.node(node_id).position
            if position is not None:
                layout[node_id] = [round(part) for part in position]
        for node_id, role in self.ids.items():
            self.draft.drop(role.value, node_id)
            self.draft.drop("layout", node_id)
        return {**sections, **({"layout": layout} if layout else {})}


def group(draft: Draft, edit: GroupIntoBlock) -> None:
    """Carry out GroupIntoBlock."""
    ids = {node_id: draft.role_of(node_id) for node_id in dict.fromkeys(edit.ids)}
    _refuse(draft, ids, edit.name)
    work = _Grouping(draft, ids, edit.name, draft.view())
    work.find_inputs()
    work.find_outputs()
    use_id = draft.free_id(edit.name)
    role = _role(work)
    work.take_parameters(use_id)
    single = len(work.outputs) == 1
    draft.swap_references(set(ids), lambda text: _outside(work, use_id, text, single=single), leave=set(ids))
    sections = work.move_nodes()
    parts = {"inputs": work.inputs, "parameters": work.parameters, "outputs": work.outputs}
    if draft.values.get("blocks") is None:
        draft.values["blocks"] = {}
    draft.values["blocks"][edit.name] = {**{name: part for name, part in parts.items() if part}, **sections}
    wires = {name: text for text, name in work.wired.items()}
    draft.part(role.value)[use_id] = {"use": edit.name, **wires}
    places = list(sections.get("layout", {}).values())
    if places:
        draft.place(use_id, *(sum(place[axis] for place in places) / len(places) for axis in (0, 1)))


def _outside(work: _Grouping, use_id: str, text: str, *, single: bool) -> Any:
    if text not in work.read:
        return text
    return use_id if single else f"{use_id}.{work.read[text]}"


def _role(work: _Grouping) -> Role:
    """Return the section for the use: that of the first node that is read from outside."""
    head = next(iter(work.outputs.values())).partition(".")[0]
    return work.ids[head]


def _refuse(draft: Draft, ids: dict[str, Role], name: str) -> None:
    if not ids:
        raise EditError(tr("Select the nodes to group into a block."))
    for node_id, role in ids.items():
        if role is Role.EXECUTION:
            raise EditError(tr("The execution node '{name}' can't be part of a block.", name=node_id), node=node_id)
    if not is_id(name):
        raise EditError(tr("'{name}' is not a valid block name. Use letters, digits and underscores.", name=name))
    blocks = draft.values.get("blocks")
    if blocks is not None and not isinstance(blocks, dict):
        raise EditError(tr("'{name}' in the file is not a mapping; fix it in the text first.", name="blocks"))
    if isinstance(blocks, dict) and name in blocks:
        raise EditError(tr("A block named '{name}' already exists.", name=name))
