"""What may stand at a place of the file, from the catalog and the document. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from quantcrafter.app.document.document import DocumentLike
from quantcrafter.app.document.view import NodeView
from quantcrafter.app.panes.yaml_view.cursor_context import CursorContext
from quantcrafter.app.panes.yaml_view.vocabulary import levels
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.services.type_names import port_type_name
from quantcrafter.app.theme.colors import family_of
from quantcrafter.engine.api import Catalog, Component, PortType, Role
from quantcrafter.engine.api.settings import RunSettings
from quantcrafter.engine.spec import SECTIONS
from quantcrafter.engine.spec.instruments import OWN_FIELDS

_TOP_KEYS = ("quantcrafter", "name", "description", "instruments", "blocks", *SECTIONS, "run", "layout", "frames")
_INSTRUMENT_CHOICES = {"kind": ("spot", "contract"), "on_bad_bars": ("refuse", "repair")}
_SPELT = 2
_FLAGS = ("bypass", "mute")
_LESS_WANTED = ("open", "high", "low", "volume")


@dataclass(frozen=True, slots=True)
class Completion:
    """One thing that may stand there: what is put in, a word about it, the family whose colour it has, its help."""

    text: str
    note: str = ""
    family: str = ""
    help: Callable[[], str] = str
    rank: int = 0


def completions(context: CursorContext, document: DocumentLike) -> list[Completion]:
    """Return what fits at a place, the likeliest first; what has been typed of it narrows the list."""
    if context.quiet:
        return []
    wish = context.word.lower()
    ranked = []
    for number, found in enumerate(_offers(context, document)):
        name = found.text.removesuffix(": ").lower()
        likeness = _likeness(wish, name)
        if likeness is not None:
            ranked.append((likeness, found.rank, number, found))
    ranked.sort(key=lambda item: item[:3])
    good = [found for likeness, *_, found in ranked if likeness < _SPELT]
    return good or [found for *_, found in ranked]


def _likeness(wish: str, name: str) -> int | None:
    """Return how well a name fits: 0 begins so, 1 has it inside, 2 has its letters in that order, None not at all."""
    if any(part.startswith(wish) for part in (name, *name.split("."), *name.split("_"))):
        return 0
    return 1 if wish in name else (_SPELT if _spelt(wish, name) else None)


def _spelt(wish: str, name: str) -> bool:
    """Return whether the letters of `wish` stand in `name` in that order."""
    letters = iter(name)
    return len(wish) > 1 and all(letter in letters for letter in wish)


def _offers(context: CursorContext, document: DocumentLike) -> Iterator[Completion]:
    inner = context.inner
    if not context.path:
        yield from _keys(_TOP_KEYS, context)
    elif context.section and len(inner) > 1:
        yield from _in_node(context, document)
    elif inner[:1] == ("instruments",):
        yield from _in_instrument(context, document.catalog)
    elif inner[:1] == ("run",):
        yield from _in_run(context)


def _keys(names: Iterable[str], context: CursorContext) -> Iterator[Completion]:
    yield from (Completion(f"{name}: ") for name in names if name not in context.siblings or name == context.word)


def _in_run(context: CursorContext) -> Iterator[Completion]:
    if not context.key and len(context.keys) == 1:
        fields = RunSettings.model_fields
        for name, field in fields.items():
            if name not in context.siblings or name == context.word:
                yield Completion(f"{name}: ", "", "", _text(translated(field.description or "")))
    elif len(context.keys) == 1:
        yield from _choices(RunSettings.model_json_schema(), context.key)


def _in_instrument(context: CursorContext, catalog: Catalog) -> Iterator[Completion]:
    provider = catalog.provider(context.siblings.get("data", ""))
    if context.key == "data":
        yield from (Completion(name) for name in catalog.provider_names())
    elif not context.key:
        own = tuple(provider.model_fields) if provider is not None else ()
        yield from _keys(dict.fromkeys((*OWN_FIELDS, *own)), context)
    elif context.key in _INSTRUMENT_CHOICES:
        yield from (Completion(name) for name in _INSTRUMENT_CHOICES[context.key])
    elif provider is not None:
        yield from _choices(_schema(provider), context.key)


def _in_node(context: CursorContext, document: DocumentLike) -> Iterator[Completion]:
    inner = context.inner
    section, node_id, port = inner[0], inner[1], inner[2] if len(inner) > 2 else ""  # noqa: PLR2004 - section, node, field
    role = Role(section)
    values = _values(context, document)
    if len(inner) == 2 and context.key and context.keys[len(context.scope) :] == (section,):  # noqa: PLR2004 - no field yet
        return
    if port == "use":
        yield from _uses(role, document, context)
        return
    use = str(values.get("use", ""))
    component = document.catalog.component(role, use) if use else None
    view = document.graph(context.scope).nodes.get(node_id)
    block = view if view is not None and view.block and view.use == use else None
    if not port:
        yield from _fields(component, block, context)
        return
    kinds = {one.name: one.type for one in component.inputs()} if component is not None else {}
    kinds.update({one.name: one.type for one in block.inputs if one.type is not None} if block is not None else {})
    if port in kinds:
        yield from _references(kinds[port], node_id, port, document, context)
    elif port in _FLAGS:
        yield from (Completion(word) for word in ("true", "false"))
    elif component is not None:
        yield from _choices(_schema(component), port)


def _values(context: CursorContext, document: DocumentLike) -> Mapping[str, Any]:
    """Return the node's fields: as the text has them, or as the graph had them where the cursor is in a list."""
    if context.siblings:
        return context.siblings
    node = document.graph(context.scope).nodes.get(context.node)
    return {} if node is None else {"use": node.use, **node.values}


def _uses(role: Role, document: DocumentLike, context: CursorContext) -> Iterator[Completion]:
    catalog = document.catalog
    for name in sorted(catalog.component_names(role)):
        yield Completion(name, "", role.value, _component_help(catalog, role, name))
    for scope in levels(document):
        if scope and scope != context.scope:
            yield Completion(scope[1], tr("block"), role.value, rank=1)


def _component_help(catalog: Catalog, role: Role, name: str) -> Callable[[], str]:
    def text() -> str:
        component = catalog.component(role, name)
        return translated(component.help()) if component is not None else ""

    return text


def _fields(component: type[Component] | None, block: NodeView | None, context: CursorContext) -> Iterator[Completion]:
    free = {name for name in context.siblings if name != context.word}
    if "use" not in free:
        yield Completion("use: ", "", "", _text(tr("The component that the node uses.")))
    if component is not None:
        ports = {port.name: port for port in component.inputs()}
        for name, field in component.model_fields.items():
            if name in free:
                continue
            port = ports.get(name)
            note = port_type_name(port.type) if port is not None else _default(field.get_default())
            rank = 0 if field.is_required() else 1
            yield Completion(f"{name}: ", note, "", _text(translated(field.description or "")), rank)
    elif block is not None:
        for one in block.inputs:
            if one.name not in free:
                yield Completion(f"{one.name}: ", port_type_name(one.type), "", _text(translated(one.description)))
    for name in _FLAGS:
        if name not in free and "use" in free:
            yield Completion(f"{name}: ", "false", rank=2)


def _default(value: Any) -> str:
    return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""


def _references(
    kind: PortType, node_id: str, port: str, document: DocumentLike, context: CursorContext
) -> Iterator[Completion]:
    """Yield the outputs that may be wired to a port, in file order; of bars the close first."""
    known = node_id in document.graph(context.scope).nodes
    for node in document.graph(context.scope).nodes.values():
        fitting = [output for output in node.outputs if output.type in (kind, None)]
        for output in fitting:
            first = node.outputs[0].name == output.name and (len(node.outputs) == 1 or output.type is PortType.BARS)
            reference = node.id if first else f"{node.id}.{output.name}"
            if node.id == node_id or (known and document.refusal(reference, node_id, port, context.scope)):
                continue
            note = node.subtitle or node.use
            rank = int(output.name in _LESS_WANTED)
            yield Completion(
                reference, note, family_of(node.role, node.id), _text(translated(output.description)), rank
            )


def _choices(schema: Mapping[str, Any], name: str) -> Iterator[Completion]:
    """Yield the values that a field may have, where they can be listed."""
    field = schema.get("properties", {}).get(name, {})
    kinds = [field, *field.get("anyOf", ()), *field.get("allOf", ())]
    for kind in list(kinds):
        reference = kind.get("$ref", "").rpartition("/")[2]
        kinds.append(schema.get("$defs", {}).get(reference, {}))
    default = field.get("default")
    for kind in kinds:
        values = kind.get("enum", [kind["const"]] if "const" in kind else [])
        values = [True, False] if kind.get("type") == "boolean" else values
        for value in values:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            yield Completion(text, tr("default") if value == default else "", "", _text(field.get("description", "")))


@lru_cache(maxsize=64)
def _schema(model: type[Any]) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = model.model_json_schema()
    return schema


def _text(value: str) -> Callable[[], str]:
    return lambda: value
