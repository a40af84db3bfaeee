from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from quantcrafter.app.canvas.view import NODE_MIME
from quantcrafter.app.document.document import Document
from quantcrafter.app.document.edits import RemoveNodes, SetValues
from tests.support.actions import make_canvas
from tests.support.canvas import STRATEGY, CanvasEditor, registry


@pytest.fixture
def canvas_editor(qtbot: QtBot) -> Iterator[CanvasEditor]:
    made = CanvasEditor(qtbot)
    yield made
    made.canvas.close()


def drop(canvas_editor: CanvasEditor, at: QPoint, role: str, use: str) -> None:
    """Drop what the palette drags, as the window system reports it."""
    data = QMimeData()
    data.setData(NODE_MIME, json.dumps({"role": role, "use": use}).encode())
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    for kind in (QDragEnterEvent, QDragMoveEvent):
        QApplication.sendEvent(canvas_editor.viewport, kind(at, copy, data, left, none))
    QApplication.sendEvent(canvas_editor.viewport, QDropEvent(QPointF(at), copy, data, left, none))


def test_the_canvas_follows_the_document_and_keeps_the_selection(canvas_editor: CanvasEditor) -> None:
    canvas_editor.canvas.select(("slow",))
    canvas_editor.document.do(SetValues("fast", {"timeperiod": 12}), label="Set")
    canvas_editor.document.do(RemoveNodes(("size",)), label="Remove")
    assert "size" not in canvas_editor.canvas.scene.nodes
    assert canvas_editor.canvas.context.selection.nodes == ("slow",)
    canvas_editor.document.undo()
    assert "size" in canvas_editor.canvas.scene.nodes
    assert canvas_editor.canvas.context.selection.nodes == ("slow",)


def test_text_that_is_no_yaml_leaves_the_graph_and_is_said_when_editing(canvas_editor: CanvasEditor) -> None:
    canvas_editor.document.set_text(canvas_editor.text + "broken: [\n")
    assert "fast" in canvas_editor.canvas.scene.nodes
    canvas_editor.canvas.select(("fast",))
    canvas_editor.canvas.delete_selection()
    assert "error on line" in canvas_editor.messages[0]
    assert "fast" in canvas_editor.canvas.scene.nodes


def test_a_closed_canvas_listens_no_more(canvas_editor: CanvasEditor) -> None:
    canvas_editor.canvas.close()
    canvas_editor.document.do(RemoveNodes(("size",)), label="Remove")
    assert "size" in canvas_editor.canvas.scene.nodes


def test_faulty_nodes_get_a_badge_with_the_reason(qtbot: QtBot) -> None:
    canvas_editor = CanvasEditor(
        qtbot, STRATEGY.replace("timeperiod: 10", "timeperiod: -1").replace("fast: fast", "fast: size")
    )
    nodes = canvas_editor.canvas.scene.nodes
    qtbot.waitUntil(lambda: nodes["fast"].badge == "error")
    assert "timeperiod" in nodes["fast"].badge_reason
    assert "fast" in nodes["cross"].badge_reason
    assert nodes["slow"].badge is None
    canvas_editor.canvas.close()


@pytest.mark.parametrize("text", ["", "quantcrafter: 1\n", "quantcrafter: 1\nindicators:\nlayout: []\n"])
def test_an_empty_strategy_is_no_trouble(qtbot: QtBot, text: str) -> None:
    canvas_editor = CanvasEditor(qtbot, text)
    canvas = canvas_editor.canvas
    calls = (canvas.fit_all, canvas.fit_selection, canvas.select_all, canvas.delete_selection, canvas.auto_layout)
    for call in (*calls, canvas.copy, canvas.cut, canvas.duplicate, canvas.rename, canvas.select_upstream):
        call()
    canvas.walk("right")
    canvas.align("left")
    canvas.distribute("vertical")
    canvas.open_block()
    canvas.close_block()
    assert canvas_editor.text == text
    assert canvas_editor.document.undo_label == ""
    assert canvas_editor.canvas.context.selection.nodes in {(), tuple(canvas.graph.nodes)[:1]}
    canvas.quick_add()
    assert canvas.quick_add_controller.popup.isVisible()
    canvas.close()


def test_a_node_from_the_palette_lands_under_the_mouse(canvas_editor: CanvasEditor) -> None:
    drop(canvas_editor, canvas_editor.empty(), "indicators", "ta.RSI")
    assert "  rsi: {use: ta.RSI}\n" in canvas_editor.text
    body = canvas_editor.canvas.scene.nodes["rsi"].body()
    assert body.contains(canvas_editor.canvas.view.mapToScene(canvas_editor.empty()))
    assert canvas_editor.canvas.context.selection.nodes == ("rsi",)
    assert canvas_editor.undo_gives_back()


def test_a_node_from_the_palette_dropped_on_a_wire_goes_into_it_in_one_step(canvas_editor: CanvasEditor) -> None:
    wire = next(wire for wire in canvas_editor.canvas.graph.wires if wire.target == "cross" and wire.port == "slow")
    x, y = canvas_editor.canvas.scene.wires[wire].points()[12]
    drop(canvas_editor, canvas_editor.at(x, y - 20), "indicators", "ta.EMA")
    assert "ema: {use: ta.EMA, input: slow}" in canvas_editor.text
    assert "cross: {use: crossover, fast: fast, slow: ema}" in canvas_editor.text
    assert canvas_editor.undo_gives_back()


def test_something_else_dropped_is_refused(canvas_editor: CanvasEditor) -> None:
    drop(canvas_editor, canvas_editor.empty(), "no such role", "ta.RSI")
    assert canvas_editor.messages == ["This can't be dropped here."]
    assert canvas_editor.text == canvas_editor.before


@pytest.mark.parametrize(
    ("how", "expected"),
    [("left", "slow: [-100, 140]"), ("center", "fast: ["), ("bottom", "slow: [-100, 140]")],
)
def test_selected_nodes_are_aligned_in_one_step(qtbot: QtBot, how: str, expected: str) -> None:
    canvas_editor = CanvasEditor(qtbot, STRATEGY.replace("slow: [0, 140]", "slow: [-100, 140]"))
    canvas_editor.canvas.select(("fast", "slow"))
    canvas_editor.canvas.align(how)  # type: ignore[arg-type]
    assert canvas_editor.document.undo_label == "Align"
    assert expected in canvas_editor.text
    assert canvas_editor.undo_gives_back()


def test_selected_nodes_are_distributed_in_one_step(canvas_editor: CanvasEditor) -> None:
    canvas_editor.canvas.select(("bars", "fast", "entry"))
    canvas_editor.canvas.distribute("horizontal")
    assert "  fast: [150, 0]\n" in canvas_editor.text
    assert canvas_editor.undo_gives_back()


def test_the_whole_graph_is_arranged_in_one_step_with_its_frame(qtbot: QtBot) -> None:
    text = STRATEGY.replace("cross: [300, 60]", "cross: [-200, 500]")
    canvas_editor = CanvasEditor(
        qtbot, text + "frames:\n  averages: {at: [-20, -40], size: [240, 300], text: Averages}\n"
    )
    canvas_editor.canvas.auto_layout()
    scene = canvas_editor.canvas.scene
    assert all(scene.nodes[wire.source].x() < scene.nodes[wire.target].x() for wire in scene.wires)
    frame = scene.frames["averages"].body()
    assert frame.contains(scene.nodes["fast"].body())
    assert frame.contains(scene.nodes["slow"].body())
    assert canvas_editor.undo_gives_back()


def test_reveal_selects_a_node_and_brings_it_into_sight(canvas_editor: CanvasEditor) -> None:
    canvas_editor.canvas.view.zoom_by(3.0)
    canvas_editor.canvas.reveal("entry")
    assert canvas_editor.canvas.context.selection.nodes == ("entry",)
    assert canvas_editor.canvas.view.visible_rect().intersects(canvas_editor.canvas.scene.nodes["entry"].body())
    canvas_editor.canvas.reveal("no such node")


def test_nodes_without_a_place_stay_where_they_were_seen_when_another_is_moved(qtbot: QtBot) -> None:
    canvas_editor = CanvasEditor(qtbot, STRATEGY.partition("layout:")[0])
    before = {node: item.pos() for node, item in canvas_editor.canvas.scene.nodes.items()}
    canvas_editor.canvas.select(("size",))
    canvas_editor.canvas.nudge(0, 400)
    again = make_canvas(Document(canvas_editor.text, registry()))
    qtbot.addWidget(again)
    after = {node: item.pos() for node, item in again.scene.nodes.items()}
    moved = {node for node in before if before[node].toPoint() != after[node].toPoint()}
    assert moved == {"size"}
    again.close()
    canvas_editor.canvas.close()


def test_the_graph_is_written_as_a_picture_and_as_a_drawing(canvas_editor: CanvasEditor, tmp_path: Path) -> None:
    canvas_editor.canvas.export_png(tmp_path / "graph.png")
    canvas_editor.canvas.export_svg(tmp_path / "graph.svg")
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")
    assert "fast" in (tmp_path / "graph.svg").read_text(encoding="utf-8")


def test_the_canvas_has_names_for_those_who_do_not_see_it(canvas_editor: CanvasEditor) -> None:
    assert canvas_editor.canvas.accessibleName() == "Graph of the strategy"
    assert "outline" in canvas_editor.canvas.accessibleDescription()
    assert canvas_editor.canvas.quick_add_controller.popup.search.accessibleName() == "Search for a node"


def test_a_canvas_with_everything_open_can_be_destroyed(canvas_editor: CanvasEditor) -> None:
    for _ in range(3):
        canvas = make_canvas(canvas_editor.document)
        canvas.show()
        canvas.quick_add()
        canvas.view.customContextMenuRequested.emit(QPoint(10, 10))
        canvas.close()
        canvas.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert canvas_editor.canvas.isVisible()
