"""The inspector shows which values a run uses for an instrument, and where each comes from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from quantcrafter.app.document.edits import SetField
from quantcrafter.app.inspector.instrument_pages import StrategyPage
from quantcrafter.app.inspector.values_in_use import ValuesInUse
from quantcrafter.app.window.desktop import Desktop
from tests.support.bar_store import workdays, write_csv
from tests.support.data_controller import until
from tests.support.desktop import open_window

TEXT = """\
quantcrafter: 1
name: case
instruments:
  - {symbol: "600000.SH", data: csv, path: d.csv, timeframe: 1d}
"""


@pytest.fixture
def desktop(qtbot: QtBot, tmp_path: Path) -> Iterator[Desktop]:
    write_csv(tmp_path / "d.csv", workdays("2024-01-02", 30))
    file = tmp_path / "case.yaml"
    file.write_text(TEXT, encoding="utf-8")
    with open_window(qtbot, file) as made:
        yield made


def unfolded(qtbot: QtBot, desktop: Desktop) -> ValuesInUse:
    """Unfold the list by a click, and wait for its values."""
    page = desktop.docks.inspector.page
    assert isinstance(page, StrategyPage)
    values = page.cards[0].values
    assert values is not None
    assert values.toggle is not None
    assert not values.is_open
    QTest.mouseClick(values.toggle, Qt.MouseButton.LeftButton)
    until(qtbot, lambda: bool(values.shown))
    return values


def test_values_are_listed_with_their_sources_and_follow_the_document(qtbot: QtBot, desktop: Desktop) -> None:
    values = unfolded(qtbot, desktop)
    shown = {name: (value, source) for name, value, source in values.shown}
    assert shown["Market"] == ("cn_stocks", "suffix")
    assert shown["Trading hours"] == ("09:30-15:00 Asia/Shanghai", "suffix")
    assert shown["Tax on sales"] == ("0.05 %", "suffix")
    assert shown["Currency"] == ("USD", "account")

    document = desktop.docks.inspector.document
    document.do(SetField(("instruments", 0, "tick_size"), 0.05), label="tick")
    until(qtbot, lambda: ("Tick size", "0.05", "file") in values.shown)
    document.do(SetField(("instruments", 0, "symbol"), "X"), label="symbol")
    until(qtbot, lambda: ("Trading hours", "00:00-24:00 UTC", "guess") in values.shown)
    assert "midnight UTC" in values.note.text()
    document.do(SetField(("instruments", 0, "market"), "moon"), label="market")
    until(qtbot, lambda: "no market 'moon'" in values.note.text())
    assert not values.shown


def test_a_list_that_is_folded_asks_for_nothing(qtbot: QtBot, desktop: Desktop) -> None:
    asked: list[int] = []
    desktop.docks.inspector.values_asked.connect(lambda place, _take: asked.append(place))
    document = desktop.docks.inspector.document
    document.do(SetField(("instruments", 0, "tick_size"), 0.05), label="tick")
    qtbot.wait(300)
    assert not asked


def test_a_file_that_is_missing_is_said_below_what_is_known_without_it(
    qtbot: QtBot, desktop: Desktop, tmp_path: Path
) -> None:
    values = unfolded(qtbot, desktop)
    (tmp_path / "d.csv").unlink()
    desktop.docks.inspector.document.do(SetField(("instruments", 0, "multiplier"), 2.0), label="multiplier")
    until(qtbot, lambda: "d.csv" in values.note.text())
    assert ("Lot size", "100", "suffix") in values.shown
