"""The frame around a pane of the run side."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QToolButton
from pytestqt.qtbot import QtBot

from quantcrafter.app.window.layout.notice import StaleBanner
from quantcrafter.app.window.layout.pane_frame import PaneFrame


def test_a_pane_stays_where_it_is_when_its_results_go_out_of_date(qtbot: QtBot) -> None:
    frame = PaneFrame(lambda: QLabel("results"), needs_run=False)
    qtbot.addWidget(frame)
    frame.resize(600, 240)
    frame.show()
    frame.set_seen(True)
    before = frame.pane.geometry()

    frame.set_stale(stale=True)
    banner = frame.findChild(StaleBanner)
    assert banner is not None
    assert banner.isVisible()
    assert frame.rect().contains(banner.geometry())
    assert frame.pane.geometry() == before

    with qtbot.waitSignal(frame.run_asked):
        QTest.mouseClick(banner.findChild(QToolButton), Qt.MouseButton.LeftButton)

    frame.resize(300, 240)
    assert frame.rect().contains(banner.geometry())
    frame.set_stale(stale=False)
    assert banner.isHidden()
