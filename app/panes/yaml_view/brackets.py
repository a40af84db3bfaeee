"""The bracket that belongs to the one at the cursor."""

from __future__ import annotations

from PySide6.QtGui import QTextBlock, QTextDocument

from quantcrafter.app.panes.yaml_view.texts import units
from quantcrafter.app.panes.yaml_view.tokens import Kind, LineState, scan

_FARTHEST = 500


def partner(document: QTextDocument, position: int) -> tuple[int, ...]:
    """Return the positions of the bracket beside the cursor and of its partner; () where there is none.

    Brackets in quotes and comments do not count. It is searched for up to 500 lines away.
    """
    block = document.findBlock(position)
    inside = position - block.position()
    own = next((at for at in _brackets(block) if at[0] == inside), None)
    own = own or next((at for at in _brackets(block) if at[0] == inside - 1), None)
    if own is None:
        return ()
    start, char = own
    forward = char in "[{"
    depth = 0
    for _ in range(_FARTHEST):
        if not block.isValid():
            break
        here = _brackets(block) if forward else _brackets(block)[::-1]
        for at, other in here:
            if start >= 0 and (at < start if forward else at > start):
                continue
            depth += 1 if (other in "[{") == forward else -1
            if depth == 0:
                other_end = block.position() + at
                own_at = position if own[0] == inside else position - 1
                return tuple(sorted((own_at, other_end)))
        block, start = (block.next() if forward else block.previous()), -1
    return ()


def _brackets(block: QTextBlock) -> list[tuple[int, str]]:
    """Return the brackets of a line: where in it, in Qt's units, and which."""
    text = block.text()
    tokens, _ = scan(text, LineState.of(block.previous().userState()))
    marks = [token for token in tokens if token.kind is Kind.MARK and token.text in "[]{}"]
    return [(units(text[: token.start]), token.text) for token in marks]
