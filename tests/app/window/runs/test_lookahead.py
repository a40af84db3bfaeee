"""What the check for look-ahead found is shown on the nodes, until the strategy changes."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from quantcrafter.app.document.edits import SetValues
from quantcrafter.app.window.layout.notice import FailureNotice
from quantcrafter.engine.runtime.research.lookahead import LookAhead
from tests.support.children import children
from tests.support.desktop import copy_example, open_window, tab_of


def finding(node: str, *, origin: bool) -> LookAhead:
    return LookAhead(node, "mine.peek", "value", "IBM", 120, 0, 121, 1.5, 2.5, origin)


def test_the_guilty_node_is_badged_and_those_behind_it_are_told_apart(qtbot: QtBot, tmp_path: Path) -> None:
    with open_window(qtbot, copy_example("rsi_pullback", tmp_path)) as desktop:
        tab = tab_of(desktop)
        file_controller = desktop.lookahead
        file_controller._finished(tab, (finding("rsi", origin=True), finding("dip", origin=False)))
        nodes = tab.canvas.scene.nodes
        qtbot.waitUntil(lambda: nodes["rsi"].badge == "error")
        assert "was 1.5 while 121 bars were known, and is 2.5" in nodes["rsi"].badge_reason
        assert (nodes["dip"].badge, nodes["average"].badge) == ("warning", None)
        (notice,) = children(tab, FailureNotice)
        assert "'rsi' looks ahead" in notice.text.text()
        notice.show_node.click()
        assert tab.selection == ("rsi",)

        tab.document.do(SetValues("rsi", {"timeperiod": 3}), label="Set")
        qtbot.waitUntil(lambda: nodes["rsi"].badge is None)
        notice.closed.emit()
        assert not tab._notices
