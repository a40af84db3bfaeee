"""Bars and columns for tests of nodes: a seeded random walk with everything a market can bring."""

from __future__ import annotations

from typing import Any

import numpy as np

from quantcrafter.engine.api import NEW_YORK_STOCKS, Bars, Component, PortType, Session, Signals, Timeframe

MINUTE_NS = 60_000_000_000
NAN = float("nan")


def series(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def conditions(text: str) -> np.ndarray:
    """Return a bool column from a text such as `..x.x`."""
    return np.array([letter == "x" for letter in text], np.bool_)


def make_bars(
    close: Any,
    *,
    high: Any = None,
    low: Any = None,
    open_: Any = None,
    volume: Any = None,
    first_open_ns: int = 1_704_205_800_000_000_000,  # Tuesday 2 January 2024, 09:30 in New York
    step_ns: int = MINUTE_NS,
    session: Session = NEW_YORK_STOCKS,
) -> Bars:
    """Return bars one after the other, without a gap in time; prices not given equal the close."""
    close = np.asarray(close, np.float64)
    times = first_open_ns + step_ns * np.arange(len(close), dtype=np.int64)

    def given(column: Any) -> np.ndarray:
        return close if column is None else np.asarray(column, np.float64)

    volumes = np.full(len(close), 1000.0) if volume is None else np.asarray(volume, np.float64)
    return Bars(
        "TEST",
        Timeframe(max(1, step_ns // MINUTE_NS), "m"),
        times,
        times + step_ns,
        given(open_),
        given(high),
        given(low),
        close,
        volumes,
        session,
    )


def random_bars(n: int, seed: int, *, price: float = 100.0, flat: float = 0.1, step_ns: int = MINUTE_NS) -> Bars:
    """Return a random walk of bars; `flat` is the share of bars that belong to stretches without any movement."""
    random = np.random.default_rng(seed)
    moves = random.normal(0, 0.01, n) * _movement(n, random, flat)
    close = price * np.exp(np.cumsum(moves))
    open_ = np.concatenate(([price], close[:-1]))[:n]
    spread = close * np.abs(random.normal(0, 0.005, n)) * (moves != 0)
    high, low = np.maximum(open_, close) + spread, np.minimum(open_, close) - spread / 2
    volume = np.floor(random.uniform(1, 1e5, n))
    return make_bars(close, high=high, low=low, open_=open_, volume=volume, step_ns=step_ns)


def random_series(n: int, seed: int, *, price: float = 100.0, flat: float = 0.1, missing: float = 0.0) -> np.ndarray:
    """Return a random walk, with a share of NaN and a leading stretch of them when `missing` is above 0."""
    random = np.random.default_rng(seed)
    column: np.ndarray = price * np.exp(np.cumsum(random.normal(0, 0.01, n) * _movement(n, random, flat)))
    if missing:
        column[random.random(n) < missing] = NAN
        column[: int(random.integers(0, 5))] = NAN
    return column


def inputs_for(
    component: Component, bars: Bars, seed: int, *, price: float = 100.0, missing: float = 0.0
) -> dict[str, Any]:
    """Return random columns for every port of a component, as `compute` takes them."""
    inputs: dict[str, Any] = {}
    for number, port in enumerate(type(component).inputs()):
        columns = [
            _column(port.type, bars, seed * 100 + number * 10 + k, price, missing) for k in range(3 if port.many else 1)
        ]
        inputs[port.name] = tuple(columns) if port.many else columns[0]
    if "periods" in inputs:
        inputs["periods"] = np.floor(np.abs(inputs["periods"] / price) * 10)
    return inputs


def cut(value: Any, start: int, stop: int) -> Any:
    """Return rows `start` to `stop` of a column, bars, signals or a tuple of them."""
    if isinstance(value, Bars):
        return value.slice(start, stop)
    if isinstance(value, Signals):
        return Signals(value.flags[start:stop], None if value.strength is None else value.strength[start:stop])
    if isinstance(value, tuple):
        return tuple(cut(part, start, stop) for part in value)
    return value[start:stop]


def _column(kind: PortType, bars: Bars, seed: int, price: float, missing: float) -> Any:
    random = np.random.default_rng(seed)
    n = len(bars)
    if kind is PortType.BARS:
        return bars
    if kind is PortType.CONDITION:
        return random.random(n) < 0.2
    if kind is PortType.SIGNAL:
        return Signals(random.choice(np.array([0, 0, 0, 1, 2, 4, 8, 9, 6, 3], np.uint8), n))
    return random_series(n, seed, price=price, missing=missing)


def _movement(n: int, random: np.random.Generator, flat: float) -> np.ndarray:
    """Return 1 where the price moves, 0 in stretches of ten bars in which it stands still."""
    return np.repeat(random.random(n // 10 + 1) >= flat, 10)[:n].astype(np.float64)
