"""Hypothesis strategies for the account's rules: moving stops, guards, sizes, financing, margin, volume."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from quantcrafter.engine.api.bars import Bars, DatedAmounts
from quantcrafter.engine.api.engine import NightlySwap
from quantcrafter.engine.api.market import TickTables
from quantcrafter.engine.api.rules import (
    GuardKind,
    GuardRule,
    HaltAction,
    ProtectiveKind,
    ProtectiveRule,
    SizeKind,
    SizeRule,
)
from quantcrafter.engine.api.settings import InstrumentMargin

ADAPTIVE_SIZES = st.sampled_from(
    [
        SizeRule(SizeKind.VOLATILITY_TARGET, 10.0, column="volatility", most=60.0),
        SizeRule(SizeKind.KELLY, 0.5, least=1.0, most=50.0, window=10, trades=3, start=10.0),
        SizeRule(SizeKind.MARTINGALE, 5.0, factor=2.0, most=60.0),
        SizeRule(SizeKind.MARTINGALE, 5.0, factor=2.0, most=60.0, trades=2),
        SizeRule(SizeKind.ANTI_MARTINGALE, 5.0, factor=3.0, most=80.0),
        SizeRule(SizeKind.FIXED_RATIO, 2.0, delta=5.0, most=40.0),
        SizeRule(SizeKind.LOTS, 3.0),
    ]
)
MOVING_RULES = st.lists(
    st.sampled_from(
        [
            ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=2.0),
            ProtectiveRule(ProtectiveKind.STOP_LOSS, ticks=150.0),
            ProtectiveRule(ProtectiveKind.TAKE_PROFIT, pips=12.0),
            ProtectiveRule(ProtectiveKind.TRAILING_STOP, pips=15.0),
            ProtectiveRule(ProtectiveKind.STOP_LOSS, cash=20.0),
            ProtectiveRule(ProtectiveKind.TAKE_PROFIT, cash=30.0),
            ProtectiveRule(ProtectiveKind.TRAILING_STOP, percent=1.5),
            ProtectiveRule(ProtectiveKind.TRAILING_STOP, multiple=2.0, column="atr"),
            ProtectiveRule(ProtectiveKind.TRAILING_STOP, column="below", line=True),
            ProtectiveRule(ProtectiveKind.TRAILING_STOP, column="below", line=True, side=1),
            ProtectiveRule(ProtectiveKind.TRAILING_STOP, column="above", line=True, side=-1),
            ProtectiveRule(ProtectiveKind.TAKE_PROFIT, column="above", line=True, follow=True),
            ProtectiveRule(ProtectiveKind.TAKE_PROFIT, column="below", line=True, side=-1),
            ProtectiveRule(ProtectiveKind.BREAK_EVEN, percent=0.8, lock_percent=0.2),
        ]
    ),
    unique=True,
    max_size=3,
).map(tuple)


@st.composite
def guards(draw: st.DrawFn) -> tuple[GuardRule, ...]:
    """Draw guards of the account and of positions."""
    action = st.sampled_from(list(HaltAction))
    return tuple(
        draw(
            st.lists(
                st.one_of(
                    st.builds(GuardRule, st.just(GuardKind.MAX_DRAWDOWN), st.sampled_from([0.5, 3.0]), action),
                    st.builds(GuardRule, st.just(GuardKind.DAILY_LOSS), st.sampled_from([0.2, 1.0]), action),
                    st.builds(GuardRule, st.just(GuardKind.LOSING_STREAK), st.integers(1, 3), action),
                    st.builds(GuardRule, st.just(GuardKind.TIME_STOP), st.integers(1, 6)),
                    st.builds(GuardRule, st.just(GuardKind.COOL_DOWN), st.integers(1, 6)),
                    st.builds(GuardRule, st.just(GuardKind.GROSS_EXPOSURE), st.sampled_from([20.0, 90.0])),
                    st.builds(GuardRule, st.just(GuardKind.NET_EXPOSURE), st.sampled_from([20.0, 90.0])),
                    st.builds(
                        GuardRule,
                        st.sampled_from([GuardKind.GROSS_EXPOSURE, GuardKind.NET_EXPOSURE]),
                        st.sampled_from([20.0, 90.0]),
                        in_cash=st.booleans(),
                        within=st.just("half"),
                        group=st.sampled_from(["", "0"]),
                    ),
                    st.builds(GuardRule, st.just(GuardKind.OPEN_TRADES), st.integers(1, 2)),
                    st.builds(
                        GuardRule,
                        st.just(GuardKind.OPEN_TRADES),
                        st.integers(1, 2),
                        side=st.sampled_from([-1, 0, 1]),
                        within=st.just("half"),
                        group=st.sampled_from(["", "0"]),
                    ),
                    st.builds(
                        GuardRule,
                        st.sampled_from([GuardKind.ENTRIES_TODAY, GuardKind.OPEN_ENTRIES]),
                        st.integers(1, 3),
                        side=st.sampled_from([-1, 0, 0, 1]),
                        shared=st.booleans(),
                        symbols=st.sampled_from([(), (), ("S0",)]),
                    ),
                    st.just(GuardRule(GuardKind.MAX_POSITION, 15.0)),
                    st.just(GuardRule(GuardKind.MAX_POSITION, 3.0, in_units=True, symbol="S0")),
                    st.just(GuardRule(GuardKind.MAX_POSITION, 700.0, in_cash=True)),
                ),
                max_size=3,
            )
        )
    )


@st.composite
def account_settings(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what the `run:` section says of margin, and of costs beyond the plain ones."""
    initial = draw(st.sampled_from([100.0, 100.0, 50.0, 20.0]))
    return {
        "margin": {
            "initial_percent": initial,
            "maintenance_percent": draw(st.sampled_from([None, 0.0, initial * 0.9])),
        },
        "commission": {
            "percent": draw(st.sampled_from([0.0, 0.1])),
            "maker_percent": draw(st.sampled_from([None, -0.02, 0.05])),
            "per_lot": draw(st.sampled_from([0.0, 0.02])),
            "minimum": draw(st.sampled_from([0.0, 2.0])),
        },
        "slippage": {
            "range_percent": draw(st.sampled_from([0.0, 10.0])),
            "volume_percent": draw(st.sampled_from([0.0, 0.0, 0.3, 2.0])),
        },
        "withdrawal": {
            "percent": draw(st.sampled_from([0.0, 0.0, 40.0, 100.0])),
            "every": draw(st.sampled_from(["month", "quarter"])),
            "of": draw(st.sampled_from(["new_high", "period"])),
        },
    }


def random_financing(seed: int, bars: Bars, *, currency: bool, actions: bool) -> dict[str, Any]:
    """Return what an instrument is financed by: borrow fees, a rate that changes, now and then a split or dividend."""
    rng = np.random.default_rng(seed + 2)
    n = len(bars)
    more: dict[str, Any] = {
        "borrow_percent": float(rng.choice([0.0, 40.0])),
        "min_quantity": float(rng.choice([0.0, 2.0])),
        "size_column": np.where(rng.random(n) < 0.1, np.nan, rng.uniform(5.0, 40.0, n)),
    }
    if currency:
        rate = 1.3 * np.exp(np.cumsum(rng.normal(0.0, 0.003, n)))
        more |= {"rate_open": rate * rng.uniform(0.999, 1.001, n), "rate_close": rate}
    if actions:
        more["split"] = np.where(rng.random(n) < 0.05, rng.choice([2.0, 1.5, 0.25], n), 1.0)
        more["dividend"] = np.where(rng.random(n) < 0.1, rng.uniform(0.1, 2.0, n).round(2), 0.0)
    return more


TICK_TABLES: tuple[TickTables, ...] = (
    (),
    ((-5, ((0.0, 0.01), (95.0, 0.02), (100.0, 0.05), (105.0, 0.25))),),
    ((-5, ((0.0, 0.01), (100.0, 0.1))), (10, ((0.0, 0.01), (100.0, 0.05))), (30, ((0.0, 0.02), (90.0, 0.04)))),
)
"""The ticks of random instruments: one for all prices, or by the price, from some days on others."""


def random_venue(seed: int) -> dict[str, Any]:
    """Return the rules of an instrument's exchange: every other one has none."""
    rng = np.random.default_rng(seed + 5)
    limits = [(), ((-5, 1.0),), ((3, 2.5), (20, 0.4)), ((0, 1.5), (10, 0.0), (30, 0.8))]
    amounts = ((), (), ((95.0, 1.0), (105.0, 2.5), (1e9, 4.0)))[rng.choice(3)]
    return {
        "limit_amounts": amounts,
        "limit_rounding": str(rng.choice(["nearest", "inward"])),
        "tick_tables": TICK_TABLES[rng.choice([0, 0, 1, 2])],
        "settlement": str(rng.choice(["t+0", "t+0", "t+1"])),
        "price_limits": limits[rng.choice([0, 0, 1, 2, 3])],
        "spread": float(rng.choice([0.0, 0.0, 0.03, 0.25])),
        "quotes": str(rng.choice(["bid", "mid", "ask"])),
    }


PIP = 0.1
"""The pip of all random instruments."""


def random_contract(seed: int) -> dict[str, Any]:
    """Return what makes an instrument a contract: its multiplier and its margin, by percent or by the contract."""
    rng = np.random.default_rng(seed + 4)
    margins = [
        None,
        InstrumentMargin(initial_percent=5.0),
        InstrumentMargin(initial_percent=25.0, maintenance_percent=20.0),
        InstrumentMargin(per_contract=8.0),
        InstrumentMargin(per_contract=60.0, maintenance_per_contract=55.0),
        InstrumentMargin(per_contract=8.0, maintenance_per_contract=0.0),
    ]
    swaps = [None, NightlySwap(-0.03, 0.01), NightlySwap(-6.0, 2.5, by_value=True, triple_day=4), None]
    return {
        "kind": "contract",
        "multiplier": float(rng.choice([1.0, 5.0, 0.3])),
        "margin": margins[rng.integers(len(margins))],
        "borrow_percent": 0.0,
        "funding_percent": float(rng.choice([0.0, 0.0, 0.05, -0.02])),
        "swap": swaps[rng.integers(len(swaps))],
    }


def random_dated(seed: int, bars: Bars) -> dict[str, Any]:
    """Return costs of a contract that change from bar to bar, and rolls; without splits and dividends then."""
    rng = np.random.default_rng(seed + 6)
    n = len(bars)
    found: dict[str, Any] = {}
    times = np.sort(rng.choice(np.arange(bars.open_ns[0], bars.close_ns[-1], 3_600_000_000_000), min(3 * n, 60)))
    amounts = DatedAmounts(times, rng.normal(0.0, 0.05, len(times)), rng.normal(0.0, 0.05, len(times)))
    kind = int(rng.integers(0, 4))
    if kind == 1:
        found |= {"funding": replace(amounts, short=amounts.long), "swap": None}
    if kind == 2:
        found |= {"swap": NightlySwap(0.0, 0.0, by_value=bool(rng.integers(2)), dated=amounts), "funding_percent": 0.0}
    if rng.random() < 0.5:
        found["spreads"] = rng.choice([0.0, 0.03, 0.25, 0.5], n)
    if rng.random() < 0.5:
        before = np.append(bars.close[0], bars.close[:-1])
        new = (before + rng.choice([-3.0, -0.25, 0.0, 0.5, 4.0], n)).round(2)
        found |= {"roll": np.where(rng.random(n) < 0.1, new, np.nan), "split": None, "dividend": None}
    return found


def lines(seed: int, bars: Bars) -> dict[str, Any]:
    """Return lines below and above the prices, some of whose values are missing."""
    rng = np.random.default_rng(seed + 3)
    missing = rng.random(len(bars)) < 0.05
    return {
        "below": np.where(missing, np.nan, bars.close * 0.985),
        "above": np.where(missing, np.nan, bars.close * 1.02),
    }
