"""What a run and its data say is told in the language in use, wherever the window shows it."""

# ruff: noqa: RUF001 - letters and signs of other languages

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from quantcrafter.app.data.preview_view import PreviewView
from quantcrafter.app.panes.log.model import TEXT, LogModel
from quantcrafter.app.services import i18n
from quantcrafter.app.session.log_lines import RunLog
from quantcrafter.app.window.layout.notice import FailureNotice
from quantcrafter.engine.api.message import Message, word
from quantcrafter.engine.data.quality import check
from quantcrafter.engine.runtime.compute_process.jobs import LogLine
from quantcrafter.engine.runtime.compute_process.jobs.preview import FindingView, Preview
from tests.engine.data.test_quality import corrupted
from tests.support.bar_store import workdays, write_csv
from tests.support.children import children
from tests.support.desktop import open_window, tab_of
from tests.support.market_data import MINUTE, minutes, raw_bars
from tests.support.running import PATIENCE_MS

TEXT_OF_BAD_BARS = """\
quantcrafter: 1
name: Bad bars
instruments:
  - {symbol: SPY, data: csv, path: spy.csv, timeframe: 1d}
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 5}
advisors:
  cross: {use: crossover, fast: bars.close, slow: fast}
money:
  size: {use: percent_of_equity, percent: 95}
execution:
  entry: {use: market, signals: [cross], money: size}
"""


@pytest.fixture(autouse=True)
def _english_after() -> Iterator[None]:
    yield
    i18n.use_language("en")


def test_a_run_that_fails_on_its_bars_says_so_in_russian(qtbot: QtBot, tmp_path: Path) -> None:
    lines = workdays("2024-01-02", 60)
    lines[9] = "2024-01-15,0,0,0,0,1"
    write_csv(tmp_path / "spy.csv", lines)
    (tmp_path / "own.yaml").write_text(TEXT_OF_BAD_BARS, encoding="utf-8")
    with open_window(qtbot, tmp_path / "own.yaml") as desktop:
        i18n.use_language("ru")
        tab = tab_of(desktop)
        assert not tab.document.problems
        desktop.shell.actions.refresh()
        QTest.keyClick(desktop.window, Qt.Key.Key_F5)
        qtbot.waitUntil(lambda: bool(children(tab, FailureNotice)), timeout=PATIENCE_MS)

        told = children(tab, FailureNotice)[0].text.text()

    assert told.startswith("SPY из spy.csv: бары должны быть возможными")
    assert "1 бар, цена не больше нуля: строка 11 (2024-01-15: открытие 0" in told
    assert "Исправьте источник или укажите 'on_bad_bars: repair'." in told
    assert told.endswith(".")


def findings() -> tuple[FindingView, ...]:
    bad = corrupted(raw_bars(minutes("2024-03-11T06:00", 40)), "negative_volume", [7, 9])
    found = check(bad, MINUTE, on_bad_bars="repair").findings
    return tuple(FindingView(each.kind, each.message, each.repair, True, each.count) for each in found)


@pytest.mark.parametrize(("language", "fault"), [("ru", "объём меньше нуля"), ("zh_CN", "成交量为负数")])
def test_findings_about_bars_are_listed_in_the_language_in_use(qtbot: QtBot, language: str, fault: str) -> None:
    i18n.use_language(language)
    view = PreviewView()
    qtbot.addWidget(view)
    view.show_preview(Preview("SPY", findings=findings()))
    assert fault in view.findings.topLevelItem(0).text(0)


def test_the_log_shows_findings_translated_and_is_searched_in_both_languages() -> None:
    log, model = RunLog(), LogModel()
    log.add(
        1, [LogLine(30, Message("{subject}: {finding}", subject="SPY", finding=each.message)) for each in findings()]
    )
    bought = Message(
        "{side} {quantity:g} {instrument} at {price:g}  ({kind}, {why}, order {order_id}, commission {commission:.2f})",
        side=Message("BUY"),
        quantity=10,
        instrument="SPY",
        price=98.5,
        kind=word("market"),
        why=word("signal"),
        order_id=3,
        commission=1.0,
    )
    log.add(1, [LogLine(20, bought)])
    i18n.use_language("ru")
    model.set_log(log)

    assert "объём меньше нуля" in model.index(0, TEXT).data()
    assert model.index(1, TEXT).data().startswith("ПОКУПКА 10 SPY по 98.5")

    for searched in ("покупка", "buy"):
        model.set_filter(type(model.filter)(text=searched))
        assert model.rowCount() == 1
