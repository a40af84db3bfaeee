"""Splits and dividends: adjusted prices, and what an adjusted close tells of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api import Bars, CorporateActions, DataError, DataRequest, Timeframe
from quantcrafter.engine.data.corporate_actions import actions_from_adjusted, adjusted
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.data.providers.csv_file import CsvProvider
from quantcrafter.engine.data.providers.sample import SampleProvider
from tests.support.counts import sample
from tests.support.jobs import make_bars

HEADER = "date,open,high,low,close,volume"
DAY = Timeframe(1, "d")


def flat_bars(*closes: float) -> Any:
    return make_bars([[close] * 4 for close in closes])


def test_prices_before_a_split_and_a_dividend_are_brought_to_the_scale_after_them() -> None:
    # 100 -> split of two -> 50 -> dividend of 5 on a close of 50
    made = adjusted(flat_bars(100, 50, 45), CorporateActions(np.array([1.0, 2.0, 1.0]), np.array([0.0, 0.0, 5.0])))
    np.testing.assert_allclose(made.close, [45, 45, 45])
    np.testing.assert_allclose(made.volume, [2000, 1000, 1000])
    assert made.traded is not None
    assert made.traded.close.tolist() == [100, 50, 45]
    assert actions_of(made.slice(1, 3)).split.tolist() == [2.0, 1.0]


def actions_of(bars: Bars) -> CorporateActions:
    """Return the actions of the bars as traded."""
    assert bars.traded is not None
    assert bars.traded.actions is not None
    return bars.traded.actions


def test_a_dividend_of_the_whole_price_is_refused() -> None:
    with pytest.raises(DataError, match="a dividend must be below the price, bar 1 pays 100 on a close of 100"):
        adjusted(flat_bars(100, 50), CorporateActions(np.ones(2), np.array([0.0, 100.0])))


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=sample(60, of=2_000))
def test_an_adjusted_close_gives_back_the_actions_it_was_made_from(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 60
    split = np.where(rng.random(n) < 0.06, rng.choice([2.0, 3.0, 1.5, 7.0, 0.1, 0.25], n), 1.0)
    dividend = np.where(rng.random(n) < 0.1, rng.uniform(0.002, 0.05, n), 0.0)
    split[0], dividend[0] = 1.0, 0.0
    worth = 100.0 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    close = worth / np.cumprod(split)
    dividend *= close
    rows = np.arange(n)
    bars = make_bars(np.column_stack([close] * 4))
    found = actions_from_adjusted(close, adjusted(bars, CorporateActions(split, dividend)).close, rows, "TEST")
    np.testing.assert_allclose(found.split, split)
    np.testing.assert_allclose(found.dividend, dividend, atol=1e-6 * close.max())


def test_a_ratio_that_changes_as_nothing_does_is_refused_with_its_row() -> None:
    close = np.array([100.0, 100.0, 100.0])
    with pytest.raises(DataError, match=r"changes by 0\.9 at row 12, which is neither a usual split nor a dividend"):
        actions_from_adjusted(close, np.array([100.0, 90.0, 90.0]), np.array([11, 12, 13]), "TEST")


def test_the_samples_tell_of_apple_s_split_and_of_dividends_that_microsoft_paid() -> None:
    apple = load_bars(SampleProvider(adjust="actions"), DataRequest("AAPL", DAY)).bars
    splits = actions_of(apple).split
    (bar,) = np.flatnonzero(splits[apple.open_ns > 1_072_915_200_000_000_000] != 1.0)
    day = apple.open_ns[apple.open_ns > 1_072_915_200_000_000_000][bar].astype("datetime64[ns]").astype("datetime64[D]")
    assert str(day) == "2005-02-28"
    assert splits.max() == 2.0
    microsoft = load_bars(SampleProvider(adjust="actions"), DataRequest("MSFT", DAY)).bars
    # The special dividend of November 2004 was 3 dollars, and the usual one 8 cents.
    assert actions_of(microsoft).dividend.max() == pytest.approx(3.08, abs=0.1)


def load_csv(folder: Path, text: str, timeframe: str = "1d", **options: Any) -> Any:
    (folder / "prices.csv").write_text(text, encoding="utf-8")
    request = DataRequest("TEST", Timeframe.parse(timeframe), str(folder))
    return load_bars(CsvProvider(path="prices.csv", **options), request).bars


ROWS = (
    "2024-01-02,100,100,100,100,10,,\n2024-01-03,50,50,50,50,20,2,0\n"
    "2024-01-04,45,45,45,45,20,0,5\n2024-01-05,45,45,45,45,20,,\n"
)


def test_columns_of_a_file_are_read_where_they_are_asked_for(tmp_path: Path) -> None:
    text = f"{HEADER},Stock Splits,Dividends\n{ROWS}"
    bars = load_csv(tmp_path, text, corporate_actions="columns")
    np.testing.assert_allclose(bars.close, [45, 45, 45, 45])
    assert bars.traded.close.tolist() == [100, 50, 45, 45]
    assert bars.traded.actions.split.tolist() == [1, 2, 1, 1]
    assert bars.traded.actions.dividend.tolist() == [0, 0, 5, 0]
    assert load_csv(tmp_path, text).traded is None


def test_actions_on_longer_bars_than_the_source_s_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="booked on the bars of the source, 1d; 1w was requested"):
        load_csv(tmp_path, f"{HEADER},split,dividend\n{ROWS}", "1w", corporate_actions="columns")


def test_a_file_without_such_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column for 'adjusted_close' among"):
        load_csv(tmp_path, f"{HEADER},split,dividend\n{ROWS}", corporate_actions="adjusted_close")


def test_a_negative_split_is_refused_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a split must not be negative, row 3 has -2"):
        load_csv(tmp_path, f"{HEADER},split,dividend\n{ROWS.replace(',2,0', ',-2,0')}", corporate_actions="columns")


def _with_splits(folder: Path, *rows: str) -> tuple[Bars, str]:
    (folder / "s.csv").write_text("\n".join([f"{HEADER},split", *rows]), encoding="utf-8")
    provider = CsvProvider(path="s.csv", corporate_actions="columns")
    loaded = load_bars(provider, DataRequest("S", DAY, base_dir=str(folder)))
    return loaded.bars, " ".join(str(item) for item in loaded.findings)


def test_a_split_that_the_prices_hold_already_is_not_booked_again_and_it_is_said(tmp_path: Path) -> None:
    # as yfinance writes: prices adjusted for the split of four
    days = ("2024-01-02,100,101,99,100,9,", "2024-01-03,100,101,99,100,9,4", "2024-01-04,101,102,100,101,9,")
    bars, told = _with_splits(tmp_path, *days)
    assert actions_of(bars).split.tolist() == [1.0, 1.0, 1.0]
    assert "split of 4 in row 3 the close of 100 was followed by an open of 100" in told


def test_a_split_with_which_the_price_fell_is_booked(tmp_path: Path) -> None:
    bars, told = _with_splits(tmp_path, "2024-01-02,100,101,99,100,9,", "2024-01-03,26,27,24,25,9,4")
    assert actions_of(bars).split.tolist() == [1.0, 4.0]
    assert "not booked" not in told


def test_prices_that_follow_only_some_splits_are_refused(tmp_path: Path) -> None:
    days = ("2024-01-02,100,101,99,100,9,", "2024-01-03,26,27,24,25,9,4", "2024-01-04,25,26,24,25,9,2")
    with pytest.raises(DataError, match=r"split of 2 in row 4 \(close 25, then open 25\), though it did .* row 3"):
        _with_splits(tmp_path, *days)
