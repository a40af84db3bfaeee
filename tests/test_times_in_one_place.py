"""One module decides how times of a market are shown; those that make text of other moments are listed with reasons."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLACE = "engine/data/labels.py"
MAKES_TEXT = re.compile(
    r"fromtimestamp\(|strftime\(|:%Y-%m-%d|datetime_as_string|datetime64\[\w+\]\D{0,3}\)\.astype\((np\.)?str"
)
ELSEWHERE = {
    # when a run was started, or something was written: the user's own time, or UTC in files for support
    "app/dialogs/comparison/dialog.py": "when a run was started",
    "app/panes/history/model.py": "when a run was started",
    "app/window/files/file_controller.py": "when a run was started",
    "engine/cli/history.py": "when a run was started",
    "engine/runtime/run_store/run_description.py": "when a run was started",
    "app/window/recovery/recovery_file.py": "when a file was written",
    "engine/runtime/parity/certificate.py": "when the certificate was made",
    "app/services/crash.py": "when it crashed",
    "app/window/startup/unexpected_errors.py": "when it failed",
    "engine/cli/failures.py": "when it failed",
    "engine/orchestrator/worker_log.py": "when it was logged",
    "engine/orchestrator/missing_rows.py": "when a row was missed, in UTC",
    # no text of a moment of a market
    "engine/adapters/vnpy/gateway_feed.py": "a question to a gateway",
    "engine/adapters/vnpy/simulated_gateway.py": "a moment as vnpy has it",
    "engine/live/worker_result.py": "the beginning of a run, as settings have it",
    "app/charts/model/texts.py": "a mark of the time axis, whose local time it is given",
    "app/data/period.py": "a day to choose, in UTC as in the file",
    "nodes/local_time.py": "an offset of a zone",
    "engine/data/continuous/contracts.py": "a day to be compared with expiries",
    "engine/data/download/yahoo_provider.py": "a question to a server",
    # all times of a table or figure at once, taken from RunTimes or wall_ns
    "engine/stats/run_times.py": "whole columns, by wall_ns",
    "engine/stats/report_figures.py": "whole columns, by wall_ns",
}


def makers() -> set[str]:
    """Return the modules that make text of a moment."""
    found = set()
    for top in ("app", "engine", "nodes"):
        for path in (ROOT / top).rglob("*.py"):
            if MAKES_TEXT.search(path.read_text(encoding="utf-8")):
                found.add(path.relative_to(ROOT).as_posix())
    return found


def test_times_are_made_text_in_one_place() -> None:
    assert makers() - {PLACE, *ELSEWHERE} == set(), f"use {PLACE}, or say in ELSEWHERE why not"


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_what_is_listed_still_makes_text(name: str) -> None:
    assert (ROOT / name).is_file()
    assert name in makers() or "wall_ns" in (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "line",
    [
        'f"{moment:%Y-%m-%d %H:%M}"',
        "datetime.fromtimestamp(ts_ns // NS, UTC)",
        'moment.strftime("%H:%M")',
        "np.datetime_as_string(times)",
        'times.astype("datetime64[s]").astype(str)',
    ],
)
def test_a_text_made_elsewhere_would_be_found(line: str) -> None:
    assert MAKES_TEXT.search(line)
