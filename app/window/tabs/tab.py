"""One open strategy: its document, the canvas, and the YAML text below or next to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QSplitter, QVBoxLayout, QWidget

from quantcrafter.app.canvas.canvas import Canvas
from quantcrafter.app.panes.yaml_view import YamlView
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.settings import Settings
from quantcrafter.app.services.strategy_files import digest
from quantcrafter.app.session.run_session import RunSession

if TYPE_CHECKING:
    from quantcrafter.app.canvas.action_menus import CanvasActions
    from quantcrafter.app.document.document import Document, DocumentChange
    from quantcrafter.app.document.view import Scope


class StrategyTab(QWidget):
    """A page of the tab bar.

    Args:
        document: the open strategy.
        name: what to call it until it has a file.
        settings: the user's settings.
        actions: which keys do what on the canvas, and what its menus offer.
        parent: the tab area.
    """

    changed = Signal(object)
    """The document's `DocumentChange`, after canvas and text have followed."""

    def __init__(
        self,
        document: Document,
        name: str,
        settings: Settings,
        actions: CanvasActions,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.document = document
        self.name = name
        self.key = ""
        self.on_disk = "" if document.path is None else digest(document.text)
        """The `digest` of its file's content when it was last read or written here; "" while there is none."""
        self.selection: tuple[str, ...] = ()
        self.yaml_share = settings.yaml_share
        self.canvas = Canvas(document, settings, actions, self)
        self.yaml = YamlView(document)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.canvas)
        self.splitter.addWidget(self.yaml)
        self.splitter.setStretchFactor(0, 100 - settings.yaml_share)
        self.splitter.setStretchFactor(1, settings.yaml_share)
        self.splitter.splitterMoved.connect(self._divided)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.splitter, 1)
        self._notices: dict[str, QWidget] = {}
        self.session = RunSession(self)
        self.canvas.follow(self.session)
        self.show_minimap(shown=settings.minimap)
        self._unsubscribe: Callable[[], None] = document.subscribe(self._notify)

    @property
    def path(self) -> Path | None:
        """The strategy's file, None until it was saved."""
        return self.document.path

    @property
    def needs_saving(self) -> bool:
        """Whether closing would lose something."""
        return self.document.is_modified

    @property
    def title(self) -> str:
        """What the tab says: the file's name without its suffix."""
        return self.path.stem if self.path else self.name

    @property
    def place(self) -> str:
        """Where the strategy is, for a tooltip."""
        return str(self.path) if self.path else tr("Not saved yet")

    @property
    def scope(self) -> Scope:
        """The level that the canvas shows."""
        return self.canvas.scope

    def place_yaml(self, place: str) -> None:
        """Show the text `below` or `beside` the canvas, or not (`hidden`)."""
        self.yaml.setVisible(place != "hidden")
        wanted = Qt.Orientation.Horizontal if place == "beside" else Qt.Orientation.Vertical
        if self.splitter.orientation() != wanted:
            self.splitter.setOrientation(wanted)
        span = self.splitter.width() if place == "beside" else self.splitter.height()
        self.splitter.setSizes([span * (100 - self.yaml_share) // 100, span * self.yaml_share // 100])

    def show_minimap(self, *, shown: bool) -> None:
        """Show or hide the minimap."""
        self.canvas.minimap.set_on(shown)

    def show_notice(self, notice: QWidget, about: str = "file") -> None:
        """Put a notice above the canvas, in place of an earlier one about the same."""
        self.end_notice(about)
        self._notices[about] = notice
        self._column.insertWidget(0, notice)

    def end_notice(self, about: str = "file") -> None:
        """Take a notice away."""
        notice = self._notices.pop(about, None)
        if notice is not None:
            focused = QApplication.focusWidget()
            if focused is not None and notice.isAncestorOf(focused):
                self.canvas.setFocus()  # Qt would give the focus to whatever comes next
            notice.hide()
            notice.deleteLater()

    def dispose(self) -> None:
        """Release the document; the page is of no use afterwards."""
        self._unsubscribe()
        self.canvas.close()
        self.yaml.close()

    def _divided(self) -> None:
        sizes = self.splitter.sizes()
        if all(sizes):
            self.yaml_share = min(max(round(100 * sizes[1] / sum(sizes)), 5), 95)

    def _notify(self, change: DocumentChange) -> None:
        self.changed.emit(change)
