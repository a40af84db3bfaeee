"""What a person sees of a node, a wire and a frame: colours at places, texts, marks."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from quantcrafter.app.canvas.items.layout import HEADER
from quantcrafter.app.canvas.items.paint import badge_rect, mark_rects, name_room
from quantcrafter.app.canvas.items.ports import port_shape
from quantcrafter.app.canvas.scene import GraphScene, PortRef
from quantcrafter.app.canvas.view import CanvasView
from quantcrafter.app.document.view import FrameView, GraphView, NodeView, PortView, WireView
from quantcrafter.app.theme import apply, current
from quantcrafter.app.theme.colors import mix
from quantcrafter.engine.api import PortType, Role
from tests.support.graphs import bars, graph, node, pullback


class Picture:
    """A view of 900 x 600 at natural size, and the colours in it by places of the scene."""

    def __init__(self, qtbot: QtBot, shown: GraphView) -> None:
        self.scene = GraphScene()
        self.view = CanvasView(self.scene)
        qtbot.addWidget(self.view)
        self.view.resize(900, 600)
        self.show(shown)
        self.view.show()
        self.view.centre_on(QPointF(150, 150))
        self.view.settle()

    def show(self, shown: GraphView) -> None:
        self.scene.set_graph(shown)

    def image(self) -> QImage:
        return self.view.grab().toImage()

    def color(self, x: float, y: float) -> str:
        return self.image().pixelColor(self.view.mapFromScene(QPointF(x, y))).name()

    def colors(self, x: float, y: float, width: float, height: float) -> set[str]:
        image = self.image()
        start, end = self.view.mapFromScene(QPointF(x, y)), self.view.mapFromScene(QPointF(x + width, y + height))
        area = QRect(start, end - QPoint(1, 1)).intersected(image.rect())
        return {
            image.pixelColor(column, row).name()
            for column in range(area.left(), area.right() + 1)
            for row in range(area.top(), area.bottom() + 1)
        }


def is_among(color: str, colors: set[str]) -> bool:
    """Return whether a colour is there, or one that the edges of thin letters make of it."""
    wanted = QColor(color)
    parts = [QColor(other) for other in colors]
    return any(
        max(abs(one.red() - wanted.red()), abs(one.green() - wanted.green()), abs(one.blue() - wanted.blue())) < 30
        for one in parts
    )


@pytest.fixture(params=["light", "dark"], autouse=True)
def _theme(request: pytest.FixtureRequest, qapp: QApplication) -> None:
    apply(qapp, request.param)


def sma(**state: Any) -> NodeView:
    return node("average", Role.INDICATOR, "ta.SMA", (0, 0), subtitle="200 · close", **state)


def test_a_node_wears_its_familys_colour_and_shows_its_name_and_parameters(qtbot: QtBot) -> None:
    picture = Picture(qtbot, graph(sma()))
    theme = current()
    assert picture.color(150, 15) == theme.header("indicators")
    assert picture.color(100, 1.5) == theme.family("indicators")
    assert picture.color(150, 75) == theme.node
    assert is_among(theme.node_text, picture.colors(30, 4, 90, 24))
    assert is_among(theme.node_text_dim, picture.colors(8, 31, 90, 18))


def test_a_wired_port_is_filled_and_a_free_one_hollow(qtbot: QtBot) -> None:
    dip = pullback().nodes["dip"]
    rsi = pullback().nodes["rsi"]
    picture = Picture(qtbot, graph(rsi, dip, wires=(WireView("rsi", "value", "dip", "input"),)))
    theme = current()
    wired = picture.scene.nodes["dip"].port_scene_pos("in", "input")
    hollow = picture.scene.nodes["dip"].port_scene_pos("out", "signal")
    assert picture.color(wired.x(), wired.y()) == theme.port(PortType.SERIES)
    assert picture.color(hollow.x(), hollow.y()) == theme.node
    assert theme.port(PortType.SIGNAL) in picture.colors(hollow.x() - 6, hollow.y() - 6, 12, 12)


def test_an_input_that_must_be_wired_and_is_not_is_red(qtbot: QtBot) -> None:
    picture = Picture(qtbot, graph(bars(-250, 0), sma()))
    at = picture.scene.nodes["average"].port_scene_pos("in", "input")
    assert current().error in picture.colors(at.x() - 7, at.y() - 7, 14, 14)
    picture.show(graph(bars(-250, 0), sma(), wires=(WireView("bars", "close", "average", "input"),)))
    assert current().error not in picture.colors(at.x() - 7, at.y() - 7, 14, 14)


def test_every_port_type_has_a_shape_of_its_own() -> None:
    outlines = set()
    for kind in (*PortType, None):
        grid = (QPointF(x, y) for x in range(-7, 8) for y in range(-7, 8))
        outlines.add(tuple(port_shape(kind).contains(point) for point in grid))
    assert len(outlines) == len(PortType) + 1


def test_a_number_on_a_port_stands_beside_it(qtbot: QtBot) -> None:
    compare = node("above", Role.LOGIC, "compare", (0, 0), {"right": 30.5})
    picture = Picture(qtbot, graph(compare))
    slot = picture.scene.nodes["above"].slot("in", "right")
    assert slot is not None
    assert (slot.literal, slot.missing) == ("30.5", False)
    assert current().canvas in picture.colors(40, slot.y - 6, 40, 12)
    left = picture.scene.nodes["above"].slot("in", "left")
    assert left is not None
    assert left.missing


def test_numbers_in_a_list_take_their_places() -> None:
    vote = PortView("inputs", PortType.SERIES, many=True)
    mixed = NodeView("sum", Role.LOGIC, "sum", {"inputs": ["rsi.value", 3, 0.5]}, (vote,))
    scene = GraphScene()
    scene.set_graph(graph(pullback().nodes["rsi"], mixed, wires=(WireView("rsi", "value", "sum", "inputs", 0),)))
    slots = scene.nodes["sum"].layout.inputs
    assert [(slot.wired, slot.literal, slot.free) for slot in slots] == [
        (True, "", False),
        (False, "3", False),
        (False, "0.5", False),
        (False, "", True),
    ]


def test_a_badge_shows_in_its_colour_and_goes_again(qtbot: QtBot) -> None:
    picture = Picture(qtbot, graph(sma()))
    item = picture.scene.nodes["average"]
    box = badge_rect(item.layout)
    for kind, color in (
        ("error", current().error),
        ("warning", current().warning),
        ("running", current().running),
        ("done", current().done),
    ):
        item.set_badge(kind, "Because.")  # type: ignore[arg-type]
        assert color in picture.colors(box.x(), box.y(), box.width(), box.height())
    item.set_badge(None)
    assert item.badge_reason == ""
    assert not {current().done, current().error} & picture.colors(box.x(), box.y(), box.width(), box.height())


def test_the_badge_of_a_good_run_is_a_dot_that_takes_nothing_from_the_name(qtbot: QtBot) -> None:
    picture = Picture(qtbot, graph(sma()))
    item = picture.scene.nodes["average"]
    room = name_room(item.picture)
    box = badge_rect(item.layout)

    item.set_badge("done", "Run completed")
    small = count_of(current().done, picture, box)
    assert name_room(item.picture) == room
    item.set_badge("error", "Because.")
    assert name_room(item.picture) < room

    assert 0 < small < box.width() * box.height() / 5


def count_of(color: str, picture: Picture, box: QRectF) -> int:
    """Return on how many pixels of a place a colour is."""
    image = picture.image()
    start = picture.view.mapFromScene(box.topLeft())
    return sum(
        image.pixelColor(start.x() + x, start.y() + y).name() == color
        for x in range(int(box.width()))
        for y in range(int(box.height()))
    )


def test_a_faulty_node_has_a_red_border(qtbot: QtBot) -> None:
    picture = Picture(qtbot, graph(sma()))
    picture.scene.nodes["average"].set_badge("error", "Period must be at least 2.")
    assert current().error in picture.colors(60, picture.scene.nodes["average"].layout.height - 2, 20, 4)


def test_bypass_draws_a_line_from_port_to_port_and_a_dashed_body(qtbot: QtBot) -> None:
    plain, bypassed = Picture(qtbot, graph(sma())), Picture(qtbot, graph(sma(bypass=True)))
    y = plain.scene.nodes["average"].layout.inputs[0].y
    line = mix(current().accent, current().node, 0.7)
    assert line in bypassed.colors(60, y - 2, 80, 4)
    assert line not in plain.colors(60, y - 2, 80, 4)
    bottom = plain.scene.nodes["average"].layout.height
    edge = bypassed.image()
    start = bypassed.view.mapFromScene(QPointF(20, bottom))
    run = [edge.pixelColor(start.x() + step, start.y()).name() for step in range(60)]
    assert len(set(run)) > 2


def test_a_muted_node_is_faded_and_crossed_and_unlike_a_bypassed_one(qtbot: QtBot) -> None:
    muted = Picture(qtbot, graph(sma(mute=True)))
    assert muted.color(150, 15) != current().header("indicators")
    assert muted.color(95, 45) != current().node
    bypassed = Picture(qtbot, graph(sma(bypass=True)))
    assert bypassed.color(140, 10) == current().header("indicators")
    assert muted.image() != bypassed.image()


def test_a_placeholder_is_unmistakable(qtbot: QtBot) -> None:
    alien = NodeView("odd", Role.INDICATOR, "acme.magic", {}, (PortView("x", None),), position=(0, 0), known=False)
    picture = Picture(qtbot, graph(alien))
    theme = current()
    assert picture.color(150, 15) == theme.warning_soft
    assert is_among(theme.warning, picture.colors(8, 31, 160, 18))
    assert "Not installed" in picture.scene.tooltip_at(QPointF(80, 40))


def test_a_block_has_a_second_border_and_a_mark_that_it_opens(qtbot: QtBot) -> None:
    plain, block = Picture(qtbot, graph(sma())), Picture(qtbot, graph(sma(block=True)))
    assert current().family("indicators") in block.colors(60, -5, 20, 3)
    assert current().family("indicators") not in plain.colors(60, -5, 20, 3)
    mark = mark_rects(block.scene.nodes["average"].layout)[0]
    assert current().node_text in block.colors(mark.x(), mark.y(), mark.width(), mark.height())


def test_a_long_name_is_cut_and_whole_in_the_tooltip(qtbot: QtBot) -> None:
    name = "a_very_long_name_that_no_header_has_room_for"
    picture = Picture(qtbot, graph(node(name, Role.INDICATOR, "ta.SMA", (0, 0))))
    item = picture.scene.nodes[name]
    assert picture.scene.looks.name_metrics.horizontalAdvance(name) > name_room(item.picture)
    assert picture.colors(182, 5, 6, 20) == {current().header("indicators")}
    assert name in picture.scene.tooltip_at(QPointF(80, 15))


def test_selection_and_hover_look_different(qtbot: QtBot) -> None:
    picture = Picture(qtbot, graph(sma()))
    item = picture.scene.nodes["average"]
    images = [picture.image()]
    item.set_hovered(hovered=True)
    images.append(picture.image())
    picture.scene.select(["average"])
    assert current().selection in picture.colors(60, -4, 20, 4)
    images.append(picture.image())
    assert all(one != other for number, one in enumerate(images) for other in images[:number])


def test_from_afar_a_node_is_its_familys_colour_and_name(qtbot: QtBot) -> None:
    picture = Picture(qtbot, graph(sma()))
    picture.view.set_zoom(0.4)
    picture.view.settle()
    assert picture.color(100, 7) == current().family("indicators")
    assert len(picture.colors(8, 34, 170, 40)) > 1


def test_from_very_far_a_node_has_no_text(qtbot: QtBot) -> None:
    picture = Picture(qtbot, graph(sma()))
    picture.view.set_zoom(0.2)
    picture.view.settle()
    assert picture.color(100, 12) == current().family("indicators")
    assert picture.colors(8, 34, 170, 40) == {current().node}


def test_a_wire_has_the_colour_of_what_flows_and_lights_up_under_the_mouse(qtbot: QtBot) -> None:
    picture = Picture(qtbot, pullback())
    wire = picture.scene.wires[WireView("rsi", "value", "dip", "input")]
    at = wire.path().pointAtPercent(0.5)
    soft = mix(current().port(PortType.SERIES), current().canvas, 0.86)
    assert soft in picture.colors(at.x() - 3, at.y() - 3, 6, 6)
    wire.set_hovered(hovered=True)
    assert current().port(PortType.SERIES) in picture.colors(at.x() - 3, at.y() - 3, 6, 6)
    wire.set_hovered(hovered=False)
    picture.scene.select([], wires=[wire.view])
    assert current().selection in picture.colors(at.x() - 3, at.y() - 3, 6, 6)


def test_a_drawn_wire_says_by_its_colour_whether_it_would_hold(qtbot: QtBot) -> None:
    picture = Picture(qtbot, graph(sma()))
    start, end = QPointF(190, 60), QPointF(330, 60)
    picture.scene.set_drag_wire(start, end, ok=True)
    assert current().selection in picture.colors(250, 56, 10, 8)
    picture.scene.set_drag_wire(start, end, ok=False)
    assert current().error in picture.colors(240, 56, 40, 8)
    picture.scene.clear_drag_wire()
    assert not {current().error, current().selection} & picture.colors(240, 56, 40, 8)


def test_lit_ports_glow(qtbot: QtBot) -> None:
    picture = Picture(qtbot, pullback())
    at = picture.scene.nodes["dip"].port_scene_pos("in", "input")
    before = picture.color(at.x() - 9, at.y())
    picture.scene.highlight_ports({PortRef("dip", "in", "input")})
    assert picture.color(at.x() - 9, at.y()) != before


def test_a_frame_shows_title_and_wrapped_comment_behind_the_nodes(qtbot: QtBot) -> None:
    frame = FrameView(
        "idea", "Protection\n" + "Both stops are checked against the bar. " * 4, -30, -60, 300, 260, "red"
    )
    picture = Picture(qtbot, graph(sma(), frames=(frame,)))
    assert current().text in picture.colors(-22, -56, 120, 20)
    assert picture.color(150, 75) == current().node
    assert picture.color(240, 150) != current().canvas
    picture.show(graph(frames=(frame,)))
    lines = [is_among(current().text_dim, picture.colors(-22, y, 280, 9)) for y in (-28, -14, 0)]
    assert lines == [True, True, True]


def test_a_changed_parameter_is_seen_at_once(qtbot: QtBot) -> None:
    picture = Picture(qtbot, graph(sma()))
    before = picture.image()
    picture.show(graph(node("average", Role.INDICATOR, "ta.SMA", (0, 0), subtitle="50 · open")))
    assert picture.image() != before


def test_another_theme_recolours_what_is_shown(qtbot: QtBot, qapp: QApplication) -> None:
    picture = Picture(qtbot, pullback())
    apply(qapp, "dark" if not current().dark else "light")
    assert picture.color(150, 15) == current().header("indicators")
    assert picture.color(-100, 400) in {current().canvas, current().canvas_dot}


def test_a_node_is_drawn_from_its_header_down(qtbot: QtBot) -> None:
    picture = Picture(qtbot, graph(node("stop", Role.RISK, "percent_stop", (0, 0))))
    layout = picture.scene.nodes["stop"].layout
    assert not layout.has_subtitle
    assert layout.outputs[0].y > HEADER
    assert layout.height > layout.outputs[0].y
