"""What explaining a bar costs the GUI thread on a strategy of 200 nodes. It reports; it does not fail by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from quantcrafter.app.document.document import Document
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.app.theme import apply
from quantcrafter.engine.runtime.explain import take_census
from tests.support.actions import make_canvas
from tests.support.kept_runs import registry, saved_run
from tests.support.large_strategy import large_strategy

pytestmark = [pytest.mark.benchmark_report, pytest.mark.slow]

STEPS = 60
WANTED_MS = 50


def report(what: str, steps: list[float], wanted: str = "") -> None:
    """Print the median and the 95th percentile."""
    ordered = sorted(steps)
    median, high = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    print(f"200 nodes  {what:28} p50 {median:6.1f}  p95 {high:6.1f} ms{wanted}")  # noqa: T201 - the report


def test_selecting_a_bar(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    apply(qapp, "dark")
    text = large_strategy(200)
    run = saved_run(text, tmp_path)
    canvas = make_canvas(Document(text, registry()))
    qtbot.addWidget(canvas)
    canvas.resize(1280, 720)
    with qtbot.waitExposed(canvas):
        canvas.show()
    session = RunSession()
    canvas.follow(session)
    session.show_run(run)
    canvas.fit_all()
    qapp.processEvents()

    def time_ms(change: Callable[[], object]) -> float:
        start = time.thread_time()
        change()
        qapp.processEvents()
        qapp.processEvents()
        return (time.thread_time() - start) * 1000

    assert len(canvas.scene.nodes) >= 200
    for name, zoom in (("fitted", canvas.view.zoom), ("at half", 0.55), ("natural", 1.0)):
        canvas.view.set_zoom(zoom)
        canvas.view.centre_on(canvas.scene.content_rect().center())
        canvas.view.settle()
        qapp.processEvents()
        steps = [time_ms(partial(session.go_to, 300 + 23 * n)) for n in range(STEPS)]
        report(f"select a bar, {name}", steps, f"   (wanted: {WANTED_MS})")
        pans = [time_ms(partial(canvas.view.scroll_by, 9 if n % 40 < 20 else -9, 6)) for n in range(STEPS)]
        report(f"pan with marks, {name}", pans, "   (wanted: 16)")
    assert canvas.run is not None
    assert len(canvas.run.marks.nodes) >= 200
    start = time.thread_time()
    census = take_census(run, registry())
    report("census (in the engine)", [(time.thread_time() - start) * 1000])
    assert census.nodes
    canvas.close()
