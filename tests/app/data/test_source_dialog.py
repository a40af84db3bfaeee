"""The dialog of a data source, used by mouse and keyboard on the real data process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QDate, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDateEdit, QToolButton
from pytestqt.qtbot import QtBot

from quantcrafter.app.data.source_dialog import SourceDialog
from quantcrafter.app.window.desktop import Desktop
from tests.support.bar_store import workdays, write_csv
from tests.support.data_controller import pick, row_of, seen, texts, until, using, write
from tests.support.desktop import open_window, tab_of

TEXT = """\
quantcrafter: 1
name: Sources
instruments:
  - {symbol: AAPL, data: sample, timeframe: 1d}  # the only one
run: {cash: 1000}
"""


@pytest.fixture
def desktop(qtbot: QtBot, tmp_path: Path) -> Iterator[Desktop]:
    lines = workdays("2024-01-02", 60)
    lines[9] = "2024-01-15,0,0,0,0,1"
    write_csv(tmp_path / "spy.csv", lines)
    (tmp_path / "own.yaml").write_text(TEXT, encoding="utf-8")
    with open_window(qtbot, tmp_path / "own.yaml") as made:
        yield made


def press(button: object) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)  # type: ignore[call-overload]


def test_a_file_is_chosen_repaired_and_taken_over_as_one_step(qtbot: QtBot, desktop: Desktop) -> None:
    document = tab_of(desktop).document

    def act(dialog: SourceDialog) -> None:
        seen(qtbot, dialog.previewer)
        assert dialog.view.summary.text().startswith("<b>3,270 bars of 1d</b>")
        pick(dialog.form.provider, "csv")
        seen(qtbot, dialog.previewer)
        assert dialog.view.banner.text() == "Data provider 'csv': 'path' is needed."
        assert row_of(dialog.form, "path").severity == "error"
        write(dialog.form, "path", "spy.csv")
        write(dialog.form, "symbol", "SPY")
        seen(qtbot, dialog.previewer)
        assert dialog.view.repair.isVisible()
        assert ["11", "2024-01-15", "0.00  0.00  0.00  0.00  1", "removed"] in texts(dialog.view.findings)
        press(dialog.view.repair)
        seen(qtbot, dialog.previewer)
        assert "Dropped." in texts(dialog.view.findings)[1][0]
        assert [row[0] for row in texts(dialog.view.bars)][:2] == ["2024-01-02", "2024-01-03"]
        press(dialog.ok_button)

    with using(SourceDialog, act):
        desktop.shell.actions.actions["data.source"].trigger()

    wanted = "  - {symbol: SPY, data: csv, timeframe: 1d, path: spy.csv, on_bad_bars: repair}  # the only one\n"
    assert wanted in document.text
    undo = desktop.shell.actions.actions["edit.undo"]
    until(qtbot, undo.isEnabled)
    undo.trigger()
    assert document.text == TEXT


def test_the_period_is_chosen_within_what_the_data_have(qtbot: QtBot, desktop: Desktop) -> None:
    def act(dialog: SourceDialog) -> None:
        seen(qtbot, dialog.previewer)
        start = dialog.period.edits["start"]
        assert start.minimumDate() == QDate(2000, 3, 1)
        assert dialog.period.edits["end"].maximumDate() == QDate(2013, 3, 2)
        QTest.keyClick(dialog.period.boxes["start"], Qt.Key.Key_Space)
        start.setFocus()
        start.setSelectedSection(QDateEdit.Section.YearSection)
        QTest.keyClicks(start, "2010")
        assert dialog.view.line.period[0] == 1_267_401_600_000_000_000
        assert dialog.period.edits["end"].minimumDate() == QDate(2010, 3, 2)
        press(dialog.ok_button)

    with using(SourceDialog, act):
        press(_data_button(desktop))

    assert "run: {cash: 1000, start: '2010-03-01'}\n" in tab_of(desktop).document.text


def test_a_timeframe_that_the_source_has_not_is_marked_and_those_it_has_are_offered(
    qtbot: QtBot, desktop: Desktop
) -> None:
    def act(dialog: SourceDialog) -> None:
        write(dialog.form, "timeframe", "5m")
        seen(qtbot, dialog.previewer)
        row = row_of(dialog.form, "timeframe")
        assert row.severity == "error"
        assert row.field.suggestions == ("1d", "1w", "1mo", "3mo", "12mo")
        write(dialog.form, "timeframe", "1w")
        seen(qtbot, dialog.previewer)
        assert "made from 1d" in dialog.view.summary.text()
        press(dialog.cancel_button)

    with using(SourceDialog, act):
        desktop.shell.actions.actions["data.source"].trigger()

    assert tab_of(desktop).document.text == TEXT


def test_refused_text_keeps_the_dialog_open(qtbot: QtBot, desktop: Desktop) -> None:
    def act(dialog: SourceDialog) -> None:
        seen(qtbot, dialog.previewer)
        write(dialog.form, "tick_size", "-1")
        press(dialog.ok_button)
        assert dialog.isVisible()
        QTest.keyClick(dialog, Qt.Key.Key_Escape)

    with using(SourceDialog, act):
        desktop.shell.actions.actions["data.source"].trigger()

    assert tab_of(desktop).document.text == TEXT


def test_the_inspectors_calendar_knows_how_far_the_data_reach(qtbot: QtBot, desktop: Desktop) -> None:
    inspector = desktop.docks.inspector
    page = inspector.page
    assert page is not None
    row = next(view.rows[("run", "start")] for view in page.views if ("run", "start") in view.rows)
    button = row.editor.findChild(QToolButton)
    assert button is not None
    button.click()
    popup = row.editor.calendar
    until(qtbot, popup.about.isVisible)
    assert popup.days.minimumDate() == QDate(2000, 3, 1)
    popup.days.clicked.emit(QDate(2005, 6, 7))

    assert "start: '2005-06-07'" in tab_of(desktop).document.text


def _data_button(desktop: Desktop) -> QToolButton:
    page = desktop.docks.inspector.page
    button: QToolButton = page.cards[0].source_button  # type: ignore[union-attr]
    return button
