"""The import dialog: raw rows, columns picked by hand, and files that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from quantcrafter.app.data.draft import ZONES
from quantcrafter.app.data.import_dialog import ImportDialog
from quantcrafter.app.data.import_model import FURTHER, file_draft
from quantcrafter.app.data.pane import DataPane
from quantcrafter.app.data.series_model import SOURCE
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.engine.data.providers.glance import Glance
from quantcrafter.engine.plugins import load_registry
from tests.support.bar_store import workdays, write_csv
from tests.support.data_controller import drop_files, row_of, texts, until, using, write
from tests.support.desktop import copy_example, open_window

ROLES = (("Time", 0), ("Open price", 1), ("High", 2), ("Low", 3), ("Close price", 4), ("Volume", 5))


@pytest.fixture
def desktop(qtbot: QtBot, tmp_path: Path) -> Iterator[Desktop]:
    with open_window(qtbot, copy_example("golden_cross", tmp_path)) as made:
        yield made


@pytest.fixture
def pane(qtbot: QtBot, desktop: Desktop) -> DataPane:
    made = desktop.store.pane
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made


def choose(box: QComboBox, text: str) -> None:
    """Open the list by an arrow key, go to an entry and press Enter."""
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_Down)
    box.view().setCurrentIndex(box.model().index(box.findText(text), 0))
    QTest.keyClick(box.view(), Qt.Key.Key_Return)


def cells(dialog: ImportDialog, row: int) -> list[str]:
    items = (dialog.raw.item(row, column) for column in range(dialog.raw.columnCount()))
    return [item.text() if item is not None else "" for item in items]


def test_columns_are_picked_above_the_raw_rows_until_the_file_can_be_read(
    qtbot: QtBot, pane: DataPane, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "spy.csv", workdays("2024-01-02", 20), "When,P,Q,R,S,U")

    def act(dialog: ImportDialog) -> None:
        until(qtbot, lambda: not dialog.files[0].waiting)
        assert "No column for" in texts(dialog.list)[0][5]
        assert cells(dialog, 1) == ["When", "P", "Q", "R", "S", "U"]
        assert cells(dialog, 2)[0] == "2024-01-02"
        for text, column in ROLES:
            choose(dialog.raw.pickers[column], text)
            until(qtbot, lambda: not dialog.files[0].waiting)
        assert dialog.files[0].is_ready, dialog.files[0].state
        chosen = dialog.files[0].as_import().options["columns"]
        assert list(chosen) == ["time", "open", "high", "low", "close", "volume"]
        assert list(chosen.values()) == [1, 2, 3, 4, 5, 6]
        dialog.reject()

    with using(ImportDialog, act):
        drop_files(pane, [str(path)])


def test_a_dropped_file_that_cannot_be_read_says_so_and_stays_in_the_list(
    qtbot: QtBot, pane: DataPane, tmp_path: Path
) -> None:
    good = write_csv(tmp_path / "spy.csv", workdays("2024-01-02", 20))
    for name in ("book.xlsx", "picture.png", "AAPL_MSFT.csv"):
        (tmp_path / name).write_bytes(b"\x89PNG\x00\x01" if name != "AAPL_MSFT.csv" else good.read_bytes())

    def act(dialog: ImportDialog) -> None:
        until(qtbot, lambda: not any(file.waiting for file in dialog.files))
        states = {row[0]: row[5] for row in texts(dialog.list)}
        assert states["book.xlsx"].startswith("A workbook is not a text file")
        assert "not UTF-8 text" in states["picture.png"]
        assert states["AAPL_MSFT.csv"].startswith("Enter the symbol")
        assert states["spy.csv"].startswith("Ready")
        assert [file.is_ready for file in dialog.files] == [False, False, False, True]
        dialog.reject()

    with using(ImportDialog, act):
        names = ("book.xlsx", "picture.png", "AAPL_MSFT.csv", "spy.csv")
        assert drop_files(pane, [str(tmp_path / name) for name in names])


def test_time_zones_and_signs_are_picked_from_lists(qtbot: QtBot, pane: DataPane, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "spy.csv", workdays("2024-01-02", 20))

    def act(dialog: ImportDialog) -> None:
        until(qtbot, lambda: not dialog.files[0].waiting)
        form = dialog.forms.currentWidget()
        for name, offered in (("timezone", ZONES), ("separator", (";", "|")), ("decimal", (".", ","))):
            box = row_of(form, name).editor.findChild(QComboBox)  # type: ignore[arg-type]
            assert box is not None, name
            shown = {box.itemText(place) for place in range(box.count())}
            assert set(offered) <= shown, (name, shown)
        dialog.reject()

    with using(ImportDialog, act):
        drop_files(pane, [str(path)])


def test_the_market_that_is_picked_is_kept_with_the_bars_and_goes_into_the_strategy(
    qtbot: QtBot, desktop: Desktop, pane: DataPane, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "vod.csv", workdays("2024-01-02", 20))

    def act(dialog: ImportDialog) -> None:
        until(qtbot, lambda: not dialog.files[0].waiting)
        assert dialog.files[0].seen is not None
        assert dialog.files[0].seen.session.calendar == ""
        form = dialog.forms.currentWidget()
        box = row_of(form, "market").editor.findChild(QComboBox)  # type: ignore[arg-type]
        assert box is not None
        assert {"us_stocks", "forex", "us_futures"} <= {box.itemText(place) for place in range(box.count())}
        write(form, "market", "eu_stocks")
        until(qtbot, lambda: not dialog.files[0].waiting)
        assert dialog.files[0].seen.session.calendar == "XETR"
        dialog.accept()

    with using(ImportDialog, act):
        drop_files(pane, [str(path)])
    until(qtbot, lambda: bool(pane.model.series))
    (series,) = pane.model.series
    assert (series.symbol, series.market, series.session.timezone) == ("VOD", "eu_stocks", "Europe/Berlin")

    desktop.data_controller.use(series, 0)
    tab = desktop.tabs.current()
    assert tab is not None
    entry = tab.document.values["instruments"][0]
    assert (entry["symbol"], entry["data"], entry["market"]) == ("VOD", "store", "eu_stocks")


def test_a_market_that_there_is_not_is_told_at_its_field(qtbot: QtBot, pane: DataPane, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "vod.csv", workdays("2024-01-02", 20))

    def act(dialog: ImportDialog) -> None:
        until(qtbot, lambda: not dialog.files[0].waiting)
        write(dialog.forms.currentWidget(), "market", "moon_stocks")  # type: ignore[arg-type]
        until(qtbot, lambda: not dialog.files[0].waiting)
        assert "no market 'moon_stocks'" in texts(dialog.list)[0][5]
        assert not dialog.ok_button.isEnabled()
        assert cells(dialog, 2)[0] == "2024-01-02"
        dialog.reject()

    with using(ImportDialog, act):
        drop_files(pane, [str(path)])


def test_a_further_column_is_picked_shown_and_stored_and_goes_into_the_strategy(
    qtbot: QtBot, desktop: Desktop, pane: DataPane, tmp_path: Path
) -> None:
    lines = [f"{line},{n / 10},{n}" for n, line in enumerate(workdays("2024-01-02", 20))]
    path = write_csv(tmp_path / "vod.csv", lines, "Date,Open,High,Low,Close,Volume,My Model,Spread")

    def act(dialog: ImportDialog) -> None:
        until(qtbot, lambda: not dialog.files[0].waiting)
        assert [box.currentText() for box in dialog.raw.pickers[6:]] == ["\N{EN DASH}", "Spread"]
        choose(dialog.raw.pickers[6], "Further column")
        until(qtbot, lambda: not dialog.files[0].waiting)
        assert dialog.raw.pickers[6].currentText() == "Further column: my_model"
        head = dialog.view.bars.headerItem()
        assert [head.text(column) for column in range(6, 8)] == ["my_model", "spread"]
        first = dialog.view.bars.topLevelItem(1)
        assert first is not None
        assert [first.text(column) for column in range(6, 8)] == ["0.1", "1"]
        dialog.accept()

    with using(ImportDialog, act):
        drop_files(pane, [str(path)])
    until(qtbot, lambda: bool(pane.model.series))
    (series,) = pane.model.series
    assert series.columns == ("my_model", "spread")
    assert "Further columns: my_model, spread" in pane.model.data(
        pane.model.index(0, SOURCE), Qt.ItemDataRole.ToolTipRole
    )

    desktop.data_controller.use(series, 0)
    tab = desktop.tabs.current()
    assert tab is not None
    assert tab.document.values["instruments"][0]["columns"] == {"my_model": "my_model"}


@pytest.mark.parametrize(
    ("header", "name"), [("Model", "model"), ("Score", "score"), ("Close", "close_value"), ("点", "column_7")]
)
def test_a_further_column_is_named_after_the_header_where_that_can_be_a_name(
    tmp_path: Path, header: str, name: str
) -> None:
    file = file_draft(load_registry(), tmp_path / "spy.csv")
    file.glance = Glance(names=("Date", "Open", "High", "Low", "Last", "Volume", header))
    file.pick(6, FURTHER)
    assert file.as_import().options["columns"] == {name: 7}


def test_a_column_that_is_picked_for_another_role_gives_up_the_first(tmp_path: Path) -> None:
    file = file_draft(load_registry(), tmp_path / "spy.csv")
    file.pick(0, "time")
    file.pick(1, "open")
    file.pick(0, "open")
    assert file.as_import().options["columns"] == {"open": 1}
    file.pick(0, "")
    assert "columns" not in file.as_import().options
