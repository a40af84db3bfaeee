"""The pane says in sentences what the run recorded, with links to the nodes."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QUrl
from pytestqt.qtbot import QtBot

from quantcrafter.app.panes.why import WhyPane
from quantcrafter.app.services.value_texts import number_text
from quantcrafter.app.session.run_session import RunSession
from tests.support.kept_runs import example_run


@pytest.fixture
def pane(qtbot: QtBot) -> WhyPane:
    pane = WhyPane()
    qtbot.addWidget(pane)
    return pane


@pytest.fixture
def session(pane: WhyPane) -> RunSession:
    session = RunSession()
    pane.set_session(session)
    return session


def test_it_says_how_to_begin(pane: WhyPane, session: RunSession) -> None:
    assert "Run the strategy, then" in pane.text
    session.show_run(example_run("rsi_pullback"))
    assert "Select a bar" in pane.text


def test_a_trade_is_told_with_what_led_to_it(pane: WhyPane, session: RunSession) -> None:
    run = example_run("rsi_pullback")
    session.show_run(run)
    entry = int(run.ledger.trades["entry_bar"][3])
    session.go_to(entry, trade=3)
    bars, rsi = run.instruments[0].bars, run.column("rsi")
    quantity = number_text(run.trades["quantity"][3])
    assert f"Ordered to enter long, {quantity}" in pane.text
    assert f"dip: rsi {number_text(rsi[entry - 1])} crossed above 15" in pane.text
    average = number_text(run.column("average")[entry - 1])
    assert f"uptrend: close {number_text(bars.close[entry - 1])} > average {average}" in pane.text


def test_a_bar_without_a_trade_is_told_with_the_distance(pane: WhyPane, session: RunSession) -> None:
    run = example_run("rsi_pullback")
    session.show_run(run)
    bar = next(
        bar
        for bar in range(300, 400)
        if run.column("rsi")[bar] < 15 and run.column("rsi")[bar - 1] < 15 and run.column("uptrend")[bar]
    )
    session.go_to(bar)
    rsi = float(run.column("rsi")[bar])
    assert "Why no long entry" in pane.text
    assert f"rsi {number_text(rsi)} is {number_text(15 - rsi)} below 15, needs to cross above" in pane.text


def test_links_lead_to_nodes_and_to_the_bar_that_decided(pane: WhyPane, session: RunSession, qtbot: QtBot) -> None:
    run = example_run("rsi_pullback")
    session.show_run(run)
    entry = int(run.ledger.trades["entry_bar"][3])
    session.go_to(entry)
    assert "an entry decided on" in pane.text
    html = pane.browser.toHtml()
    assert f'href="bar:{entry - 1}"' in html
    assert 'href="node:dip"' in html
    with qtbot.waitSignal(pane.node_asked) as asked:
        pane.browser.anchorClicked.emit(QUrl("node:dip"))
    assert asked.args == ["dip"]
    pane.browser.anchorClicked.emit(QUrl(f"bar:{entry - 1}"))
    assert session.bar == entry - 1
    assert "Ordered to enter long" in pane.text
