from __future__ import annotations

import pytest

from quantcrafter.engine.runtime.compute_process.progress_estimate import ProgressEstimate


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def run_once(estimate: ProgressEstimate, clock: Clock, stages: dict[str, float]) -> None:
    estimate.begin("run")
    for stage, seconds in stages.items():
        estimate.step(stage, 0, 2)
        clock.now += seconds
        estimate.step(stage, 2, 2)
    estimate.end()


def test_nothing_is_promised_from_the_first_moments() -> None:
    clock = Clock()
    estimate = ProgressEstimate(clock)
    estimate.begin("run")
    clock.now += 0.1
    assert estimate.step("load", 1, 2)[1] is None


def test_a_second_run_of_the_same_shape_is_told_right() -> None:
    clock = Clock()
    estimate = ProgressEstimate(clock)
    stages = {"load": 1.0, "columns": 1.0, "simulate": 8.0}
    run_once(estimate, clock, stages)

    estimate.begin("run")
    estimate.step("load", 0, 1)
    clock.now += 1.0
    assert estimate.step("load", 1, 1) == pytest.approx((0.1, 9.0))
    clock.now += 1.0
    estimate.step("columns", 1, 1)
    estimate.step("simulate", 0, 100)
    clock.now += 4.0
    assert estimate.step("simulate", 50, 100) == pytest.approx((0.6, 4.0))


def test_the_first_run_promises_nothing_before_its_even_stage() -> None:
    clock = Clock()
    estimate = ProgressEstimate(clock)
    estimate.begin("run")
    for stage in ("load", "columns"):
        for done in range(5):
            clock.now += 1.0
            assert estimate.step(stage, done, 4)[1] is None
    estimate.step("simulate", 0, 100)
    clock.now += 4.0
    assert estimate.step("simulate", 50, 100)[1] == pytest.approx(4.0)
    assert estimate.step("save", 0, 1)[1] is None


def test_a_run_that_waited_for_the_compiler_promises_nothing_and_spoils_no_later_promise() -> None:
    clock = Clock()
    estimate = ProgressEstimate(clock)
    stages = {"load": 1.0, "columns": 1.0, "simulate": 8.0}
    run_once(estimate, clock, stages)
    estimate.begin("run")
    estimate.step("columns", 0, 2)
    estimate.wait()
    clock.now += 100.0
    assert estimate.step("columns", 1, 2)[1] is None
    estimate.end()

    estimate.begin("run")
    estimate.step("load", 0, 1)
    clock.now += 1.0
    assert estimate.step("load", 1, 1)[1] == pytest.approx(9.0)


def test_a_job_of_one_unknown_stage_is_measured_by_that_stage() -> None:
    clock = Clock()
    estimate = ProgressEstimate(clock)
    estimate.begin("check")
    estimate.step("check", 0, 10)
    clock.now += 2.0
    assert estimate.step("check", 2, 10) == pytest.approx((0.2, 8.0))


def test_a_stage_without_a_total_counts_as_begun() -> None:
    estimate = ProgressEstimate(Clock())
    estimate.begin("run")
    assert estimate.step("load", 0, 0) == (0.0, None)
