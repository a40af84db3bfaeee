"""Bars and columns to test a component with: given ones, and seeded random ones with everything a market can bring."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import NEW_YORK_STOCKS, Bars, Component, PortType, Session, Signals, Timeframe

MINUTE_NS = 60_000_000_000
FIRST_OPEN_NS = 1_704_205_800_000_000_000  # Tuesday 2 January 2024, 09:30 in New York
_FLAGS = np.array([0, 0, 0, 1, 2, 4, 8, 9, 6, 3], np.uint8)
_WIRES = 3  # to a port that takes a list
_HELD = 0.2  # how often a random condition holds

C = TypeVar("C", bound=Component)


def wired(cls: type[C], **parameters: Any) -> C:
    """Return a component with these parameters and a wire to every port, as a strategy file would make it.

    Raises:
        ValidationError: a parameter is missing or out of its range.
    """
    wires: dict[str, Any] = {}
    for port in cls.inputs():
        name = "bars" if port.type is PortType.BARS else port.name
        wires[port.name] = (name,) * _WIRES if port.many else name
    return cls.model_validate({**wires, **parameters})


def make_bars(
    close: npt.ArrayLike,
    *,
    high: npt.ArrayLike | None = None,
    low: npt.ArrayLike | None = None,
    open_: npt.ArrayLike | None = None,
    volume: npt.ArrayLike | None = None,
    first_open_ns: int = FIRST_OPEN_NS,
    step_ns: int = MINUTE_NS,
    session: Session = NEW_YORK_STOCKS,
) -> Bars:
    """Return bars one after the other, without a gap in time.

    Prices that are not given equal the close; the volume is 1000. `step_ns` is the length of a bar in nanoseconds,
    whole minutes.
    """
    prices = np.asarray(close, np.float64)
    times = first_open_ns + step_ns * np.arange(len(prices), dtype=np.int64)

    def given(column: npt.ArrayLike | None) -> npt.NDArray[np.float64]:
        return prices if column is None else np.asarray(column, np.float64)

    volumes = np.full(len(prices), 1000.0) if volume is None else np.asarray(volume, np.float64)
    return Bars(
        "TEST",
        Timeframe(max(1, step_ns // MINUTE_NS), "m"),
        times,
        times + step_ns,
        given(open_),
        given(high),
        given(low),
        prices,
        volumes,
        session,
    )


def random_bars(n: int, seed: int, *, price: float = 100.0, flat: float = 0.1, step_ns: int = MINUTE_NS) -> Bars:
    """Return a random walk of `n` bars; `flat` is the share of bars in stretches of ten without any movement."""
    random = np.random.default_rng(seed)
    moves = random.normal(0, 0.01, n) * _movement(n, random, flat)
    close = price * np.exp(np.cumsum(moves))
    open_ = np.concatenate(([price], close[:-1]))[:n]
    spread = close * np.abs(random.normal(0, 0.005, n)) * (moves != 0)
    high, low = np.maximum(open_, close) + spread, np.minimum(open_, close) - spread / 2
    volume = np.floor(random.uniform(1, 1e5, n))
    return make_bars(close, high=high, low=low, open_=open_, volume=volume, step_ns=step_ns)


def random_series(
    n: int, seed: int, *, price: float = 100.0, flat: float = 0.1, missing: float = 0.0
) -> npt.NDArray[np.float64]:
    """Return a random walk, shape (n,); with `missing` above 0 such a share of NaN, and up to four more in front."""
    random = np.random.default_rng(seed)
    column: npt.NDArray[np.float64] = price * np.exp(np.cumsum(random.normal(0, 0.01, n) * _movement(n, random, flat)))
    if missing:
        column[random.random(n) < missing] = np.nan
        column[: int(random.integers(0, 5))] = np.nan
    return column


def random_inputs(
    component: Component, bars: Bars, seed: int, *, price: float = 100.0, missing: float = 0.0
) -> dict[str, Any]:
    """Return a random column for every port of a component, as `compute` takes them; three for a port of many.

    A port of bars gets `bars`; `missing` is the share of NaN in a series.
    """
    inputs: dict[str, Any] = {}
    for number, port in enumerate(type(component).inputs()):
        columns = [
            _column(port.type, bars, seed * 100 + number * 10 + wire, price, missing)
            for wire in range(_WIRES if port.many else 1)
        ]
        inputs[port.name] = tuple(columns) if port.many else columns[0]
    return inputs


def _column(kind: PortType, bars: Bars, seed: int, price: float, missing: float) -> Any:
    random = np.random.default_rng(seed)
    n = len(bars)
    if kind is PortType.BARS:
        return bars
    if kind in (PortType.CONDITION, PortType.FILTER):
        return random.random(n) < _HELD
    if kind is PortType.SIGNAL:
        return Signals(random.choice(_FLAGS, n))
    return random_series(n, seed, price=price, missing=missing)


def _movement(n: int, random: np.random.Generator, flat: float) -> npt.NDArray[np.float64]:
    """Return 1 where the price moves, 0 in stretches of ten bars in which it stands still."""
    return np.repeat(random.random(n // 10 + 1) >= flat, 10)[:n].astype(np.float64)
