"""Engines compared from the window, in real processes: the table leads to the bar and the node of a difference."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from quantcrafter.app.document.edits import SetValues
from quantcrafter.app.panes.parity import ParityPane
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.engine.plugins.manager import forget_registry
from quantcrafter.engine.runtime.parity import Cause
from tests.support.desktop import ROOT, copy_example, open_window, tab_of
from tests.support.running import PATIENCE_MS, wait_for_run

pytestmark = pytest.mark.slow


@pytest.fixture
def desktop(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desktop]:
    """Give a window with an example, where the planted engines are installed as a plugin."""
    site = tmp_path / "site"
    info = site / "planted-1.0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "support" / "planted_engines.py", site / "planted_engines.py")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: planted\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[quantcrafter.plugins]\nplanted = planted_engines\n")
    monkeypatch.syspath_prepend(str(site))
    forget_registry()
    with open_window(qtbot, copy_example("golden_cross", tmp_path)) as desktop:
        yield desktop
    forget_registry()


def pane_of(desktop: Desktop) -> ParityPane:
    pane = desktop.docks.frames["parity"].pane
    assert isinstance(pane, ParityPane)
    return pane


def test_the_action_compares_and_a_click_leads_to_bar_and_node(desktop: Desktop, qtbot: QtBot) -> None:
    desktop.runs.run()
    wait_for_run(desktop, qtbot)
    desktop.shell.actions.trigger("run.compare_engines")
    session = tab_of(desktop).session
    assert desktop.docks.is_shown("parity")
    qtbot.waitUntil(lambda: session.engines.report is not None, timeout=PATIENCE_MS)

    report, pane = session.engines.report, pane_of(desktop)
    assert report is not None
    outcomes = {outcome.name: outcome for outcome in report.outcomes}
    assert report.reference.name == "native"
    assert outcomes["backtrader"].same
    assert outcomes["vnpy"].same
    assert report.spec_hash == tab_of(desktop).document.meaning
    row = next(k for k, each in enumerate(pane.differences.differences) if each.engine == "late")
    late = pane.differences.differences[row]
    assert (late.cause, late.node) == (Cause.SIGNAL, "cross")

    pane.difference_view.scrollTo(pane.differences.index(row, 0))
    place = pane.difference_view.visualRect(pane.differences.index(row, 2)).center()
    with qtbot.waitSignal(session.moved):
        qtbot.mouseClick(pane.difference_view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert session.bar == late.bar
    assert desktop.shell.front.selection == ("cross",)


def test_a_strategy_with_errors_is_not_compared(desktop: Desktop) -> None:
    tab_of(desktop).document.do(SetValues("fast", {"timeperiod": -3}), label="Break it")
    desktop.engines.compare()
    assert not tab_of(desktop).session.engines.is_running


def test_it_can_be_cancelled(desktop: Desktop, qtbot: QtBot) -> None:
    desktop.engines.compare()
    comparison = tab_of(desktop).session.engines
    assert comparison.is_running
    qtbot.mouseClick(pane_of(desktop).cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not comparison.is_running, timeout=PATIENCE_MS)
    assert comparison.report is None
    assert comparison.failure is None
