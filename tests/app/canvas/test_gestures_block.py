from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from quantcrafter.app.document.document import Document
from tests.support import mouse
from tests.support.actions import make_canvas
from tests.support.canvas import STRATEGY, CanvasEditor, registry

BLOCK_FILE = """\
quantcrafter: 1
inputs:
  price: {type: series, default: bars.close}
outputs: {up: above}
indicators:
  ema: {use: ta.EMA, input: price, timeperiod: 50}
logic:
  above: {use: compare, left: price, op: ">", right: ema}
"""


@pytest.fixture
def canvas_editor(qtbot: QtBot) -> Iterator[CanvasEditor]:
    made = CanvasEditor(qtbot)
    yield made
    made.canvas.close()


def grouped(canvas_editor: CanvasEditor) -> CanvasEditor:
    canvas_editor.canvas.select(("fast", "slow", "cross"))
    canvas_editor.canvas.group_into_block("averages")
    return canvas_editor


def test_grouping_asks_for_a_name_in_place(canvas_editor: CanvasEditor) -> None:
    canvas_editor.canvas.select(("fast", "slow", "cross"))
    mouse.key(canvas_editor.canvas.view, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    editor = canvas_editor.canvas.naming.name_editor
    assert editor.isVisible()
    mouse.type_text(editor, "two words")
    mouse.key(editor, Qt.Key.Key_Return)
    assert "letters" in editor.toolTip()
    editor.clear()
    mouse.type_text(editor, "averages")
    mouse.key(editor, Qt.Key.Key_Return)
    assert "blocks:" in canvas_editor.text
    assert "fast" not in canvas_editor.canvas.graph.nodes
    (use,) = canvas_editor.canvas.context.selection.nodes
    assert canvas_editor.canvas.graph.nodes[use].use == "averages"
    assert canvas_editor.undo_gives_back()


def test_a_block_cannot_take_the_name_of_a_component(canvas_editor: CanvasEditor) -> None:
    canvas_editor.canvas.select(("fast", "slow"))
    canvas_editor.canvas.group_into_block("crossover")
    assert canvas_editor.messages == ["A component named 'crossover' already exists. Choose another name."]
    assert canvas_editor.text == canvas_editor.before


def test_a_double_click_opens_a_block_and_the_breadcrumb_leads_back(canvas_editor: CanvasEditor) -> None:
    canvas = grouped(canvas_editor).canvas
    (use,) = canvas.context.selection.nodes
    scopes: list[object] = []
    canvas.scope_changed.connect(scopes.append)
    mouse.double_click(canvas_editor.viewport, canvas_editor.title(use))
    assert scopes == [("blocks", "averages")]
    assert {"fast", "slow", "cross"} <= set(canvas.scene.nodes)
    assert canvas.breadcrumbs.isVisible()
    assert canvas.breadcrumbs.place.text() == "averages"
    mouse.click(canvas.breadcrumbs.button, canvas.breadcrumbs.button.rect().center())
    assert scopes == [("blocks", "averages"), ()]
    assert not canvas.breadcrumbs.isVisible()
    assert canvas.context.selection.nodes == (use,)


def test_what_is_done_inside_a_block_changes_the_block(canvas_editor: CanvasEditor) -> None:
    canvas = grouped(canvas_editor).canvas
    canvas.open_block()
    before = canvas_editor.text
    canvas.select(("cross",))
    mouse.key(canvas.view, Qt.Key.Key_M)
    assert canvas.graph.nodes["cross"].mute
    assert canvas_editor.undo_gives_back(before)


def test_undoing_the_grouping_while_inside_leads_back_to_the_strategy(canvas_editor: CanvasEditor) -> None:
    canvas = grouped(canvas_editor).canvas
    canvas.open_block()
    assert canvas_editor.undo_gives_back()
    assert canvas.scope == ()
    assert "fast" in canvas.scene.nodes
    assert not canvas.breadcrumbs.isVisible()


def test_a_block_can_be_added_from_quick_add(canvas_editor: CanvasEditor) -> None:
    canvas = grouped(canvas_editor).canvas
    before = canvas_editor.text
    mouse.key(canvas.view, Qt.Key.Key_Tab)
    popup = canvas.quick_add_controller.popup
    mouse.type_text(popup.search, "averages")
    assert popup.model.offers[0].use == "averages"
    mouse.key(popup.search, Qt.Key.Key_Return)
    (added,) = canvas.context.selection.nodes
    assert canvas.graph.nodes[added].block
    assert canvas_editor.undo_gives_back(before)


def test_a_block_file_is_shown_and_cannot_be_changed(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "gate.yaml").write_text(BLOCK_FILE, encoding="utf-8")
    path = tmp_path / "strategy.yaml"
    text = STRATEGY.replace("\nadvisors:", "\nlogic:\n  gate: {use: gate.yaml}\n\nadvisors:")
    path.write_text(text, encoding="utf-8")
    document = Document.open(path, registry())
    canvas = make_canvas(document)
    qtbot.addWidget(canvas)
    messages: list[str] = []
    canvas.message.connect(messages.append)
    canvas.show()
    canvas.open_block("gate")
    assert {"ema", "above", "price"} <= set(canvas.scene.nodes)
    assert any(wire.source == "ema" and wire.target == "above" for wire in canvas.graph.wires)
    assert messages == ["'gate.yaml' is in a separate file. Open that file to change it."]
    canvas.select(("ema",))
    mouse.key(canvas.view, Qt.Key.Key_Delete)
    mouse.key(canvas.view, Qt.Key.Key_F2)
    mouse.key(canvas.view, Qt.Key.Key_Tab)
    assert document.text == text
    assert len(messages) == 4
    canvas.close_block()
    assert "gate" in canvas.scene.nodes
    canvas.close()
