"""Read the parts that strategies and blocks have in common: sections of nodes, texts, unknown keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from quantcrafter.engine.api.component import NODE_KEYS, Role
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import nearest
from quantcrafter.engine.spec.limits import MAX_NAME_CHARS
from quantcrafter.engine.spec.model import SECTIONS
from quantcrafter.engine.spec.references import BARS, NODE_ID
from quantcrafter.engine.spec.source import Place, ProblemLog, shown
from quantcrafter.engine.spec.tree import Entry, Mapping, Node, Scalar, children, content, kind


@dataclass(slots=True, eq=False)
class RawNode:
    """A node or block use as written: its `use`, its flags and its other fields."""

    id: str
    role: Role
    use: str
    fields: dict[str, Entry]
    origin: Place
    use_place: Place
    path: str
    bypass: bool = False
    mute: bool = False
    per_instrument: Entry | None = None


@dataclass(slots=True, eq=False)
class Sections:
    """The nodes of a strategy or block in file order; `broken` ids stand there but cannot be used."""

    nodes: list[RawNode] = field(default_factory=list)
    broken: dict[str, None] = field(default_factory=dict)
    taken: dict[str, tuple[str, Place]] = field(default_factory=dict)


def join(*parts: str | int) -> str:
    """Return the document path of `parts`."""
    return ".".join(str(part) for part in parts if part != "")


def read_sections(root: Mapping, base: str, log: ProblemLog) -> Sections:
    """Return the nodes in the eight sections of `root`, noting what is wrong with them."""
    found = Sections()
    for name, role in zip(SECTIONS, Role, strict=True):
        section = mapping_at(root, name, join(base, name), log)
        if section is not None:
            for node_id, entry in section.entries.items():
                _read_node(found, role, node_id, entry, join(base, name, node_id), log)
    return found


def _read_node(found: Sections, role: Role, node_id: str, entry: Entry, path: str, log: ProblemLog) -> None:
    at = entry.key.place
    if not id_is_good(node_id, at, path, log, Message("node")):
        return
    if node_id in found.taken:
        section, place = found.taken[node_id]
        message = Message(
            "The node id '{node_id}' is used twice: also in '{section}' on line {line}.",
            node_id=node_id,
            section=section,
            line=place.line,
        )
        log.add("duplicate_node", message, Message("Rename one of them."), at=at, path=path, node=node_id)
        return
    found.taken[node_id] = (role.value, at)
    body = content(entry.value)
    use = body.get("use") if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping):
        message = Message(
            "The node '{node_id}' must be a mapping with 'use', was {kind}.", node_id=node_id, kind=kind(body)
        )
        example = Message("Write {node_id}: {{use: NAME}}.", node_id=node_id)
        log.add("shape", message, example, at=at, path=path, node=node_id)
    elif use is None:
        guess = nearest("use", [key for key in body.entries if len(key) <= 4])  # noqa: PLR2004 - uses, Use, usee
        remedy = Message("Write 'use' instead of '{key}'.", key=guess[0]) if guess else Message("Add 'use: NAME'.")
        log.add(
            "missing_use",
            Message("The node '{node_id}' doesn't say which component to use.", node_id=node_id),
            remedy,
            at=at,
            path=path,
            node=node_id,
        )
    elif not isinstance(use, Scalar) or not isinstance(use.value, str) or not use.value:
        actual = shown(use.value) if isinstance(use, Scalar) else kind(use)
        message = Message("'use' must be the name of a component, was {actual}.", actual=actual)
        log.add(
            "shape",
            message,
            Message("Put the name in quotes."),
            at=use.place,
            path=join(path, "use"),
            node=node_id,
            field="use",
        )
    else:
        fields = {key: item for key, item in body.entries.items() if key not in NODE_KEYS}
        bypass, mute = (_flag(body, flag, node_id, path, log) for flag in ("bypass", "mute"))
        own = body.entries.get("per_instrument")
        found.nodes.append(RawNode(node_id, role, use.value, fields, at, use.place, path, bypass, mute, own))
        return
    found.broken[node_id] = None


def _flag(body: Mapping, name: str, node_id: str, path: str, log: ProblemLog) -> bool:
    """Return whether a node is bypassed or muted."""
    node = body.get(name)
    if node is None or is_empty(node):
        return False
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    actual = shown(node.value) if isinstance(node, Scalar) else kind(node)
    message = Message(
        "'{name}' of '{node_id}' must be true or false, was {actual}.", name=name, node_id=node_id, actual=actual
    )
    remedy = Message("Write '{name}: true', or remove it.", name=name)
    log.add("flag", message, remedy, at=node.place, path=join(path, name), node=node_id, field=name)
    return False


def id_is_good(name: str, at: Place, path: str, log: ProblemLog, what: str) -> bool:
    """Return whether `name` may name a node, input or output; note a problem when not."""
    if name == BARS:
        log.add(
            "bad_id",
            Message("'{bars}' is the instrument's own bars, not a valid name for a {what}.", bars=BARS, what=what),
            Message("Choose another."),
            at=at,
            path=path,
        )
        return False
    if len(name) > MAX_NAME_CHARS:
        message = Message(
            "The name of a {what} can have at most {max_name_chars} characters, this one has {count:,}.",
            what=what,
            max_name_chars=MAX_NAME_CHARS,
            count=len(name),
        )
        log.add("limit", message, Message("Shorten it."), at=at, path=path)
        return False
    if NODE_ID.fullmatch(name) is None:
        message = Message("{name} is not a valid name for a {what}.", name=shown(name), what=what)
        remedy = Message("Use letters, digits and underscores, and begin with a letter.")
        log.add("bad_id", message, remedy, at=at, path=path)
        return False
    return True


def mapping_at(parent: Mapping, key: str, path: str, log: ProblemLog) -> Mapping | None:
    """Return the mapping under `key`; None when it is absent, empty or something else, which is a problem."""
    node = parent.get(key)
    if isinstance(node, Mapping):
        return node
    if node is not None and not is_empty(node):
        log.add(
            "shape",
            Message("'{path}' must be a mapping, was {kind}.", path=path, kind=kind(node)),
            Message("Write 'name: value' lines below it."),
            at=node.place,
            path=path,
            field=key,
        )
    return None


def text_at(parent: Mapping, key: str, path: str, log: ProblemLog) -> str:
    """Return the text under `key`, or "" when it is absent, empty or something else, which is a problem."""
    node = parent.get(key)
    if node is None or is_empty(node):
        return ""
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return node.value
    log.add(
        "shape",
        Message("'{path}' must be text, was {kind}.", path=path, kind=kind(node)),
        Message("Put it in quotes."),
        at=node.place,
        path=path,
        field=key,
    )
    return ""


def is_empty(node: Node) -> bool:
    """Return whether a node is an empty value, such as a section with nothing below."""
    return isinstance(node, Scalar) and node.value is None


def refuse_unknown_keys(root: Mapping, known: Iterable[str], base: str, log: ProblemLog, what: str) -> None:
    """Note a problem for each key of `root` that is not `known`."""
    names = tuple(known)
    for key, entry in root.entries.items():
        if key not in names:
            remedy = log.suggest(key, names) or Message("The keys are {names}.", names=", ".join(names))
            log.add(
                "unknown_key",
                Message("A {what} has no key {key}.", what=what, key=shown(key)),
                remedy,
                at=entry.key.place,
                path=join(base, key),
                field=key,
            )


def place_in(node: Node, names: tuple[str, ...]) -> Place:
    """Return the place of a setting, or of the nearest thing around it that stands in the file.

    Of a mapping in which an override has changed something, that is the override: without it the mapping was right.
    """
    place = node.place
    for name in names:
        entry = node.entries.get(name) if isinstance(node, Mapping) else None
        if entry is None:
            return place
        node = content(entry.value)
        place = entry.value.place if entry.value.end > entry.value.start else entry.key.place
    changed = _override_within(node) if names else None
    return place if changed is None else changed.place


def _override_within(node: Node) -> Node | None:
    """Return a part of a node that an override has put there."""
    for each in children(node):
        inner = content(each)
        if not inner.source.located:
            return inner
        found = _override_within(inner)
        if found is not None:
            return found
    return None
