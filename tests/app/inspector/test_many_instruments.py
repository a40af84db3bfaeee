"""A strategy with hundreds of instruments: its settings open at once, and each instrument can be found and changed."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from quantcrafter.app.document.document import Document
from quantcrafter.app.inspector.editors import NumberEditor
from quantcrafter.app.inspector.inspector import Inspector
from quantcrafter.app.inspector.instrument_list import InstrumentList
from quantcrafter.app.inspector.instrument_pages import MOST_CARDS, InstrumentsPage
from quantcrafter.app.inspector.row import FieldRow
from tests.support.open_documents import PULLBACK, open_document

MANY = 500
MOST_WIDGETS = 1_500
"""What one form, the run settings and a list of instruments are made of; a form for each would be 30,000."""


def document_with(count: int) -> Document:
    head, rest = PULLBACK.split("instruments:\n", 1)
    after = rest.split("\n", 1)[1]
    rows = [f"  - {{symbol: S{n}, data: synthetic, bars: 100, seed: {n}, timeframe: 1d}}" for n in range(count)]
    return open_document("\n".join([f"{head}instruments:", *rows, after]))


def page_of(inspector: Inspector) -> InstrumentsPage:
    assert isinstance(inspector.page, InstrumentsPage)
    return inspector.page


def list_of(inspector: Inspector) -> InstrumentList:
    listed = page_of(inspector).listed
    assert listed is not None
    return listed


def show(qtbot: QtBot, document: Document) -> Inspector:
    inspector = Inspector(document)
    qtbot.addWidget(inspector)
    inspector.resize(320, 680)
    inspector.show()
    qtbot.waitExposed(inspector)
    return inspector


def seed_row(inspector: Inspector, place: int) -> FieldRow:
    return page_of(inspector).instruments[place].rows["seed",]


def set_seed(inspector: Inspector, place: int, text: str) -> None:
    editor = seed_row(inspector, place).editor
    assert isinstance(editor, NumberEditor)
    editor.line.setFocus()
    editor.line.selectAll()
    QTest.keyClicks(editor.line, text)
    QTest.keyClick(editor.line, Qt.Key.Key_Return)


def test_five_hundred_instruments_make_one_form_not_five_hundred(qtbot: QtBot) -> None:
    inspector = show(qtbot, document_with(MANY))
    assert list_of(inspector).rows.rowCount() == MANY
    assert list(page_of(inspector).instruments) == [0]
    children: list[QWidget] = list(inspector.findChildren(QWidget))
    assert len(children) < MOST_WIDGETS


@pytest.mark.parametrize("count", [3, MOST_CARDS])
def test_a_folded_instrument_has_no_form_until_it_is_unfolded(qtbot: QtBot, count: int) -> None:
    page = page_of(show(qtbot, document_with(count)))
    assert page.listed is None
    assert list(page.cards) == list(range(count))
    assert not page.instruments
    page.cards[2].open()
    assert list(page.instruments) == [2]
    assert page.instruments[2].isVisible()


def test_the_instrument_that_is_searched_for_is_changed_and_no_other(qtbot: QtBot) -> None:
    document = document_with(MANY)
    inspector = show(qtbot, document)
    before = document.text
    QTest.keyClicks(list_of(inspector).search, "s321")
    assert list_of(inspector).current == 321
    assert list_of(inspector).count.text() == f"1 of {MANY}"
    set_seed(inspector, 321, "77")
    assert document.text == before.replace("seed: 321,", "seed: 77,")
    assert list_of(inspector).current == 321


def test_what_is_typed_for_an_instrument_is_taken_over_when_another_is_chosen(qtbot: QtBot) -> None:
    document = document_with(MANY)
    inspector = show(qtbot, document)
    list_of(inspector).choose(10)
    editor = seed_row(inspector, 10).editor
    assert isinstance(editor, NumberEditor)
    editor.line.setFocus()
    editor.line.selectAll()
    QTest.keyClicks(editor.line, "9001")
    list_of(inspector).choose(11)
    assert document.values["instruments"][10]["seed"] == 9001
    assert document.values["instruments"][11]["seed"] == 11


def test_an_instrument_is_added_to_many_and_removed_again(qtbot: QtBot) -> None:
    document = document_with(MANY)
    inspector = show(qtbot, document)
    list_of(inspector).search.setText("S7")
    page_of(inspector).add_button.click()
    assert len(document.values["instruments"]) == MANY + 1
    assert list_of(inspector).current == MANY
    page_of(inspector).cards[MANY].remove_button.click()
    assert len(document.values["instruments"]) == MANY
    assert list_of(inspector).current == MANY - 1
    document.undo()
    inspector.refresh()
    assert list_of(inspector).rows.rowCount() == MANY + 1


def test_an_instrument_with_a_fault_is_marked_in_the_list(qtbot: QtBot) -> None:
    document = document_with(20)
    inspector = show(qtbot, document)
    rows = list_of(inspector).rows
    document.set_text(document.text.replace("seed: 7,", "seed: none,"))
    inspector.refresh()
    marked = [row for row in range(20) if rows.data(rows.index(row), Qt.ItemDataRole.DecorationRole) is not None]
    assert marked == [7]


def test_the_list_gives_way_to_cards_and_comes_back(qtbot: QtBot) -> None:
    document = document_with(MOST_CARDS + 1)
    inspector = show(qtbot, document)
    page_of(inspector).cards[0].remove_button.click()
    assert page_of(inspector).listed is None
    assert len(page_of(inspector).cards) == MOST_CARDS
    document.undo()
    inspector.refresh()
    assert page_of(inspector).listed is not None
