"""Small files on positions that end with the session, each against the clock, as a user would run them."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.engine.cli.main import main
from quantcrafter.engine.runtime.running.run import run
from tests.support.small_cases import assert_fills, blocked_of, registry

STRATEGY = """\
quantcrafter: 1
instruments:
  - {{symbol: A, data: csv, path: a.csv, timeframe: {frame}, session: us_stocks, timezone: America/New_York,
     stamp: open, source_timeframe: {frame}}}
logic:
  el: {{use: compare, left: bars.volume, op: "==", right: 2}}
  es: {{use: compare, left: bars.volume, op: "==", right: 4}}
advisors:
  go: {{use: rule, enter_long: [el], enter_short: [es]}}
risk:
  end: {{use: session_end, minutes: {minutes}}}
money:
  size: {{use: fixed_quantity, quantity: 10}}
execution:
  entry: {{use: market, signals: [go], money: size, risk: [end]}}
run: {{cash: 100000}}
"""
DAYS = ("2021-03-11", "2021-03-12", "2021-03-15")  # the clocks change between the last two


def write(folder: Path, times: list[tuple[str, str]], signals: dict[tuple[str, str], int], minutes: float = 0) -> Path:
    """Write a strategy and flat bars that open at these days and times."""
    minutes_apart = [int(time[:2]) * 60 + int(time[3:]) for _, time in times[:2]]
    frame = "30m" if minutes_apart[1] - minutes_apart[0] == 30 else "1h"
    rows = [f"{day} {time},100,101,99,100,{signals.get((day, time), 1)}" for day, time in times]
    (folder / "a.csv").write_text("time,open,high,low,close,volume\n" + "\n".join(rows) + "\n", encoding="utf-8")
    path = folder / "case.yaml"
    path.write_text(STRATEGY.format(frame=frame, minutes=minutes), encoding="utf-8")
    return path


def hours(*days: str, but: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Return the hourly bars of days of New York's stocks, less those that begin at these times on the first day."""
    return [
        (day, time)
        for day in days
        for time in ("09:30", "10:30", "11:30", "12:30", "13:30", "14:30", "15:30")
        if not (day == days[0] and time in but)
    ]


def half_hours(*days: str) -> list[tuple[str, str]]:
    """Return the half-hourly bars of days of New York's stocks."""
    clocks = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(570, 960, 30)]
    return [(day, clock) for day in days for clock in clocks]


@pytest.mark.parametrize(
    ("minutes", "bar"),
    [
        (0, 12),  # at 15:30 half an hour is left, the length of a bar: out at that bar's open
        (1, 12),  # at 15:00 an hour is left: more than a minute and a bar
        (29, 12),
        (30, 11),  # at 15:00 exactly 30 minutes and a bar are left: out at 15:00
        (59, 11),
        (60, 10),
    ],
)
def test_a_session_ends_at_the_first_close_with_at_most_the_minutes_and_a_bar_left(
    minutes: float, bar: int, tmp_path: Path
) -> None:
    path = write(tmp_path, half_hours(*DAYS), {(DAYS[0], "10:30"): 2}, minutes)
    result = run(path, registry=registry())
    assert_fills(result, (3, "buy", 10, 100, "entry"), (bar, "sell", 10, 100, "session_end"))


@pytest.mark.parametrize(("signal", "ways"), [(2, ("buy", "sell")), (4, ("sell", "buy"))])
def test_a_position_whose_session_lacks_its_last_bars_leaves_at_the_first_chance_and_is_reported(
    signal: int, ways: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    times = hours(*DAYS, but=("14:30", "15:30"))
    path = write(tmp_path, times, {(DAYS[0], "10:30"): signal})
    result = run(path, registry=registry())
    # Bar 5 is the first of the next day: known at its close, done at the open of bar 6.
    assert_fills(result, (2, ways[0], 10, 100, "entry"), (6, ways[1], 10, 100, "session_end"))
    assert main(["run", str(path), "--no-history"]) == 0
    assert "A was closed late by 'end'" in " ".join(capsys.readouterr().out.split())


def test_a_session_that_lacks_its_last_bar_alone_ends_a_position_at_the_next_open_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, hours(*DAYS, but=("15:30",)), {(DAYS[0], "10:30"): 2})
    # At the close of 14:30 the position was ordered to leave; the next bar there is opens the next day.
    assert_fills(run(path, registry=registry()), (2, "buy", 10, 100, "entry"), (6, "sell", 10, 100, "session_end"))
    assert main(["run", str(path), "--no-history"]) == 0
    assert "A was closed late by 'end'" in " ".join(capsys.readouterr().out.split())


def test_no_entry_is_made_when_the_session_is_about_to_end(tmp_path: Path) -> None:
    signals = {(DAYS[0], "14:30"): 2, (DAYS[0], "15:30"): 2, (DAYS[1], "13:30"): 2, (DAYS[2], "13:30"): 4}
    result = run(write(tmp_path, hours(*DAYS), signals), registry=registry())
    # The bar of 14:30 closes at 15:30, an hour too late to enter; that of 13:30 enters for one bar, in every season.
    assert blocked_of(result) == [(5, "session_end"), (6, "session_end")]
    assert_fills(
        result,
        (12, "buy", 10, 100, "entry"),
        (13, "sell", 10, 100, "session_end"),
        (19, "sell", 10, 100, "entry"),
        (20, "buy", 10, 100, "session_end"),
    )
