from __future__ import annotations

from quantcrafter.app.window.run_words import time_left
from quantcrafter.engine.runtime.compute_process.job_messages import Progressed


def told(left_s: float | None) -> Progressed:
    return Progressed(1, "simulate", 1, 2, 0.5, left_s)


def test_the_time_left_is_told_in_seconds_and_minutes() -> None:
    assert time_left(None) == ""
    assert time_left(told(None)) == ""
    assert time_left(told(0.2)) == "1 s left"
    assert time_left(told(41.6)) == "42 s left"
    assert time_left(told(125)) == "2 min 5 s left"


def test_it_goes_on_while_nothing_is_told_and_is_not_promised_for_ever() -> None:
    assert time_left(told(30), silent_s=12) == "18 s left"
    assert time_left(told(2), silent_s=1.9) == "1 s left"
    assert time_left(told(2), silent_s=2.1) == ""
    assert time_left(told(2), silent_s=60) == ""
