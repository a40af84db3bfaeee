from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from quantcrafter.engine.api import DataError, DataRequest, Timeframe
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.data.providers.sample import SampleProvider
from tests.support.market_data import DAY, texts


def request(symbol: str = "AAPL", timeframe: str = "1d") -> DataRequest:
    return DataRequest(symbol, Timeframe.parse(timeframe))


@pytest.mark.parametrize(
    ("symbol", "count"), [("AAPL", 3270), ("FB", 196), ("GOOG", 2148), ("IBM", 3270), ("MSFT", 3270)]
)
def test_all_five_stocks_load_without_a_finding(symbol: str, count: int) -> None:
    loaded = load_bars(SampleProvider(), request(symbol))
    assert (len(loaded.bars), loaded.findings) == (count, ())


def test_unadjusted_prices_are_those_of_the_file() -> None:
    raw = SampleProvider(adjust="none").load(request())
    first = [raw.open[0], raw.high[0], raw.low[0], raw.close[0], raw.volume[0]]
    assert first == [118.56, 132.06, 118.5, 130.31, 9616100.0]
    assert (raw.rows[0], raw.rows[-1]) == (2, 3271)


def test_adjusted_prices_end_at_the_adjusted_close_and_keep_their_proportions() -> None:
    adjusted, plain = SampleProvider().load(request()), SampleProvider(adjust="none").load(request())
    assert adjusted.close[0] == pytest.approx(4.186662803811)
    np.testing.assert_allclose(adjusted.open / adjusted.close, plain.open / plain.close)
    np.testing.assert_allclose(adjusted.volume * adjusted.close, plain.volume * plain.close)


def test_a_stock_that_is_not_there_is_answered_by_the_nearest_name() -> None:
    with pytest.raises(DataError, match=r"AAPL, FB, GOOG, IBM, MSFT, but no 'APPL'\. Did you mean 'AAPL'\?"):
        SampleProvider().load(request("APPL"))
    with pytest.raises(DataError, match="but no ''"):
        SampleProvider().load(request(""))


def test_intraday_bars_are_refused_and_weeks_are_made() -> None:
    with pytest.raises(DataError, match="bars of 1d and longer, not of 1h"):
        SampleProvider().load(request(timeframe="1h"))
    weeks = load_bars(SampleProvider(), request(timeframe="1w")).bars
    assert texts(weeks.close_ns)[:2] == ["2000-03-03T21:00", "2000-03-10T21:00"]


def test_loading_the_sample_needs_no_data_frame_library() -> None:
    code = (
        "import sys; from quantcrafter.engine.data.plugin import register_data_providers\n"
        "from quantcrafter.engine.data.load import load_bars\n"
        "from quantcrafter.engine.api import DataRequest, Timeframe\n"
        "load_bars(register_data_providers()[0](), DataRequest('IBM', Timeframe(1, 'd')))\n"
        "print([name for name in ('polars', 'pandas', 'numba') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_daily_bars_of_a_day_are_the_bars_of_the_file() -> None:
    bars = load_bars(SampleProvider(), request()).bars
    assert bars.timeframe == DAY
    assert texts(bars.open_ns[:1]) == ["2000-03-01T14:30"]
