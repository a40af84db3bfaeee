"""The jobs that explain and vary: their requests and results can go from process to process."""

from __future__ import annotations

import pickle
from typing import Any

from quantcrafter.engine.runtime.compute_process.jobs import Request
from quantcrafter.engine.runtime.compute_process.jobs.census import CensusRequest
from quantcrafter.engine.runtime.compute_process.jobs.lookahead import LookAheadRequest
from quantcrafter.engine.runtime.compute_process.jobs.sweep import SweepRequest
from quantcrafter.engine.runtime.explain import Census, take_census
from quantcrafter.engine.runtime.research.sweep import Axis, Sweep
from tests.support.job_context import DirectContext
from tests.support.kept_runs import EXAMPLES, example_run, registry


def carried_out(request: Request) -> Any:
    """Return what a job gives, request and result pickled on the way."""
    sent = pickle.loads(pickle.dumps(request))  # noqa: S301 - our own
    return pickle.loads(pickle.dumps(sent.execute(DirectContext())))  # noqa: S301


def test_a_census_is_taken_of_a_folder() -> None:
    run = example_run("rsi_pullback")
    found: Census = carried_out(CensusRequest(run.folder))
    assert found == take_census(run, registry())


def test_an_example_does_not_look_ahead() -> None:
    text = (EXAMPLES / "weekly_trend_daily_entry.yaml").read_text(encoding="utf-8")
    assert carried_out(LookAheadRequest(text, base_dir=str(EXAMPLES), cuts=6)) == ()


def test_a_sweep_runs_every_combination() -> None:
    text = (EXAMPLES / "golden_cross.yaml").read_text(encoding="utf-8")
    axes = (Axis("indicators.fast.timeperiod", (10, 20)), Axis("indicators.slow.timeperiod", (100, 200)))
    found: Sweep = carried_out(SweepRequest(text, axes))
    assert [cell.values for cell in found.cells] == [(10, 100), (10, 200), (20, 100), (20, 200)]
    assert all(cell.metrics for cell in found.cells)
