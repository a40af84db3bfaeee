"""A preview shows what a source has, its limits, and what is wrong in it."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.engine.api import Timeframe
from quantcrafter.engine.data.labels import bar_label
from quantcrafter.engine.data.store import BarStore
from quantcrafter.engine.runtime.compute_process.jobs.preview import Preview, PreviewRequest, offered, thinned
from tests.support.bar_store import bars_of, run_of_rows, workdays, write_csv
from tests.support.job_context import DirectContext


def look(**fields: object) -> Preview:
    request = pickle.loads(pickle.dumps(PreviewRequest(**fields)))  # type: ignore[arg-type]  # noqa: S301 - our own
    made: Preview = pickle.loads(pickle.dumps(request.execute(DirectContext())))  # noqa: S301
    return made


def test_the_sample_shows_its_symbols_dates_rows_and_course() -> None:
    seen = look(provider="sample", symbol="AAPL", timeframe="1d")

    assert (seen.error, seen.count, seen.source_timeframe) == ("", 3270, "1d")
    assert seen.symbols == ("AAPL", "FB", "GOOG", "IBM", "MSFT")
    assert seen.timeframes == ("1d", "1w", "1mo", "3mo", "12mo")
    assert np.datetime64(seen.first_ns, "ns").astype("datetime64[D]") == np.datetime64("2000-03-01")
    assert (len(seen.head), len(seen.tail), seen.head[0].ts_ns) == (4, 4, seen.first_ns)
    assert seen.line is not None
    assert len(seen.line.close) == 400
    assert not seen.findings


def test_a_timeframe_that_cannot_be_had_is_told_with_those_that_can() -> None:
    seen = look(provider="sample", symbol="AAPL", timeframe="5m")

    assert "not of 5m" in seen.error
    assert (seen.count, seen.timeframes[0]) == (0, "1d")


def test_an_unknown_symbol_is_told_with_those_there_are() -> None:
    seen = look(provider="sample", symbol="APPL", timeframe="1d")

    assert "Did you mean 'AAPL'?" in seen.error
    assert (seen.error_field, seen.symbols[0]) == ("symbol", "AAPL")


def test_bad_bars_are_shown_as_found_and_as_repaired(tmp_path: Path) -> None:
    lines = workdays("2024-01-02", 30)
    lines[4] = "2024-01-08,104,90,120,105,-5"  # line 6: high and low swapped, a volume below zero
    lines[9] = "2024-01-15,0,0,0,0,1"  # line 11
    path = write_csv(tmp_path / "spy.csv", lines)

    seen = look(provider="csv", options={"path": "spy.csv"}, symbol="SPY", timeframe="1d", base_dir=str(tmp_path))

    assert path.is_file()
    assert (seen.error, seen.is_refused, seen.count) == ("", True, 29)
    by_kind = {finding.kind: finding for finding in seen.findings}
    assert by_kind.keys() == {"not_positive", "negative_volume", "high_below_low"}
    (dropped,) = by_kind["not_positive"].faults
    assert bar_label(dropped.found.ts_ns, Timeframe(1, "d"), seen.session) == "2024-01-15"
    assert (dropped.row, dropped.repaired, dropped.found.values[:4]) == (11, None, (0.0, 0.0, 0.0, 0.0))
    (swapped,) = by_kind["high_below_low"].faults
    assert (swapped.row, swapped.found.values[1:3]) == (6, (90.0, 120.0))
    assert swapped.repaired is not None
    assert swapped.repaired.values == (104.0, 120.0, 90.0, 105.0, 0.0)
    assert seen.notes[0].startswith("Dates only")


def test_without_a_timeframe_the_sources_own_is_shown(tmp_path: Path) -> None:
    lines = [f"2024-01-02 {hour:02d}:00,1,2,1,2,3" for hour in range(24)]
    path = write_csv(tmp_path / "x.csv", lines)

    seen = look(provider="csv", options={"path": str(path)}, symbol="X")

    assert (seen.timeframe, seen.count) == ("1h", 24)
    assert seen.timeframes == ("1h", "2h", "4h", "1d", "1w", "1mo", "3mo", "12mo")


def test_wrong_options_and_missing_files_are_told_with_their_field() -> None:
    assert look(provider="csv", options={}, symbol="X").error_field == "path"
    assert "doesn't exist" in look(provider="csv", options={"path": "no.csv"}, symbol="X").error
    assert "no data provider 'cvs'" in look(provider="cvs").error
    assert look(provider="sample", symbol="AAPL", timeframe="soon").error_field == "timeframe"


def test_the_store_offers_what_its_bars_can_make() -> None:
    BarStore().put(bars_of(run_of_rows(0, 3000)))

    seen = look(provider="store", symbol="SPY", timeframe="1h")

    assert (seen.error, seen.symbols, seen.source_timeframe, seen.count) == ("", ("SPY",), "1m", 50)
    assert seen.timeframes[:3] == ("1m", "5m", "15m")


@given(st.integers(1, 3000), st.integers(1, 50))
def test_the_thinned_course_keeps_both_extremes_and_the_last_price(count: int, points: int) -> None:
    rng = np.random.default_rng(count)
    bars = bars_of([(n, 1, float(price)) for n, price in enumerate(rng.integers(1, 10_000, count))])

    line = thinned(bars, points)

    assert len(line.ts_ns) == min(points, count)
    assert (line.low.min(), line.high.max(), line.close[-1]) == (bars.low.min(), bars.high.max(), bars.close[-1])
    assert line.ts_ns[0] == bars.open_ns[0]


@pytest.mark.parametrize("frame", ["1m", "7m", "1h", "1d", "1w", "1mo"])
def test_the_sources_own_timeframe_is_always_offered_first(frame: str) -> None:
    assert offered((Timeframe.parse(frame),))[0] == frame
