"""Strategies of hypothesis: bars, and bars with a column for every port of a component."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from quantcrafter.engine.api import Bars, Component, Signals
from quantcrafter.testing.market import MINUTE_NS, random_bars, random_inputs

if TYPE_CHECKING:
    from hypothesis import strategies as st

Case = tuple[Bars, dict[str, Any]]
"""Bars, and the column at each port of a component."""

_PRICES = (1e-6, 1.0, 100.0, 1e9)
_FLAT = (0.0, 0.3, 1.0)
_MISSING = (0.0, 0.02, 0.3)
_LENGTHS_NS = (MINUTE_NS, 60 * MINUTE_NS, 1440 * MINUTE_NS)
_SPECIAL = (0.0, -0.0, 1.0, -1.0, 2.5, np.nan, np.inf, -np.inf, 1e308, 5e-324, 99.0, 101.0)


def bars(*, min_size: int = 1, max_size: int = 160, step_ns: int | None = None) -> st.SearchStrategy[Bars]:
    """Return a strategy for bars: random walks around small and large prices, some with stretches without movement.

    Without `step_ns` they are of a minute, an hour or a day.

    Raises:
        ModuleNotFoundError: hypothesis isn't installed.
    """
    with _hypothesis():
        from hypothesis import strategies as st
    return st.builds(
        lambda n, seed, price, flat, step: random_bars(n, seed, price=price, flat=flat, step_ns=step),
        st.integers(min_size, max_size),
        st.integers(0, 1000),
        st.sampled_from(_PRICES),
        st.sampled_from(_FLAT),
        st.sampled_from(_LENGTHS_NS) if step_ns is None else st.just(step_ns),
    )


def cases(
    component: Component, *, min_size: int = 1, max_size: int = 160, any_numbers: bool = False
) -> st.SearchStrategy[Case]:
    """Return a strategy for bars with a column for every port of a component, as the checks take them.

    A series is a random walk near the price, with a share of NaN; with `any_numbers` its values are any float64,
    infinities among them, and a signal's flags are any.

    Raises:
        ModuleNotFoundError: hypothesis isn't installed.
    """
    with _hypothesis():
        from hypothesis import strategies as st

    @st.composite
    def drawn(draw: st.DrawFn) -> Case:
        market = draw(bars(min_size=min_size, max_size=max_size))
        price = float(market.open[0]) if len(market) else 100.0
        seed, missing = draw(st.integers(0, 1000)), draw(st.sampled_from(_MISSING))
        inputs = random_inputs(component, market, seed, price=price, missing=missing)
        if any_numbers:
            inputs = {port: _any(st, draw, value) for port, value in inputs.items()}
        return market, inputs

    return drawn()


def _any(st: Any, draw: Any, value: Any) -> Any:
    """Return a column of the kind of `value`, or a tuple of them, with any values."""
    if isinstance(value, tuple) and not isinstance(value, Signals):
        return tuple(_any(st, draw, each) for each in value)
    if isinstance(value, Signals):
        n = len(value.flags)
        return Signals(np.array(draw(st.lists(st.integers(0, 15), min_size=n, max_size=n)), np.uint8))
    if isinstance(value, np.ndarray) and value.dtype == np.float64:
        number = st.sampled_from(_SPECIAL) | st.floats(width=64)
        return np.array(draw(st.lists(number, min_size=len(value), max_size=len(value))), np.float64)
    return value


@contextmanager
def _hypothesis() -> Iterator[None]:
    """Import hypothesis within this, so that its absence is explained."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "The strategies of quantcrafter.testing need hypothesis, which isn't installed. "
            "Install it: pip install hypothesis",
            name="hypothesis",
        ) from error
