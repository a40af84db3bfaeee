"""Where a node stands in the text, which may be broken elsewhere. No Qt."""

from __future__ import annotations

import re

from quantcrafter.app.document.view import Scope
from quantcrafter.app.panes.yaml_view.cursor_context import Lines, context_at
from quantcrafter.engine.spec import SECTIONS

_HOLDERS = frozenset((*SECTIONS, "inputs"))


def place_of_node(lines: Lines, node_id: str, scope: Scope) -> tuple[int, int]:
    """Return line and column of a node's key, both counted from 1; (0, 0) where the text has no such node."""
    key = re.compile(rf"(?<![\w.]){re.escape(node_id)}(?=['\"]?\s*:(?:\s|$|[\[{{]))")
    for row in range(len(lines)):
        line = lines[row]
        if node_id not in line:
            continue
        for match in key.finditer(line):
            context = context_at(lines, row, match.end(), neighbours=False)
            if not context.key and context.scope == scope and len(context.inner) == 1 and context.inner[0] in _HOLDERS:
                return row + 1, match.start() + 1
    return 0, 0
