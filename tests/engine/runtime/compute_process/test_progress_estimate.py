from __future__ import annotations

import pytest

from quantcrafter.engine.runtime.compute_process.progress_estimate import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def run_once(pace: Pace, clock: Clock, stages: dict[str, float]) -> None:
    pace.begin("run")
    for stage, seconds in stages.items():
        pace.step(stage, 0, 2)
        clock.now += seconds
        pace.step(stage, 2, 2)
    pace.end()


def test_nothing_is_promised_from_the_first_moments() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.begin("run")
    clock.now += 0.1
    assert pace.step("load", 1, 2)[1] is None


def test_a_second_run_of_the_same_shape_is_told_right() -> None:
    clock = Clock()
    pace = Pace(clock)
    stages = {"load": 1.0, "columns": 1.0, "simulate": 8.0}
    run_once(pace, clock, stages)

    pace.begin("run")
    pace.step("load", 0, 1)
    clock.now += 1.0
    assert pace.step("load", 1, 1) == pytest.approx((0.1, 9.0))
    clock.now += 1.0
    pace.step("columns", 1, 1)
    pace.step("simulate", 0, 100)
    clock.now += 4.0
    assert pace.step("simulate", 50, 100) == pytest.approx((0.6, 4.0))


def test_the_first_run_promises_nothing_before_its_even_stage() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.begin("run")
    for stage in ("load", "columns"):
        for done in range(5):
            clock.now += 1.0
            assert pace.step(stage, done, 4)[1] is None
    pace.step("simulate", 0, 100)
    clock.now += 4.0
    assert pace.step("simulate", 50, 100)[1] == pytest.approx(4.0)
    assert pace.step("save", 0, 1)[1] is None


def test_a_run_that_waited_for_the_compiler_promises_nothing_and_spoils_no_later_promise() -> None:
    clock = Clock()
    pace = Pace(clock)
    stages = {"load": 1.0, "columns": 1.0, "simulate": 8.0}
    run_once(pace, clock, stages)
    pace.begin("run")
    pace.step("columns", 0, 2)
    pace.wait()
    clock.now += 100.0
    assert pace.step("columns", 1, 2)[1] is None
    pace.end()

    pace.begin("run")
    pace.step("load", 0, 1)
    clock.now += 1.0
    assert pace.step("load", 1, 1)[1] == pytest.approx(9.0)


def test_a_job_of_one_unknown_stage_is_measured_by_that_stage() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.begin("check")
    pace.step("check", 0, 10)
    clock.now += 2.0
    assert pace.step("check", 2, 10) == pytest.approx((0.2, 8.0))


def test_a_stage_without_a_total_counts_as_begun() -> None:
    pace = Pace(Clock())
    pace.begin("run")
    assert pace.step("load", 0, 0) == (0.0, None)
