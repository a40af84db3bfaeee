"""Document: the truth about an open strategy. Views read it and ask it for edits; nothing else changes the text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from quantcrafter.app.document.apply_edits import apply_edit
from quantcrafter.app.document.blockfiles import BlockFiles
from quantcrafter.app.document.contract import DocumentChange, DocumentLike
from quantcrafter.app.document.draft import Draft
from quantcrafter.app.document.edits import Edit
from quantcrafter.app.document.errors import EditError
from quantcrafter.app.document.fragments import copy_fragment
from quantcrafter.app.document.history import EditHistory, UndoStep, patch_between
from quantcrafter.app.document.level import Level
from quantcrafter.app.document.readable import Readable
from quantcrafter.app.document.validation import CheckedText, check
from quantcrafter.app.document.view import GraphView, Scope
from quantcrafter.app.document.wiring import refusal
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.engine.api import Catalog, Problem, SpecError
from quantcrafter.engine.api.component import Component
from quantcrafter.engine.spec.read_text import read_text
from quantcrafter.engine.spec.source import ProblemLog

__all__ = ["Document", "DocumentChange", "DocumentLike"]

TEMPLATE = """\
quantcrafter: 1
name: {name}

instruments:
  - {{symbol: AAPL, data: sample, timeframe: 1d}}

run: {{cash: 100000}}
"""


class Document(DocumentLike):
    """An open strategy: its text, and everything that is read from it, made when it is asked for."""

    def __init__(self, text: str, catalog: Catalog, path: str | Path | None = None) -> None:
        self.catalog = catalog
        self.path = None if path is None else Path(path)
        self._text = text
        self._saved = text
        self._history = EditHistory()
        self._listeners: list[Callable[[DocumentChange], None]] = []
        self._blocks = BlockFiles()
        self._readable: Readable = Readable.of("{}", "")
        self._error: SpecError | None = None
        self._was_readable = False
        self._levels: dict[Scope, Level] = {}
        self._graphs: dict[Scope, GraphView] = {}
        self._checked: CheckedText | None = None
        self._read()

    @classmethod
    def new(cls, catalog: Catalog) -> Document:
        """Return a document without nodes: an instrument and an account to start from."""
        return cls(TEMPLATE.format(name=tr("New strategy")), catalog)

    @classmethod
    def open(cls, path: str | Path, catalog: Catalog) -> Document:
        """Return the document of a file.

        Raises:
            SpecError: it cannot be read or is no UTF-8 text.
        """
        log = ProblemLog()
        text = read_text(Path(path), log)
        log.raise_if_any()
        return cls(text or "", catalog, path)

    # ------------------------------------------------------------------ reading

    @property
    def text(self) -> str:
        """Return the YAML text, as it would be saved."""
        return self._text

    @property
    def is_modified(self) -> bool:
        """Return whether the text differs from what was opened or saved last."""
        return self._text != self._saved

    @property
    def is_readable(self) -> bool:
        """Return whether the text is a YAML mapping; if not, `graph` is that of the last text that was."""
        return self._error is None

    @property
    def was_readable(self) -> bool:
        """Return whether any text since the document was opened could be read; else `graph` is empty."""
        return self._was_readable

    @property
    def values(self) -> Mapping[str, Any]:
        """Return the plain values of the last readable text; not to be changed."""
        return self._readable.values

    @property
    def folder(self) -> Path:
        """Return where files named by the strategy are searched for."""
        return self.path.parent if self.path is not None else Path()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return every finding of validation about the text as it is now."""
        return self._check().problems

    @property
    def refused_files(self) -> tuple[str, ...]:
        """Return the files that the strategy names, and may not read until the user allows it."""
        return self._check().refused_files

    @property
    def meaning(self) -> str:
        """Return a hash of what the strategy does, as `RunFolder.spec_hash`; empty while the text is not readable."""
        return self._check().meaning

    def _check(self) -> CheckedText:
        if self._checked is None:
            broken = CheckedText(self._error.problems) if self._error is not None else None
            self._checked = broken or check(self._readable.file, self.folder, self.catalog)
        return self._checked

    def graph(self, scope: Scope = ()) -> GraphView:
        """Return the graph at one level; the same object until the text changes."""
        if scope not in self._graphs:
            self._graphs[scope] = self._level(scope).graph() if self._was_readable else GraphView()
        return self._graphs[scope]

    def refusal(self, reference: str, target: str, port: str, scope: Scope = ()) -> str:
        """Return why an output cannot be wired to a port, '' if it can."""
        return refusal(self._level(scope), reference, target, port)

    def component(self, node_id: str, scope: Scope = ()) -> type[Component] | None:
        """Return the component class of a node, None for `bars`, blocks and placeholders."""
        return self._level(scope).component(node_id)

    def free_id(self, wish: str, scope: Scope = ()) -> str:
        """Return the id that AddNode would give a node that wishes this one."""
        return self._draft(scope).free_id(wish)

    def copy(self, ids: Sequence[str], scope: Scope = ()) -> str:
        """Return nodes, their wires among each other and their positions as a YAML fragment."""
        return copy_fragment(self._level(scope), ids)

    def _level(self, scope: Scope) -> Level:
        if scope not in self._levels:
            self._levels[scope] = Level(self._readable.values, scope, self.catalog, self._find_block)
        return self._levels[scope]

    def _find_block(self, use: str) -> dict[str, Any] | None:
        return self._blocks.find(use, self.folder)

    def _draft(self, scope: Scope) -> Draft:
        return Draft(self._readable.values, scope, self.catalog, self._find_block)

    # ------------------------------------------------------------------ changing

    def do(self, *edits: Edit, label: str, scope: Scope = (), origin: object = None) -> None:
        """Carry out edits as one undo step.

        Raises:
            EditError: one of them cannot be done, or the text is not readable; nothing has changed.
        """
        if self._error is not None:
            first = self._error.problems[0]
            message = tr(
                "The text has an error on line {line}. Fix it first. {reason}",
                line=first.line,
                reason=translated(first.message),
            )
            raise EditError(message)
        draft = self._draft(scope)
        for edit in edits:
            apply_edit(draft, edit)
        try:
            made = self._readable.rewritten(draft)
        except SpecError as error:
            raise EditError(translated(error.problems[0].message)) from error
        if made.text != self._text:
            self._history.add_edit(label, self._text, made.text)
            self._take(made.text, DocumentChange(label, "edit", origin), made)

    def join(self, *, on: bool) -> None:
        """Make one undo step of all edits from now on, until that is switched off: what a drag does is one step."""
        self._history.join(on=on)

    def set_text(self, text: str, *, origin: object = None, label: str = "") -> None:
        """Take over typed text, valid or not; typing in a row on one line is one undo step a word.

        A change with a `label` was not typed: it is a step of its own, called so.
        """
        if text == self._text:
            return
        step = UndoStep(label or tr("Typing"), patch_between(self._text, text), typing=not label, origin=origin)
        self._history.add(step)
        self._take(text, DocumentChange(step.label, "text", origin))

    def undo(self) -> None:
        """Take the last step back; nothing happens when there is none."""
        found = self._history.undo(self._text)
        if found is not None:
            self._take(found[0], DocumentChange(found[1].label, "undo"))

    def redo(self) -> None:
        """Carry the step out again that was taken back last; nothing happens when there is none."""
        found = self._history.redo(self._text)
        if found is not None:
            self._take(found[0], DocumentChange(found[1].label, "redo"))

    @property
    def undo_label(self) -> str:
        """Return the name of the step that `undo` takes back, '' when there is none."""
        return self._history.done[-1].label if self._history.done else ""

    @property
    def redo_label(self) -> str:
        """Return the name of the step that `redo` executes, '' when there is none."""
        return self._history.undone[-1].label if self._history.undone else ""

    def mark_saved(self, path: str | Path | None = None) -> None:
        """Note that the text now stands in its file, or in another one from now on."""
        moved = path is not None and Path(path) != self.path
        self.path = self.path if path is None else Path(path)
        self._saved = self._text
        self._history.open = False
        if moved:
            self._read()
        self._notify(DocumentChange("", "saved"))

    def recheck(self, *, kind: str = "text") -> None:
        """Read block files and validate again: files that the strategy refers to may have changed.

        Args:
            kind: of the change that is told; `components` if the catalog has others.
        """
        self._blocks = BlockFiles()
        self._levels.clear()
        self._graphs.clear()
        self._checked = None
        self._notify(DocumentChange("", kind))

    def subscribe(self, listener: Callable[[DocumentChange], None]) -> Callable[[], None]:
        """Call `listener` after every change; return the function that ends that."""
        self._listeners.append(listener)

        def end() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return end

    def _take(self, text: str, change: DocumentChange, made: Readable | None = None) -> None:
        self._text = text
        self._read(made)
        self._notify(change)

    def _notify(self, change: DocumentChange) -> None:
        for listener in tuple(self._listeners):
            if listener in self._listeners:
                listener(change)

    def _read(self, made: Readable | None = None) -> None:
        """Read the text; what was readable last stays where this one is not."""
        self._checked = None
        try:
            self._readable = made or Readable.of(self._text, str(self.path or ""))
        except SpecError as error:
            self._error = error
            return
        self._error = None
        self._was_readable = True
        self._levels.clear()
        self._graphs.clear()
