"""The scene shows the graph it is given, changes only what differs, and knows what lies where."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMargins, QPointF
from PySide6.QtGui import QColor, QImage
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from quantcrafter.app.canvas.export import export_png, export_svg
from quantcrafter.app.canvas.scene import GraphScene, PortRef
from quantcrafter.app.document.view import BARS, FrameView, GraphView, NodeView, PortView, WireView
from quantcrafter.app.theme import apply, current
from quantcrafter.engine.api import Role, RunError
from tests.support.graphs import bars, graph, node, pullback

RSI_TO_DIP = WireView("rsi", "value", "dip", "input")


@pytest.fixture
def scene(qapp: QApplication) -> Iterator[GraphScene]:
    apply(qapp, "light")
    scene = GraphScene()
    scene.set_graph(pullback())
    yield scene
    scene.blockSignals(True)  # Qt tells of a changed selection while it destroys a scene


def with_node(old: GraphView, new: NodeView) -> GraphView:
    return GraphView({**old.nodes, new.id: new}, old.wires, old.frames)


def test_a_graph_is_shown_node_for_node_and_wire_for_wire(scene: GraphScene) -> None:
    shown = pullback()
    assert list(scene.nodes) == list(shown.nodes)
    assert list(scene.wires) == list(shown.wires)
    assert scene.nodes["dip"].pos() == QPointF(260, 0)


def test_items_of_what_did_not_change_stay_the_same(scene: GraphScene) -> None:
    nodes, wires = dict(scene.nodes), dict(scene.wires)
    scene.set_graph(with_node(pullback(), node("rsi", Role.INDICATOR, "ta.RSI", (40, 60), subtitle="3 · close")))
    assert scene.nodes == nodes
    assert scene.wires == wires
    assert scene.nodes["rsi"].pos() == QPointF(40, 60)
    assert scene.nodes["rsi"].view.subtitle == "3 · close"


def test_a_wire_follows_its_nodes(scene: GraphScene) -> None:
    scene.nodes["rsi"].setPos(-90, 333)
    path = scene.wires[RSI_TO_DIP].path()
    assert path.pointAtPercent(0) == scene.nodes["rsi"].port_scene_pos("out", "value")
    assert path.pointAtPercent(1) == scene.nodes["dip"].port_scene_pos("in", "input")


def test_what_is_gone_from_the_graph_is_gone_from_the_scene(scene: GraphScene) -> None:
    before = pullback()
    nodes = {node_id: one for node_id, one in before.nodes.items() if node_id != "dip"}
    wires = tuple(wire for wire in before.wires if "dip" not in (wire.source, wire.target))
    scene.set_graph(GraphView(nodes, wires))
    assert "dip" not in scene.nodes
    assert RSI_TO_DIP not in scene.wires
    assert len(scene.items()) == len(nodes) + len(wires)


def test_a_list_port_has_a_place_for_each_wire_and_one_more(scene: GraphScene) -> None:
    slots = [slot for slot in scene.nodes["entry"].layout.inputs if slot.port == "risk"]
    assert [(slot.index, slot.wired, slot.free) for slot in slots] == [
        (0, True, False),
        (1, True, False),
        (2, False, True),
    ]


def test_wires_move_up_when_a_place_before_them_goes(scene: GraphScene) -> None:
    money = WireView("size", "money", "entry", "money")
    y = scene.wires[money].path().pointAtPercent(1).y()
    before = pullback()
    wires = tuple(wire for wire in before.wires if wire.source != "target")
    entry = replace(before.nodes["entry"], values={"signals": ["dip"], "risk": ["stop"]})
    scene.set_graph(GraphView({**before.nodes, "entry": entry}, wires))
    assert scene.wires[money].path().pointAtPercent(1).y() == y - 20


def test_a_node_without_a_place_stands_left_of_what_reads_it_and_covers_nothing(scene: GraphScene) -> None:
    shown = pullback()
    homeless = replace(shown.nodes[BARS], position=None)
    scene = GraphScene()
    scene.set_graph(with_node(shown, homeless))
    boxes = [item.body() for item in scene.nodes.values()]
    assert scene.nodes[BARS].body().right() < scene.nodes["rsi"].x()
    assert not any(one.intersects(other) for one in boxes for other in boxes if one is not other)


def test_a_node_without_a_place_stays_where_it_is_when_others_change(scene: GraphScene) -> None:
    shown = with_node(pullback(), replace(pullback().nodes[BARS], position=None))
    scene = GraphScene()
    scene.set_graph(shown)
    place = scene.nodes[BARS].pos()
    scene.set_graph(with_node(shown, replace(shown.nodes["rsi"], position=(900.0, 900.0))))
    assert scene.nodes[BARS].pos() == place


def test_ports_are_found_by_place_with_the_index_of_their_wire(scene: GraphScene) -> None:
    entry = scene.nodes["entry"]
    for index in (0, 1, 2):
        assert scene.port_at(entry.port_scene_pos("in", "risk", index)) == PortRef("entry", "in", "risk", index)
    near = entry.port_scene_pos("in", "money") + QPointF(-8, 5)
    assert scene.port_at(near) == PortRef("entry", "in", "money")
    assert scene.port_at(entry.port_scene_pos("in", "money") - QPointF(30, 0)) is None
    assert scene.nodes["entry"].port_scene_pos("in", "risk") == entry.port_scene_pos("in", "risk", 2)


def test_the_topmost_of_two_nodes_is_hit(scene: GraphScene) -> None:
    scene.nodes["rsi"].setPos(scene.nodes["dip"].pos() + QPointF(30, 30))
    both = scene.nodes["dip"].pos() + QPointF(60, 50)
    scene.select(["dip"])
    assert scene.node_at(both) == "dip"
    scene.select(["rsi"])
    assert scene.node_at(both) == "rsi"


def test_a_wire_is_hit_on_its_curve_and_a_little_beside_it(scene: GraphScene) -> None:
    scene.nodes["rsi"].setPos(0, 300)
    wire = scene.wires[RSI_TO_DIP]
    middle = wire.path().pointAtPercent(0.5)
    assert scene.wire_at(middle) == RSI_TO_DIP
    assert scene.hit(middle).wire == RSI_TO_DIP
    assert scene.wire_at(middle + QPointF(0, 2), 7) == RSI_TO_DIP
    assert scene.wire_at(middle + QPointF(60, -60)) is None


def test_a_frame_is_held_by_its_title_and_its_corner_and_not_by_its_inside(scene: GraphScene) -> None:
    scene.set_graph(graph(bars(), frames=(FrameView("idea", "Why\nBecause.", 100, 100, 300, 200, "blue"),)))
    assert scene.frame_at(QPointF(200, 110)) == "idea"
    assert scene.frame_at(QPointF(395, 295)) == "idea"
    assert scene.frame_at(QPointF(250, 200)) is None


def test_selecting_tells_once_and_only_when_something_changes(scene: GraphScene) -> None:
    told: list[tuple[str, ...]] = []
    scene.selectionChanged.connect(lambda: told.append(scene.selected_ids()))
    scene.select(["size", "rsi"], wires=[RSI_TO_DIP])
    scene.select(["rsi", "size"], wires=[RSI_TO_DIP])
    assert told == [("rsi", "size")]
    assert scene.selected_wires() == (RSI_TO_DIP,)
    scene.select([])
    assert told == [("rsi", "size"), ()]


def test_removing_selected_nodes_tells_once_when_all_is_in_place(scene: GraphScene) -> None:
    scene.select(["rsi", "size"])
    told: list[tuple[list[str], tuple[str, ...]]] = []
    scene.selectionChanged.connect(lambda: told.append((list(scene.nodes), scene.selected_ids())))
    nodes = {node_id: one for node_id, one in pullback().nodes.items() if node_id not in ("rsi", "dip")}
    scene.set_graph(GraphView(nodes, pullback().wires))
    assert told == [(list(nodes), ("size",))]
    assert all(wire.source in nodes and wire.target in nodes for wire in scene.wires)
    scene.select([])


def test_a_removed_selected_wire_is_selected_no_more(qtbot: QtBot, scene: GraphScene) -> None:
    scene.select([], wires=[RSI_TO_DIP])
    with qtbot.waitSignal(scene.selectionChanged):
        scene.set_graph(GraphView(pullback().nodes, ()))
    assert scene.selected_wires() == ()


def test_content_changed_tells_of_a_moved_node(qtbot: QtBot, scene: GraphScene) -> None:
    with qtbot.waitSignal(scene.content_changed):
        scene.nodes["rsi"].setPos(5, 5)


def test_lit_ports_fade_the_nodes_that_have_none(scene: GraphScene) -> None:
    scene.highlight_ports({PortRef("dip", "in", "input")})
    assert scene.nodes["dip"].opacity() == 1.0
    assert scene.nodes["stop"].opacity() < 0.5
    scene.highlight_ports(None)
    assert scene.nodes["stop"].opacity() == 1.0


def test_the_box_of_the_content_is_that_of_nodes_and_frames(scene: GraphScene) -> None:
    scene.set_graph(graph(bars(0, 0), frames=(FrameView("far", "x", 500, 500, 100, 100),)))
    assert scene.content_rect().bottomRight() == QPointF(600, 600)
    assert scene.content_rect(["bars"]) == scene.nodes["bars"].body()
    assert GraphScene().content_rect().isEmpty()


def test_a_wire_of_a_placeholder_takes_the_colour_of_its_known_end(scene: GraphScene) -> None:
    alien = NodeView(
        "alien", Role.INDICATOR, "acme.x", {}, (), (PortView("line", None),), position=(0, 400), known=False
    )
    wire = WireView("alien", "line", "dip", "input")
    scene.set_graph(graph(alien, pullback().nodes["dip"], wires=(wire,)))
    plain = GraphScene()
    plain.set_graph(graph(pullback().nodes["rsi"], pullback().nodes["dip"], wires=(RSI_TO_DIP,)))
    assert scene.wires[wire].pen().color() == plain.wires[RSI_TO_DIP].pen().color()


def test_a_png_shows_the_whole_graph_twice_its_size_on_the_themes_canvas(scene: GraphScene, tmp_path: Path) -> None:
    scene.select(["rsi"])
    export_png(scene, tmp_path / "graph.png")
    image = QImage(str(tmp_path / "graph.png"))
    box = scene.content_rect()
    assert image.width() == 2 * (box.width() + 80)
    assert image.pixelColor(3, 3).name() == current().canvas
    in_header = (scene.nodes["rsi"].pos() + QPointF(150, 15) - box.topLeft() + QPointF(40, 40)) * 2
    assert image.pixelColor(in_header.toPoint()).name() == current().header("indicators")
    assert QColor(current().selection).name() not in {image.pixelColor(x, 240).name() for x in range(image.width())}
    assert [file.name for file in tmp_path.iterdir()] == ["graph.png"]


def test_an_svg_keeps_text_as_text_and_draws_the_same_picture(scene: GraphScene, tmp_path: Path) -> None:
    export_svg(scene, tmp_path / "graph.svg")
    text = (tmp_path / "graph.svg").read_text(encoding="utf-8")
    assert ">rsi</text>" in text
    assert ">15 · 65 · return</text>" in text
    assert "sans-serif" in text
    renderer = QSvgRenderer(str(tmp_path / "graph.svg"))
    assert renderer.isValid()
    assert renderer.viewBox().size() == scene.content_rect().size().toSize().grownBy(QMargins(40, 40, 40, 40))


def test_an_export_that_cannot_be_written_leaves_the_old_file(scene: GraphScene, tmp_path: Path) -> None:
    old = tmp_path / "graph.png"
    old.write_text("old")
    with pytest.raises(RunError, match=r"can't be written to .*: a part of the path is a file|with that name already"):
        export_png(scene, old / "graph.png")
    assert list(tmp_path.iterdir()) == [old]
    assert old.read_text() == "old"


@pytest.mark.usefixtures("qapp")
def test_an_empty_graph_can_be_exported(tmp_path: Path) -> None:
    export_png(GraphScene(), tmp_path / "empty.png")
    assert not QImage(str(tmp_path / "empty.png")).isNull()


def test_two_thousand_items_come_and_go_without_a_trace(scene: GraphScene) -> None:
    """Some Qt bindings drop a reference to None or True with each item or signal, until the interpreter aborts."""
    gc.collect()
    none, true = sys.getrefcount(None), sys.getrefcount(True)
    for _ in range(150):
        scene.set_graph(GraphView())
        scene.set_graph(pullback())
        scene.content_changed.emit()
    gc.collect()
    assert abs(sys.getrefcount(None) - none) < 500
    assert abs(sys.getrefcount(True) - true) < 500
