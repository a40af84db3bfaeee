"""The data pane and its dialogs on the real store and the real data process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from quantcrafter.app.data.fill_dialog import FillDialog
from quantcrafter.app.data.import_dialog import ImportDialog
from quantcrafter.app.data.look_dialog import LookDialog
from quantcrafter.app.data.pane import DataPane
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.engine.data.store import BarStore
from quantcrafter.engine.data.store.bar_files import ImportOptions, import_file
from tests.support.bar_store import workdays, write_csv
from tests.support.children import children
from tests.support.data_controller import click_row, drop_files, rows_of, seen, texts, until, using, write
from tests.support.desktop import copy_example, open_window, tab_of
from tests.support.modal import answering, choosing


@pytest.fixture
def desktop(qtbot: QtBot, tmp_path: Path) -> Iterator[Desktop]:
    with open_window(qtbot, copy_example("golden_cross", tmp_path)) as made:
        yield made


@pytest.fixture
def pane(qtbot: QtBot, desktop: Desktop) -> DataPane:
    made = desktop.store.pane
    qtbot.addWidget(made)
    made.resize(900, 260)
    with qtbot.waitExposed(made):
        made.show()
    return made


def press(button: object) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)  # type: ignore[call-overload]


def keep(tmp_path: Path, name: str, skip: range = range(0)) -> Path:
    """Put 60 days under a symbol into the store, some of them left out; return the file that has them all."""
    holes = write_csv(tmp_path / f"{name}.csv", workdays("2024-01-02", 60, skip))
    import_file(BarStore(), str(holes), (name,), ImportOptions())
    return write_csv(tmp_path / f"{name}_whole.csv", workdays("2024-01-02", 60))


def test_the_data_process_is_not_started_before_data_are_looked_at(qtbot: QtBot, desktop: Desktop) -> None:
    qtbot.wait(500)

    assert desktop.data_engine.pid is None


def test_an_empty_store_says_how_to_begin(pane: DataPane) -> None:
    assert pane.nothing.isVisible()
    assert "Drop one or more CSV or Parquet files here" in pane.nothing.text.text()
    assert not pane.buttons["delete"].isEnabled()


def test_no_text_of_a_button_is_cut_in_a_narrow_pane(qtbot: QtBot, pane: DataPane, tmp_path: Path) -> None:
    keep(tmp_path, "SPY")
    pane.jobs.refresh()
    until(qtbot, lambda: len(pane.model.series) == 1)
    place = QWidget()  # as wide as it likes, like a dock
    qtbot.addWidget(place)
    place.resize(1500, 300)
    pane.setParent(place)
    pane.show()
    with qtbot.waitExposed(place):
        place.show()
    styles = {}
    for width in (1400, 752, 560):
        pane.resize(width, 200)
        qtbot.wait(50)
        for name, button in pane.buttons.items():
            assert button.width() >= button.sizeHint().width(), (width, name)
        assert pane.total.width() >= pane.total.sizeHint().width(), width
        styles[width] = [button.toolButtonStyle() for button in pane.buttons.values()]
    icon_alone = Qt.ToolButtonStyle.ToolButtonIconOnly
    assert [each.count(icon_alone) > 0 for each in styles.values()] == [False, True, True]
    assert styles[560].count(icon_alone) > styles[752].count(icon_alone)
    pane.setParent(None)


def test_dropped_files_are_looked_at_repaired_and_imported(qtbot: QtBot, pane: DataPane, tmp_path: Path) -> None:
    good = write_csv(tmp_path / "spy_1d.csv", workdays("2024-01-02", 60))
    bad = write_csv(tmp_path / "qqq.csv", [*workdays("2024-01-02", 20), "2024-01-30,0,0,0,0,1"])
    both = write_csv(
        tmp_path / "all.csv",
        [f"{line},{symbol}" for symbol in ("GE", "IBM") for line in workdays("2024-01-02", 5)],
        "Date,Open,High,Low,Close,Volume,Symbol",
    )
    none = write_csv(tmp_path / "my_notes.csv", ["1,2"], "a,b")

    def act(dialog: ImportDialog) -> None:
        until(qtbot, lambda: not any(file.waiting for file in dialog.files))
        listed = texts(dialog.list)
        assert [row[1] for row in listed] == ["SPY", "QQQ", "GE, IBM", ""]
        assert listed[0][2:5] == ["1d", "60", "2024-01-02 \N{EN DASH} 2024-03-25"]
        assert "No column for" in listed[3][5]
        assert dialog.ok_button.text() == "Import 2 of 4 files"
        item = dialog.list.topLevelItem(1)
        place = dialog.list.visualItemRect(item).center()
        QTest.mouseClick(dialog.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
        press(dialog.view.repair)
        assert texts(dialog.list)[1][5] == "Errors to repair: 1"
        form = dialog.forms.currentWidget()
        write(form, "symbol", "TQQQ")  # type: ignore[arg-type]
        until(qtbot, lambda: not dialog.files[1].waiting)
        press(dialog.ok_button)

    with using(ImportDialog, act):
        assert drop_files(pane, [str(path) for path in (good, bad, both, none)])
        until(qtbot, lambda: len(rows_of(pane)) == 4)

    assert rows_of(pane) == [("GE", "1d", "5"), ("IBM", "1d", "5"), ("SPY", "1d", "60"), ("TQQQ", "1d", "20")]
    assert [series.symbol for series in pane.selected] == ["GE", "IBM", "SPY", "TQQQ"]


def test_the_pane_is_a_dock_that_its_action_shows(qtbot: QtBot, desktop: Desktop) -> None:
    action = desktop.shell.actions.actions["data.pane"]
    if desktop.docks.is_shown("data"):
        action.trigger()
    action.trigger()

    pane = desktop.store.pane
    qtbot.waitUntil(pane.isVisible)
    assert desktop.docks.docks["data"].isAncestorOf(pane)


def test_bars_dropped_anywhere_on_the_window_are_looked_at(qtbot: QtBot, desktop: Desktop, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "spy.csv", workdays("2024-01-02", 5))
    names: list[str] = []

    def act(dialog: ImportDialog) -> None:
        names.extend(file.path.name for file in dialog.files)
        dialog.reject()

    with using(ImportDialog, act):
        assert drop_files(desktop.window, [str(path)])
        qtbot.waitUntil(lambda: names == ["spy.csv"])
    assert BarStore().list() == []


def test_other_files_are_not_taken(pane: DataPane, tmp_path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "strategy.yaml"))])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    event = QDragEnterEvent(QPoint(20, 20), copy, data, left, none)
    event.ignore()

    pane.dragEnterEvent(event)

    assert not event.isAccepted()


def test_gaps_are_filled_from_a_file(qtbot: QtBot, pane: DataPane, tmp_path: Path) -> None:
    whole = keep(tmp_path, "SPY", range(20, 30))
    until(qtbot, lambda: rows_of(pane) == [("SPY", "1d", "50")])
    assert pane.rows.index(0, 5).data() == "1 (10 bars)"

    def act(dialog: FillDialog) -> None:
        write(dialog.form, "path", str(whole))
        seen(qtbot, dialog.previewer)
        until(qtbot, lambda: bool(texts(dialog.gaps)))
        assert texts(dialog.gaps) == [["2024-01-30", "2024-02-13", "10"]]
        press(dialog.ok_button)

    click_row(pane, "SPY")
    with using(FillDialog, act):
        press(pane.buttons["fill"])
    until(qtbot, lambda: rows_of(pane) == [("SPY", "1d", "60")])
    assert not pane.buttons["fill"].isEnabled()


def test_bars_are_looked_at_exported_and_deleted_after_asking(qtbot: QtBot, pane: DataPane, tmp_path: Path) -> None:
    keep(tmp_path, "SPY")
    keep(tmp_path, "QQQ")
    until(qtbot, lambda: len(rows_of(pane)) == 2)
    click_row(pane, "SPY")

    def look(dialog: LookDialog) -> None:
        seen(qtbot, dialog.previewer)
        assert dialog.view.summary.text().startswith("<b>60 bars of 1d</b>")
        press(dialog.close_button)

    with using(LookDialog, look):
        QTest.keyClick(pane.table, Qt.Key.Key_Return)

    out = tmp_path / "out.csv"
    with answering(QFileDialog, choosing(out)):
        press(pane.buttons["export"])
    until(qtbot, out.exists)
    assert len(out.read_text(encoding="utf-8").splitlines()) == 61

    def refuse(box: QMessageBox) -> None:
        assert "Delete 60 bars of SPY 1d?" in box.text()
        QTest.keyClick(box, Qt.Key.Key_Return)  # the safe answer is the default

    def agree(box: QMessageBox) -> None:
        press(next(button for button in box.buttons() if button.text() == "Delete"))

    with using(QMessageBox, refuse):
        QTest.keyClick(pane.table, Qt.Key.Key_Delete)
    assert len(BarStore().list()) == 2
    with using(QMessageBox, agree):
        press(pane.buttons["delete"])
    until(qtbot, lambda: rows_of(pane) == [("QQQ", "1d", "60")])


def test_a_series_is_used_in_the_strategy_as_one_step(
    qtbot: QtBot, desktop: Desktop, pane: DataPane, tmp_path: Path
) -> None:
    keep(tmp_path, "SPY")
    until(qtbot, lambda: len(rows_of(pane)) == 1)
    document = tab_of(desktop).document
    before = document.text
    click_row(pane, "SPY")

    def choose(text: str) -> None:
        press(pane.buttons["use"])
        menu = next(menu for menu in children(desktop.window, QMenu) if menu.isVisible())
        action = next(action for action in menu.actions() if action.text().startswith(text))
        menu.setActiveAction(action)
        QTest.keyClick(menu, Qt.Key.Key_Return)

    choose("Replace ")
    assert document.values["instruments"] == [{**_first(before, desktop), "symbol": "SPY", "data": "store"}]
    document.undo()
    assert document.text == before
    choose("As a new")
    assert document.values["instruments"][1] == {"symbol": "SPY", "data": "store", "timeframe": "1d"}
    assert not document.problems


def _first(text: str, desktop: Desktop) -> dict[str, object]:
    from quantcrafter.app.document.document import Document

    first: dict[str, object] = Document(text, desktop.catalog).values["instruments"][0]
    return first


def test_what_another_program_imports_appears_by_itself(qtbot: QtBot, pane: DataPane, tmp_path: Path) -> None:
    keep(tmp_path, "SPY")
    until(qtbot, lambda: len(rows_of(pane)) == 1)
    pane.filter.setFocus()
    QTest.keyClicks(pane.filter, "q")
    assert rows_of(pane) == []
    pane.filter.clear()

    keep(tmp_path, "QQQ")

    until(qtbot, lambda: len(rows_of(pane)) == 2)


def test_an_import_can_be_cancelled(qtbot: QtBot, desktop: Desktop, pane: DataPane, tmp_path: Path) -> None:
    from quantcrafter.engine.runtime.compute_process.jobs.store import FileImport, StoreImportRequest

    files = tuple(
        FileImport(str(write_csv(tmp_path / f"s{number}.csv", workdays("2000-01-03", 500)))) for number in range(300)
    )
    desktop.store.start_import(StoreImportRequest(files))
    until(qtbot, lambda: pane.progress.isVisible() and pane.progress.bar.value() > 0)
    assert pane.progress.text.text() == "Importing 300 files"
    press(pane.progress.cancel)
    until(qtbot, lambda: not pane.progress.isVisible() and bool(rows_of(pane)))

    assert 0 < len(BarStore().list()) < 300
