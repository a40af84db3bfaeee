"""Ticks that depend on the price: tables worked out by hand, and what holds of any price."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api import Market, Session, TickTable
from quantcrafter.engine.api.entries import EntryRule, Offset
from quantcrafter.engine.api.ledger import OrderKind
from quantcrafter.engine.api.market import TickTables
from quantcrafter.engine.api.ports import ENTER_LONG
from quantcrafter.engine.api.rules import ExecutionRule, ProtectiveKind, ProtectiveRule
from quantcrafter.engine.data.markets import MARKETS
from quantcrafter.engine.data.tick_tables import EUROPE, TOKYO_LIMITS
from quantcrafter.engine.simulation.arrays import set_bands
from quantcrafter.engine.simulation.driver import simulate, simulate_stepwise
from quantcrafter.engine.simulation.records import HOLDING_DTYPE
from quantcrafter.engine.simulation.ticks import on_tick, protective_level, use_table
from quantcrafter.engine.simulation.venue_columns import limits_of
from tests.support.jobs import Setup, make_bars, make_job
from tests.support.ledger_checks import assert_same_bits

BY_NAME = {market.name: market for market in MARKETS}
HKEX = BY_NAME["hk_stocks"].ticks_of("hkex")
OTHER, TOPIX = (BY_NAME["jp_stocks"].ticks_of(name) for name in ("tse_other", "tse_topix500"))
TABLES = [HKEX, OTHER, TOPIX, *(BY_NAME["eu_stocks"].ticks_of(f"mifid_{band}") for band in range(1, 7))]
PHASE_1 = (date(2025, 8, 4) - date(1970, 1, 1)).days


def holding_of(tables: TickTables, day: int = 0) -> Any:
    """Return a holding with the ticks of tables, as in force on a day."""
    job = make_job((make_bars([(1.0, 1.0, 1.0, 1.0)]), Setup(more={"tick_tables": tables})))
    holding = np.zeros(1, HOLDING_DTYPE)[0]
    set_bands(holding, job.instruments[0])
    use_table(holding, day)
    return holding


def bands_on(tables: TickTables, day: int = 0) -> list[tuple[Decimal, Decimal]]:
    """Return the bands that are in force on a day, as decimals."""
    bands = next(bands for since, bands in reversed(tables) if since <= day)
    return [(Decimal(str(low)), Decimal(str(tick))) for low, tick in bands]


@pytest.mark.parametrize(
    ("tables", "day", "price", "rounded"),
    [
        (HKEX, PHASE_1 - 1, 0.2438, 0.244), (HKEX, 0, 0.3331, 0.335), (HKEX, 0, 9.994, 9.99),
        (HKEX, PHASE_1 - 1, 15.013, 15.02), (HKEX, PHASE_1, 15.013, 15.01), (HKEX, PHASE_1 - 1, 33.33, 33.35),
        (HKEX, PHASE_1, 33.33, 33.34), (HKEX, PHASE_1, 61.37, 61.35), (HKEX, PHASE_1, 412.3, 412.4),
        (HKEX, 0, 6003.0, 6005.0), (OTHER, 0, 2999.4, 2999.0), (OTHER, 0, 3003.0, 3005.0), (OTHER, 0, 5004.0, 5000.0),
        (OTHER, 0, 31_020.0, 31_000.0), (TOPIX, 0, 999.96, 1000.0), (TOPIX, 0, 2500.3, 2500.5),
        (TOPIX, 0, 9999.6, 10_000.0), (TOPIX, 0, 45_004.0, 45_000.0), (TABLES[3 + 5], 0, 7.0126, 7.013),
        (TABLES[3], 0, 7.0126, 7.0), (TABLES[3 + 4], 0, 144.07, 144.05),
    ],
)  # fmt: skip
def test_a_price_is_rounded_to_the_tick_of_its_band(tables: TickTables, day: int, price: float, rounded: float) -> None:
    assert on_tick(holding_of(tables, day), price, 1.0) == rounded


@given(st.sampled_from(TABLES), st.sampled_from([0, PHASE_1]), st.floats(0.001, 70_000.0))
@settings(deadline=None)
def test_rounded_prices_are_multiples_of_their_tick_and_the_nearest(tables: TickTables, day: int, price: float) -> None:
    level, exact = on_tick(holding_of(tables, day), price, 1.0), Decimal(price)
    bands = bands_on(tables, day)
    tick = [tick for low, tick in bands if low <= exact][-1]
    below = (exact / tick).to_integral_value(ROUND_FLOOR) * tick
    above = (exact / tick).to_integral_value(ROUND_CEILING) * tick
    assert abs(level - price) <= float(min(exact - below, above - exact)) * (1 + 1e-9) + 1e-12
    assert level == float(Decimal(repr(round(level, 10))))


@given(
    st.sampled_from(TABLES),
    st.sampled_from([ProtectiveKind.STOP_LOSS, ProtectiveKind.TAKE_PROFIT]),
    st.sampled_from([1, -1]),
    st.floats(1.0, 60_000.0),
    st.floats(1e-6, 1_000.0),
)
@settings(deadline=None)
def test_a_level_lies_on_its_side_of_the_entry_by_a_tick_or_more(
    tables: TickTables, kind: ProtectiveKind, side: int, price: float, distance: float
) -> None:
    level = protective_level(holding_of(tables), int(kind), side, price, distance)
    sign = side if kind is ProtectiveKind.TAKE_PROFIT else -side
    bands = bands_on(tables)
    towards = [float(tick) for low, tick in bands if float(low) < price or (float(low) == price and sign > 0)][-1]
    lowest = float(bands[0][1])
    assert (level - price) * sign >= towards * (1 - 1e-5) or level == lowest


def test_at_a_bound_a_stop_is_one_tick_of_the_lower_band_away_and_a_target_one_of_the_upper() -> None:
    holding = holding_of(OTHER)
    stop = protective_level(holding, int(ProtectiveKind.STOP_LOSS), 1, 3000.0, 0.2)
    target = protective_level(holding, int(ProtectiveKind.TAKE_PROFIT), 1, 3000.0, 0.2)
    assert (stop, target) == (2999.0, 3005.0)


def test_the_tables_of_europe_are_those_of_the_regulation() -> None:
    ticks = {table.name: dict(table.bands) for table in EUROPE}
    # RTS 11: 0 to 0.1, 0.5 to 1, 10 to 20, 100 to 200, 50,000 and above, for the least and the most liquid stocks.
    assert [ticks["mifid_1"][low] for low in (0, 0.5, 10, 100, 50_000)] == [0.0005, 0.005, 0.1, 1, 500]
    assert [ticks["mifid_4"][low] for low in (0, 0.5, 10, 100, 50_000)] == [0.0001, 0.0005, 0.01, 0.1, 50]
    assert [ticks["mifid_6"][low] for low in (0, 0.5, 10, 100, 50_000)] == [0.0001, 0.0001, 0.002, 0.02, 10]


def test_a_table_whose_bounds_are_off_a_tick_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of both ticks"):
        TickTable(name="wrong", bands=((0, 0.03), (10, 0.05)))
    with pytest.raises(ValueError, match="the first from 0 on"):
        TickTable(name="wrong", bands=((1, 0.03),))


def test_orders_in_hong_kong_have_the_tick_of_their_price_and_of_their_day() -> None:
    days = [PHASE_1 - 4, PHASE_1 - 3, PHASE_1, PHASE_1 + 1]
    entry = ExecutionRule(entry=EntryRule(OrderKind.LIMIT, Offset(percent=1.0)))
    stop = (ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=0.6),)
    for decided, expected in ((0, 33.15), (2, 33.16)):  # 33.5 x 0.99 = 33.165; the tick is 0.05, and from 4 August 0.02
        rows = [(33.5, 33.6, 33.4, 33.5)] * 4
        rows[decided + 1] = (33.5, 33.5, 33.1, 33.1)
        job = make_job(
            (make_bars(rows, close_days=days), Setup(flags={decided: ENTER_LONG}, more={"tick_tables": HKEX})),
            execution=entry,
            protection=stop,
        )
        ledger = simulate(job)
        assert ledger.fills["price"].tolist()[:1] == [expected]
        assert_same_bits(ledger, simulate_stepwise(job))
        stops = ledger.orders[ledger.orders["kind"] == OrderKind.STOP]
        # 33.15 x 0.994 = 32.9511, and 33.16 x 0.994 = 32.96104.
        assert stops["price"].tolist()[:1] == [32.95 if decided == 0 else 32.96]


def test_the_finest_tick_is_that_of_the_lowest_price() -> None:
    rows = [(19.0, 21.0, 18.5, 20.5)]
    (with_table,) = make_job((make_bars(rows), Setup(tick_size=0.05, more={"tick_tables": HKEX}))).instruments
    (without,) = make_job((make_bars(rows), Setup(tick_size=0.05))).instruments
    assert (with_table.finest_tick, without.finest_tick) == (
        0.01,
        0.05,
    )  # since August 2025 a cent from 10 to 20 dollars


def test_limits_in_tokyo_follow_the_table_from_the_close_before() -> None:
    rows = [(2500.0, 2500.0, 2500.0, 2500.0), (2987.0, 2987.0, 2987.0, 2987.0), (99.0, 99.0, 99.0, 99.0), (9.0,) * 4]
    more = {"tick_tables": OTHER, "limit_amounts": TOKYO_LIMITS, "limit_rounding": "inward"}
    (instrument,) = make_job((make_bars(rows), Setup(more=more))).instruments
    up, down = limits_of(instrument)
    # 2,987 + 500 is off the tick of 5 yen; 99 - 30 is on that of 1 yen.
    assert up.tolist() == [np.inf, 3000.0, 3485.0, 129.0]
    assert down.tolist() == [-np.inf, 2000.0, 2487.0, 69.0]


def test_limits_of_india_are_rounded_inward() -> None:
    rows = [(100.55, 100.55, 100.55, 100.55)] * 2
    more = {"price_limits": ((0, 5.0),), "limit_rounding": "inward"}
    (instrument,) = make_job((make_bars(rows), Setup(tick_size=0.05, more=more))).instruments
    up, down = limits_of(instrument)
    assert (up[1], down[1]) == (105.55, 95.55)  # 105.5775 and 95.5225


@pytest.mark.parametrize(("day", "fills"), [((3000.0,) * 4, 0), ((2990.0, 3000.0, 2985.0, 2995.0), 1)])
def test_nothing_is_bought_at_a_locked_limit_in_tokyo(day: tuple[float, ...], fills: int) -> None:
    rows: list[Any] = [(2500.0, 2510.0, 2490.0, 2500.0), day]
    more = {"tick_tables": OTHER, "limit_amounts": TOKYO_LIMITS, "limit_rounding": "inward"}
    job = make_job((make_bars(rows), Setup(flags={0: ENTER_LONG}, more=more)))
    assert len(simulate(job).fills) == fills


def test_a_market_of_a_plugin_has_tables_of_its_own() -> None:
    table = TickTable(name="own", bands=((0, 0.5), (10, 1)))
    market = Market(name="own_market", session=Session(), tick_tables=(table,), tick_table="own")
    assert market.ticks_of("own") == ((-1_000_000, ((0.0, 0.5), (10.0, 1.0))),)
