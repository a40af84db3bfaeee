"""A canvas with a finished run of its strategy on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint

from quantcrafter.app.document.document import Document
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from tests.support.actions import make_canvas
from tests.support.kept_runs import EXAMPLES, example_run, registry

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from quantcrafter.app.canvas.run.marks import NodeMark
    from quantcrafter.app.canvas.run_overlay import RunOverlay
    from quantcrafter.app.document.view import WireView


class RunController:
    """A canvas of 1100 x 700 pixels that shows a strategy and its run; messages are kept."""

    def __init__(self, qtbot: QtBot, example: str = "", *, text: str = "", run: RunFolder | None = None) -> None:
        self.saved = run or example_run(example)
        source = text or (EXAMPLES / f"{example}.yaml").read_text(encoding="utf-8")
        self.document = Document(source, registry(), EXAMPLES / f"{example or 'none'}.yaml")
        self.canvas = make_canvas(self.document)
        self.messages: list[str] = []
        self.canvas.message.connect(self.messages.append)
        qtbot.addWidget(self.canvas)
        self.canvas.resize(1100, 700)
        with qtbot.waitExposed(self.canvas):
            self.canvas.show()
        self.session = RunSession()
        self.canvas.follow(self.session)
        self.session.show_run(self.saved)
        self.canvas.fit_all()

    @property
    def view(self) -> RunOverlay:
        """What shows the run."""
        if self.canvas.run is None:
            raise AssertionError("The canvas follows no session.")
        return self.canvas.run

    def mark(self, node: str) -> NodeMark:
        """Return the mark of a node."""
        return self.view.marks.nodes[node]

    def on_wire(self, wire: WireView) -> QPoint:
        """Return a place of the viewport in the middle of a wire."""
        return self.canvas.view.mapFromScene(self.canvas.scene.wires[wire].path().pointAtPercent(0.5))

    def wire(self, source: str, target: str) -> WireView:
        """Return the wire between two nodes."""
        return next(wire for wire in self.canvas.graph.wires if (wire.source, wire.target) == (source, target))
