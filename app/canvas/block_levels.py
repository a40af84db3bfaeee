"""What the canvas can show besides the strategy itself: blocks in the file, and blocks that are files. No Qt."""

from __future__ import annotations

from textwrap import indent

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.view import GraphView, Scope
from quantcrafter.engine.api import SpecError
from quantcrafter.engine.spec import StrategyFile
from quantcrafter.engine.spec.blocks import block_file

FILE_ENDINGS = (".yaml", ".yml")
SHOWN = "shown"


def is_file(use: str) -> bool:
    """Return whether a `use` names a block file."""
    return use.endswith(FILE_ENDINGS)


def has_block(document: Document, scope: Scope) -> bool:
    """Return whether the file has what a scope names."""
    blocks = document.values.get("blocks")
    return not scope or (isinstance(blocks, dict) and isinstance(blocks.get(scope[-1]), dict))


def file_block_graph(document: Document, use: str) -> GraphView | None:
    """Return the graph inside a block file, to look at; None when it cannot be read."""
    path = block_file(use, document.folder)
    if path is None:
        return None
    try:
        text = StrategyFile.load_current(path).text
    except SpecError:
        return None
    inside = Document(f"blocks:\n  {SHOWN}:\n{indent(text, '    ')}", document.catalog, document.path)
    return inside.graph(("blocks", SHOWN)) if inside.is_readable else None
