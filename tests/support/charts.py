"""A chart pane on a run, ready and painted, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from quantcrafter.app.charts.model.chart_state import ChartState
from quantcrafter.app.charts.model.sheet import Sheet
from quantcrafter.app.charts.pane import ChartPane
from quantcrafter.app.charts.view import ChartView
from quantcrafter.app.services.settings import Settings
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.app.window.startup.application import make_application
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder

TIMEOUT_MS = 20_000


@contextmanager
def open_chart(
    qtbot: QtBot, run: RunFolder | None, settings: Settings | None = None, size: tuple[int, int] = (1000, 640)
) -> Iterator[tuple[ChartPane, RunSession]]:
    """Give a pane that shows a run, painted, with its session."""
    make_application("light")
    pane = ChartPane(settings or Settings())
    session = RunSession()
    pane.resize(*size)
    with qtbot.waitExposed(pane):
        pane.show()
    pane.set_session(session)
    if run is not None:
        show_run(qtbot, pane, session, run)
    try:
        yield pane, session
    finally:
        pane.close()
        pane.deleteLater()


def show_run(qtbot: QtBot, pane: ChartPane, session: RunSession, run: RunFolder) -> None:
    """Let the session show a run, and wait until the pane has drawn it."""
    with qtbot.waitSignal(pane.shown, timeout=TIMEOUT_MS):
        session.show_run(run)
    settle(qtbot, pane)


def settle(qtbot: QtBot, pane: ChartPane) -> None:
    """Wait until the pane has read what it shows and is painted."""
    qtbot.waitUntil(lambda: pane.is_ready, timeout=TIMEOUT_MS)
    pane.view.repaint()


def state_of(pane: ChartPane) -> ChartState:
    """Return what a pane draws."""
    if pane.state is None:
        raise AssertionError("Nothing is drawn.")
    return pane.state


def sheet_of(pane: ChartPane) -> Sheet:
    """Return where things are in a pane."""
    if pane.view.sheet is None:
        raise AssertionError("Nothing is drawn.")
    return pane.view.sheet


def at_bar(pane: ChartPane, bar: int, panel: str = "price", share: float = 0.6) -> QPoint:
    """Return the pixel of a bar, some way down a panel."""
    sheet = sheet_of(pane)
    place = sheet.place(panel)
    if place is None:
        raise AssertionError(f"There is no panel {panel}.")
    return QPoint(int(sheet.x(bar)), int(place.top + share * place.height))


def turn_wheel(view: ChartView, at: QPoint, turns: float, modifiers: Qt.KeyboardModifier | None = None) -> None:
    """Turn the wheel by some notches, away from the user if positive."""
    held = modifiers or Qt.KeyboardModifier.NoModifier
    place, everywhere = QPointF(at), QPointF(view.mapToGlobal(at))
    delta = QPoint(0, round(120 * turns))
    phase = Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(place, everywhere, QPoint(), delta, Qt.MouseButton.NoButton, held, phase, False)
    QApplication.sendEvent(view, event)


def picture_of(view: ChartView) -> QImage:
    """Return what the user sees."""
    return view.grab().toImage()


def count_color(image: QImage, color: str, area: tuple[int, int, int, int]) -> int:
    """Return how many pixels of an area (left, top, right, bottom) have a colour."""
    left, top, right, bottom = area
    return sum(image.pixelColor(x, y).name() == color for x in range(left, right) for y in range(top, bottom))


def one_bar_run(folder: Path) -> RunFolder:
    """Return a run over a single bar, without a trade."""
    from quantcrafter.engine.runtime.run_store.run_writer import save_run
    from tests.support.ledgers import curve_ledger, job_of, walk_bars
    from tests.support.results import result_of

    bars = walk_bars(1)
    return RunFolder.open(
        save_run(result_of(curve_ledger(bars.close_ns, np.array([100_000.0])), [job_of(bars)]), folder)
    )
