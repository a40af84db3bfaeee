"""Zooming, panning, the mouse's way to gestures, tooltips, drops, the minimap."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRect, QRectF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QFocusEvent, QHelpEvent, QMouseEvent, QPaintEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from quantcrafter.app.canvas.gesture import Hit
from quantcrafter.app.canvas.minimap import Minimap
from quantcrafter.app.canvas.scene import GraphScene, PortRef
from quantcrafter.app.canvas.view import LEAST_ZOOM, MOST_ZOOM, NODE_MIME, CanvasView
from quantcrafter.app.document.view import GraphView, WireView
from quantcrafter.app.theme import apply, current
from tests.support import mouse
from tests.support.graphs import bars, graph, large, pullback

MIDDLE = Qt.MouseButton.MiddleButton


class Recorder:
    """A gesture that takes every press on a node and writes down what it gets."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.hits: list[Hit] = []

    def press(self, event: QMouseEvent, hit: Hit) -> bool:
        self.hits.append(hit)
        if hit.node is None:
            return False
        self.got.append("double" if event.type() == QEvent.Type.MouseButtonDblClick else "press")
        return True

    def move(self, event: QMouseEvent) -> None:
        assert event.buttons() == Qt.MouseButton.LeftButton
        self.got.append("move")

    def release(self, event: QMouseEvent) -> None:
        assert event.button() == Qt.MouseButton.LeftButton
        self.got.append("release")

    def cancel(self) -> None:
        self.got.append("cancel")


@pytest.fixture
def view(qtbot: QtBot, qapp: QApplication) -> CanvasView:
    apply(qapp, "light")
    scene = GraphScene()
    scene.set_graph(pullback())
    view = CanvasView(scene)
    scene.setParent(view)
    qtbot.addWidget(view)
    view.resize(900, 600)
    with qtbot.waitExposed(view):
        view.show()
    view.fit()
    return view


def wheel(
    view: CanvasView, at: QPoint, angle: QPoint, pixels: QPoint | None = None, *, held: Qt.KeyboardModifier
) -> None:
    event = QWheelEvent(
        QPointF(at),
        QPointF(view.viewport().mapToGlobal(at)),
        pixels or QPoint(),
        angle,
        Qt.MouseButton.NoButton,
        held,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)


NONE = Qt.KeyboardModifier.NoModifier


def at(view: CanvasView, pos: QPointF) -> QPoint:
    return view.mapFromScene(pos)


def header(view: CanvasView, node_id: str) -> QPoint:
    return at(view, view.graph_scene.nodes[node_id].pos() + QPointF(100, 15))


def test_fit_shows_the_whole_graph_in_the_middle_and_not_larger_than_life(view: CanvasView) -> None:
    assert view.visible_rect().contains(view.graph_scene.content_rect())
    view.fit(["rsi"])
    assert view.zoom == 1.0
    centre = view.visible_rect().center() - view.graph_scene.nodes["rsi"].body().center()
    assert abs(centre.x()) < 2
    assert abs(centre.y()) < 2


def test_a_view_of_the_whole_graph_shows_all_of_it_in_another_size_until_it_is_moved(view: CanvasView) -> None:
    view.fit()
    view.resize(500, 240)
    QApplication.processEvents()
    whole = view.graph_scene.content_rect(None)
    assert view.visible_rect().contains(whole)
    view.resize(900, 600)
    QApplication.processEvents()
    assert view.visible_rect().contains(whole)
    view.scroll_by(60, 0)
    moved, zoom = view.mapToScene(QPoint(0, 0)), view.zoom
    view.resize(500, 240)
    QApplication.processEvents()
    assert (view.mapToScene(QPoint(0, 0)), view.zoom) == (moved, zoom)


def test_the_wheel_zooms_and_keeps_the_place_under_the_mouse(view: CanvasView) -> None:
    place = header(view, "dip")
    before, zoom = view.mapToScene(place), view.zoom
    wheel(view, place, QPoint(0, 120), held=NONE)
    assert view.zoom > zoom
    moved = view.mapToScene(place) - before
    assert max(abs(moved.x()), abs(moved.y())) < 2


def test_zoom_stays_within_its_bounds(view: CanvasView) -> None:
    for _ in range(60):
        wheel(view, QPoint(400, 300), QPoint(0, 240), held=NONE)
    assert view.zoom == pytest.approx(MOST_ZOOM)
    for _ in range(120):
        wheel(view, QPoint(400, 300), QPoint(0, -240), held=NONE)
    assert view.zoom == pytest.approx(LEAST_ZOOM)


def test_scrolling_further_than_whole_numbers_of_qt_reach_stops_at_the_edge(view: CanvasView) -> None:
    view.scroll_by(2**31 - 1, -(2**31) + 1)
    assert view.horizontalScrollBar().value() == view.horizontalScrollBar().maximum()
    view.scroll_by(2**31 - 1, 0)
    assert view.verticalScrollBar().value() == view.verticalScrollBar().minimum()


def test_shift_and_wheel_scroll_sideways(view: CanvasView) -> None:
    zoom, left, top = view.zoom, view.visible_rect().left(), view.visible_rect().top()
    wheel(view, QPoint(400, 300), QPoint(0, -120), held=Qt.KeyboardModifier.ShiftModifier)
    assert view.visible_rect().left() > left
    assert (view.visible_rect().top(), view.zoom) == (top, zoom)


def test_a_trackpad_scrolls_and_zooms_with_control(view: CanvasView) -> None:
    zoom, top = view.zoom, view.visible_rect().top()
    wheel(view, QPoint(400, 300), QPoint(0, -80), QPoint(0, -40), held=NONE)
    assert view.visible_rect().top() > top
    assert view.zoom == zoom
    wheel(view, QPoint(400, 300), QPoint(0, 80), QPoint(0, 40), held=Qt.KeyboardModifier.ControlModifier)
    assert view.zoom > zoom


def test_the_middle_button_drags_the_paper(view: CanvasView) -> None:
    recorder = Recorder()
    view.gestures = [recorder]
    grabbed = view.mapToScene(QPoint(400, 300))
    mouse.drag(view.viewport(), [QPoint(400, 300), QPoint(310, 260)], button=MIDDLE)
    assert view.mapToScene(QPoint(310, 260)) == grabbed
    assert recorder.hits == []


def test_space_and_the_left_button_drag_the_paper_and_do_not_count_as_a_tap(qtbot: QtBot, view: CanvasView) -> None:
    taps: list[int] = []
    view.space_tapped.connect(lambda: taps.append(1))
    grabbed = view.mapToScene(QPoint(400, 300))
    QTest.keyPress(view, Qt.Key.Key_Space)
    mouse.drag(view.viewport(), [QPoint(400, 300), QPoint(450, 350)])
    QTest.keyRelease(view, Qt.Key.Key_Space)
    assert view.mapToScene(QPoint(450, 350)) == grabbed
    assert taps == []
    with qtbot.waitSignal(view.space_tapped):
        QTest.keyClick(view, Qt.Key.Key_Space)


def test_a_gesture_gets_the_mouse_from_press_to_release(view: CanvasView) -> None:
    first, second = Recorder(), Recorder()
    view.gestures = [first, second]
    place = header(view, "rsi")
    mouse.drag(view.viewport(), [place, place + QPoint(30, 0)])
    assert first.got == ["press", *["move"] * mouse.STEPS, "release"]
    assert second.hits == []
    assert first.hits[0].node == "rsi"
    mouse.double_click(view.viewport(), place)
    assert first.got[-2:] == ["double", "release"]


def test_every_gesture_is_asked_about_an_empty_place(view: CanvasView) -> None:
    first, second = Recorder(), Recorder()
    view.gestures = [first, second]
    mouse.click(view.viewport(), QPoint(3, 3))
    assert (len(first.hits), len(second.hits)) == (1, 1)
    assert second.hits[0].node is None


@pytest.mark.parametrize("how", ["escape", "focus"])
def test_escape_and_lost_focus_cancel_a_gesture(view: CanvasView, how: str) -> None:
    recorder = Recorder()
    view.gestures = [recorder]
    place = header(view, "rsi")
    mouse.press(view.viewport(), place)
    mouse.move(view.viewport(), place + QPoint(20, 0))
    if how == "escape":
        QTest.keyClick(view, Qt.Key.Key_Escape)
    else:
        QApplication.sendEvent(view, QFocusEvent(QEvent.Type.FocusOut))
    mouse.release(view.viewport(), place + QPoint(20, 0))
    assert recorder.got == ["press", "move", "cancel"]


def test_hovering_tells_what_is_under_the_mouse_and_shows_it(view: CanvasView) -> None:
    hits: list[Hit] = []
    view.hovered.connect(hits.append)
    port = view.graph_scene.nodes["dip"].port_scene_pos("in", "input")
    mouse.hover(view.viewport(), at(view, port))
    assert hits[-1].port == PortRef("dip", "in", "input")
    assert view.graph_scene.nodes["dip"].hovered
    assert view.viewport().cursor().shape() == Qt.CursorShape.CrossCursor
    wire = WireView("stop", "risk", "entry", "risk", 0)
    mouse.hover(view.viewport(), at(view, view.graph_scene.wires[wire].path().pointAtPercent(0.5)))
    assert view.graph_scene.wires[wire].hovered
    assert not view.graph_scene.nodes["dip"].hovered
    mouse.hover(view.viewport(), QPoint(2, 2))
    assert not view.graph_scene.wires[wire].hovered


def tooltip(view: CanvasView, pos: QPointF) -> str:
    place = at(view, pos)
    event = QHelpEvent(QEvent.Type.ToolTip, place, view.viewport().mapToGlobal(place))
    QApplication.sendEvent(view.viewport(), event)
    return QToolTip.text()


def test_tooltips_say_what_things_are(view: CanvasView) -> None:
    nodes = view.graph_scene.nodes
    port = tooltip(view, nodes["dip"].port_scene_pos("in", "input"))
    assert "<b>input</b> · Series" in port
    assert "Must be connected" not in port
    free = tooltip(view, nodes["entry"].port_scene_pos("in", "filters"))
    assert "Filters that hold back entries." in free
    whole = tooltip(view, nodes["dip"].pos() + QPointF(95, 40))
    assert "levels" in whole
    assert "15 · 65 · return" in whole
    wire = view.graph_scene.wires[WireView("size", "money", "entry", "money")]
    assert "size.money → entry.money" in tooltip(view, wire.path().pointAtPercent(0.5))


def test_a_badge_says_its_reason(view: CanvasView) -> None:
    view.graph_scene.set_badges({"dip": ("error", "Entry must be below <b>exit</b>.")})
    corner = view.graph_scene.nodes["dip"].pos() + QPointF(188, -2)
    assert "Entry must be below &lt;b&gt;exit&lt;/b&gt;." in tooltip(view, corner)
    view.graph_scene.set_badges({})
    assert view.graph_scene.tooltip_at(corner) == ""


def drop(view: CanvasView, mime: QMimeData) -> tuple[bool, QDropEvent]:
    actions, place = Qt.DropAction.CopyAction, QPointF(300, 200)
    enter = QDragEnterEvent(place.toPoint(), actions, mime, Qt.MouseButton.LeftButton, NONE)
    view.dragEnterEvent(enter)
    event = QDropEvent(place, actions, mime, Qt.MouseButton.LeftButton, NONE)
    event.setAccepted(enter.isAccepted())
    if enter.isAccepted():
        view.dropEvent(event)
    return enter.isAccepted(), event


def test_a_node_from_the_palette_goes_to_the_drop_handler(view: CanvasView) -> None:
    got: list[tuple[bytes, QPointF]] = []

    def take(event: QDropEvent, pos: QPointF) -> bool:
        got.append((bytes(event.mimeData().data(NODE_MIME).data()), pos))
        return True

    view.drop_handler = take
    mime = QMimeData()
    mime.setData(NODE_MIME, b'{"role": "risk", "use": "atr_stop"}')
    _, event = drop(view, mime)
    assert event.isAccepted()
    assert got == [(b'{"role": "risk", "use": "atr_stop"}', view.mapToScene(QPoint(300, 200)))]


def test_a_dropped_file_is_left_to_the_window(view: CanvasView) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl("file:///home/trader/a.yaml")])
    entered, event = drop(view, mime)
    assert not entered
    assert not event.isAccepted()


def darker_pixels(view: CanvasView) -> int:
    image = view.grab().toImage()
    rows = range(image.height() - 50, image.height() - 20)  # below the bars, which a new strategy has in the middle
    area = [image.pixelColor(x, y).lightness() for x in range(200, 700) for y in rows]
    return sum(value < 190 for value in area) if not current().dark else sum(value > 90 for value in area)


def test_an_empty_canvas_says_how_to_begin(view: CanvasView) -> None:
    view.graph_scene.set_graph(GraphView())
    view.fit()
    assert darker_pixels(view) > 200
    view.graph_scene.set_graph(graph(bars(-9000, 0)))
    assert darker_pixels(view) > 200
    far_away = graph(bars(-9000, 0), *(one for one in pullback().nodes.values() if one.id == "rsi"))
    view.graph_scene.set_graph(far_away)
    view.centre_on(QPointF(4000, 4000))
    assert darker_pixels(view) == 0


def test_the_grid_moves_with_the_canvas(view: CanvasView) -> None:
    view.set_zoom(1.0)
    view.centre_on(QPointF(4000, 4000))
    view.settle()
    dot = at(view, QPointF(4000, 4000))
    assert view.grab().toImage().pixelColor(dot).name() == current().canvas_dot
    view.scroll_by(7, 3)
    image = view.grab().toImage()
    assert image.pixelColor(dot - QPoint(7, 3)).name() == current().canvas_dot
    assert image.pixelColor(dot).name() == current().canvas


def test_the_view_is_sharp_again_soon_after_a_zoom(qtbot: QtBot, view: CanvasView) -> None:
    view.set_zoom(0.8)
    assert not view.is_settled()
    qtbot.waitUntil(view.is_settled, timeout=60_000)
    waited = view.grab().toImage()
    view.settle()
    assert waited == view.grab().toImage()


def test_a_large_graph_is_sharp_after_a_few_frames(qtbot: QtBot, qapp: QApplication) -> None:
    apply(qapp, "dark")
    scene = GraphScene()
    view = CanvasView(scene)
    qtbot.addWidget(view)
    view.resize(900, 600)
    with qtbot.waitExposed(view):
        view.show()
    scene.set_graph(large(120))
    view.fit()
    view.zoom_by(2.0)
    qtbot.waitUntil(view.is_settled, timeout=60_000)
    seen = [item for item in scene.nodes.values() if view.visible_rect().intersects(item.body())]
    assert len(seen) > 20
    assert not any(item.is_blurred(view.zoom * view.devicePixelRatioF()) for item in seen)


def test_reveal_brings_a_node_into_sight(view: CanvasView) -> None:
    view.set_zoom(1.0)
    view.centre_on(QPointF(5000, 5000))
    view.reveal("size")
    assert view.visible_rect().contains(view.graph_scene.nodes["size"].body())


@pytest.fixture
def minimap(qtbot: QtBot, view: CanvasView) -> Minimap:
    minimap = Minimap(view)
    minimap.show()
    qtbot.waitUntil(lambda: view.is_settled() and minimap.isVisible())
    return minimap


def test_the_minimap_shows_every_node_in_its_familys_colour(view: CanvasView, minimap: Minimap) -> None:
    image = minimap.grab().toImage()
    for node_id, family in (("rsi", "indicators"), ("stop", "risk"), ("entry", "execution")):
        place = minimap.from_scene(view.graph_scene.nodes[node_id].body()).center().toPoint()
        assert image.pixelColor(place).name() == current().family(family)


def test_a_click_on_the_minimap_goes_there_and_a_drag_follows(view: CanvasView, minimap: Minimap) -> None:
    view.set_zoom(2.0)
    view.centre_on(QPointF(4000, 4000))
    size = view.graph_scene.nodes["size"].body().center()
    place = minimap.from_scene(QRectF(size, size)).center().toPoint()
    mouse.press(minimap, place)
    assert view.visible_rect().contains(size)
    mouse.move(minimap, place - QPoint(20, 0))
    moved = view.visible_rect().center().x()
    assert moved < size.x() - 20
    mouse.release(minimap, place)


def test_the_minimap_hides_on_a_small_view_on_an_empty_graph_and_when_turned_off(
    qtbot: QtBot, view: CanvasView, minimap: Minimap
) -> None:
    minimap.set_on(False)
    qtbot.waitUntil(minimap.isHidden)
    minimap.set_on(True)
    qtbot.waitUntil(minimap.isVisible)
    view.resize(400, 300)
    qtbot.waitUntil(minimap.isHidden)
    view.resize(900, 600)
    qtbot.waitUntil(minimap.isVisible)
    assert minimap.geometry().right() < view.width()
    view.graph_scene.set_graph(GraphView())
    qtbot.waitUntil(minimap.isHidden)


def test_the_minimap_gives_way_where_the_whole_graph_is_in_sight_beneath_it(
    qtbot: QtBot, view: CanvasView, minimap: Minimap
) -> None:
    corner = view.mapToScene(minimap.geometry().center())
    view.graph_scene.nodes["size"].setPos(corner - QPointF(60, 40))
    qtbot.waitUntil(minimap.isHidden)
    view.zoom_by(3.0)
    qtbot.waitUntil(minimap.isVisible)


def test_the_minimap_follows_a_moved_node(qtbot: QtBot, view: CanvasView, minimap: Minimap) -> None:
    before = minimap.grab().toImage()
    view.graph_scene.nodes["size"].setPos(900, 900)
    qtbot.waitUntil(lambda: minimap.grab().toImage() != before)


def test_the_invitation_leaves_nothing_behind_once_there_are_nodes(view: CanvasView, qtbot: QtBot) -> None:
    scene = view.graph_scene
    view.settle()
    painted: list[QRect] = []
    original = CanvasView.paintEvent

    def note(self: CanvasView, event: QPaintEvent) -> None:
        painted.append(event.region().boundingRect())
        original(self, event)

    CanvasView.paintEvent = note  # type: ignore[method-assign]
    try:
        scene.set_graph(graph(bars()))
        qtbot.waitUntil(lambda: view.viewport().rect() in painted)
        painted.clear()
        scene.set_graph(pullback())
        qtbot.waitUntil(lambda: view.viewport().rect() in painted)
    finally:
        CanvasView.paintEvent = original  # type: ignore[method-assign]
