"""The document's plain content, for what is not part of its graph: settings, instruments, blocks. No Qt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from quantcrafter.app.document.document import Document
from quantcrafter.engine.api import Role, SpecError
from quantcrafter.engine.api.home import home
from quantcrafter.engine.spec import StrategyFile
from quantcrafter.engine.spec.blocks import block_file

BLOCK_SUFFIXES = (".yaml", ".yml")
_MOST_BLOCK_FILES = 500


def content(document: Document) -> Mapping[str, Any]:
    """Return the document's content as plain values; that of the last readable text while it is no YAML mapping."""
    return document.values


def mapping_at(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the mapping under a key, an empty one where there is none."""
    found = values.get(key)
    return found if isinstance(found, Mapping) else {}


def block_body(document: Document, use: str) -> Mapping[str, Any]:
    """Return the definition of a block of the document, or of a block file; nothing when it cannot be read."""
    if not use.endswith(BLOCK_SUFFIXES):
        return mapping_at(mapping_at(content(document), "blocks"), use)
    path = block_file(use, document.folder)
    return {} if path is None else _file_content(path)


def _file_content(path: Path) -> Mapping[str, Any]:
    try:
        return StrategyFile.load_current(path).value if path.is_file() else {}
    except (SpecError, OSError):
        return {}


def block_uses(document: Document) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield what `use:` may say for every block: those of the document, then the files of the user's block folder."""
    for name, body in mapping_at(content(document), "blocks").items():
        if isinstance(body, Mapping):
            yield str(name), body
    folder = home() / "blocks"
    files = sorted(path for path in folder.glob("**/*") if path.suffix in BLOCK_SUFFIXES) if folder.is_dir() else []
    for path in files[:_MOST_BLOCK_FILES]:
        body = _file_content(path)
        if body:
            yield path.relative_to(folder).as_posix(), body


def block_role(body: Mapping[str, Any]) -> Role:
    """Return the section that a use of the block belongs in: that of the node its first output comes from."""
    outputs = mapping_at(body, "outputs")
    first = str(next(iter(outputs.values()), "")).partition(".")[0]
    return next((role for role in Role if first in mapping_at(body, role.value)), Role.LOGIC)


def inner_node(body: Mapping[str, Any], target: str) -> tuple[Role | None, Mapping[str, Any]]:
    """Return the section and fields of a node inside a block; None and nothing when there is no such node."""
    for role in Role:
        found = mapping_at(body, role.value).get(target)
        if isinstance(found, Mapping):
            return role, found
    return None, {}
