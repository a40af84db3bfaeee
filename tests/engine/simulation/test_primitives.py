import math
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.rules import ProtectiveKind
from quantcrafter.engine.simulation.primitives import (
    match_limit,
    match_stop,
    round_to_tick,
    to_quantity,
    whole_inverse,
    whole_lots,
)
from quantcrafter.engine.simulation.records import HOLDING_DTYPE
from quantcrafter.engine.simulation.ticks import protective_level

TICKS = st.sampled_from(["0.01", "0.0001", "0.05", "0.25", "0.5", "1", "2.5", "10"])


@pytest.mark.parametrize(
    ("quantity", "lot", "lots"),
    [(0.3, 0.1, 3), (0.57, 0.01, 57), (1.1, 0.1, 11), (0.299, 0.1, 2), (7.0, 2.5, 2), (0.9, 1.0, 0), (-1.0, 1.0, 0)],
)
def test_lots_are_counted_as_decimal_arithmetic_would(quantity: float, lot: float, lots: int) -> None:
    assert whole_lots(quantity, lot, whole_inverse(lot)) == lots


def test_a_quantity_that_is_no_number_or_no_end_stays_in_bounds() -> None:
    assert whole_lots(math.nan, 1.0, 1.0) == 0
    assert whole_lots(math.inf, 1.0, 1.0) == 2**53
    assert whole_lots(1e300, 0.1, 10.0) == 2**53


@given(st.integers(0, 10**9), st.sampled_from(["1", "0.1", "0.01", "0.001", "0.25", "5"]))
@settings(deadline=None)
def test_lots_to_quantity_and_back_loses_nothing(lots: int, lot: str) -> None:
    size = float(lot)
    quantity = to_quantity(lots, size, whole_inverse(size))
    assert quantity == float(Decimal(lot) * lots)
    assert whole_lots(quantity, size, whole_inverse(size)) == lots


@pytest.mark.parametrize(("price", "rounded"), [(1.005, 1.01), (98.245, 98.25), (-1.005, -1.01), (2.5, 2.5)])
def test_halves_are_rounded_away_from_zero(price: float, rounded: float) -> None:
    assert round_to_tick(price, 0.01, whole_inverse(0.01)) == rounded


@given(st.decimals(min_value=0, max_value=100_000, places=6), TICKS)
@settings(deadline=None)
def test_prices_are_rounded_as_decimal_arithmetic_would(price: Decimal, tick: str) -> None:
    size = float(tick)
    expected = (price / Decimal(tick)).quantize(Decimal(1), ROUND_HALF_UP) * Decimal(tick)
    assert round_to_tick(float(price), size, whole_inverse(size)) == float(expected)


@pytest.mark.parametrize(
    ("match", "side", "expected"),
    [(match_stop, 1, 102.0), (match_stop, -1, 98.0), (match_limit, 1, 98.0), (match_limit, -1, 102.0)],
)
def test_a_price_is_touched_at_the_very_end_of_the_bar(match: object, side: int, expected: float) -> None:
    assert callable(match)
    assert match(side, expected, 100.0, 102.0, 98.0) == expected
    beyond = expected + math.copysign(0.01, expected - 100.0)
    assert math.isnan(match(side, beyond, 100.0, 102.0, 98.0))


@given(
    st.sampled_from(list(ProtectiveKind)),
    st.sampled_from([1, -1]),
    st.floats(0.01, 10_000),
    st.floats(1e-6, 20_000),
    TICKS,
)
@settings(deadline=None)
def test_a_protective_order_lies_on_its_side_of_the_entry_or_a_tick_above_zero(
    kind: ProtectiveKind, side: int, price: float, distance: float, tick: str
) -> None:
    size = float(tick)
    holding = np.zeros(1, HOLDING_DTYPE)[0]
    holding["tick_size"], holding["tick_inverse"] = size, whole_inverse(size)
    level = protective_level(holding, int(kind), side, price, distance)
    sign = side if kind is ProtectiveKind.TAKE_PROFIT else -side
    assert level > 0
    assert (level - price) * sign > 0 or level == size
