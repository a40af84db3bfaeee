"""Block definitions: what a block declares, read from the `blocks:` section or from a separate file."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from quantcrafter.engine.api.component import NODE_KEYS, Role
from quantcrafter.engine.api.folders import is_listed
from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.ports import PortType
from quantcrafter.engine.spec.compose import compose
from quantcrafter.engine.spec.layout import check_frames, read_layout
from quantcrafter.engine.spec.limits import MAX_BLOCK_FILES
from quantcrafter.engine.spec.model import FORMAT_VERSION, SECTIONS
from quantcrafter.engine.spec.read_text import read_text
from quantcrafter.engine.spec.references import BARS, BlockInput, Resolver, Scope, Unresolved
from quantcrafter.engine.spec.sections import (
    RawNode,
    id_is_good,
    is_empty,
    join,
    mapping_at,
    read_sections,
    refuse_unknown_keys,
    text_at,
)
from quantcrafter.engine.spec.source import ProblemLog, shown
from quantcrafter.engine.spec.tree import Entry, Mapping, Node, Scalar, Sequence, content, plain
from quantcrafter.engine.spec.versions import in_current_format, version_is_good

INPUT_TYPES = tuple(port.value for port in PortType)
BLOCK_SECTIONS = tuple(section for section in SECTIONS if section != Role.EXECUTION.value)
BROKEN = "__broken__"
BLOCK_KEYS = ("description", "inputs", "parameters", "outputs", *BLOCK_SECTIONS, "layout", "frames")


_LOOP = Message("it is a link that leads to itself")


@dataclass(slots=True, eq=False)
class BlockDefinition:
    """A block as declared; `parameters` maps each to the (node, field) pairs it sets, `key` tells blocks apart."""

    key: str
    name: str
    in_file: bool
    description: str = ""
    inputs: dict[str, BlockInput] = field(default_factory=dict)
    parameters: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    nodes: list[RawNode] = field(default_factory=list)
    broken: dict[str, None] = field(default_factory=dict)


class DefinitionReader:
    """Reads one block definition, noting what is wrong in the block itself."""

    def __init__(self, root: Mapping, base: str, log: ProblemLog) -> None:
        self.root = root
        self.base = base
        self.log = log

    def read(self, key: str, name: str, *, in_file: bool) -> BlockDefinition:
        """Return the definition, as much of it as is usable."""
        known = BLOCK_KEYS if in_file else ("quantcrafter", *BLOCK_KEYS)
        refuse_unknown_keys(self.root, known, self.base, self.log, Message("block"))
        sections = read_sections(self.root, self.base, self.log)
        nodes = [node for node in sections.nodes if node.role is not Role.EXECUTION]
        made = BlockDefinition(key, name, in_file, nodes=nodes, broken=sections.broken)
        read_layout(self.root, self.base, self.log)
        check_frames(self.root, self.base, self.log)
        made.description = text_at(self.root, "description", join(self.base, "description"), self.log)
        made.inputs = dict(self._inputs(sections.taken))
        made.parameters = dict(self._parameters(made))
        made.outputs = dict(self._outputs(made))
        if not made.outputs and not self._has_problem_section("outputs"):
            entry = self.root.entries.get("outputs")
            at = entry.key.place if entry else self.root.place
            self.log.add(
                "block_outputs",
                Message("The block '{name}' has no outputs.", name=name),
                Message("Add 'outputs: {NAME: inner_node}'."),
                at=at,
                path=self.base,
            )
        return made

    def _has_problem_section(self, key: str) -> bool:
        node = self.root.get(key)
        return node is not None and not is_empty(node) and bool(plain(node))

    def _entries(self, section: str, what: str) -> Iterator[tuple[str, Entry, str]]:
        path = join(self.base, section)
        mapping = mapping_at(self.root, section, path, self.log)
        for name, entry in mapping.entries.items() if mapping else ():
            if name in NODE_KEYS and what != "block output":
                self.log.add(
                    "bad_id",
                    Message("'{name}' is not a valid name for a {what}.", name=name, what=what),
                    Message("Choose another."),
                    at=entry.key.place,
                    path=path,
                )
            elif id_is_good(name, entry.key.place, join(path, name), self.log, what):
                yield name, entry, join(path, name)

    def _inputs(self, taken: Container[str]) -> Iterator[tuple[str, BlockInput]]:
        for name, entry, path in self._entries("inputs", Message("block input")):
            if name in taken:
                message = Message("The block input '{name}' has the name of a node.", name=name)
                self.log.add("duplicate_node", message, Message("Rename one of them."), at=entry.key.place, path=path)
                continue
            body = content(entry.value)
            declared = body.get("type") if isinstance(body, Mapping) else body
            if isinstance(body, Mapping):
                refuse_unknown_keys(body, ("type", "default", "description"), path, self.log, Message("block input"))
            value = declared.value if isinstance(declared, Scalar) else None
            if not isinstance(value, str) or value not in INPUT_TYPES:
                remedy = self.log.suggest(value, INPUT_TYPES) or Message(
                    "The types are {input_types}.", input_types=", ".join(INPUT_TYPES)
                )
                message = Message("The type of the block input '{name}' is {value}.", name=name, value=shown(value))
                self.log.add("block_input", message, remedy, at=(declared or entry.key).place, path=path)
                value = PortType.SERIES.value
            default = body.get("default") if isinstance(body, Mapping) else None
            yield name, BlockInput(name, PortType(value), self._default(default, PortType(value), path))

    def _default(self, node: Node | None, wanted: PortType, path: str) -> str | float | None:
        if node is None or is_empty(node):
            return None
        value = plain(node)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and wanted is PortType.SERIES:
            return float(value)
        found = Resolver(self.log.suggest).resolve(Scope(), value)
        if isinstance(found, Unresolved):
            message = Message("The default {value} is neither a number nor bars.", value=shown(value))
            self.log.add(
                "block_input",
                message,
                Message("Write a number or bars.close."),
                at=node.place,
                path=join(path, "default"),
            )
            return None
        return str(value)

    def _parameters(self, made: BlockDefinition) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        for name, entry, path in self._entries("parameters", Message("block parameter")):
            if name in made.inputs:
                message = Message("'{name}' is both an input and a parameter of the block.", name=name)
                self.log.add("duplicate_node", message, Message("Rename one of them."), at=entry.key.place, path=path)
                continue
            body = content(entry.value)
            targets = body.items if isinstance(body, Sequence) else [body]
            yield name, [pair for target in targets if (pair := self._target(made, target, path))]

    def _target(self, made: BlockDefinition, target: Node, path: str) -> tuple[str, str] | None:
        value = plain(target)
        node, _, name = value.partition(".") if isinstance(value, str) else ("", "", "")
        if not node or not name or name in NODE_KEYS:
            message = Message("A block parameter names a field of an inner node, was {value}.", value=shown(value))
            self.log.add("block_parameter", message, Message("Write node.field."), at=target.place, path=path)
            return None
        known = [raw.id for raw in made.nodes]
        if node not in known and node not in made.broken:
            remedy = self.log.suggest(node, known) or Message(
                "Its nodes are {known}.", known=", ".join(known[:20]) or Message("none")
            )
            self.log.add(
                "block_parameter",
                Message("The block has no node '{node}'.", node=node),
                remedy,
                at=target.place,
                path=path,
            )
            return None
        return node, name

    def _outputs(self, made: BlockDefinition) -> Iterator[tuple[str, str]]:
        visible = [*made.inputs, *(raw.id for raw in made.nodes), *made.broken, BARS]
        for name, entry, path in self._entries("outputs", Message("block output")):
            value = plain(entry.value)
            head = value.partition(".")[0] if isinstance(value, str) else ""
            if head not in visible:
                remedy = self.log.suggest(head, visible) or Message(
                    "It has {visible}.", visible=", ".join(visible[:20])
                )
                message = Message(
                    "The block output '{name}' is {value}, which the block doesn't have.",
                    name=name,
                    value=shown(value),
                )
                self.log.add("block_output", message, remedy, at=entry.value.place, path=path)
                made.broken[BROKEN] = None
                value = BROKEN
            yield name, str(value)


class BlockLibrary:
    """The blocks that a strategy can use: its own, and files in its folder or the user's block folder."""

    def __init__(self, base_dir: Path, block_dir: Path | None, log: ProblemLog) -> None:
        self.log = log
        self.own: dict[str, BlockDefinition] = {}
        self._roots = (base_dir, block_dir if block_dir is not None else home() / "blocks")
        self._files: dict[Path, BlockDefinition | None] = {}

    def read_own(self, section: Mapping) -> None:
        """Read the `blocks:` section."""
        for name, entry in section.entries.items():
            path, at = join("blocks", name), entry.key.place
            if name.endswith((".yaml", ".yml")) or not id_is_good(name, at, path, self.log, Message("block")):
                continue
            body = content(entry.value)
            if isinstance(body, Mapping):
                self.own[name] = DefinitionReader(body, path, self.log).read(name, name, in_file=True)
            else:
                message = Message("The block '{name}' must be a mapping.", name=name)
                self.log.add(
                    "shape", message, Message("It has inputs, parameters, outputs and nodes."), at=at, path=path
                )

    def is_block(self, use: str, *, own: bool) -> bool:
        """Return whether `use` names a block, where `own` tells that the strategy's own blocks are visible."""
        return use.endswith((".yaml", ".yml")) or (own and use in self.own)

    def find(self, raw: RawNode) -> BlockDefinition | None:
        """Return the definition that `raw` uses, or None after noting why there is none."""
        if not raw.use.endswith((".yaml", ".yml")):
            return self.own[raw.use]
        try:
            path = _locate(raw.use, self._roots)
        except RuntimeError:  # how Python 3.11 and 3.12 report such a link; 3.13 does not
            self._refuse(raw, Message("The block file {use} is refused: {loop}.", use=shown(raw.use), loop=_LOOP))
            return None
        except (OSError, ValueError) as error:
            reason = (
                str(error)
                if isinstance(error, ValueError)
                else Message("it can't be opened, {cause}", cause=fault(error, "read").cause)
            )
            self._refuse(raw, Message("The block file {use} is refused: {reason}.", use=shown(raw.use), reason=reason))
            return None
        if path is None:
            self._refuse(
                raw,
                Message(
                    "Block file {use} was not found beside the strategy or in the block folder.", use=shown(raw.use)
                ),
            )
            return None
        if path not in self._files:
            if len(self._files) >= MAX_BLOCK_FILES:
                self._refuse(
                    raw,
                    Message(
                        "A strategy can use at most {max_block_files} block files.", max_block_files=MAX_BLOCK_FILES
                    ),
                    "limit",
                )
                return None
            self._files[path] = self._load(path, raw)
        return self._files[path]

    def _refuse(self, raw: RawNode, message: str, code: str = "block_file") -> None:
        remedy = Message("Name a .yaml file inside the strategy's folder or the user's block folder.")
        self.log.add(code, message, remedy, at=raw.use_place, path=join(raw.path, "use"), node=raw.id, field="use")

    def _load(self, path: Path, raw: RawNode) -> BlockDefinition | None:
        text = read_text(path, self.log)
        root = None if text is None else compose(text, str(path), self.log)
        if root is None:
            return None
        if not isinstance(root, Mapping):
            self.log.add(
                "shape",
                Message("A block file must be a mapping."),
                Message("Begin with 'quantcrafter: {format_version}'.", format_version=FORMAT_VERSION),
                at=root.place,
            )
            return None
        current = in_current_format(root, text or "", self.log)
        if current is None or not version_is_good(current, self.log):
            return None
        return DefinitionReader(current, "", self.log).read(str(path), raw.use, in_file=False)


def block_file(use: str, folder: Path) -> Path | None:
    """Return the block file that a strategy in `folder` uses by that name; None where there is none to be read."""
    try:
        return _locate(use, (folder, home() / "blocks"))
    except (OSError, ValueError, RuntimeError):
        return None


def _locate(use: str, folders: Iterable[Path]) -> Path | None:
    windows = PureWindowsPath(use)
    if PurePosixPath(use).is_absolute() or windows.drive or windows.root or "\\" in use:
        raise ValueError(Message("it must be a relative path with forward slashes"))
    if ".." in PurePosixPath(use).parts:
        raise ValueError(Message("'..' is not allowed"))
    roots = [root.resolve() for root in folders]
    for root in roots:
        path = (root / use).resolve()
        if path.is_symlink():  # what is still a link after resolving leads to itself
            raise ValueError(_LOOP)
        if path.exists():
            if not any(path.is_relative_to(allowed) for allowed in roots) and not is_listed(path):
                raise ValueError(Message("it leads outside the strategy's folder"))
            if not path.is_file():
                raise ValueError(Message("it is not a file"))
            return path
    return None
