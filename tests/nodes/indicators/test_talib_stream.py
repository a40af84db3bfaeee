"""Streams of TA-Lib give the bits of the whole column: at every bar, over gaps, and wherever they are opened."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api import Bars, FloatColumn, Timeframe
from quantcrafter.nodes.indicators.talib_family import FAMILY, TalibIndicator
from quantcrafter.nodes.indicators.talib_import import functions
from quantcrafter.nodes.indicators.talib_stream import COMPARED, TalibFollower

LENGTH, OPENED = 330, 200


def prices(seed: int) -> dict[str, FloatColumn]:
    """Return quiet, tick-quantised prices, as a running sum feels them."""
    rng = np.random.default_rng(seed)
    close = np.round(100 + np.cumsum(rng.normal(0, 0.05, LENGTH)), 2)
    open_ = np.round(close + rng.normal(0, 0.03, LENGTH), 2)
    high = np.round(np.maximum(open_, close) + abs(rng.normal(0, 0.03, LENGTH)), 2)
    low = np.round(np.minimum(open_, close) - abs(rng.normal(0, 0.03, LENGTH)), 2)
    return {"open": open_, "high": high, "low": low, "close": close, "volume": np.round(rng.uniform(0, 900, LENGTH))}


def with_gaps(columns: dict[str, FloatColumn]) -> dict[str, FloatColumn]:
    """Return columns with a value missing before the stream is opened, and others after it."""
    for name, bar, value in (("close", 40, np.nan), ("high", 230, np.inf), ("close", 230, -np.inf), ("low", 231, 1e38)):
        columns[name][bar] = value
    return columns


def made(name: str, **parameters: Any) -> TalibIndicator:
    """Return an indicator with all its ports wired to something."""
    kind = FAMILY.build(name)
    indicator = kind(
        **{each.name: "bars" if each.name == "bars" else "bars.close" for each in kind.inputs()}, **parameters
    )
    assert isinstance(indicator, TalibIndicator)
    return indicator


def inputs_of(indicator: TalibIndicator, columns: dict[str, FloatColumn], count: int) -> dict[str, Any]:
    """Return the first bars, and lines made from them, for each port of an indicator."""
    cut = {name: column[:count].copy() for name, column in columns.items()}
    times = np.arange(count, dtype=np.int64)
    bars = Bars(
        "ONE",
        Timeframe.parse("1m"),
        times,
        times + 1,
        cut["open"],
        cut["high"],
        cut["low"],
        cut["close"],
        cut["volume"],
    )
    lines = {"input": cut["close"], "input0": cut["close"], "input1": cut["high"], "periods": cut["volume"] / 20.0}
    return {each.name: bars if each.name == "bars" else lines[each.name] for each in indicator.inputs()}


def followed(indicator: TalibIndicator, columns: dict[str, FloatColumn]) -> tuple[TalibFollower, FloatColumn]:
    """Return what a follower gives of a history, and then bar by bar, with one step of several bars."""
    follower = indicator.follower()
    counts = [OPENED, OPENED + 5, *range(OPENED + 6, LENGTH + 1)]
    parts = [
        follower.follow(inputs_of(indicator, columns, count), begin, count)
        for begin, count in zip([0, *counts[:-1]], counts, strict=True)
    ]
    return follower, np.concatenate(parts, axis=1)


def whole(indicator: TalibIndicator, columns: dict[str, FloatColumn]) -> FloatColumn:
    """Return the columns as a batch computes them."""
    result = indicator.compute(**inputs_of(indicator, columns, LENGTH))
    return np.array(result if isinstance(result, tuple) else (result,))


@pytest.mark.parametrize("name", FAMILY.names())
def test_every_function_goes_on_with_the_bits_of_the_whole_column(name: str) -> None:
    indicator = made(name)
    follower, given = followed(indicator, prices(7))
    np.testing.assert_array_equal(given, whole(indicator, prices(7)))
    assert follower._update is not None  # else the whole column was computed each time
    with np.errstate(all="ignore"):
        _, given = followed(indicator, with_gaps(prices(8)))
        np.testing.assert_array_equal(given, whole(indicator, with_gaps(prices(8))))


def test_a_stream_that_gives_other_bits_than_the_column_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong:
        SMA = staticmethod(functions().SMA)

        class SMA_Stream:  # noqa: N801 - TA-Lib's name
            def __init__(self, *_: Any, **__: Any) -> None: ...

            def update(self, value: float) -> float:
                return value

    monkeypatch.setattr("quantcrafter.nodes.indicators.talib_stream.functions", Wrong)
    indicator = made("ta.SMA")
    follower, given = followed(indicator, prices(9))
    np.testing.assert_array_equal(given, whole(indicator, prices(9)))
    assert follower._update is None


def test_a_stream_is_opened_once_there_are_bars_to_compare() -> None:
    indicator = made("ta.SMA", timeperiod=10)
    follower = indicator.follower()
    opened = []
    for count in range(1, 60):
        given = follower.follow(inputs_of(indicator, prices(3), count), count - 1, count)
        opened.append(follower._update is not None)
        np.testing.assert_array_equal(given[0], whole(indicator, prices(3))[0, count - 1 : count])
    assert opened.index(True) == indicator.warmup() + COMPARED
