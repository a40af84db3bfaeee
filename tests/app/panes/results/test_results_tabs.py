"""The tabs of the results are all in sight, whichever strategy came in front while the pane was hidden."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QTabBar, QTabWidget
from pytestqt.qtbot import QtBot

from quantcrafter.app.panes.results import ResultsPane
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from tests.support.saved_runs import saved_example


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, RunFolder]:
    """Return a run without interventions, and one with some."""
    folder = tmp_path_factory.mktemp("runs")
    return saved_example("golden_cross", folder / "few"), saved_example("guarded_breakout", folder / "many")


@pytest.fixture
def docks(qtbot: QtBot) -> Iterator[QTabWidget]:
    """Give the results in front of another pane, as in the window."""
    made = QTabWidget()
    qtbot.addWidget(made)
    made.addTab(ResultsPane(), "Results")
    made.addTab(QTabWidget(), "Chart")
    made.resize(940, 320)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    pane_of(made).set_session(None)


def pane_of(docks: QTabWidget) -> ResultsPane:
    pane = docks.widget(0)
    assert isinstance(pane, ResultsPane)
    return pane


def session_with(run: RunFolder) -> RunSession:
    session = RunSession()
    session.show_run(run)
    return session


def cut(bar: QTabBar) -> list[str]:
    """Return the titles of visible tabs that are narrower than their text or beyond the bar's ends."""
    seen = [index for index in range(bar.count()) if bar.isTabVisible(index)]
    return [
        bar.tabText(index)
        for index in seen
        if bar.tabRect(index).width() < bar.fontMetrics().horizontalAdvance(bar.tabText(index))
        or not bar.rect().contains(bar.tabRect(index))
    ]


def test_tabs_are_laid_out_anew_when_another_run_came_while_the_pane_was_hidden(
    docks: QTabWidget, runs: tuple[RunFolder, RunFolder], qtbot: QtBot
) -> None:
    pane, (few, many) = pane_of(docks), runs
    assert len(few.ledger.interventions) == 0
    assert len(many.ledger.interventions) > 0
    bar = pane.tabs.tabBar()
    pane.set_session(session_with(few))
    qtbot.wait(20)
    docks.setCurrentIndex(1)
    pane.set_session(session_with(many))
    qtbot.wait(20)
    docks.setCurrentIndex(0)
    qtbot.wait(20)

    assert bar.isTabVisible(pane.tabs.indexOf(pane.interventions))
    assert cut(bar) == []
    assert bar.width() >= bar.sizeHint().width()
