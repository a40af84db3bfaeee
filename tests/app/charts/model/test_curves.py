"""The account's curves at the bars of an instrument, and what is drawn of a benchmark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from quantcrafter.app.charts.model.curves import curves_of
from quantcrafter.app.charts.painting.legend import Legend
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.stats.benchmark import benchmark_of
from tests.support.charts import open_chart
from tests.support.ledgers import CASH, job_of, walk_bars
from tests.support.results import walk_result


def test_a_benchmark_is_a_curve_of_the_starting_cash_at_each_bar(tmp_path: Path) -> None:
    run = walk_result()
    assert curves_of(run, 0).benchmark is None
    assert len(curves_of(run, 0).money) == 2

    benchmark = benchmark_of("SPY", job_of(walk_bars(300, seed=9)), run.ledger, run.instruments)
    kept = RunFolder.open(save_run(replace(run, benchmark=benchmark), tmp_path / "run"))
    for view in (replace(run, benchmark=benchmark), kept):
        curves = curves_of(view, 0)
        assert curves.benchmark is not None
        np.testing.assert_allclose(curves.benchmark.column, CASH * benchmark.growth)
        assert len(curves.money) == 3


def test_the_chart_draws_the_benchmark_and_the_legend_names_it(qtbot: QtBot, tmp_path: Path) -> None:
    run = walk_result()
    benchmark = benchmark_of("SPY", job_of(walk_bars(300, seed=9)), run.ledger, run.instruments)
    kept = RunFolder.open(save_run(replace(run, benchmark=benchmark), tmp_path / "run"))
    with open_chart(qtbot, kept, size=(1000, 900)) as (pane, _):
        view = pane.view
        assert view.state is not None
        found = {entry.name: entry.value for entry in Legend(view.look, view.font()).money(view.state, 299)}
        assert view.look.benchmark in colours(view.grab().toImage())
    assert found["Benchmark SPY"] == f"{CASH * benchmark.growth[299]:,.2f}"
    assert set(found) == {"Equity", "Buy and hold", "Benchmark SPY"}


def colours(image: QImage) -> set[str]:
    return {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
