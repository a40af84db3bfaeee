"""Downloads whatever the provider does: what is stored is what has closed, each bar once, and can be continued."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import PrivateAttr

from quantcrafter.engine.api import (
    BarPage,
    BarQuery,
    DataError,
    DownloadProvider,
    Listing,
    Market,
    RawBars,
    RunCancelledError,
    Timeframe,
    TryAgainError,
)
from quantcrafter.engine.data.download import download as module
from quantcrafter.engine.data.download.batch import Task, download_tasks, provider_of, updates
from quantcrafter.engine.data.download.download import Conduct, Wish, download, update
from quantcrafter.engine.data.download.network import Patience, Requests, UnreachableError
from quantcrafter.engine.data.markets import MARKETS
from quantcrafter.engine.data.store import BarStore
from tests.support.bar_store import bars_of, run_of_rows

MINUTE = Timeframe(1, "m")
STEP = MINUTE.nominal_ns
START = 1_700_000_000_000_000_000 // STEP * STEP
QUICK = Conduct(patience=Patience(attempts=2, first_s=0.001))


class Prices(DownloadProvider):
    """Minutes from a list that a test holds."""

    name: ClassVar[str] = "prices"
    adjustments: ClassVar[tuple[str, ...]] = ("none", "splits")

    _prices: list[float] = PrivateAttr(default_factory=list)
    _page: int = PrivateAttr(default=5)
    _first: int = PrivateAttr(default=0)
    _open: bool = PrivateAttr(default=True)
    _fails: list[int] = PrivateAttr(default_factory=list)
    _asked: int = PrivateAttr(default=0)
    _at_page: Any = PrivateAttr(default=None)

    @classmethod
    def of(cls, prices: Sequence[float], *, page: int = 5, fails: Sequence[int] = (), first: int = 0) -> Prices:
        """Return a provider whose pages (by number) in `fails` fail for good; bars before `first` are gone."""
        made = cls()
        made._prices, made._page, made._fails, made._first = list(prices), page, list(fails), first
        return made

    def timeframes(self) -> tuple[Timeframe, ...]:
        return (MINUTE,)

    def listing(self, symbol: str, timeframe: Timeframe, markets: Sequence[Market]) -> Listing:
        del symbol, timeframe, markets
        return Listing()

    def page(self, query: BarQuery) -> BarPage:
        self._asked += 1
        if self._at_page is not None:
            self._at_page()
        if self._asked in self._fails:
            raise TryAgainError("the line is cut")
        start = max(self._first, -(-(query.start_ns - START) // STEP))
        numbers = np.arange(start, min(start + self._page, len(self._prices)))
        served = START + (len(self._prices) - 1) * STEP + STEP // 2  # the newest bar is half over
        if not len(numbers):
            return BarPage(None, None, served)
        price = np.array([self._prices[number] for number in numbers])
        raw = RawBars(START + numbers * STEP, price, price + 1, price - 0.5, price, price * 0 + 8, numbers)
        return BarPage(raw, START + (int(numbers[-1]) + 1) * STEP, served)


def wish(since: int = 0, adjustment: str = "none") -> Wish:
    return Wish("X", MINUTE, START + since * STEP, adjustment)


def closes(store: BarStore) -> list[float]:
    return store.read("X", MINUTE).close.tolist() if store.list() else []


@settings(max_examples=60)
@given(
    st.lists(st.floats(10, 20), min_size=2, max_size=40),
    st.integers(1, 9),
    st.lists(st.tuples(st.integers(1, 40), st.lists(st.integers(1, 6), max_size=2)), min_size=1, max_size=5),
)
def test_however_often_it_is_interrupted_each_closed_bar_is_stored_once(
    prices: list[float], page: int, turns: list[tuple[int, list[int]]]
) -> None:
    """Each turn sees some of the bars and fails for good at some pages; the last one sees all and never fails."""
    with TemporaryDirectory() as folder:
        store = BarStore(Path(folder))
        conduct = Conduct(patience=Patience(attempts=1))
        for seen, fails in sorted(turns):
            provider = Prices.of(prices[: max(2, seen)], page=page, fails=fails)
            try:
                download(store, provider, wish(), MARKETS, conduct)
            except UnreachableError:
                stored = closes(store)
                assert stored == prices[: len(stored)]
                assert len(stored) < len(prices[: max(2, seen)])
        download(store, Prices.of(prices, page=page), wish(), MARKETS, conduct)
        assert closes(store) == prices[:-1]
        assert (store.series("X", MINUTE).missing, store.read("X", MINUTE).open_ns[0]) == (0, START)


def test_cancelling_keeps_what_was_fetched_and_does_not_wait_for_the_server(tmp_path: Path) -> None:
    store, provider = BarStore(tmp_path), Prices.of([10.0] * 30)
    stop, answer = threading.Event(), threading.Event()

    def hang() -> None:
        if provider._asked == 3:
            stop.set()
            answer.wait(30)

    provider._at_page = hang
    with pytest.raises(RunCancelledError):
        download(store, provider, wish(), MARKETS, Conduct(stop=stop.is_set))
    answer.set()

    assert len(closes(store)) == 10


def test_an_interruption_keeps_what_was_fetched(tmp_path: Path) -> None:
    store = BarStore(tmp_path)

    def press(progress: module.Progress) -> None:
        if progress.bars >= 15:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(store, Prices.of([10.0] * 30), wish(), MARKETS, Conduct(step=press))
    assert len(closes(store)) == 15


def test_long_downloads_are_stored_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEEP_BARS", 10)
    store, provider, seen = BarStore(tmp_path), Prices.of([10.0] * 40), list[int]()
    provider._at_page = lambda: seen.append(len(closes(store)))
    download(store, provider, wish(), MARKETS, QUICK)
    assert seen == [0, 0, 10, 10, 20, 20, 30, 30, 30]


def test_bars_that_the_server_has_no_more_are_adjusted_by_the_factor_of_a_split(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    prices = [30.0 + number % 5 for number in range(41)]
    download(store, Prices.of(prices), wish(adjustment="splits"), MARKETS, QUICK)
    third = [price / 3 for price in [*prices, 33.0]]

    done = update(store, store.series("X", MINUTE), Prices.of(third, first=20), MARKETS, QUICK)

    bars = store.read("X", MINUTE)
    np.testing.assert_allclose(bars.close, third[:-1], rtol=1e-12)
    assert (done.adjusted, len(bars)) == (True, 41)
    np.testing.assert_allclose(bars.volume[:20], 24.0)
    assert bars.volume[20:].tolist() == [8.0] * 21


def test_further_columns_of_imported_bars_outlast_updates_and_adjusted_prices(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    first = [10.0 + n for n in range(20)]
    download(store, Prices.of(first), wish(adjustment="splits"), MARKETS, QUICK)
    stored = store.read("X", MINUTE)
    store.put(replace(stored, extra={"signal": np.arange(19.0)}))

    done = update(store, store.series("X", MINUTE), Prices.of([*first, 30.0, 31.0]), MARKETS, QUICK)
    assert np.array_equal(store.read("X", MINUTE).extra["signal"], [*range(19), np.nan, np.nan], equal_nan=True)
    assert "The new bars don't have the stored column 'signal': bars without a value: 2." in done.notes

    done = update(store, store.series("X", MINUTE), Prices.of([price / 2 for price in first], first=4), MARKETS, QUICK)
    assert done.adjusted
    assert closes(store)[:5] == [5.0, 5.5, 6.0, 6.5, 7.0]
    assert store.read("X", MINUTE).extra["signal"].tolist() == list(range(19))


def test_prices_that_changed_without_a_factor_are_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    prices = [30.0 + number % 5 for number in range(41)]
    download(store, Prices.of(prices), wish(adjustment="splits"), MARKETS, QUICK)
    other = [price + number % 3 for number, price in enumerate(prices)]
    with pytest.raises(DataError, match="differ from the stored ones by more than a factor"):
        update(store, store.series("X", MINUTE), Prices.of([*other, 1.0], first=20), MARKETS, QUICK)
    assert closes(store) == prices[:-1]


def test_adjusted_bars_are_not_joined_where_nothing_shows_the_scale(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    download(store, Prices.of([10.0] * 20), wish(adjustment="splits"), MARKETS, QUICK)
    with pytest.raises(DataError, match="nothing shows whether prices were adjusted since"):
        update(store, store.series("X", MINUTE), Prices.of([10.0] * 60, first=40), MARKETS, QUICK)
    assert len(closes(store)) == 19


def test_bars_as_traded_are_joined_with_a_gap_that_is_said(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    download(store, Prices.of([10.0] * 20), wish(), MARKETS, QUICK)
    done = update(store, store.series("X", MINUTE), Prices.of([10.0] * 60, first=40), MARKETS, QUICK)
    assert done.series.missing == 21
    assert "has no bars between" in done.notes[0]


def test_imported_bars_are_never_mixed_with_downloaded_ones(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.put(bars_of(run_of_rows(0, 3)))
    with pytest.raises(DataError, match="already stored, from imported files"):
        download(store, Prices.of([10.0] * 20), Wish("SPY", MINUTE, START), MARKETS, QUICK)
    with pytest.raises(DataError, match="was imported, not downloaded"):
        update(store, store.series("SPY", MINUTE), Prices(), MARKETS, QUICK)

    named = Wish("SPY", MINUTE, START, name="SPY.P")
    assert download(store, Prices.of([10.0] * 20), named, MARKETS, QUICK).series.symbol == "SPY.P"


def test_a_server_that_never_answers_is_not_asked_for_every_symbol(tmp_path: Path) -> None:
    provider = Prices.of([10.0] * 20, fails=range(1, 100))
    tasks = [Task(provider, Wish(name, MINUTE, START)) for name in ("A", "B", "C")]
    outcomes = list(download_tasks(BarStore(tmp_path), tasks, MARKETS, QUICK))
    assert ["can't be reached: the line is cut" in each.error for each in outcomes] == [True] * 3
    assert provider._asked == 2


def test_what_a_provider_does_wrong_names_it(tmp_path: Path) -> None:
    provider = Prices.of([10.0] * 20)

    def fail() -> None:
        raise ZeroDivisionError("by zero")

    provider._at_page = fail
    with pytest.raises(DataError, match="prices failed: ZeroDivisionError: by zero"):
        download(BarStore(tmp_path), provider, wish(), MARKETS, QUICK)


class Installed:
    """What is installed, for a test."""

    markets = MARKETS

    def __init__(self, *classes: type[DownloadProvider]) -> None:
        self._classes = {cls.name: cls for cls in classes}

    def download_provider(self, name: str) -> type[DownloadProvider] | None:
        return self._classes.get(name)

    def download_provider_names(self) -> tuple[str, ...]:
        return tuple(self._classes)


def test_an_update_uses_the_provider_and_adjustment_of_the_series(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    download(store, Prices.of([10.0] * 20), Wish("X", MINUTE, START, "splits", "Y"), MARKETS, QUICK)
    store.put(bars_of(run_of_rows(0, 3)))

    imported, mine = updates(Installed(Prices), store.list())
    assert "was imported, not downloaded" in imported.error
    assert mine == Task(Prices(), Wish("X", MINUTE, None, "splits", "Y"))
    assert "by 'prices', which isn't installed" in [*updates(Installed(), store.list())][1].error


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("price", "There is no download provider 'price'. Did you mean 'prices'?"),
        ("prices:binance", "'prices' takes nothing after a colon"),
    ],
)
def test_a_provider_that_there_is_not_is_refused(source: str, message: str) -> None:
    with pytest.raises(DataError, match=r"download provider|after a colon") as error:
        provider_of(Installed(Prices), source, {})
    assert message in str(error.value)


def test_requests_keep_their_distance() -> None:
    import time

    requests = Requests("x", pace_s=0.05)
    began = time.monotonic()
    for _ in range(4):
        requests.call(lambda: None)
    requests.close()
    assert time.monotonic() - began >= 0.15
