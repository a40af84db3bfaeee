"""What the gallery offers: an empty strategy, the shipped examples and the plugins' strategies. No Qt."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from quantcrafter.app.document.document import TEMPLATE
from quantcrafter.app.document.instrument_names import entry_name
from quantcrafter.app.services.i18n import known, tr
from quantcrafter.app.services.type_names import family_name
from quantcrafter.engine.api import Role, SpecError, StrategyTemplate
from quantcrafter.engine.spec import StrategyFile
from quantcrafter.engine.spec.blocks import block_file

EMPTY_TEXT = TEMPLATE.format(name="New strategy")
"""A strategy without nodes."""

_VERSION = re.compile(r"quantcrafter\s*:")


@dataclass(frozen=True, slots=True)
class Tag:
    """A short fact about a template. `role` is the family that it counts, None for a timeframe or an instrument."""

    text: str
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """One card of the gallery.

    `text` is what opens, complete in itself: block files are taken into it, data files named by their full path.
    `source` says where it comes from, as a person reads it. `file_name` is a good name to save it under.
    """

    id: str
    name: str
    description: str
    text: str
    tags: tuple[Tag, ...] = ()
    source: str = ""
    file_name: str = "strategy.yaml"

    @property
    def digest(self) -> str:
        """A hash of the text, by which its picture is kept."""
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()[:24]


def all_templates(strategies: Iterable[StrategyTemplate]) -> tuple[Template, ...]:
    """Return the empty strategy, then the shipped examples by name, then the given strategies of plugins."""
    return (_empty(), *_examples(), *(_of_plugin(strategy) for strategy in strategies))


def matching(templates: Sequence[Template], query: str) -> tuple[Template, ...]:
    """Return the templates in whose name, description, tags or origin every word of the query occurs.

    Those come first whose names have most of the words; the others stay in their order.
    """
    words = query.casefold().split()
    found = [template for template in templates if all(word in _haystack(template) for word in words)]
    return tuple(sorted(found, key=lambda template: -sum(word in template.name.casefold() for word in words)))


def self_contained(text: str, folder: Path) -> str:
    """Return a strategy's text with its block files moved into it and its data files named by their full path.

    What cannot be found is left as it is. The rest of the text does not change.

    Raises:
        SpecError: the text is no YAML mapping.
    """
    file = StrategyFile.loads(text)
    blocks: dict[str, Path] = {}
    for path, use in list(_block_uses(file.value)):
        found = block_file(use, folder)
        if found is not None:
            name = _free_name(Path(use).stem, file.value)
            blocks[name] = found
            file.set(path, name)
    file = _with_blocks(file, blocks)
    for path, relative in list(_data_paths(file.value)):
        if not Path(relative).is_absolute() and (folder / relative).is_file():
            file.set(path, str((folder / relative).resolve()))
    return file.text


def _empty() -> Template:
    return Template(
        "empty",
        tr("Empty strategy"),
        tr("Start with one instrument and an empty canvas."),
        EMPTY_TEXT,
        _tags(StrategyFile.loads(EMPTY_TEXT).value),
    )


def _examples() -> Iterator[Template]:
    folder = Path(str(resources.files("quantcrafter.resources").joinpath("examples")))
    for path in sorted(folder.glob("*.yaml")):
        yield _from_file(path, f"example:{path.stem}", tr("Example"))


def _of_plugin(strategy: StrategyTemplate) -> Template:
    made = _from_file(strategy.path, f"plugin:{strategy.name}", tr("Provided by a plugin"))
    return Template(
        made.id,
        strategy.name,
        strategy.description or made.description,
        made.text,
        made.tags,
        made.source,
        made.file_name,
    )


def _from_file(path: Path, key: str, source: str) -> Template:
    try:
        text = path.read_text(encoding="utf-8")
        text = self_contained(text, path.parent)
        value = StrategyFile.loads(text).value
    except (OSError, UnicodeDecodeError, SpecError) as error:
        return Template(key, path.stem, tr("It can't be read: {error}", error=error), "", (), source, path.name)
    name = known(str(value.get("name") or path.stem))
    description = known(str(value.get("description") or ""))
    return Template(key, name, description, text, _tags(value), source, path.name)


def _tags(value: Mapping[str, Any]) -> tuple[Tag, ...]:
    instruments = [entry for entry in value.get("instruments") or () if isinstance(entry, Mapping)]
    feeds = [entry for entry in (value.get("data") or {}).values() if isinstance(entry, Mapping)]
    symbols = dict.fromkeys(name for entry in instruments if (name := entry_name(entry)))
    frames = dict.fromkeys(str(entry["timeframe"]) for entry in (*instruments, *feeds) if "timeframe" in entry)
    counts = [
        Tag(f"{family_name(role)} {len(section)}", role)
        for role in Role
        if isinstance(section := value.get(role.value), Mapping) and section
    ]
    return (*(Tag(symbol) for symbol in symbols), *(Tag(frame) for frame in frames), *counts)


def _haystack(template: Template) -> str:
    tags = " ".join(tag.text for tag in template.tags)
    return f"{template.name} {template.description} {tags} {template.source}".casefold()


def _block_uses(value: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for role in Role:
        section = value.get(role.value)
        for node, fields in section.items() if isinstance(section, Mapping) else ():
            use = fields.get("use") if isinstance(fields, Mapping) else None
            if isinstance(use, str) and use.endswith((".yaml", ".yml")):
                yield (role.value, node, "use"), use


def _data_paths(value: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for number, entry in enumerate(value.get("instruments") or ()):
        if isinstance(entry, Mapping) and isinstance(entry.get("path"), str):
            yield ("instruments", number, "path"), entry["path"]
        universe = entry.get("universe") if isinstance(entry, Mapping) else None
        if isinstance(universe, Mapping) and isinstance(universe.get("file"), str):
            yield ("instruments", number, "universe", "file"), universe["file"]
    for role in Role:
        section = value.get(role.value)
        for node, fields in section.items() if isinstance(section, Mapping) else ():
            if isinstance(fields, Mapping) and isinstance(fields.get("path"), str):
                yield (role.value, node, "path"), fields["path"]


def _with_blocks(file: StrategyFile, blocks: Mapping[str, Path]) -> StrategyFile:
    """Return the file with block files in it: as written, comments and all, where it has no blocks of its own."""
    if not blocks:
        return file
    if "blocks" not in file.value:
        lines = ["", "blocks:"]
        for name, path in blocks.items():
            written = [line for line in path.read_text(encoding="utf-8").splitlines() if not _VERSION.match(line)]
            lines += [f"  {name}:", *(f"    {line}".rstrip() for line in written)]
        made = StrategyFile.loads(file.text.rstrip("\n") + "\n" + "\n".join(lines) + "\n")
        if made.value["blocks"] == {name: _block(path) for name, path in blocks.items()}:
            return made
    for name, path in blocks.items():
        file.set(("blocks", name), _block(path))
    return file


def _block(path: Path) -> dict[str, Any]:
    value = StrategyFile.load(path).value
    value.pop("quantcrafter", None)
    return value


def _free_name(stem: str, value: Mapping[str, Any]) -> str:
    """Return a block name that no node has; block files of one name are one block."""
    taken = {node for role in Role if isinstance(value.get(role.value), Mapping) for node in value[role.value]}
    name = stem
    while name in taken:
        name += "_block"
    return name
