"""A canvas in a window, and where things are on it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF
from PySide6.QtWidgets import QWidget

from quantcrafter.app.document.document import Document
from quantcrafter.engine.plugins import Registry, load_registry
from tests.support import mouse
from tests.support.actions import make_canvas

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

STRATEGY = """\
quantcrafter: 1
name: Two averages
instruments:
  - {symbol: AAPL, data: sample, timeframe: 1d}

indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 10}   # the quick one
  slow: {use: ta.SMA, input: bars.close, timeperiod: 50}

advisors:
  cross: {use: crossover, fast: fast, slow: slow}

money:
  size: {use: percent_of_equity, percent: 95}

execution:
  entry: {use: market, signals: [cross], money: size}

layout:
  bars: [-300, 60]
  fast: [0, 0]
  slow: [0, 140]
  cross: [300, 60]
  size: [300, 240]
  entry: [600, 60]
"""


@lru_cache(maxsize=1)
def registry() -> Registry:
    """Return the real catalog, loaded once."""
    return load_registry()


class CanvasEditor:
    """A canvas of 1100 x 700 pixels that shows a strategy at its natural size."""

    def __init__(self, qtbot: QtBot, text: str = STRATEGY) -> None:
        self.document = Document(text, registry())
        self.canvas = make_canvas(self.document)
        self.messages: list[str] = []
        self.canvas.message.connect(self.messages.append)
        qtbot.addWidget(self.canvas)
        self.canvas.resize(1100, 700)
        self.canvas.show()
        qtbot.waitExposed(self.canvas)
        self.canvas.zoom_reset()
        self.canvas.view.centerOn(self.canvas.scene.content_rect().center())
        self.canvas.view.setFocus()
        self.before = text

    @property
    def viewport(self) -> QWidget:
        """Where the mouse works."""
        return self.canvas.view.viewport()

    @property
    def text(self) -> str:
        """The YAML as it is now."""
        return self.document.text

    def at(self, x: float, y: float) -> QPoint:
        """Return where a place of the scene is on the viewport."""
        return self.canvas.view.mapFromScene(QPointF(x, y))

    def out(self, node: str, port: str = "value") -> QPoint:
        """Return where an output is on the viewport."""
        return self.canvas.view.mapFromScene(self.canvas.scene.nodes[node].port_scene_pos("out", port))

    def into(self, node: str, port: str, index: int | None = None) -> QPoint:
        """Return where an input is on the viewport."""
        return self.canvas.view.mapFromScene(self.canvas.scene.nodes[node].port_scene_pos("in", port, index))

    def title(self, node: str) -> QPoint:
        """Return where a node's title is on the viewport."""
        body = self.canvas.scene.nodes[node].body()
        return self.at(body.x() + body.width() / 2, body.y() + 15)

    def empty(self) -> QPoint:
        """Return a place where nothing is."""
        return self.at(0, 330)

    def drag(self, *path: QPoint, **options: object) -> None:
        """Drag with the left button."""
        mouse.drag(self.viewport, path, **options)  # type: ignore[arg-type]

    def undo_gives_back(self, text: str | None = None) -> bool:
        """Return whether one undo gives the text back that was there before."""
        self.document.undo()
        return self.document.text == (self.before if text is None else text)
