"""What a reference such as `fast`, `macd.signal` or `bars.close` stands for, in the scope where it is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from quantcrafter.engine.api.bars import BAR_COLUMNS
from quantcrafter.engine.api.message import Message, word
from quantcrafter.engine.api.ports import PortType
from quantcrafter.engine.spec.limits import MAX_REFERENCE_HOPS
from quantcrafter.engine.spec.source import Suggester, shown

BARS = "bars"
NODE_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
REFERENCE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")


@dataclass(frozen=True, slots=True)
class Resolved:
    """An output of a node, by its expanded id; `bars` is the instrument's own bars, "" the node as a whole."""

    node: str
    output: str = ""


@dataclass(frozen=True, slots=True)
class Literal:
    """A number that a block input is bound to."""

    value: float


@dataclass(frozen=True, slots=True)
class Bound:
    """A list that a block input is bound to; only ports that take a list accept it."""

    items: tuple[Resolved | Literal | Bypassed, ...]


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A reference that leads nowhere.

    `reported` when the specification already lists the cause as a problem; `endless` when blocks pass it on in a
    circle or too often, which is a problem of every reference on the way.
    """

    message: str
    remedy: str = ""
    reported: bool = False
    endless: bool = False


@dataclass(frozen=True, slots=True)
class Bypassed:
    """An output of a block that is bypassed: what it would give, and what the block's inputs read, by their type.

    `node` is the expanded id of the block's use.
    """

    node: str
    output: Resolved | Literal | Bypassed
    inputs: tuple[tuple[PortType, Resolution], ...]


Resolution = Resolved | Literal | Bound | Bypassed | Unresolved


@dataclass(frozen=True, slots=True)
class BlockInput:
    """A named input of a block; `default` is a reference to `bars`, a number, or None when it must be wired."""

    name: str
    type: PortType
    default: str | float | None = None


@dataclass(slots=True, eq=False)
class BlockUse:
    """One use of a block: its outputs as inner references, and the scope of its inside."""

    outputs: Mapping[str, str]
    scope: Scope
    user: str = ""
    bypass: bool = False


@dataclass(slots=True, eq=False)
class Scope:
    """The names that references at one level can see.

    `nodes` maps an id to its expanded id, or to None for a node whose own problems are reported. `bindings` holds
    what the block's user wrote for its inputs, to be read in the `parent` scope.
    """

    prefix: str = ""
    context: str = ""
    parent: Scope | None = None
    nodes: dict[str, str | None] = field(default_factory=dict)
    blocks: dict[str, BlockUse] = field(default_factory=dict)
    inputs: dict[str, BlockInput] = field(default_factory=dict)
    bindings: dict[str, Any] = field(default_factory=dict)

    def names(self) -> Iterable[str]:
        """Return every name that can be referred to, in the order of declaration."""
        usable = [name for name, expanded in self.nodes.items() if expanded is not None]
        return [*self.inputs, *usable, *self.blocks, BARS]


@dataclass(eq=False)
class Resolver:
    """Resolves references, each once; `further` are the instruments' columns beside the prices."""

    suggest: Suggester = field(default_factory=Suggester)
    further: tuple[str, ...] = ()
    _memo: dict[tuple[int, str], Resolution] = field(default_factory=dict)

    def resolve(self, scope: Scope, reference: object, hops: int = 0) -> Resolution:
        """Return what `reference` stands for in `scope`."""
        if not isinstance(reference, str) or REFERENCE.fullmatch(reference) is None:
            return self._malformed(reference)
        key = (id(scope), reference)
        if key not in self._memo:
            if hops > MAX_REFERENCE_HOPS:
                message = Message(
                    "'{reference}' passes through more than {max_reference_hops} blocks.",
                    reference=reference,
                    max_reference_hops=MAX_REFERENCE_HOPS,
                )
                return Unresolved(message, Message("Wire it directly."), endless=True)
            message = Message("'{reference}' refers to itself through a block.", reference=reference)
            self._memo[key] = Unresolved(message, Message("Remove the cycle."), endless=True)
            self._memo[key] = self._find(scope, reference, hops + 1)
        return self._memo[key]

    def _malformed(self, reference: object) -> Unresolved:
        remedy = Message("A reference is a node's id, such as fast or macd.signal, or bars.close.")
        if isinstance(reference, str) and "/" in reference:
            remedy = Message(
                "The inside of a block is not visible: make it an output of the block, and write block.output."
            )
        return Unresolved(Message("{reference} is not a reference.", reference=shown(reference)), remedy)

    def _find(self, scope: Scope, reference: str, hops: int) -> Resolution:
        head, _, output = reference.partition(".")
        if head == BARS:
            return self._bars(output)
        if head in scope.inputs:
            return self._input(scope, head, output, hops)
        if head in scope.blocks:
            return self._block_output(scope.blocks[head], head, output, hops)
        if head not in scope.nodes:
            remedy = self.suggest(head, scope.names()) or Message("Add the node, or correct the name.")
            message = (
                Message("There is no node '{head}' {context}.", head=head, context=scope.context)
                if scope.context
                else Message("There is no node '{head}'.", head=head)
            )
            return Unresolved(message, remedy)
        expanded = scope.nodes[head]
        if expanded is None:
            return Unresolved(
                Message("The node '{head}' has problems of its own.", head=head),
                Message("Fix it first."),
                reported=True,
            )
        return Resolved(expanded, output)

    def _bars(self, output: str) -> Resolution:
        known = (*BAR_COLUMNS, *self.further)
        if output and output not in known:
            guess = self.suggest(output, known)
            return Unresolved(
                Message("Bars have no column '{output}'.", output=output),
                guess or Message("They have {bar_columns}.", bar_columns=", ".join(known)),
            )
        return Resolved(BARS, output)

    def _block_output(self, use: BlockUse, head: str, output: str, hops: int) -> Resolution:
        if not output and len(use.outputs) == 1:
            output = next(iter(use.outputs))
        if not output:
            known = ", ".join(f"{head}.{name}" for name in use.outputs)
            return Unresolved(
                Message("The block '{head}' has {count} outputs: name one.", head=head, count=len(use.outputs)),
                Message("Write one of {known}.", known=known),
            )
        if output not in use.outputs:
            guess = self.suggest(output, use.outputs) or Message(
                "It has {outputs}.", outputs=", ".join(use.outputs) or Message("none")
            )
            return Unresolved(Message("The block '{head}' has no output '{output}'.", head=head, output=output), guess)
        found = self.resolve(use.scope, use.outputs[output], hops)
        if not use.bypass or isinstance(found, (Bound, Unresolved)):
            return found
        inner = use.scope
        wired = ((name, self.binding(inner, name, hops)) for name in inner.inputs)
        return Bypassed(use.user, found, tuple((inner.inputs[name].type, bound) for name, bound in wired))

    def _input(self, scope: Scope, name: str, output: str, hops: int) -> Resolution:
        wanted = scope.inputs[name]
        bound = self.binding(scope, name, hops)
        if isinstance(bound, Unresolved):
            return bound if bound.endless else replace(bound, reported=True)
        if not output:
            return bound
        if wanted.type is PortType.BARS and isinstance(bound, Resolved) and not bound.output:
            return self._bars(output) if bound.node == BARS else Resolved(bound.node, output)
        return Unresolved(
            Message("The input '{name}' is a {type} and has no outputs.", name=name, type=word(wanted.type)),
            Message("Write '{name}'.", name=name),
        )

    def binding(self, scope: Scope, name: str, hops: int = 0) -> Resolution:
        """Return what the input `name` of a block's inside is bound to."""
        value = scope.bindings.get(name)
        outer = scope.parent
        if value is None or outer is None:
            value, outer = scope.inputs[name].default, Scope()
        if value is None:
            return Unresolved(
                Message("The input '{name}' {context} is not wired.", name=name, context=scope.context),
                Message("Wire it."),
                reported=True,
            )
        if isinstance(value, list):
            return self._list(outer, value, hops)
        return self._single(outer, value, hops)

    def _single(self, scope: Scope, value: Any, hops: int) -> Resolution:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return Literal(float(value))
        return self.resolve(scope, value, hops)

    def _list(self, scope: Scope, values: list[Any], hops: int) -> Resolution:
        items: list[Resolved | Literal | Bypassed] = []
        for value in values:
            found = self._single(scope, value, hops)
            if isinstance(found, Unresolved):
                return found
            if isinstance(found, Bound):
                return Unresolved(
                    Message("{value} is a list itself.", value=shown(value)), Message("List its members instead.")
                )
            items.append(found)
        return Bound(tuple(items))
