"""What a person sees of a run's results, and what a click does."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from quantcrafter.app.panes.results import ResultsPane
from quantcrafter.app.panes.results.distribution import histogram
from quantcrafter.app.panes.results.table_page import TablePage
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.app.theme import current
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.running.run import run
from tests.support.children import children
from tests.support.modal import answering, choosing
from tests.support.saved_runs import EXAMPLES, saved_example


@pytest.fixture(scope="module")
def rsi(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return saved_example("rsi_pullback", tmp_path_factory.mktemp("runs") / "rsi")


@pytest.fixture
def pane(qtbot: QtBot) -> Iterator[ResultsPane]:
    pane = ResultsPane()
    qtbot.addWidget(pane)
    pane.resize(940, 320)
    pane.set_session(RunSession())
    with qtbot.waitExposed(pane):
        pane.show()
    yield pane
    pane.set_session(None)


def session_of(pane: ResultsPane) -> RunSession:
    assert pane.session is not None
    return pane.session


def texts_in(page: TablePage, title: str) -> list[str]:
    model = page.model
    heads = [model.headerData(n, Qt.Orientation.Horizontal) for n in range(model.columnCount())]
    return [model.index(row, heads.index(title)).data() for row in range(model.rowCount())]


def click_row(page: TablePage, row: int) -> None:
    place = page.view.visualRect(page.model.index(row, 2)).center()
    QTest.mouseClick(page.view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def click_header(page: TablePage, title: str) -> None:
    header = page.view.horizontalHeader()
    model = page.model
    column = next(n for n in range(model.columnCount()) if model.headerData(n, Qt.Orientation.Horizontal) == title)
    page.view.scrollTo(model.index(0, column))
    x = header.sectionViewportPosition(column) + 12
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, header.height() // 2))


def type_filter(qtbot: QtBot, page: TablePage, text: str) -> None:
    page.filter.setFocus()
    page.filter.selectAll()
    QTest.keyClicks(page.filter, text)
    qtbot.waitUntil(lambda: not page._typing.isActive())


def test_without_a_run_the_pane_says_what_to_do(pane: ResultsPane) -> None:
    assert pane.nothing.isVisible()
    assert not pane.tabs.isVisible()


def test_a_run_that_cannot_be_read_any_more_is_said_in_the_pane(pane: ResultsPane, tmp_path: Path) -> None:
    run = saved_example("rsi_pullback", tmp_path / "run")
    shutil.rmtree(tmp_path / "run")
    session_of(pane).show_run(run)
    assert pane.nothing.isVisible()
    assert "is missing" in pane.nothing.text()
    assert "Run it again." in pane.nothing.text()
    session_of(pane).show_run(None)
    assert pane.nothing.text() == "Run the strategy to see its results here."


def test_the_overview_shows_the_figures_of_the_run(pane: ResultsPane, rsi: RunFolder) -> None:
    session_of(pane).show_run(rsi)
    assert "Net profit: 46,711.65" in pane.overview.cards.accessibleName()
    shown = {label.text() for label in children(pane.overview, QLabel)}
    assert {"Sharpe ratio", "0.50", "Trades", "96"} <= shown
    assert pane.tabs.tabText(1) == "Trades (96)"


def test_cards_stay_inside_however_narrow_the_pane(pane: ResultsPane, rsi: RunFolder) -> None:
    session_of(pane).show_run(rsi)
    cards = pane.overview.cards
    for width in (940, 600, 330):
        pane.resize(width, 320)
        QTest.qWait(1)
        boxes = [cards.box(place) for place in range(len(cards.metrics))]
        assert all(box.left() >= 0 and box.right() < cards.width() for box in boxes)
        assert boxes[-1].bottom() < cards.height()
        assert cards.mapTo(pane, QPoint(boxes[-1].right(), 0)).x() < width


def test_the_groups_of_figures_stand_below_each_other_where_the_pane_is_narrow(
    pane: ResultsPane, rsi: RunFolder
) -> None:
    session_of(pane).show_run(rsi)
    for width, columns in ((1700, 4), (740, 2)):
        pane.resize(width, 320)
        QTest.qWait(1)
        tops = [cast("tuple[int, ...]", pane.overview.groups.getItemPosition(place))[0] for place in range(4)]
        assert tops == [place // columns for place in range(4)]
        assert not pane.overview.horizontalScrollBar().isVisible()


def test_a_click_on_a_trade_points_at_its_entry(pane: ResultsPane, rsi: RunFolder) -> None:
    session_of(pane).show_run(rsi)
    pane.tabs.setCurrentWidget(pane.trades)
    click_row(pane.trades, 3)
    session = session_of(pane)
    assert (session.trade, session.bar) == (3, int(rsi.trades["entry_bar"][3]))


def test_a_click_after_sorting_points_at_the_trade_that_is_seen(pane: ResultsPane, rsi: RunFolder) -> None:
    session_of(pane).show_run(rsi)
    pane.tabs.setCurrentWidget(pane.trades)
    click_header(pane.trades, "Profit")
    profits = [float(text.replace(",", "")) for text in texts_in(pane.trades, "Profit")]
    assert profits == sorted(profits)
    click_header(pane.trades, "Profit")
    assert texts_in(pane.trades, "Profit")[0] == f"{rsi.trades['pnl'].max():,.2f}"
    click_row(pane.trades, 0)
    assert session_of(pane).trade == int(np.argmax(rsi.trades["pnl"]))


def test_the_table_follows_a_trade_chosen_elsewhere_without_telling_of_it(pane: ResultsPane, rsi: RunFolder) -> None:
    session = session_of(pane)
    session.show_run(rsi)
    pane.tabs.setCurrentWidget(pane.trades)
    told: list[object] = []
    pane.trades.chosen.connect(lambda *place: told.append(place))
    session.go_to(int(rsi.trades["entry_bar"][90]), trade=90)
    assert [index.row() for index in pane.trades.view.selectionModel().selectedRows()] == [90]
    assert (
        pane.trades.view.viewport()
        .rect()
        .contains(pane.trades.view.visualRect(pane.trades.model.index(90, 0)).center())
    )
    assert not told


def test_a_filter_leaves_what_matches_and_says_how_many(qtbot: QtBot, pane: ResultsPane, rsi: RunFolder) -> None:
    session_of(pane).show_run(rsi)
    pane.tabs.setCurrentWidget(pane.trades)
    type_filter(qtbot, pane.trades, "pnl<0 bars>5")
    lost = (rsi.trades["pnl"] < 0) & (rsi.trades["exit_bar"] - rsi.trades["entry_bar"] > 5)
    assert pane.trades.model.rowCount() == lost.sum() > 0
    assert pane.trades.count.text() == f"{lost.sum()} of 96"
    type_filter(qtbot, pane.trades, "exit_reason=signal entry_ts_ns>=2002-01-01")
    assert set(texts_in(pane.trades, "Exit reason")) == {"signal"}
    assert min(texts_in(pane.trades, "Entry time")) >= "2002-01-01"


@pytest.mark.parametrize(
    ("text", "says"), [("profitt<0", "no column"), ("pnl<much", "not a number"), ("side<long", "with = or !=")]
)
def test_a_filter_that_means_nothing_is_explained_and_changes_nothing(
    qtbot: QtBot, pane: ResultsPane, rsi: RunFolder, text: str, says: str
) -> None:
    session_of(pane).show_run(rsi)
    pane.tabs.setCurrentWidget(pane.trades)
    type_filter(qtbot, pane.trades, text)
    assert says in pane.trades.complaint.text()
    assert pane.trades.complaint.isVisible()
    assert pane.trades.model.rowCount() == 96
    type_filter(qtbot, pane.trades, "long")
    assert not pane.trades.complaint.isVisible()


def test_rows_are_copied_as_they_stand(pane: ResultsPane, rsi: RunFolder) -> None:
    session_of(pane).show_run(rsi)
    pane.tabs.setCurrentWidget(pane.trades)
    click_row(pane.trades, 1)
    QTest.keyClick(pane.trades.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    head, row, *rest = QGuiApplication.clipboard().text().splitlines()
    assert not rest
    copied = dict(zip(head.split("\t"), row.split("\t"), strict=True))
    assert float(copied["pnl"]) == rsi.trades["pnl"][1]
    assert copied["entry_time"].startswith("2001-")


def test_what_is_on_the_screen_is_saved_as_csv(qtbot: QtBot, pane: ResultsPane, rsi: RunFolder, tmp_path: Path) -> None:
    session_of(pane).show_run(rsi)
    pane.tabs.setCurrentWidget(pane.trades)
    type_filter(qtbot, pane.trades, "pnl>0")
    with answering(QFileDialog, choosing(tmp_path / "winners")):
        pane.trades.save()
    with (tmp_path / "winners.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["pnl"]) for row in rows] == [each for each in rsi.trades["pnl"].tolist() if each > 0]


def test_orders_and_blocked_signals_tell_their_story(pane: ResultsPane, rsi: RunFolder) -> None:
    session_of(pane).show_run(rsi)
    pane.tabs.setCurrentWidget(pane.orders)
    assert len(texts_in(pane.orders, "Order")) == len(rsi.ledger.orders)
    assert {"stop loss", "take profit", "entry", "signal"} <= set(texts_in(pane.orders, "Purpose"))
    pane.tabs.setCurrentWidget(pane.blocked)
    assert "filter" in texts_in(pane.blocked, "Blocked by")
    click_row(pane.blocked, 0)
    assert session_of(pane).bar == int(rsi.blocked["bar"][0])


def test_months_show_each_return_in_its_colour(pane: ResultsPane, rsi: RunFolder) -> None:
    session_of(pane).show_run(rsi)
    pane.tabs.setCurrentWidget(pane.months)
    table = pane.months.table
    assert [year for year, _ in table.years] == sorted(rsi.months, reverse=True)
    year, worst = min(((year, month) for year, months in rsi.months.items() for month in months if month),
                      key=lambda each: rsi.months[each[0]][each[1]])  # fmt: skip
    row = [year for year, _ in table.years].index(year)
    cell = table.cell(row, worst)
    color = table.grab().toImage().pixelColor(cell.left() + 3, cell.top() + 3)
    assert color.red() > color.green()
    assert color != QColor(current().panel)


def test_the_distribution_counts_every_trade(pane: ResultsPane, rsi: RunFolder) -> None:
    session_of(pane).show_run(rsi)
    pane.tabs.setCurrentWidget(pane.distribution)
    shown = pane.distribution.plot.histogram
    assert shown is not None
    assert shown.counts.sum() == 96
    assert shown.counts[shown.edges[:-1] >= 0].sum() == (rsi.trades["pnl"] >= 0).sum()
    pane.distribution.what.setCurrentIndex(1)
    daily = pane.distribution.plot.histogram
    assert daily is not None
    assert daily.counts.sum() == len(rsi.daily_returns)


@pytest.mark.parametrize(
    "values", [[], [np.nan], [0.0], [0.0, 0.0], [-1.0], [1.0, 1.0, 1.0], [1e-12, -1e-12], [1e9, -3.0]]
)
def test_any_returns_make_a_histogram(values: list[float]) -> None:
    found = histogram(np.array(values, dtype=np.float64))
    known = [value for value in values if not np.isnan(value)]
    assert (found is None) == (not known)
    if found is not None:
        assert found.counts.sum() == len(known)
        assert len(found.edges) == len(found.counts) + 1


def test_a_run_with_trades_says_nothing_of_having_none(pane: ResultsPane, rsi: RunFolder) -> None:
    session_of(pane).show_run(rsi)
    assert not pane.overview.no_trades.isVisible()


def test_a_run_without_trades_says_so(pane: ResultsPane, tmp_path: Path) -> None:
    session_of(pane).show_run(saved_example("golden_cross", tmp_path / "run", "run.end=2000-06-01"))
    assert (
        pane.overview.no_trades.text() == "No trades: the warm-up takes all 64 bars. Use more bars, or shorter periods."
    )
    pane.tabs.setCurrentWidget(pane.trades)
    assert pane.trades.empty.isVisible()
    assert not pane.trades.view.isVisible()
    for page in (pane.orders, pane.blocked, pane.months, pane.distribution):
        pane.tabs.setCurrentWidget(page)


def test_what_rules_did_is_listed_where_they_did_anything(pane: ResultsPane, rsi: RunFolder, tmp_path: Path) -> None:
    session_of(pane).show_run(rsi)
    assert not pane.tabs.isTabVisible(pane.tabs.indexOf(pane.interventions))
    guarded = saved_example("guarded_breakout", tmp_path / "run")
    session_of(pane).show_run(guarded)
    assert pane.tabs.isTabVisible(pane.tabs.indexOf(pane.interventions))
    pane.tabs.setCurrentWidget(pane.interventions)
    kinds = texts_in(pane.interventions, "What happened")
    assert len(kinds) == len(guarded.ledger.interventions)
    assert {"stop moved", "halt began"} <= set(kinds)
    row = kinds.index("halt began")
    pane.interventions.view.scrollTo(pane.interventions.model.index(row, 0))
    click_row(pane.interventions, row)
    bar = session_of(pane).bar
    assert bar is not None
    assert guarded.instruments[0].bars.close_ns[bar] == guarded.interventions["ts_ns"][row]


def test_parts_are_listed_where_a_trade_has_several(pane: ResultsPane, rsi: RunFolder, tmp_path: Path) -> None:
    session_of(pane).show_run(rsi)
    assert not pane.tabs.isTabVisible(pane.tabs.indexOf(pane.parts))
    parted = saved_example("trend_with_partial_targets", tmp_path / "run")
    session_of(pane).show_run(parted)
    assert pane.tabs.isTabVisible(pane.tabs.indexOf(pane.parts))
    pane.tabs.setCurrentWidget(pane.parts)
    assert texts_in(pane.parts, "Trade") == [str(row + 1) for row in parted.parts["trade"].tolist()]
    pane.tabs.setCurrentWidget(pane.trades)
    assert texts_in(pane.trades, "Parts") == [str(count) for count in parted.trades["parts"].tolist()]
    assert sum(parted.trades["parts"]) == len(parted.parts)


def test_notices_are_listed_with_their_texts(pane: ResultsPane, rsi: RunFolder, tmp_path: Path) -> None:
    session_of(pane).show_run(rsi)
    assert not pane.tabs.isTabVisible(pane.tabs.indexOf(pane.notices))
    text = (EXAMPLES / "turn_of_the_month.yaml").read_text(encoding="utf-8")
    file = tmp_path / "noting.yaml"
    node = "  tell: {use: notify, condition: month_ends, text: The month ends}\n\nadvisors:"
    file.write_text(text.replace("\nadvisors:", node), encoding="utf-8")
    result = run(file, registry=load_registry())
    session_of(pane).show_run(RunFolder.open(save_run(result, tmp_path / "run")))
    assert pane.tabs.isTabVisible(pane.tabs.indexOf(pane.notices))
    pane.tabs.setCurrentWidget(pane.notices)
    assert texts_in(pane.notices, "Text") == ["The month ends"] * len(result.notices)
    click_row(pane.notices, 2)
    assert session_of(pane).bar == result.notices["bar"][2]


HOURLY = ("instruments.0.data=synthetic", "instruments.0.timeframe=1h")


def test_times_of_an_intraday_run_are_not_cut_after_a_daily_one(
    pane: ResultsPane, rsi: RunFolder, tmp_path: Path
) -> None:
    session_of(pane).show_run(rsi)
    pane.tabs.setCurrentWidget(pane.trades)
    view = pane.trades.view
    before = view.columnWidth(3)
    view.horizontalHeader().resizeSection(0, 20)
    session_of(pane).show_run(saved_example("rsi_pullback", tmp_path / "run", *HOURLY))
    times = texts_in(pane.trades, "Entry time (UTC)")
    assert ":" in times[0]
    for column in (3, 4):
        assert view.columnWidth(column) >= view.sizeHintForColumn(column)
    assert view.columnWidth(3) > before


def test_a_column_that_the_user_dragged_keeps_its_width(pane: ResultsPane, rsi: RunFolder) -> None:
    session_of(pane).show_run(rsi)
    pane.tabs.setCurrentWidget(pane.trades)
    pane.trades.view.horizontalHeader().resizeSection(5, 31)
    session_of(pane).show_run(None)
    session_of(pane).show_run(rsi)
    assert pane.trades.view.columnWidth(5) == 31


def test_no_tab_of_the_results_is_cut(pane: ResultsPane, rsi: RunFolder) -> None:
    session_of(pane).show_run(rsi)
    bar = pane.tabs.tabBar()
    for width in (300, 940):
        pane.resize(width, 320)
        for index in range(bar.count()):
            if pane.tabs.isTabVisible(index):
                assert bar.tabRect(index).width() > bar.fontMetrics().horizontalAdvance(bar.tabText(index))
