"""The palette, used by mouse and keyboard."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.edits import GroupIntoBlock
from quantcrafter.app.panes.palette import MIME, Palette
from quantcrafter.app.panes.palette.index import PaletteIndex, search
from quantcrafter.engine.api import Role
from quantcrafter.engine.api.home import home
from quantcrafter.engine.plugins import load_registry
from tests.support.open_documents import WITH_BLOCK, open_document


def show(qtbot: QtBot, document: Document | None = None) -> Palette:
    palette = Palette(document or open_document())
    qtbot.addWidget(palette)
    palette.resize(260, 600)
    palette.show()
    qtbot.waitExposed(palette)
    qtbot.waitUntil(lambda: palette.index.is_complete)
    return palette


def titles(palette: Palette, parent: QModelIndex | None = None) -> list[str]:
    top = parent or QModelIndex()
    return [palette.model.index(row, 0, top).data() for row in range(palette.model.rowCount(top))]


def test_names_are_there_before_any_class_is_built() -> None:
    index = PaletteIndex(load_registry())
    assert len(index.entries) > 240
    assert not index.is_complete
    assert search(index.entries, "macd")[0].use == "ta.MACD"


def test_families_are_listed_with_their_counts(qtbot: QtBot) -> None:
    palette = show(qtbot)
    assert titles(palette) == [
        "Data", "Indicators", "Logic", "Advisors", "Filters", "Risk", "Position sizing", "Execution",
    ]  # fmt: skip
    indicators = sum(each.role is Role.INDICATOR for each in palette.index.entries)
    assert palette.model.index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole) == f"Indicators, {indicators} items"
    assert "Momentum Indicators" in titles(palette, palette.model.index(1, 0))
    sizing = palette.model.index(6, 0)
    assert titles(palette, sizing)[:2] == ["Fixed", "Account"]
    assert titles(palette, palette.model.index(0, 0, sizing)) == ["fixed_quantity", "fixed_lots", "fixed_cash"]


@pytest.mark.parametrize(
    ("typed", "first"),
    [("rsi", "ta.RSI"), ("sma", "ta.SMA"), ("cross", "crossover"), ("market", "market"), ("bollinger", "ta.BBANDS")],
)
def test_typing_finds_the_likeliest_first(qtbot: QtBot, typed: str, first: str) -> None:
    palette = show(qtbot)
    QTest.keyClicks(palette.box, typed)
    entry = palette.current()
    assert entry is not None
    assert entry.use == first


def test_every_word_must_match_and_help_is_searched(qtbot: QtBot) -> None:
    palette = show(qtbot)
    QTest.keyClicks(palette.box, "exponential moving")
    assert "EMA" in titles(palette)
    assert "RSI" not in titles(palette)


def test_nothing_found_says_so(qtbot: QtBot) -> None:
    palette = show(qtbot)
    QTest.keyClicks(palette.box, "zzqq")
    assert palette.nothing.isVisible()
    assert palette.nothing.text() == "No matches for “zzqq”."
    QTest.keyClick(palette.box, Qt.Key.Key_Escape)
    assert palette.box.text() == ""
    assert palette.view.isVisible()


def test_enter_adds_what_is_found_first_and_the_arrows_reach_the_others(qtbot: QtBot) -> None:
    palette = show(qtbot)
    QTest.keyClicks(palette.box, "rsi")
    with qtbot.waitSignal(palette.chosen) as signal:
        QTest.keyClick(palette.box, Qt.Key.Key_Return)
    assert signal.args == [Role.INDICATOR, "ta.RSI"]
    QTest.keyClick(palette.box, Qt.Key.Key_Down)
    second = palette.current()
    assert second is not None
    assert second.use == "ta.STOCHRSI"
    with qtbot.waitSignal(palette.chosen) as signal:
        QTest.keyClick(palette.view, Qt.Key.Key_Return)
    assert signal.args == [Role.INDICATOR, "ta.STOCHRSI"]


def test_a_double_click_adds_and_a_click_unfolds_a_family(qtbot: QtBot) -> None:
    palette = show(qtbot)
    family = palette.model.index(6, 0)
    group = palette.model.index(0, 0, family)
    for index in (family, group):
        place = palette.view.visualRect(index).center()
        QTest.mouseClick(palette.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert palette.view.isExpanded(index)
    leaf = palette.view.visualRect(palette.model.index(0, 0, group)).center()
    with qtbot.waitSignal(palette.highlighted) as looked_at:
        QTest.mouseClick(palette.view.viewport(), Qt.MouseButton.LeftButton, pos=leaf)
    assert looked_at.args == [Role.MONEY, "fixed_quantity"]
    with qtbot.waitSignal(palette.chosen) as signal:
        QTest.mouseDClick(palette.view.viewport(), Qt.MouseButton.LeftButton, pos=leaf)
    assert signal.args == [Role.MONEY, "fixed_quantity"]


def test_what_is_dragged_names_role_and_use(qtbot: QtBot) -> None:
    palette = show(qtbot)
    QTest.keyClicks(palette.box, "atr_stop")
    index = palette.model.index(0, 0)
    assert index.flags() & Qt.ItemFlag.ItemIsDragEnabled
    data = palette.model.mimeData([index])
    assert data.formats() == [MIME] == ["application/x-quantcrafter-node"]
    assert json.loads(bytes(data.data(MIME).data())) == {"role": "risk", "use": "atr_stop"}


def test_blocks_of_the_document_and_of_the_block_folder_are_listed(qtbot: QtBot) -> None:
    (home() / "blocks").mkdir(parents=True)
    block = WITH_BLOCK[WITH_BLOCK.index("    description") : WITH_BLOCK.index("logic:\n  trend")]
    text = "quantcrafter: 1\n" + "".join(f"{line[4:]}\n" for line in block.splitlines())
    (home() / "blocks" / "mine.yaml").write_text(text)
    document = open_document(WITH_BLOCK)
    palette = show(qtbot, document)
    blocks = palette.model.index(palette.model.rowCount() - 1, 0)
    assert blocks.data() == "Blocks"
    assert titles(palette, blocks) == ["gate", "mine.yaml"]
    found = palette.model.mimeData([palette.model.index(1, 0, blocks)])
    assert json.loads(bytes(found.data(MIME).data())) == {"role": "logic", "use": "mine.yaml"}
    document.do(GroupIntoBlock(("trend",), "more"), label="Group")
    qtbot.waitUntil(lambda: "more" in titles(palette, palette.model.index(palette.model.rowCount() - 1, 0)))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("xvfb-run") is None, reason="a real drag needs a screen, and Xvfb is not installed")
def test_a_real_drag_carries_the_component_to_where_it_is_dropped() -> None:
    command = ["xvfb-run", "-a", sys.executable, "-m", "tests.support.palette_drag"]
    environment = {**os.environ, "QT_QPA_PLATFORM": "xcb"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == {"role": "advisors", "use": "crossover"}


@pytest.mark.benchmark_report
def test_typing_finds_at_once_and_how_long_that_takes(qtbot: QtBot) -> None:
    document = open_document()
    start = time.perf_counter()
    palette = Palette(document)
    qtbot.addWidget(palette)
    made = time.perf_counter() - start
    palette.index.read(1000)
    start = time.perf_counter()
    palette.box.setText("mo")
    print(f"\npalette: made in {made * 1e3:.0f} ms, a keystroke {(time.perf_counter() - start) * 1e3:.0f} ms")  # noqa: T201 - a report
    found = [palette.model.index(row, 0).data() for row in range(palette.model.rowCount())]
    assert "MOM" in {str(name).removeprefix("ta.") for name in found[:5]}


def test_a_row_that_is_pressed_stays_although_the_document_gets_a_block(qtbot: QtBot) -> None:
    document = open_document(WITH_BLOCK)
    palette = show(qtbot, document)
    row = palette.model.index(1, 0)
    resets: list[None] = []
    palette.model.modelReset.connect(lambda: resets.append(None))
    QTest.mousePress(palette.view.viewport(), Qt.MouseButton.LeftButton, pos=palette.view.visualRect(row).center())
    document.do(GroupIntoBlock(("trend",), "more"), label="Group")
    qtbot.wait(400)
    assert not resets
    QTest.mouseRelease(palette.view.viewport(), Qt.MouseButton.LeftButton, pos=palette.view.visualRect(row).center())
    qtbot.waitUntil(lambda: bool(resets))
