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
from tests.support.canvas import STRATEGY, Desk, registry


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Desk]:
    made = Desk(qtbot)
    yield made
    made.canvas.close()


def drop(desk: Desk, at: QPoint, role: str, use: str) -> None:
    """Drop what the palette drags, as the window system reports it."""
    data = QMimeData()
    data.setData(NODE_MIME, json.dumps({"role": role, "use": use}).encode())
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    for kind in (QDragEnterEvent, QDragMoveEvent):
        QApplication.sendEvent(desk.viewport, kind(at, copy, data, left, none))
    QApplication.sendEvent(desk.viewport, QDropEvent(QPointF(at), copy, data, left, none))


def test_the_canvas_follows_the_document_and_keeps_the_selection(desk: Desk) -> None:
    desk.canvas.select(("slow",))
    desk.document.do(SetValues("fast", {"timeperiod": 12}), label="Set")
    desk.document.do(RemoveNodes(("size",)), label="Remove")
    assert "size" not in desk.canvas.scene.nodes
    assert desk.canvas.stage.selection.nodes == ("slow",)
    desk.document.undo()
    assert "size" in desk.canvas.scene.nodes
    assert desk.canvas.stage.selection.nodes == ("slow",)


def test_text_that_is_no_yaml_leaves_the_graph_and_is_said_when_editing(desk: Desk) -> None:
    desk.document.set_text(desk.text + "broken: [\n")
    assert "fast" in desk.canvas.scene.nodes
    desk.canvas.select(("fast",))
    desk.canvas.delete_selection()
    assert "error on line" in desk.messages[0]
    assert "fast" in desk.canvas.scene.nodes


def test_a_closed_canvas_listens_no_more(desk: Desk) -> None:
    desk.canvas.close()
    desk.document.do(RemoveNodes(("size",)), label="Remove")
    assert "size" in desk.canvas.scene.nodes


def test_faulty_nodes_get_a_badge_with_the_reason(qtbot: QtBot) -> None:
    desk = Desk(qtbot, STRATEGY.replace("timeperiod: 10", "timeperiod: -1").replace("fast: fast", "fast: size"))
    nodes = desk.canvas.scene.nodes
    qtbot.waitUntil(lambda: nodes["fast"].badge == "error")
    assert "timeperiod" in nodes["fast"].badge_reason
    assert "fast" in nodes["cross"].badge_reason
    assert nodes["slow"].badge is None
    desk.canvas.close()


@pytest.mark.parametrize("text", ["", "quantcrafter: 1\n", "quantcrafter: 1\nindicators:\nlayout: []\n"])
def test_an_empty_strategy_is_no_trouble(qtbot: QtBot, text: str) -> None:
    desk = Desk(qtbot, text)
    canvas = desk.canvas
    calls = (canvas.fit_all, canvas.fit_selection, canvas.select_all, canvas.delete_selection, canvas.auto_layout)
    for call in (*calls, canvas.copy, canvas.cut, canvas.duplicate, canvas.rename, canvas.select_upstream):
        call()
    canvas.walk("right")
    canvas.align("left")
    canvas.distribute("vertical")
    canvas.open_block()
    canvas.close_block()
    assert desk.text == text
    assert desk.document.undo_label == ""
    assert desk.canvas.stage.selection.nodes in {(), tuple(canvas.graph.nodes)[:1]}
    canvas.quick_add()
    assert canvas.asking.popup.isVisible()
    canvas.close()


def test_a_node_from_the_palette_lands_under_the_mouse(desk: Desk) -> None:
    drop(desk, desk.empty(), "indicators", "ta.RSI")
    assert "  rsi: {use: ta.RSI}\n" in desk.text
    body = desk.canvas.scene.nodes["rsi"].body()
    assert body.contains(desk.canvas.view.mapToScene(desk.empty()))
    assert desk.canvas.stage.selection.nodes == ("rsi",)
    assert desk.undo_gives_back()


def test_a_node_from_the_palette_dropped_on_a_wire_goes_into_it_in_one_step(desk: Desk) -> None:
    wire = next(wire for wire in desk.canvas.graph.wires if wire.target == "cross" and wire.port == "slow")
    x, y = desk.canvas.scene.wires[wire].points()[12]
    drop(desk, desk.at(x, y - 20), "indicators", "ta.EMA")
    assert "ema: {use: ta.EMA, input: slow}" in desk.text
    assert "cross: {use: crossover, fast: fast, slow: ema}" in desk.text
    assert desk.undo_gives_back()


def test_something_else_dropped_is_refused(desk: Desk) -> None:
    drop(desk, desk.empty(), "no such role", "ta.RSI")
    assert desk.messages == ["This can't be dropped here."]
    assert desk.text == desk.before


@pytest.mark.parametrize(
    ("how", "expected"),
    [("left", "slow: [-100, 140]"), ("center", "fast: ["), ("bottom", "slow: [-100, 140]")],
)
def test_selected_nodes_are_aligned_in_one_step(qtbot: QtBot, how: str, expected: str) -> None:
    desk = Desk(qtbot, STRATEGY.replace("slow: [0, 140]", "slow: [-100, 140]"))
    desk.canvas.select(("fast", "slow"))
    desk.canvas.align(how)  # type: ignore[arg-type]
    assert desk.document.undo_label == "Align"
    assert expected in desk.text
    assert desk.undo_gives_back()


def test_selected_nodes_are_distributed_in_one_step(desk: Desk) -> None:
    desk.canvas.select(("bars", "fast", "entry"))
    desk.canvas.distribute("horizontal")
    assert "  fast: [150, 0]\n" in desk.text
    assert desk.undo_gives_back()


def test_the_whole_graph_is_arranged_in_one_step_with_its_frame(qtbot: QtBot) -> None:
    text = STRATEGY.replace("cross: [300, 60]", "cross: [-200, 500]")
    desk = Desk(qtbot, text + "frames:\n  averages: {at: [-20, -40], size: [240, 300], text: Averages}\n")
    desk.canvas.auto_layout()
    scene = desk.canvas.scene
    assert all(scene.nodes[wire.source].x() < scene.nodes[wire.target].x() for wire in scene.wires)
    frame = scene.frames["averages"].body()
    assert frame.contains(scene.nodes["fast"].body())
    assert frame.contains(scene.nodes["slow"].body())
    assert desk.undo_gives_back()


def test_reveal_selects_a_node_and_brings_it_into_sight(desk: Desk) -> None:
    desk.canvas.view.zoom_by(3.0)
    desk.canvas.reveal("entry")
    assert desk.canvas.stage.selection.nodes == ("entry",)
    assert desk.canvas.view.visible_rect().intersects(desk.canvas.scene.nodes["entry"].body())
    desk.canvas.reveal("no such node")


def test_nodes_without_a_place_stay_where_they_were_seen_when_another_is_moved(qtbot: QtBot) -> None:
    desk = Desk(qtbot, STRATEGY.partition("layout:")[0])
    before = {node: item.pos() for node, item in desk.canvas.scene.nodes.items()}
    desk.canvas.select(("size",))
    desk.canvas.nudge(0, 400)
    again = make_canvas(Document(desk.text, registry()))
    qtbot.addWidget(again)
    after = {node: item.pos() for node, item in again.scene.nodes.items()}
    moved = {node for node in before if before[node].toPoint() != after[node].toPoint()}
    assert moved == {"size"}
    again.close()
    desk.canvas.close()


def test_the_graph_is_written_as_a_picture_and_as_a_drawing(desk: Desk, tmp_path: Path) -> None:
    desk.canvas.export_png(tmp_path / "graph.png")
    desk.canvas.export_svg(tmp_path / "graph.svg")
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")
    assert "fast" in (tmp_path / "graph.svg").read_text(encoding="utf-8")


def test_the_canvas_has_names_for_those_who_do_not_see_it(desk: Desk) -> None:
    assert desk.canvas.accessibleName() == "Graph of the strategy"
    assert "outline" in desk.canvas.accessibleDescription()
    assert desk.canvas.asking.popup.search.accessibleName() == "Search for a node"


def test_a_canvas_with_everything_open_can_be_destroyed(desk: Desk) -> None:
    for _ in range(3):
        canvas = make_canvas(desk.document)
        canvas.show()
        canvas.quick_add()
        canvas.view.customContextMenuRequested.emit(QPoint(10, 10))
        canvas.close()
        canvas.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert desk.canvas.isVisible()
