"""The pane shows who agrees, what differs, and leads to the bar and the node of a difference."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from quantcrafter.app.panes.parity import ParityPane
from quantcrafter.app.services.engine import Job
from quantcrafter.app.services.i18n import translated, use_language
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.engine.api import Message, word
from quantcrafter.engine.runtime.compute_process.job_messages import Progressed
from quantcrafter.engine.runtime.compute_process.jobs import Failure, Request
from quantcrafter.engine.runtime.parity import Cause, ParityReport
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from tests.support.parity_reports import difference, report_of
from tests.support.results import walk_result


class _Request(Request):
    kind: ClassVar[str] = "parity"


@pytest.fixture
def pane(qtbot: QtBot) -> ParityPane:
    shown = ParityPane()
    qtbot.addWidget(shown)
    shown.resize(1000, 300)
    shown.show()
    return shown


@pytest.fixture
def session(pane: ParityPane) -> RunSession:
    made = RunSession()
    pane.set_session(made)
    return made


def compared(session: RunSession, report: ParityReport) -> None:
    job = Job(1, _Request())
    session.engines.follow(job)
    job.finish(report)


def test_before_the_first_comparison_it_says_what_it_is_for(pane: ParityPane, session: RunSession) -> None:
    assert pane.stack.currentIndex() == 0
    assert session.engines.report is None
    assert pane.compare.isEnabled()
    assert not pane.save.isEnabled()
    assert not pane.bar.isVisible()


def test_while_it_runs_it_can_be_cancelled_and_shows_how_far_it_is(
    pane: ParityPane, session: RunSession, qtbot: QtBot
) -> None:
    job = Job(1, _Request())
    session.engines.follow(job)
    assert pane.cancel.isVisible()
    assert not pane.compare.isEnabled()
    job.advance(Progressed(1, "backtrader", 30, 120))
    assert (pane.bar.value(), pane.bar.maximum()) == (30, 120)
    with qtbot.waitSignal(pane.cancel_asked):
        qtbot.mouseClick(pane.cancel, Qt.MouseButton.LeftButton)
    job.fail(Failure("cancelled", "The run was cancelled."))
    assert pane.compare.isEnabled()
    assert pane.verdict.text() == ""


def test_engines_that_agree_are_said_to_and_have_no_table_of_differences(pane: ParityPane, session: RunSession) -> None:
    compared(session, report_of())
    assert pane.verdict.text() == "The same orders, fills and equity on native, backtrader, vnpy."
    assert [row[7] for row in pane.engines.texts] == ["reference", "the same", "the same"]
    assert not pane.difference_view.isVisible()
    assert pane.save.isEnabled()


def test_in_a_narrow_pane_every_engine_is_still_in_sight(pane: ParityPane, session: RunSession, qtbot: QtBot) -> None:
    pane.resize(520, 300)
    compared(session, report_of())
    qtbot.waitUntil(pane.engine_view.horizontalScrollBar().isVisible)

    last = pane.engines.index(pane.engines.rowCount() - 1, 0)
    assert pane.engine_view.viewport().rect().contains(pane.engine_view.visualRect(last))


def test_differences_are_listed_with_their_class_and_both_sides(pane: ParityPane, session: RunSession) -> None:
    compared(session, report_of(difference(), difference(None, bar=5, node="target")))
    assert pane.verdict.text() == "Different from native: vnpy."
    first, second = pane.differences.texts
    assert first == (
        "vnpy",
        "fill rule",
        "IBM",
        "3",
        "stop",
        "fill",
        "sell 10 at 98.5 (stop)",
        "no fill (cancelled at bar 4, oco)",
        "2001-09-09 01:46:40 UTC",
    )
    assert second[1] == "consequence"
    assert pane.differences.headerData(6, Qt.Orientation.Horizontal) == "native"


def test_a_click_goes_to_the_bar_and_asks_for_the_node(
    pane: ParityPane, session: RunSession, qtbot: QtBot, tmp_path: Path
) -> None:
    session.show_run(RunFolder.open(save_run(walk_result(instruments=2), tmp_path / "run")))
    compared(session, report_of(difference(), difference(None, bar=5, node="target")))
    view = pane.difference_view
    place = view.visualRect(pane.differences.index(1, 2)).center()
    asked: list[str] = []
    pane.node_asked.connect(asked.append)
    with qtbot.waitSignal(session.moved):
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place.x(), place.y()))
    assert asked == ["target"]
    assert (session.instrument, session.bar) == (1, 5)


def test_a_difference_of_the_whole_run_leads_nowhere(pane: ParityPane, session: RunSession, tmp_path: Path) -> None:
    session.show_run(RunFolder.open(save_run(walk_result(), tmp_path / "run")))
    refused = difference(Cause.CAPABILITY, what="run", expected="done", found="No.", bar=-1, instrument=-1, node="")
    compared(session, report_of(refused))
    pane.difference_view.clicked.emit(pane.differences.index(0, 0))
    assert session.bar is None
    assert pane.differences.texts[0][6:] == ("done", "No.", "")
    assert pane.differences.texts[0][1] == "capability"


def test_a_run_of_another_state_of_the_strategy_is_pointed_out(
    pane: ParityPane, session: RunSession, tmp_path: Path
) -> None:
    compared(session, report_of(difference()))
    assert "Run the strategy" in pane.hint.text()
    run = RunFolder.open(save_run(walk_result(), tmp_path / "run"))
    session.show_run(run)
    assert "a different version of the strategy" in pane.hint.text()
    compared(session, report_of(difference(), spec_hash=run.spec_hash))
    assert not pane.hint.isVisible()


def test_a_failure_is_said_and_the_last_outcome_stays(pane: ParityPane, session: RunSession) -> None:
    compared(session, report_of())
    job = Job(2, _Request())
    session.engines.follow(job)
    job.fail(Failure("run", "A comparison needs at least two engines, had native."))
    assert pane.verdict.text() == "A comparison needs at least two engines, had native."
    assert len(pane.engines.texts) == 3


def test_the_certificate_is_saved_where_the_user_says(
    pane: ParityPane, session: RunSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared(session, report_of(difference()))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "mine"), ""))
    pane.save.click()
    page = (tmp_path / "mine.html").read_text(encoding="utf-8")
    assert "a" * 64 in page
    assert "fill rule" in page


def test_another_strategy_shows_its_own_comparison(pane: ParityPane, session: RunSession) -> None:
    compared(session, report_of(difference()))
    other = RunSession()
    pane.set_session(other)
    assert pane.stack.currentIndex() == 0
    compared(session, report_of())
    assert pane.verdict.text() == ""
    pane.set_session(session)
    assert pane.verdict.text().startswith("The same")


def test_an_engine_that_is_left_out_says_what_brings_it(pane: ParityPane, session: RunSession) -> None:
    compared(session, report_of(left_out={"mine": 'not installed: pip install "mine"'}))
    row = pane.engines.texts[-1]
    assert (row[0], row[1], row[7]) == ("mine", 'Not installed. Install with: pip install "mine"', "not compared")


SIDES = (
    Message(
        "{what} at bar {bar}",
        what=Message("{side} {quantity} ({kind})", side=word("buy"), quantity="3", kind=word("market")),
        bar=12,
    ),
    Message(
        "{side} {quantity} at {price} ({kind})", side=word("sell"), quantity="10", price="98.5", kind=word("stop-limit")
    ),
    Message("no fill"),
    Message("at bar {bar}, {reason}", bar=12, reason=word("warmup")),
)


@pytest.mark.parametrize("text", SIDES)
def test_sides_are_said_in_the_language_in_use(text: str) -> None:
    use_language("ru")
    try:
        russian = translated(text)
    finally:
        use_language("en")
    assert russian != translated(text) == text
    assert not any(each in russian for each in ("buy", "sell", "bar", "fill", "market", "stop", "warmup"))
