"""How many fills the latest day of a worker's log has."""

from __future__ import annotations

from pathlib import Path

from quantcrafter.engine.live.input_log import InputLog
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.trading_calendar.zones import DAY_NS
from tests.support.live_cases import STOPPED, contents, to_its_end, worker_of


def test_the_fills_of_the_latest_day_are_counted(tmp_path: Path) -> None:
    to_its_end(worker_of(load_text(STOPPED, load_registry()), tmp_path))
    inputs, outputs = contents(tmp_path)[:2]
    day = max(each.given.ts_ns for each in inputs if hasattr(each.given, "bars")) // DAY_NS
    times = [each.given.ts_ns for each in outputs if each.given.kind == "filled"]
    assert len(times) > 5
    with InputLog.read(tmp_path / "log.db") as log:
        assert log.fills_of_latest_day() == sum(ts_ns // DAY_NS >= day for ts_ns in times)
