"""The inspector, used by mouse and keyboard, and the resulting file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.edits import RenameNode, SetField, SetValues
from quantcrafter.app.inspector.editors import (
    ChoiceEditor,
    ChoicesEditor,
    NumberEditor,
    PathEditor,
    ReferenceEditor,
    ReferencesEditor,
)
from quantcrafter.app.inspector.header import NodeHeader
from quantcrafter.app.inspector.inspector import Inspector
from quantcrafter.app.inspector.instrument_pages import InstrumentsPage, StrategyPage
from quantcrafter.app.inspector.pages import NodesPage
from quantcrafter.app.inspector.row import FieldRow
from quantcrafter.app.theme import apply
from quantcrafter.engine.api import Role
from tests.support.open_documents import PULLBACK, WITH_BLOCK, open_document

NARROW = 276
"""The inspector's share of a 1280 pixel window, without the scroll bar."""


def show(qtbot: QtBot, document: Document, *ids: str, scope: tuple[str, ...] = ()) -> Inspector:
    inspector = Inspector(document)
    qtbot.addWidget(inspector)
    inspector.resize(320, 680)
    inspector.set_selection(ids, scope)
    inspector.show()
    qtbot.waitExposed(inspector)
    inspector.activateWindow()
    qtbot.waitUntil(inspector.isActiveWindow)
    return inspector


def row(inspector: Inspector, *path: str) -> FieldRow:
    assert inspector.page is not None
    for view in inspector.page.views:
        if path in view.rows:
            view.focus(path)
            return view.rows[path]
    raise KeyError(path)


def line(inspector: Inspector, *path: str) -> QLineEdit:
    return row(inspector, *path).editor.line  # type: ignore[attr-defined, no-any-return]


def retype(widget: QLineEdit, text: str, *, enter: bool = True) -> None:
    widget.setFocus()
    widget.selectAll()
    QTest.keyClicks(widget, text)
    if enter:
        QTest.keyClick(widget, Qt.Key.Key_Return)


def test_a_number_typed_changes_the_file_and_nothing_else(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "rsi")
    retype(line(inspector, "timeperiod"), "14")
    assert document.text == PULLBACK.replace("timeperiod: 2}", "timeperiod: 14}")
    assert document.undo_label == "Set timeperiod"
    document.undo()
    assert document.text == PULLBACK
    qtbot.waitUntil(lambda: line(inspector, "timeperiod").text() == "2")


def test_arrow_keys_step_and_are_one_undo_step(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "rsi")
    editor = row(inspector, "timeperiod").editor
    assert isinstance(editor, NumberEditor)
    for _ in range(3):
        QTest.keyClick(editor.spin, Qt.Key.Key_Up)
    assert editor.line.text() == "5"
    qtbot.waitUntil(lambda: "timeperiod: 5}" in document.text)
    document.undo()
    assert document.text == PULLBACK


def test_a_bad_value_is_marked_with_the_reason_kept_and_not_written(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "rsi")
    retype(line(inspector, "timeperiod"), "1")
    bad = row(inspector, "timeperiod")
    assert document.text == PULLBACK
    assert (bad.severity, bad.reason.text(), bad.reason.isVisible()) == ("error", "Allowed: 2 to 100000.", True)
    assert bad.reset.isVisible()

    document.do(SetValues("stop", {"percent": 8}), label="Set")
    inspector.refresh()
    assert line(inspector, "timeperiod").text() == "1"
    assert bad.severity == "error"

    QTest.mouseClick(bad.reset, Qt.MouseButton.LeftButton)
    assert line(inspector, "timeperiod").text() == "2"
    assert bad.severity == ""
    assert not bad.reason.isVisible()


def test_words_in_a_number_say_so(qtbot: QtBot) -> None:
    inspector = show(qtbot, open_document(), "stop")
    retype(line(inspector, "percent"), "ten")
    assert row(inspector, "percent").reason.text() == "This must be a number."


def test_escape_takes_back_what_was_typed(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "rsi")
    retype(line(inspector, "timeperiod"), "99", enter=False)
    QTest.keyClick(line(inspector, "timeperiod"), Qt.Key.Key_Escape)
    assert line(inspector, "timeperiod").text() == "2"
    assert document.text == PULLBACK


def test_leaving_for_another_node_takes_over_what_was_typed(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "rsi")
    retype(line(inspector, "timeperiod"), "7", enter=False)
    inspector.set_selection(("dip",))
    assert "timeperiod: 7}" in document.text


def test_reset_takes_a_changed_value_out_of_the_file(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "rsi")
    changed = row(inspector, "timeperiod")
    assert changed.label.font().bold()
    QTest.mouseClick(changed.reset, Qt.MouseButton.LeftButton)
    assert "rsi: {use: ta.RSI, input: bars.close}" in document.text
    fresh = row(inspector, "timeperiod")
    assert line(inspector, "timeperiod").text() == "14"
    assert not fresh.label.font().bold()
    assert not fresh.reset.isVisible()


def test_a_choice_is_picked_by_keyboard(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "dip")
    editor = row(inspector, "mode").editor
    assert isinstance(editor, ChoiceEditor)
    assert [editor.combo.itemText(i) for i in range(editor.combo.count())] == ["cross", "return", "inside"]
    QTest.keyClick(editor.combo, Qt.Key.Key_Down)
    assert "mode: return" in document.text


def test_days_are_ticked(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "days")
    editor = row(inspector, "days").editor
    assert isinstance(editor, ChoicesEditor)
    assert [day for day, box in editor.boxes.items() if box.isChecked()] == ["mon", "tue"]
    QTest.keyClick(editor.boxes["fri"], Qt.Key.Key_Space)
    assert "days: [mon, tue, fri]" in document.text
    for day in ("mon", "tue", "fri"):
        QTest.keyClick(editor.boxes[day], Qt.Key.Key_Space)
    assert "days: [fri]" in document.text, "the last day cannot be taken away"
    assert row(inspector, "days").reason.text() == "A value is required."


def offered(combo: Any) -> list[str]:
    combo.fill()
    return [combo.itemText(index) for index in range(combo.count())]


def test_a_picker_offers_only_what_fits(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "rsi")
    editor = row(inspector, "input").editor
    assert isinstance(editor, ReferenceEditor)
    assert offered(editor.combo) == [
        "bars.open", "bars.high", "bars.low", "bars.close", "bars.volume", "average",
    ], "bars are no series, and rsi would read itself"  # fmt: skip
    inspector.set_selection(("entry",))
    money = row(inspector, "money").editor
    assert isinstance(money, ReferenceEditor)
    assert offered(money.combo) == ["size"]


def test_an_input_is_rewired_typed_as_a_number_and_refused(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "dip")
    retype(line(inspector, "input"), "average")
    assert "dip: {use: levels, input: average," in document.text
    retype(line(inspector, "input"), "50")
    assert "dip: {use: levels, input: 50," in document.text
    retype(line(inspector, "input"), "uptrend")
    assert row(inspector, "input").severity == "error"
    assert "input: 50," in document.text
    retype(line(inspector, "input"), "nowhere")
    assert row(inspector, "input").reason.text()


def button_in(widget: QWidget, name: str) -> QToolButton:
    found: list[QToolButton] = list(widget.findChildren(QToolButton))
    return next(button for button in found if button.accessibleName() == name)


def test_wires_of_a_list_are_added_moved_and_taken_off(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "entry")
    editor = row(inspector, "risk").editor
    assert isinstance(editor, ReferencesEditor)
    QTest.mouseClick(button_in(editor.rows[0], "Move down"), Qt.MouseButton.LeftButton)
    assert "risk: [target, stop]" in document.text
    QTest.mouseClick(button_in(editor.rows[0], "Remove this wire"), Qt.MouseButton.LeftButton)
    assert "risk: [stop]" in document.text
    assert offered(editor.add) == ["target"]
    editor.add.setCurrentIndex(0)
    editor.add.activated.emit(0)
    assert "risk: [stop, target]" in document.text


def test_several_nodes_show_what_they_share_and_change_together(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "stop", "target")
    shown = line(inspector, "percent")
    assert (shown.text(), shown.placeholderText()) == ("", "(multiple values)")
    retype(shown, "8")
    assert "percent_stop, percent: 8}" in document.text
    assert "percent_target, percent: 8}" in document.text
    document.undo()
    assert document.text == PULLBACK


def test_a_node_is_renamed_with_its_wires_and_a_taken_name_is_refused(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "rsi")
    header = inspector.header
    assert isinstance(header, NodeHeader)
    retype(header.name, "average")
    assert header.reason.isVisible()
    assert "already" in header.reason.text()
    assert document.text == PULLBACK
    with qtbot.waitSignal(inspector.renamed) as signal:
        retype(header.name, "strength")
    assert signal.args == ["rsi", "strength"]
    assert "strength: {use: ta.RSI" in document.text
    assert "input: strength" in document.text
    assert inspector.ids == ("strength",)


def test_bypass_and_mute_are_two_switches(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "uptrend")
    header = inspector.header
    assert isinstance(header, NodeHeader)
    QTest.mouseClick(header.mute, Qt.MouseButton.LeftButton)
    node = document.graph().nodes["uptrend"]
    assert (node.mute, node.bypass) == (True, False)
    QTest.mouseClick(header.mute, Qt.MouseButton.LeftButton)
    assert not document.graph().nodes["uptrend"].mute


def test_typing_is_not_disturbed_by_changes_elsewhere(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "rsi")
    typed = line(inspector, "timeperiod")
    retype(typed, "33", enter=False)
    typed.setCursorPosition(1)
    document.do(SetValues("average", {"timeperiod": 100}), label="elsewhere")
    inspector.refresh()
    editor = row(inspector, "timeperiod").editor
    assert isinstance(editor, NumberEditor)
    assert (typed.text(), typed.cursorPosition(), editor.is_typed_into()) == ("33", 1, True)
    QTest.keyClick(typed, Qt.Key.Key_Return)
    assert "timeperiod: 33}" in document.text


def test_a_change_from_elsewhere_is_shown(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "rsi")
    document.do(SetValues("rsi", {"timeperiod": 21}), label="elsewhere")
    qtbot.waitUntil(lambda: line(inspector, "timeperiod").text() == "21")
    document.do(RenameNode("rsi", "other"), label="Rename")
    qtbot.waitUntil(lambda: inspector.ids == ())


def test_the_heading_of_an_instrument_follows_a_change_made_elsewhere(qtbot: QtBot) -> None:
    document = open_document(PULLBACK)
    inspector = show(qtbot, document)
    assert isinstance(inspector.page, StrategyPage)
    card = inspector.page.cards[0]
    document.do(SetField(("instruments", 0, "symbol"), "MSFT"), label="Choose the data")
    qtbot.waitUntil(lambda: card.toggle is not None and card.toggle.text() == "MSFT")


def test_a_problem_of_the_file_is_told_at_its_field(qtbot: QtBot) -> None:
    document = open_document(PULLBACK.replace("average: average", "average: avrage"))
    inspector = show(qtbot, document, "uptrend")
    faulty = row(inspector, "average")
    assert faulty.severity == "error"
    assert "avrage" in faulty.reason.text()


def test_a_problem_of_the_node_as_a_whole_is_told_above_its_fields(qtbot: QtBot) -> None:
    document = open_document(PULLBACK.replace("filters: [uptrend, days]", "filters: [uptrend]"))
    inspector = show(qtbot, document, "days")
    assert isinstance(inspector.page, NodesPage)
    assert inspector.page.findings.isVisible()
    assert inspector.page.findings.text().startswith("Node 'days' has no effect")
    document.do(SetValues("entry", {"filters": ["uptrend", "days"]}), label="Wire")
    qtbot.waitUntil(lambda: isinstance(inspector.page, NodesPage) and not inspector.page.findings.isVisible())


def test_what_is_refused_stays_marked_until_another_node_is_selected_and_then_shows_what_is_used(qtbot: QtBot) -> None:
    inspector = show(qtbot, open_document(), "rsi")
    told: list[str] = []
    inspector.message.connect(told.append)
    retype(line(inspector, "timeperiod"), "1")
    assert row(inspector, "timeperiod").severity == "error"
    assert inspector.refused() == "Timeperiod was not accepted: Allowed: 2 to 100000."
    inspector.set_selection(("stop",))
    assert told == ["Timeperiod: '1' was not accepted and is not used."]
    inspector.set_selection(("rsi",))
    assert line(inspector, "timeperiod").text() == "2"
    assert row(inspector, "timeperiod").severity == ""
    assert inspector.refused() == ""


def test_what_is_refused_for_the_strategy_is_given_up_though_its_page_is_kept(qtbot: QtBot) -> None:
    inspector = show(qtbot, open_document())
    retype(line(inspector, "run", "cash"), "-5")
    inspector.set_selection(("rsi",))
    inspector.set_selection(())
    assert line(inspector, "run", "cash").text() == "100000"


def test_enter_in_the_box_of_a_number_takes_it_over(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "rsi")
    editor = row(inspector, "timeperiod").editor
    assert isinstance(editor, NumberEditor)
    editor.spin.selectAll()
    QTest.keyClicks(editor.spin, "44")
    QTest.keyClick(editor.spin, Qt.Key.Key_Return)
    assert "timeperiod: 44" in document.text


def test_help_is_a_tooltip_and_opens_below_the_field(qtbot: QtBot) -> None:
    inspector = show(qtbot, open_document(), "stop")
    percent = row(inspector, "percent")
    assert "Range: above 0, below 100." in percent.editor.toolTip()
    assert not percent.help.isVisible()
    QTest.mouseClick(percent.about, Qt.MouseButton.LeftButton)
    assert percent.help.isVisible()
    assert percent.editor.accessibleName() == "Percent, %"


def test_nothing_selected_shows_the_strategy(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document)
    assert isinstance(inspector.page, StrategyPage)
    retype(line(inspector, "name"), "Dips")
    assert "name: Dips\n" in document.text
    retype(line(inspector, "run", "commission", "percent"), "0.1")
    assert "commission: {percent: 0.1}" in document.text
    retype(line(inspector, "run", "slippage", "bps"), "2")
    assert "slippage: {bps: 2}" in document.text
    retype(line(inspector, "run", "cash"), "-5")
    assert row(inspector, "run", "cash").reason.text() == "Allowed: above 0."
    assert "cash: 100000" in document.text


def test_instruments_are_added_changed_and_removed(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "bars")
    page = inspector.page
    assert isinstance(page, InstrumentsPage)
    QTest.mouseClick(page.add_button, Qt.MouseButton.LeftButton)
    listed = document.values["instruments"]
    assert [entry["symbol"] for entry in listed] == ["IBM", "AAPL"]
    page = inspector.page
    assert isinstance(page, InstrumentsPage)
    second = page.instruments[1].rows
    provider = second["data",].editor
    assert isinstance(provider, ChoiceEditor)
    provider.combo.setCurrentText("synthetic")
    provider.combo.activated.emit(provider.combo.currentIndex())
    page = inspector.page
    assert isinstance(page, InstrumentsPage)
    seed = page.instruments[1].rows["seed",].editor
    assert isinstance(seed, NumberEditor)
    retype(seed.line, "7")
    assert document.values["instruments"][1] == {"symbol": "AAPL", "data": "synthetic", "timeframe": "1d", "seed": 7}


def test_a_block_shows_its_inputs_and_exposed_parameters(qtbot: QtBot) -> None:
    document = open_document(WITH_BLOCK)
    inspector = show(qtbot, document, "trend")
    assert line(inspector, "period").text() == "20"
    retype(line(inspector, "period"), "0")
    assert row(inspector, "period").reason.text() == "Allowed: 1 to 100000."
    retype(line(inspector, "period"), "25")
    assert "trend: {use: gate, period: 25}" in document.text
    assert line(inspector, "price").text() == ""
    retype(line(inspector, "price"), "bars.high")
    assert document.graph().nodes["trend"].values["price"] == "bars.high"


def test_the_inside_of_a_block_is_edited_too(qtbot: QtBot) -> None:
    document = open_document(WITH_BLOCK)
    inspector = show(qtbot, document, "average", scope=("blocks", "gate"))
    retype(line(inspector, "timeperiod"), "31")
    assert "average: {use: ta.EMA, input: price, timeperiod: 31}" in document.text


def test_a_placeholder_shows_its_values_and_says_why_it_is_one(qtbot: QtBot) -> None:
    inspector = show(qtbot, open_document(WITH_BLOCK), "strange")
    labels: list[QLabel] = list(inspector.findChildren(QLabel))
    texts = [label.text() for label in labels]
    assert any("not installed" in text for text in texts)
    assert {"length", "7"} <= set(texts)
    assert inspector.page is not None
    assert not inspector.page.views


def test_a_file_below_the_strategys_folder_is_written_relative(qtbot: QtBot, tmp_path: Path) -> None:
    text = PULLBACK.replace("days: {use: weekdays, days: [mon, tue]}", "days: {use: event_calendar}")
    document = open_document(text)
    document.path = tmp_path / "strategy.yaml"
    inspector = show(qtbot, document, "days")
    editor = row(inspector, "path").editor
    assert isinstance(editor, PathEditor)
    editor.take(tmp_path / "data" / "fomc.csv")
    assert document.graph().nodes["days"].values["path"] == "data/fomc.csv"
    retype(line(inspector, "before"), "an hour")
    assert "30m" in row(inspector, "before").reason.text()


def test_every_form_fits_into_a_narrow_pane_and_can_be_heard(qtbot: QtBot, qapp: QApplication) -> None:
    apply(qapp, "light")
    document = open_document()
    lines = [
        f"  n{number}: {{use: {name}}}" for number, name in enumerate(document.catalog.component_names(Role.FILTER))
    ] + ["logic:", "  c: {use: compare}", "  r: {use: rank}", "risk:", "  s: {use: atr_stop}"]
    text = PULLBACK[: PULLBACK.index("indicators:")] + "filters:\n" + "\n".join(lines) + "\n"
    text += "indicators:\n  m: {use: ta.MACDEXT}\nexecution:\n  e: {use: market, signals: [a, b], risk: [s]}\n"
    document = open_document(text)
    inspector = show(qtbot, document)
    for node in (*document.graph().nodes, ""):
        inspector.set_selection((node,) if node else ())
        assert inspector.page is not None
        assert inspector.page.minimumSizeHint().width() <= NARROW, node
        for view in inspector.page.views:
            assert all(entry.editor.accessibleDescription() for entry in view.rows.values())


def test_the_wheel_does_not_change_a_value_in_passing(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "dip")
    combos: list[QComboBox] = list(inspector.findChildren(QComboBox))
    assert combos
    assert all(combo.focusPolicy() is Qt.FocusPolicy.StrongFocus for combo in combos)


def test_a_closed_inspector_lets_the_document_go(qtbot: QtBot) -> None:
    document = open_document()
    inspector = show(qtbot, document, "rsi")
    inspector.close()
    document.do(SetValues("rsi", {"timeperiod": 5}), label="later")
    QTest.qWait(100)
    assert line(inspector, "timeperiod").text() == "2"
