"""Expand block uses into the nodes they stand for."""

from __future__ import annotations

from dataclasses import dataclass, field

from quantcrafter.engine.api.component import Role
from quantcrafter.engine.api.message import Message, without_stop, word
from quantcrafter.engine.api.ports import PortType
from quantcrafter.engine.spec.blocks import BlockDefinition, BlockLibrary
from quantcrafter.engine.spec.compose import measure
from quantcrafter.engine.spec.limits import MAX_BLOCK_DEPTH, MAX_STRATEGY_NODES, MAX_YAML_NODES
from quantcrafter.engine.spec.model import Located, NodeSpec
from quantcrafter.engine.spec.references import BlockUse, Literal, Resolver, Scope, Unresolved
from quantcrafter.engine.spec.sections import RawNode, join
from quantcrafter.engine.spec.source import Place, ProblemLog, shown
from quantcrafter.engine.spec.tree import Entry, plain

Settings = dict[str, dict[str, Entry]]
"""Fields that the user of a block sets on its inner nodes, by inner id."""


@dataclass(frozen=True, slots=True)
class _Level:
    """Where expansion is: the scope, whether the strategy's own blocks are visible, and the blocks on the way.

    With `mute` every node is muted.
    """

    scope: Scope
    own: bool = True
    chain: tuple[tuple[str, str], ...] = ()
    settings: Settings = field(default_factory=dict)
    mute: bool = False


class Expander:
    """Turns raw nodes into NodeSpecs; block uses become the block's nodes, in their place."""

    def __init__(self, library: BlockLibrary, resolver: Resolver, log: ProblemLog) -> None:
        self.library = library
        self.resolver = resolver
        self.log = log
        self.nodes: dict[str, NodeSpec] = {}
        self.uses: dict[str, NodeSpec] = {}
        self._count = 0
        self._values = 0
        self._full = False
        self._uses: list[tuple[Scope, RawNode, dict[str, Entry]]] = []

    def expand(self, nodes: list[RawNode], broken: dict[str, None]) -> dict[str, NodeSpec]:
        """Return all nodes of a strategy by expanded id."""
        self._expand(nodes, broken, _Level(Scope()))
        for scope, raw, bindings in self._uses:
            for name, entry in bindings.items():
                self._check_binding(scope, raw, name, entry)
        return self.nodes

    def _expand(self, nodes: list[RawNode], broken: dict[str, None], level: _Level) -> None:
        level.scope.nodes.update(broken)
        for raw in nodes:
            fields = {**raw.fields, **level.settings.get(raw.id, {})}
            if not self._has_room(raw, fields, level):
                level.scope.nodes[raw.id] = None
            elif self.library.is_block(raw.use, own=level.own):
                self._use(raw, fields, level)
            else:
                node = self._node(raw, fields, level)
                self.nodes[node.id] = node
                level.scope.nodes[raw.id] = node.id

    def _node(self, raw: RawNode, fields: dict[str, Entry], level: _Level) -> NodeSpec:
        scope, own = level.scope, raw.per_instrument
        return NodeSpec(
            id=scope.prefix + raw.id,
            role=raw.role,
            use=raw.use,
            values={name: plain(entry.value) for name, entry in fields.items()},
            path=raw.path,
            scope=scope,
            located=Located(raw.origin, fields if own is None else {**fields, "per_instrument": own}, raw.use_place),
            context=scope.context,
            bypass=raw.bypass,
            mute=raw.mute or level.mute,
            per_instrument=None if own is None else plain(own.value),
        )

    def _has_room(self, raw: RawNode, fields: dict[str, Entry], level: _Level) -> bool:
        """Count a node and, inside blocks, its values, and refuse what is past the limits; the reason is given once."""
        if self._full:
            return False
        self._count += 1
        if level.chain:
            self._values += sum(measure(entry.value)[0] for entry in fields.values())
        if self._count <= MAX_STRATEGY_NODES and self._values <= MAX_YAML_NODES:
            return True
        self._full = True
        message = Message(
            "A strategy can have at most {max_strategy_nodes:,} nodes, blocks expanded.",
            max_strategy_nodes=MAX_STRATEGY_NODES,
        )
        if self._values > MAX_YAML_NODES:
            message = Message(
                "A strategy can have at most {max_yaml_nodes:,} values, blocks expanded.", max_yaml_nodes=MAX_YAML_NODES
            )
        self._problem("limit", message, Message("Leave some out, or split the strategy."), raw.origin, raw, level.scope)
        return False

    def _problem(
        self, code: str, message: str, remedy: str, at: Place, raw: RawNode, scope: Scope, field: str = ""
    ) -> None:
        if scope.context:
            message = Message("{message} ({context}).", message=without_stop(message), context=scope.context)
        node = scope.prefix + raw.id
        self.log.add(code, message, remedy, at=at, path=join(raw.path, field), node=node, field=field)

    def _use(self, raw: RawNode, fields: dict[str, Entry], level: _Level) -> None:
        scope = level.scope
        block = self._definition(raw, level)
        if block is None:
            scope.nodes[raw.id] = None
            return
        node = self._node(raw, fields, level)
        user = node.id
        if raw.per_instrument is not None:
            message = Message("'{id}' uses a block, which can't have parameters per instrument.", id=raw.id)
            remedy = Message("Write 'per_instrument' at the nodes inside the block.")
            at = raw.per_instrument.key.place
            self._problem("per_instrument", message, remedy, at, raw, scope, "per_instrument")
        self.uses[user] = node
        inner = Scope(
            f"{user}/",
            Message("in block '{block}' used by '{user}'", block=block.name, user=user),
            scope,
            inputs=block.inputs,
        )
        passing = node.bypass and not node.mute
        scope.blocks[raw.id] = BlockUse(block.outputs, inner, user, passing)
        bindings, settings = self._sort_fields(raw, fields, block, scope)
        inner.bindings = {name: plain(entry.value) for name, entry in bindings.items()}
        self._uses.append((inner, raw, bindings))
        chain = (*level.chain, (block.key, block.name))
        self._expand(
            block.nodes, block.broken, _Level(inner, block.in_file, chain, settings, mute=node.mute or passing)
        )

    def _definition(self, raw: RawNode, level: _Level) -> BlockDefinition | None:
        if raw.role is Role.EXECUTION:
            message = Message("A block can't be used in 'execution'.")
            self._problem(
                "block_role", message, Message("Use it in another section."), raw.use_place, raw, level.scope, "use"
            )
            return None
        block = self.library.find(raw)
        if block is None:
            return None
        if any(key == block.key for key, _ in level.chain):
            way = " > ".join([*(name for _, name in level.chain), block.name])
            message = Message("The block '{name}' uses itself: {way}.", name=block.name, way=way)
            self._problem(
                "block_recursion", message, Message("Remove the cycle."), raw.use_place, raw, level.scope, "use"
            )
            return None
        if len(level.chain) >= MAX_BLOCK_DEPTH:
            message = Message(
                "Blocks can be nested at most {max_block_depth} levels deep.", max_block_depth=MAX_BLOCK_DEPTH
            )
            self._problem("limit", message, Message("Flatten them."), raw.use_place, raw, level.scope, "use")
            return None
        return block

    def _sort_fields(
        self, raw: RawNode, fields: dict[str, Entry], block: BlockDefinition, scope: Scope
    ) -> tuple[dict[str, Entry], Settings]:
        """Return what a use binds to inputs, and what it sets on inner nodes."""
        bindings: dict[str, Entry] = {}
        settings: Settings = {}
        for name, entry in fields.items():
            if name in block.inputs:
                bindings[name] = entry
            elif name in block.parameters:
                for node, inner_field in block.parameters[name]:
                    settings.setdefault(node, {})[inner_field] = entry
            else:
                known = [*block.inputs, *block.parameters]
                remedy = self.log.suggest(name, known) or Message(
                    "It has {known}.", known=", ".join(known) or Message("none")
                )
                message = Message(
                    "The block '{name}' has no input or parameter {name_2}.", name=block.name, name_2=shown(name)
                )
                self._problem("unknown_field", message, remedy, entry.key.place, raw, scope, name)
        for name, wanted in block.inputs.items():
            if wanted.default is None and (name not in bindings or plain(bindings[name].value) is None):
                message = Message("The input '{name}' of block '{name_2}' is not wired.", name=name, name_2=block.name)
                remedy = Message("Add '{name}: REFERENCE'.", name=name)
                self._problem("missing_input", message, remedy, raw.origin, raw, scope, name)
        return bindings, settings

    def _check_binding(self, inner: Scope, raw: RawNode, name: str, entry: Entry) -> None:
        outer = inner.parent
        if outer is None or inner.bindings[name] is None:
            return
        found = self.resolver.binding(inner, name)
        if isinstance(found, Literal) and inner.inputs[name].type is not PortType.SERIES:
            message = Message(
                "The input '{name}' takes a {type}, was the number {value:g}.",
                name=name,
                type=word(inner.inputs[name].type),
                value=found.value,
            )
            self._problem("type", message, Message("Wire it to a node."), entry.value.place, raw, outer, name)
        elif isinstance(found, Unresolved) and not found.reported:
            self._problem("reference", found.message, found.remedy, entry.value.place, raw, outer, name)
