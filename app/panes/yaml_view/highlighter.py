"""Colours for the YAML text, one line at a time."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QColor, QFont, QSyntaxHighlighter, QTextBlock, QTextCharFormat, QTextDocument

from quantcrafter.app.panes.yaml_view.texts import units
from quantcrafter.app.panes.yaml_view.tokens import Kind, LineState, Token, scan
from quantcrafter.app.panes.yaml_view.vocabulary import Vocabulary
from quantcrafter.app.theme import Theme

_AT_ONCE = 200


class YamlHighlighter(QSyntaxHighlighter):
    """Colours keys, values and comments, references by the family of their node, and marks an unknown `use`.

    Qt asks for a line when it changed, and for those after it while what it leaves open changed too. When nodes come
    or go, only lines that name them are done again, a few hundred at a time.
    """

    def __init__(self, document: QTextDocument, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._vocabulary = Vocabulary()
        self._theme = theme
        self._formats: dict[str, QTextCharFormat] = {}
        self._late: list[int] = []
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._some)
        self._make_formats()
        self.setDocument(document)

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Take other names, and colour the lines again that have them."""
        words, self._vocabulary = self._vocabulary.differing(vocabulary), vocabulary
        if words is None:
            return
        document = self.document()
        text = document.toRawText()
        paragraph, line, at = "\u2029", 0, 0
        rows: dict[int, None] = dict.fromkeys(self._late)
        for match in words.finditer(text):
            line += text.count(paragraph, at, match.start())
            at = match.start()
            rows[line] = None
        self._late = list(rows)[::-1]
        self._some()

    def set_theme(self, theme: Theme) -> None:
        """Take another theme's colours."""
        self._theme = theme
        self._make_formats()
        self._late = list(range(self.document().blockCount()))[::-1]
        self._some()

    def format_at(self, block: QTextBlock, column: int) -> QTextCharFormat:
        """Return how a character of a line is coloured."""
        for piece in block.layout().formats():
            start, length, form = piece.start, piece.length, piece.format  # type: ignore[attr-defined]  # not in the stubs
            if start <= column < start + length:
                return QTextCharFormat(form)
        return QTextCharFormat()

    def highlightBlock(self, text: str) -> None:  # noqa: N802 - Qt's name
        """Colour one line."""
        tokens, state = scan(text, LineState.of(self.previousBlockState()))
        flat = text.isascii()
        key, last = "", Kind.MARK
        for number, token in enumerate(tokens):
            if token.kind is Kind.KEY:
                key = token.text
            name = self._name_of(tokens, number, key, last)
            last = token.kind
            start = token.start if flat else units(text[: token.start])
            length = token.end - token.start if flat else units(text[token.start : token.end])
            self.setFormat(start, length, self._formats[name])
        self.setCurrentBlockState(state.number())

    def _name_of(self, tokens: list[Token], number: int, key: str, last: Kind) -> str:
        """Return the name of the format of a piece; `last` is the kind of the one before it."""
        token = tokens[number]
        if token.kind is Kind.KEY:
            return self._key(tokens, number)
        if token.kind not in (Kind.WORD, Kind.STRING) or last is not Kind.MARK:
            return token.kind.name
        if key == "use":
            return "USE" if self._vocabulary.knows_use(token.text) else "UNKNOWN"
        family = self._vocabulary.reference(key, token.text) if token.kind is Kind.WORD else ""
        return f"family.{family}" if family else token.kind.name

    def _key(self, tokens: list[Token], number: int) -> str:
        """Return the format of a key: a node's own is in the colour of its family."""
        token = tokens[number]
        if number or not token.start:
            return "SECTION" if not token.start else "KEY"
        family = self._vocabulary.families.get(token.text, "") if _may_hold_fields(tokens[2:]) else ""
        return f"node.{family}" if family else "KEY"

    def _make_formats(self) -> None:
        theme = self._theme
        made = {
            Kind.KEY.name: _format(theme.code_key),
            Kind.WORD.name: _format(theme.text),
            Kind.NUMBER.name: _format(theme.code_number),
            Kind.CONSTANT.name: _format(theme.code_keyword),
            Kind.STRING.name: _format(theme.code_string),
            Kind.COMMENT.name: _format(theme.code_comment, italic=True),
            Kind.MARK.name: _format(theme.text_dim),
            "SECTION": _format(theme.code_key, bold=True),
            "USE": _format(theme.code_keyword),
            "UNKNOWN": _format(theme.error),
        }
        made["UNKNOWN"].setUnderlineStyle(QTextCharFormat.UnderlineStyle.DashUnderline)
        made["UNKNOWN"].setUnderlineColor(QColor(theme.error))
        for family, color in theme.families.items():
            made[f"family.{family}"] = _format(color)
            made[f"node.{family}"] = _format(color, bold=True)
        self._formats = made

    def _some(self) -> None:
        """Colour a few of the waiting lines again; the rest when there is time."""
        for row in self._late[-_AT_ONCE:][::-1]:
            block = self.document().findBlockByNumber(row)
            if block.isValid():
                self.rehighlightBlock(block)
        del self._late[-_AT_ONCE:]
        if self._late:
            self._timer.start()
        else:
            self._timer.stop()


def _may_hold_fields(value: list[Token]) -> bool:
    """Return whether a key could be a node's own, by what stands behind its colon: nothing, a bracket or an anchor."""
    if not value or value[0].kind is Kind.COMMENT:
        return True
    first = value[0]
    return first.text in ("{", "[") if first.kind is Kind.MARK else first.kind is Kind.WORD and first.text[:1] == "&"


def _format(color: str, *, bold: bool = False, italic: bool = False) -> QTextCharFormat:
    made = QTextCharFormat()
    made.setForeground(QColor(color))
    if bold:
        made.setFontWeight(QFont.Weight.Bold)
    made.setFontItalic(italic)
    return made
