"""The interface of a document for views: its signals and its methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from quantcrafter.app.document.edits import Edit
from quantcrafter.app.document.view import GraphView, Scope
from quantcrafter.engine.api import Catalog, Problem
from quantcrafter.engine.api.component import Component


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """What a listener is told after the text changed.

    `label` is the step's name as the Edit menu shows it; `origin` is whatever the caller of `do` or `set_text` gave, so
    that a view can tell its own edits; `kind` is `edit`, `undo`, `redo`, `text` or `saved`; or `components`, if only
    the catalog has others.
    """

    label: str
    kind: str
    origin: object = None


class DocumentLike(Protocol):
    """The interface that canvas, panes and dialogs program against."""

    catalog: Catalog
    path: Path | None

    @property
    def is_modified(self) -> bool:
        """Whether the text differs from what was opened or saved last."""
        ...

    @property
    def values(self) -> Mapping[str, Any]:
        """The plain values of the last readable text; not to be changed."""
        ...

    @property
    def text(self) -> str:
        """The YAML text, as it would be saved."""
        ...

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every finding of validation about the text as it is now."""
        ...

    @property
    def is_readable(self) -> bool:
        """Whether the text is a YAML mapping; if not, `graph` is that of the last text that was."""
        ...

    @property
    def was_readable(self) -> bool:
        """Whether any text since the document was opened could be read; else `graph` is empty."""
        ...

    def graph(self, scope: Scope = ()) -> GraphView:
        """The graph at one level."""
        ...

    def do(self, *edits: Edit, label: str, scope: Scope = (), origin: object = None) -> None:
        """Carry out edits as one undo step; raise EditError, and change nothing, when one cannot be done."""
        ...

    def set_text(self, text: str, *, origin: object = None) -> None:
        """Take over typed text, valid or not; typing in a row is one undo step."""
        ...

    def undo(self) -> None: ...
    def redo(self) -> None: ...
    @property
    def undo_label(self) -> str: ...
    @property
    def redo_label(self) -> str: ...

    def free_id(self, wish: str, scope: Scope = ()) -> str:
        """Return the id that AddNode would give a node that wishes this one."""
        ...

    def mark_saved(self, path: str | Path | None = None) -> None:
        """Note that the text now stands in its file, or in another one from now on."""
        ...

    def copy(self, ids: Sequence[str], scope: Scope = ()) -> str:
        """Return nodes, their wires among each other and their positions as a YAML fragment."""
        ...

    def refusal(self, reference: str, target: str, port: str, scope: Scope = ()) -> str:
        """Return why an output cannot be wired to a port ('' if it can): type, a cycle, itself."""
        ...

    def component(self, node_id: str, scope: Scope = ()) -> type[Component] | None:
        """Return the component class of a node, None for `bars`, blocks and placeholders."""
        ...

    def subscribe(self, listener: Callable[[DocumentChange], None]) -> Callable[[], None]:
        """Call `listener` after every change; return the function that ends that."""
        ...
