from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from quantcrafter.engine.api import NEW_YORK_STOCKS, DataError, DataRequest, Timeframe
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.data.providers.synthetic import SyntheticProvider
from tests.support.market_data import texts


def request(timeframe: str = "1m", symbol: str = "X") -> DataRequest:
    return DataRequest(symbol, Timeframe.parse(timeframe))


@given(
    st.integers(1, 3000),
    st.integers(0, 99),
    st.sampled_from(["1s", "1m", "7m", "1h", "4h", "1d"]),
    st.sampled_from(["24x7", "us_stocks"]),
    st.sampled_from([0.0, 20.0, 500.0]),
    st.sampled_from([0.01, 0.25, 0.03]),
)
def test_made_bars_are_sound_exact_in_number_and_on_the_tick(
    count: int, seed: int, timeframe: str, session: str, volatility: float, tick: float
) -> None:
    provider = SyntheticProvider(bars=count, seed=seed, session=session, volatility=volatility, tick=tick)
    bars, findings, currency, _ = load_bars(provider, request(timeframe))
    assert not currency
    assert (len(bars), findings, bars.synthetic) == (count, (), True)
    np.testing.assert_allclose(bars.close / tick, np.rint(bars.close / tick), rtol=1e-9)


def test_the_same_seed_and_symbol_give_the_same_bars_and_others_do_not() -> None:
    hashes = [
        load_bars(SyntheticProvider(bars=500, seed=seed), request("5m", symbol)).bars.content_hash
        for seed, symbol in ((1, "A"), (1, "A"), (2, "A"), (1, "B"))
    ]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


def test_sessions_of_stocks_keep_new_york_time_over_a_change_of_clocks() -> None:
    provider = SyntheticProvider(bars=780, session="us_stocks", start_date="2024-03-08")
    bars = load_bars(provider, request()).bars
    assert bars.session == replace(NEW_YORK_STOCKS, calendar="")
    opens = texts(bars.open_ns)
    assert (opens[0], opens[389], opens[390]) == ("2024-03-08T14:30", "2024-03-08T20:59", "2024-03-11T13:30")


def test_long_runs_have_about_the_volatility_asked_for() -> None:
    for session in ("24x7", "us_stocks"):
        bars = load_bars(SyntheticProvider(bars=20_000, volatility=30, session=session), request("1d")).bars
        years = {"24x7": 365, "us_stocks": 252}[session]
        returns = np.diff(np.log(bars.close[bars.close > 20]))
        assert np.std(returns) * np.sqrt(years) == pytest.approx(0.30, rel=0.05)


def test_weeks_and_months_are_made_from_days() -> None:
    assert len(load_bars(SyntheticProvider(bars=50), request("1w")).bars) in (49, 50)
    assert 45 <= len(load_bars(SyntheticProvider(bars=50, session="us_stocks"), request("1mo")).bars) <= 50


def test_bars_beyond_the_calendar_and_prices_below_a_tick_are_refused() -> None:
    with pytest.raises(DataError, match="must end before the year 2200"):
        SyntheticProvider(bars=1_000_000).load(request("1d"))
    with pytest.raises(ValidationError, match="at least a tick"):
        SyntheticProvider(price=0.001)


@pytest.mark.parametrize("start", ["0001-01-01", "1400-01-01", "1600-01-01", "1899-12-31", "2200-01-01", "9999-12-31"])
def test_a_start_outside_the_calendar_is_refused_with_both_ends(start: str) -> None:
    with pytest.raises(ValidationError, match=f"start_date must lie from 1900-01-01 to 2199-12-31, was {start}"):
        SyntheticProvider.model_validate({"start_date": start})


def test_bars_begin_on_the_day_that_was_asked_for() -> None:
    for start in ("1900-01-01", "1969-12-31", "2150-06-01"):
        raw = SyntheticProvider.model_validate({"start_date": start, "bars": 5}).load(request("1d"))
        assert str(raw.time_ns[:1].astype("datetime64[ns]").astype("datetime64[D]")[0]) == start


@pytest.mark.parametrize("price", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("tick", [1e-9, 0.01, 1e9])
@pytest.mark.parametrize("drift", [-100, 1000])
def test_prices_stay_finite_and_positive_at_the_ends_of_every_range(price: float, tick: float, drift: float) -> None:
    if price < tick:
        return
    provider = SyntheticProvider(price=price, tick=tick, drift=drift, volatility=500, bars=20_000)
    raw = provider.load(request("1d"))
    for column in (raw.open, raw.high, raw.low, raw.close):
        assert np.isfinite(column).all()
        assert (column > 0).all()


@pytest.mark.parametrize("tick", [5e-324, 1e-10, 1e10])
def test_a_tick_that_no_price_could_be_a_multiple_of_is_refused(tick: float) -> None:
    with pytest.raises(ValidationError):
        SyntheticProvider(tick=tick, price=1e9)
