"""`run.schedule` of a strategy file: what it may say, and what is wrong with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from quantcrafter.engine.api.schedule import Schedule, WeeklySession
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_graph, validate_file
from quantcrafter.engine.spec.identity import strategy_hash
from tests.support.command_line import ROOT

FILE = ROOT / "resources" / "examples" / "golden_cross.yaml"


def problems(*overrides: str) -> list[str]:
    found = validate_file(FILE, load_registry(), overrides)
    return [f"{each.message} {each.remedy}".strip() for each in found]


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("run.schedule.hours=XNY", r"run: there are no hours 'XNY' for 'schedule'\. Did you mean 'XNYS'\? .*"),
        ("run.schedule.weekly=[mon 9-10]", r"run: .*'9-10' is no time from 00:00 to 24:00.*"),
        ("run.schedule.weekly=[mun-fri 09:00-10:00]", r"run: .*no day 'mun'. Did you mean '(mon|sun)'\?.*"),
        ("run.schedule.weekly=[mon 10:00-10:00]", r"run: .*Write its end, or for a whole day 10:00-24:00 00:00.*"),
        ("run.schedule.weekly=[mon 00:00-00:00]", r"run: .*Write its end, or 00:00-24:00 for a whole day.*"),
        ("run.schedule.lead=5", r"run: There is no setting .schedule.lead. here.*"),
        ("run.schedule.lead_minutes=-1", r"run: .*lead_minutes.*"),
        ("run.schedule.timezone=Berlin", r"run: .*'timezone' is that of 'weekly', which is not given.*"),
        ("run.schedule={weekly: [mon 09:00-10:00], timezone: Berlin}", r"run: .*there is no time zone 'Berlin'.*"),
        ("run.schedule={weekly: [mon 09:00-10:00], hours: XNYS}", r"run: .*has either 'hours' or 'weekly', not both.*"),
        ("run.schedule.flat_minutes=5", r"run: .*'flat_minutes' needs hours that end.*"),
        (
            "run.schedule={hours: XNYS, flat_minutes: 5}",
            r".* has bars of 1d: 'flat_minutes' cancels each .* or leave .*",
        ),
        ("run.schedule.breaks=skip", r"run: .*breaks.*"),
    ],
)
def test_what_is_wrong_with_a_schedule_is_said(override: str, expected: str) -> None:
    found = problems(override)
    assert len(found) == 1
    assert re.fullmatch(expected, found[0], re.DOTALL), found[0]


@pytest.mark.parametrize("hours", ["24/7", "forex", "XSHG", "CMES"])
def test_hours_by_name_are_valid(hours: str) -> None:
    assert problems(f"run.schedule.hours={hours}") == []


def test_hours_of_markets_need_markets(tmp_path: Path) -> None:
    assert problems("run.schedule.hours=market", "instruments.0.market=us_stocks") == []
    found = problems(
        "run.schedule.hours=market",
        "instruments.0.symbol=NOWHERE",
        "instruments.0.data=csv",
        f"instruments.0.path={tmp_path}/x.csv",
    )
    assert any("'hours: market' needs the market of each instrument, NOWHERE has none." in each for each in found)


def test_a_worker_goes_on_with_another_schedule() -> None:
    registry = load_registry()
    hashes = {
        strategy_hash(load_graph(FILE, registry, changes).spec)
        for changes in ([], ["run.schedule.hours=XNYS"], ["run.schedule={hours: XNYS, flat_minutes: 5}"])
    }
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("text", "weekdays", "spans"),
    [
        ("mon-fri 09:30-16:00", (0, 1, 2, 3, 4), ((570, 960),)),
        ("sun-thu 21:00-02:30", (0, 1, 2, 3, 6), ((1260, 1590),)),
        ("fri-mon 00:00-24:00", (0, 4, 5, 6), ((0, 1440),)),
        ("mon,wed 17:00-24:00 00:00-17:00", (0, 2), ((1020, 1440), (1440, 2460))),
        ("daily 21:00-02:30 09:00-11:30", (0, 1, 2, 3, 4, 5, 6), ((1260, 1590), (1980, 2130))),
        ("MON 23:00-24:00", (0,), ((1380, 1440),)),
    ],
)
def test_a_session_of_ones_own_is_read(
    text: str, weekdays: tuple[int, ...], spans: tuple[tuple[int, int], ...]
) -> None:
    assert WeeklySession.parse(text) == WeeklySession(weekdays, spans)


@pytest.mark.parametrize(
    "text",
    ["", "mon", "09:30-16:00", "mon 24:30-25:00", "mon 09:00-10:00 08:00-11:00", "mon 10:00 11:00", "mon- 09:00-10:00"],
)
def test_a_session_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be|no day|is no time|lasts"):
        Schedule(weekly=(text,))
