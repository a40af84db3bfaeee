"""The status bar."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from quantcrafter.app.window.status import StatusLine


def test_what_stands_beside_the_zoom_does_not_move_when_the_graph_is_fitted(qtbot: QtBot) -> None:
    line = StatusLine()
    qtbot.addWidget(line)
    line.resize(900, 30)
    line.show()
    line.show_problems(())
    line.show_selection((), 9)
    places = set()
    for factor in (0.33, 1.0, 4.0):
        line.show_zoom(factor)
        qtbot.wait(1)
        places.add((line.selection.x(), line.zoom.x(), line.height()))
    assert len(places) == 1
